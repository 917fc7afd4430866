/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/filesystems.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/text.h"
#include "platform/tree.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define MOUNTINFO_LIMIT (4u << 20)

void filesystems_free(struct filesystems *filesystems)
{
	list_free(&filesystems->items);
}

/* What is on the disk, not in a cache. Never waits for a medium. A path may come
 * from a disk: merely opening some character devices does things. */
static int open_device(const char *root, const char *device)
{
	char full[PATH_MAX];
	struct stat st;
	int fd;

	if (snprintf(full, sizeof(full), "%s%s", root, device) >= (int)sizeof(full))
		return -ENAMETOOLONG;
	if (stat(full, &st) < 0)
		return -errno;
	if (!S_ISBLK(st.st_mode) && !S_ISREG(st.st_mode))
		return -ENOTBLK;
	fd = open(full, O_RDONLY | O_DIRECT | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 && errno == EINVAL) /* a file on a file system without O_DIRECT */
		fd = open(full, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

static int read_page(void *context, uint64_t offset, unsigned char *page)
{
	return io_pread_full(*(const int *)context, page, FILESYSTEM_PAGE, offset);
}

static int identify(int fd, unsigned char *page, struct filesystem *ret)
{
	const struct filesystem_source source = { .read = read_page, .context = &fd };

	return filesystem_identify(&source, page, ret);
}

/* "dm-0", "vda2" or "cciss!c0d0p1" as a path. */
static void device_path(const char *name, char *path, size_t size)
{
	snprintf(path, size, "/dev/%s", name);
	for (char *c = path; *c; c++)
		if (*c == '!')
			*c = '/';
}

/* A line of mountinfo (proc_pid_mountinfo(5)): 36 35 98:0 / /mnt rw … - ext3
 * /dev/root rw. btrfs has no device number there, but the path of a device. */
static bool parse_mount(const char *root, const char *line, struct filesystem *ret)
{
	const char *rest = strstr(line, " - ");
	unsigned int high, low;
	char place[PATH_MAX], source[PATH_MAX], name[64];

	if (!rest || sscanf(line, "%*u %*u %u:%u %*s %4095s", &high, &low, place) != 3 ||
	    sscanf(rest, " - %*s %4095s", source) != 1)
		return false;
	*ret = (struct filesystem){ 0 };
	if (high != 0) {
		if (!tree_link(root, name, sizeof(name), "/sys/dev/block/%u:%u", high, low))
			return false;
		device_path(name, ret->device, sizeof(ret->device));
	} else if (!text_starts(source, "/dev/") ||
		   !text_unescape_octal(source, strlen(source), ret->device, sizeof(ret->device))) {
		return false;
	}
	text_unescape_octal(place, strlen(place), place, sizeof(place));
	text_copy(ret->place, sizeof(ret->place), place);
	tree_one_line(ret->place);
	return true;
}

#define STACK_DEPTH 8

/* Can it be read while all is stopped? Of a loop device the kernel's own threads
 * are stopped as well (WQ_FREEZABLE in drivers/block/loop.c), others need
 * programs or a network, and what is stacked on one of these needs it too. */
static bool answers_frozen(const char *root, const char *name, unsigned int depth)
{
	static const char *const others[] = { "loop", "nbd", "rbd", "drbd", "ublk", "etherd" };
	_cleanup_names_ struct tree_names slaves = { 0 };
	char path[300];

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (text_starts(name, others[i]))
			return false;
	snprintf(path, sizeof(path), "/sys/class/block/%s/slaves", name);
	if (tree_list(root, path, &slaves) < 0)
		return true;
	if (slaves.count > 0 && depth == STACK_DEPTH)
		return false;
	for (size_t i = 0; i < slaves.count; i++)
		if (!answers_frozen(root, slaves.items[i], depth + 1))
			return false;
	return true;
}

/* The kernel's name of an open device ("dm-0" for /dev/mapper/x). */
static bool device_answers_frozen(const char *root, int fd, const char *device)
{
	char name[64];
	struct stat st;

	if (fstat(fd, &st) < 0)
		return false;
	if (S_ISBLK(st.st_mode))
		return tree_link(root, name, sizeof(name), "/sys/dev/block/%u:%u",
				 major(st.st_rdev), minor(st.st_rdev)) &&
		       answers_frozen(root, name, 0);
	return answers_frozen(root, device + strlen("/dev/"), 0);
}

static bool has_device(const struct mounted *mounted, const char *device)
{
	for (size_t i = 0; i < mounted->count; i++)
		if (strcmp(mounted->items[i].device, device) == 0)
			return true;
	return false;
}

static void open_mounts(const char *root, char *text, struct mounted *mounted)
{
	char *line;

	while (mounted->count < FILESYSTEMS_MAX && (line = strsep(&text, "\n"))) {
		struct filesystem *at = &mounted->items[mounted->count];
		_cleanup_close_ int fd = -1;

		if (!parse_mount(root, line, at) || has_device(mounted, at->device))
			continue;
		fd = open_device(root, at->device);
		if (fd >= 0 && device_answers_frozen(root, fd, at->device))
			mounted->fds[mounted->count++] = steal_fd(&fd);
	}
}

static size_t count_lines(const char *text)
{
	size_t count = 1;

	for (; *text; text++)
		count += *text == '\n';
	return min_u64(count, FILESYSTEMS_MAX);
}

int mounted_open(const char *root, struct mounted *mounted, struct filesystems *ret)
{
	_cleanup_free_ char *text = NULL;
	int r = io_read_file(root, "/proc/self/mountinfo", MOUNTINFO_LIMIT, &text, NULL);
	size_t most;

	*mounted = (struct mounted){ 0 };
	*ret = (struct filesystems){ 0 };
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	most = count_lines(text);
	mounted->items = calloc(most, sizeof(*mounted->items));
	mounted->fds = calloc(most, sizeof(*mounted->fds));
	mounted->page = aligned_alloc(FILESYSTEM_PAGE, FILESYSTEM_PAGE);
	ret->items.items = calloc(most, sizeof(*ret->items.items));
	if (!mounted->items || !mounted->fds || !mounted->page || !ret->items.items) {
		mounted_close(mounted);
		filesystems_free(ret);
		return -ENOMEM;
	}
	open_mounts(root, text, mounted);
	return 0;
}

void mounted_stamp(struct mounted *mounted, struct filesystems *ret)
{
	ret->items.count = 0;
	ret->items.known = mounted->items != NULL;
	for (size_t i = 0; i < mounted->count; i++)
		if (identify(mounted->fds[i], mounted->page, &mounted->items[i]) == 0)
			ret->items.items[ret->items.count++] = mounted->items[i];
}

void mounted_close(struct mounted *mounted)
{
	for (size_t i = 0; i < mounted->count; i++)
		close(mounted->fds[i]);
	free(mounted->items);
	free(mounted->fds);
	free(mounted->page);
	*mounted = (struct mounted){ 0 };
}

/* How a search stands. */
struct search {
	const char *root;
	const struct filesystems *wanted;
	bool *met; /* for each wanted: found with its stamp */
	unsigned char *page;
	struct filesystems *ret;
};

static bool all_met(const struct search *search)
{
	for (size_t i = 0; i < search->wanted->items.count; i++)
		if (!search->met[i])
			return false;
	return true;
}

static int take_found(struct search *search, const struct filesystem *found)
{
	bool wanted = false;

	for (size_t i = 0; i < search->wanted->items.count; i++) {
		const struct filesystem *item = &search->wanted->items.items[i];

		if (!filesystem_same(item, found))
			continue;
		wanted = true;
		if (memcmp(item->stamp, found->stamp, sizeof(item->stamp)) == 0)
			search->met[i] = true;
	}
	return wanted ? list_append(&search->ret->items, *found) : 0;
}

static int look_at(struct search *search, const char *device)
{
	struct filesystem found = { 0 };
	int fd = open_device(search->root, device), r;

	if (fd < 0)
		return 0;
	r = identify(fd, search->page, &found);
	close(fd);
	if (r < 0)
		return 0;
	text_copy(found.device, sizeof(found.device), device);
	return take_found(search, &found);
}

/* These make one wait, or are memory. */
static bool is_worth_a_look(const char *name)
{
	static const char *const others[] = { "fd", "sr", "ram", "zram", "mtd" };

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (text_starts(name, others[i]))
			return false;
	return true;
}

static int search_all(struct search *search)
{
	_cleanup_names_ struct tree_names names = { 0 };
	char path[300];
	int r = 0;

	for (size_t i = 0; i < search->wanted->items.count && r == 0; i++)
		if (!search->met[i] && text_starts(search->wanted->items.items[i].device, "/dev/"))
			r = look_at(search, search->wanted->items.items[i].device);
	if (r < 0 || all_met(search))
		return r;
	if (tree_list(search->root, "/sys/class/block", &names) == -ENOMEM)
		return -ENOMEM;
	for (size_t i = 0; i < names.count && r == 0 && !all_met(search); i++) {
		device_path(names.items[i], path, sizeof(path));
		if (is_worth_a_look(names.items[i]))
			r = look_at(search, path);
	}
	return r;
}

int filesystems_look(const char *root, const struct filesystems *wanted, struct filesystems *ret)
{
	struct search search = { .root = root, .wanted = wanted, .ret = ret };
	int r = -ENOMEM;

	*ret = (struct filesystems){ 0 };
	if (!wanted->items.known)
		return 0;
	search.met = calloc(wanted->items.count + 1, sizeof(*search.met));
	search.page = aligned_alloc(FILESYSTEM_PAGE, FILESYSTEM_PAGE);
	if (search.met && search.page)
		r = search_all(&search);
	free(search.met);
	free(search.page);
	if (r < 0)
		filesystems_free(ret);
	else
		ret->items.known = true;
	return r;
}
