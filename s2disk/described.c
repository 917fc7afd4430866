/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines of the file "answers", by which a report says what its machine answered:
 *
 *   euid NUMBER
 *   open-read PATH ERROR           opening that device failed
 *   open-write PATH ERROR
 *   active ERROR                   SNAPSHOT_SET_SWAP_AREA; 0: it is
 *   free BYTES                     SNAPSHOT_AVAIL_SWAP_SIZE
 *   entry PATH                     the area's line in /proc/swaps; "entry -": none
 *   lost SPEC ERROR TEXT           that name leads to no device
 *   no-area ERROR TEXT             no area was found
 *   no-platform TEXT               the machine could not be described
 *
 * ERROR is a negative errno.
 */
#include "described.h"

#include "base/cleanup.h"
#include "crypto/crypto.h"
#include "base/io.h"
#include "base/memory.h"
#include "base/text.h"
#include "kernel/kernel_cmdline.h"
#include "s2disk/prepare/platform_section.h"
#include "s2disk/prepare/released.h"
#include "base/tree.h"
#include "config/sleep_method.h"
#include "config/target.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define FILE_LIMIT (1u << 20)

/* A struct preflight_system has no context: one at a time. */
static struct {
	char root[PATH_MAX]; /* its real path */
	char *devices, *answers, *page;
	size_t page_length;
	bool area_known;
	struct swap_area area;
} described;

/* false: the next line is not there. *at goes past it. */
static bool next_line(const char **at, char *line, size_t size)
{
	size_t length;

	if (!*at || !**at)
		return false;
	length = strcspn(*at, "\n");
	snprintf(line, size, "%.*s", (int)length, *at);
	*at += length + ((*at)[length] == '\n');
	return true;
}

/* What follows these words on a line of "answers". */
static bool answer(const char *word, const char *subject, char *ret, size_t size)
{
	char start[PATH_MAX + 32], name[PATH_MAX], line[2 * PATH_MAX];
	const char *at = described.answers;

	name[0] = '\0';
	if (subject && !text_escape_octal(subject, name, sizeof(name)))
		return false;
	snprintf(start, sizeof(start), "%s %s%s", word, name, subject ? " " : "");
	while (next_line(&at, line, sizeof(line)))
		if (text_starts(line, start))
			return text_copy(ret, size, line + strlen(start));
	return false;
}

static bool answer_number(const char *word, const char *subject, long long *ret)
{
	char text[64];

	return answer(word, subject, text, sizeof(text)) && sscanf(text, "%lld", ret) == 1;
}

/* The errno comes from a file; it must never count as success. */
static int as_error(long long number)
{
	return number < 0 && number >= -4095 ? (int)number : -EIO;
}

static bool find_device(const char *spec, dev_t *ret)
{
	char line[PATH_MAX + 64], name[PATH_MAX];
	const char *at = described.devices;
	unsigned int high, low;

	while (next_line(&at, line, sizeof(line))) {
		size_t length = strcspn(line, " \t");

		if (text_unescape_octal(line, length, name, sizeof(name)) &&
		    strcmp(name, spec) == 0 && sscanf(line + length, "%u:%u", &high, &low) == 2) {
			*ret = makedev(high, low);
			return true;
		}
	}
	return false;
}

static uid_t euid(void)
{
	long long number;

	return answer_number("euid", NULL, &number) ? (uid_t)number : 0;
}

/* The area's first page, and nothing before it. */
static int open_area(void)
{
	_cleanup_close_ int fd = memfd_create("area", MFD_CLOEXEC);
	uint64_t start = swap_area_start(&described.area);
	uint64_t end = start + page_size() - SWAP_SIGNATURE_SIZE;
	int r;

	if (fd < 0)
		return -errno;
	if (end > INT64_MAX)
		return -EOVERFLOW;
	r = described.page ? io_pwrite_full(fd, described.page, described.page_length, start)
			   : io_pwrite_full(fd, SWAP_SIGNATURE_SWAP, SWAP_SIGNATURE_SIZE, end);
	return r < 0 ? r : steal_fd(&fd);
}

/* The kernel's own driver, and whether it forbids to open it. */
static int open_snapshot(void)
{
	_cleanup_free_ char *misc = NULL;
	struct check why_not;
	int fd;

	if (io_read_file(described.root, "/proc/misc", FILE_LIMIT, &misc, NULL) == 0 &&
	    !strstr(misc, " snapshot\n"))
		return -ENOENT;
	if (preflight_find_denial(described.root, NULL, &why_not))
		return -EPERM;
	fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int open_device(const char *path, int flags, mode_t kind)
{
	bool write = (flags & O_ACCMODE) == O_RDWR;
	char below[PATH_MAX];
	long long number;
	int fd;

	if (!text_copy(below, sizeof(below), path + strlen(described.root)))
		return -ENAMETOOLONG;
	if (answer_number(write ? "open-write" : "open-read", below, &number))
		return as_error(number);
	if (kind == S_IFCHR)
		return described.answers ? open("/dev/null", O_RDWR | O_CLOEXEC) : open_snapshot();
	if (!write)
		return open_area();
	fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int set_swap_area(int fd, dev_t dev, uint64_t offset)
{
	long long number;

	(void)fd;
	if (answer_number("active", NULL, &number))
		return number == 0 ? 0 : as_error(number);
	return described.area_known && dev == described.area.dev && offset == described.area.offset
		       ? 0
		       : -ENODEV;
}

static int avail_swap(int fd, uint64_t *ret)
{
	long long number;

	(void)fd;
	if (!answer_number("free", NULL, &number) || number < 0)
		return -EINVAL;
	*ret = (uint64_t)number;
	return 0;
}

static bool is_entry(const struct swap_area *area, const struct swap_entry *entry)
{
	char path[PATH_MAX], name[PATH_MAX];
	dev_t dev;

	if (answer("entry", NULL, path, sizeof(path)))
		return text_unescape_octal(path, strlen(path), name, sizeof(name)) &&
		       strcmp(entry->path, name) == 0;
	if (strcmp(entry->path, area->name) == 0)
		return true;
	return !entry->file && !area->file && area->offset == 0 &&
	       (strcmp(entry->path, area->device) == 0 ||
		(find_device(entry->path, &dev) && dev == area->dev));
}

static bool find_entry(const struct swap_area *area, const struct swap_entry *entries, size_t count,
		       struct swap_entry *ret)
{
	for (size_t i = 0; i < count; i++) {
		if (is_entry(area, &entries[i])) {
			*ret = entries[i];
			return true;
		}
	}
	return false;
}

/* A swap file's path has its place in "area" only. */
static bool find_file(const char *spec, struct swap_area *ret)
{
	if (!described.area_known || strcmp(spec, described.area.name) != 0)
		return false;
	*ret = described.area;
	return true;
}

static int resolve(const char *spec, uint64_t offset, bool allow_file, struct swap_area *ret,
		   struct why *w)
{
	char text[600], *end;
	long long number;
	dev_t dev;

	if (allow_file && find_file(spec, ret))
		return 0;
	if (find_device(spec, &dev)) {
		*ret = (struct swap_area){ .dev = dev, .offset = offset, .file = offset > 0 };
		text_copy(ret->name, sizeof(ret->name), spec);
		text_copy(ret->device, sizeof(ret->device),
			  described.area_known && dev == described.area.dev ? described.area.device
									    : spec);
		return 0;
	}
	if (answer("lost", spec, text, sizeof(text))) {
		number = strtoll(text, &end, 10);
		return why(w, as_error(number), "%s", *end ? end + 1 : "");
	}
	return why(w, -ENODEV, "%s: no device has it", spec);
}

static bool entry_device(const char *root, const struct swap_entry *entry, dev_t *ret)
{
	(void)root;
	return find_device(entry->path, ret);
}

const struct preflight_system described_system = {
	.euid = euid,
	.open_device = open_device,
	.set_swap_area = set_swap_area,
	.avail_swap = avail_swap,
	.find_entry = find_entry,
	.resolve = resolve,
	.entry_device = entry_device,
};

static bool take_word(char **at, char *ret, size_t size)
{
	char *word = strsep(at, " \t\n");

	return word && *word && text_unescape_octal(word, strlen(word), ret, size);
}

static int parse_area(char *text, struct swap_area *ret)
{
	struct swap_area area = { 0 };
	unsigned int high, low, file;

	if (!take_word(&text, area.name, sizeof(area.name)) ||
	    !take_word(&text, area.device, sizeof(area.device)) || !text ||
	    sscanf(text, "%u:%u %" SCNu64 " %u", &high, &low, &area.offset, &file) != 4 ||
	    file > 1 || area.offset > UINT64_MAX / page_size() - 1)
		return -EINVAL;
	area.dev = makedev(high, low);
	area.file = file != 0;
	area.file_named = area.file && strcmp(area.name, area.device) != 0;
	*ret = area;
	return 0;
}

static int read_area(struct why *w)
{
	_cleanup_free_ char *text = NULL;
	int r = io_read_file(described.root, DESCRIBED_AREA, FILE_LIMIT, &text, NULL);

	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = parse_area(text, &described.area);
	described.area_known = r == 0;
	return r < 0 ? why(w, r,
			   "%s" DESCRIBED_AREA ": %s; NAME DEVICE MAJOR:MINOR OFFSET and 0 or 1 "
			   "expected; 1 is a swap file",
			   described.root, strerror(-r))
		     : 0;
}

static int read_optional(const char *path, char **ret, size_t *ret_length, struct why *w)
{
	int r = io_read_file(described.root, path, FILE_LIMIT, ret, ret_length);

	return r == 0 || r == -ENOENT ? 0
				      : why(w, r, "%s%s: %s", described.root, path, strerror(-r));
}

int described_begin(const char *root, struct why *w)
{
	struct stat st;
	int r;

	if (!realpath(root, described.root))
		return why(w, -errno, "%s: %s", root, strerror(errno));
	if (stat(described.root, &st) < 0 || !S_ISDIR(st.st_mode))
		return why(w, -ENOTDIR, "%s: %s", root, strerror(ENOTDIR));
	io_set_only_looks(true);
	r = read_optional(DESCRIBED_DEVICES, &described.devices, NULL, w);
	if (r == 0)
		r = read_optional(DESCRIBED_ANSWERS, &described.answers, NULL, w);
	if (r == 0)
		r = read_optional(DESCRIBED_PAGE, &described.page, &described.page_length, w);
	if (r == 0)
		r = read_area(w);
	if (r < 0)
		described_end();
	return r;
}

const char *described_root(void)
{
	return described.root;
}

void described_end(void)
{
	free(described.devices);
	free(described.answers);
	free(described.page);
	memset(&described, 0, sizeof(described));
	io_set_only_looks(false);
}

/* By the settings or the command line; -ENOENT: neither names a device that is listed. */
static int named_target(const struct settings *settings, struct swap_area *ret, struct why *w)
{
	char spec[sizeof(settings->resume_device)];
	struct kernel_cmdline cmdline = { 0 };
	const char *by;
	uint64_t offset;
	dev_t dev;
	int r;

	kernel_cmdline_read(described.root, &cmdline);
	r = target_named(settings, &cmdline, true, spec, sizeof(spec), &offset, &by, w);
	if (r < 0)
		return r;
	if (!find_device(spec, &dev) ||
	    (described.area_known && dev == described.area.dev && offset == described.area.offset))
		return -ENOENT;
	r = resolve(spec, offset, true, ret, w);
	return r;
}

int described_target(const struct settings *settings, struct swap_area *ret, struct why *w)
{
	char text[600], *end;
	long long number;
	int r;

	if (answer("no-area", NULL, text, sizeof(text))) {
		number = strtoll(text, &end, 10);
		return why(w, as_error(number), "%s", *end ? end + 1 : "");
	}
	r = described.answers ? -ENOENT : named_target(settings, ret, w);
	if (r != -ENOENT)
		return r;
	if (!described.area_known)
		return why(w, -ENOENT, "no swap area that could hold an image is active");
	*ret = described.area;
	return 0;
}

/* Only whole path components: "/d" is not a prefix of "/dev". */
static void cut(char *text, const char *root)
{
	size_t length = strlen(root);
	char *at = text;

	while (length > 0 && (at = strstr(at, root))) {
		if (at[length] == '/')
			memmove(at, at + length, strlen(at + length) + 1);
		else
			at += length;
	}
}

/* Messages name paths as the described system has them. */
static void hide_root(struct preflight *preflight)
{
	if (described.root[1] == '\0') /* "/" */
		return;
	for (size_t i = 0; i < preflight->count; i++) {
		cut(preflight->checks[i].text, described.root);
		cut(preflight->checks[i].advice, described.root);
	}
}

bool described_machine(void)
{
	return tree_exists(described.root, "/sys/firmware/memmap") ||
	       tree_exists(described.root, "/proc/iomem");
}

int described_check(struct settings *settings, struct preflight *ret, struct why *w)
{
	struct platform_section section = { 0 };
	struct release_plan release = { 0 };
	struct preflight_target target = { .release = &release };
	struct why reason = { "" }, problem = { "" };
	char text[600];
	struct swap_area area;
	int r = crypto_init(w);

	if (r < 0)
		return r;
	sleep_method_load(described.root, settings);
	r = target.area_error = described_target(settings, &area, &reason);
	if (r == 0)
		target.area = &area;
	else
		target.area_problem = why_text(&reason, r);
	if (answer("no-platform", NULL, text, sizeof(text)))
		target.platform_problem = text;
	else if (described_machine())
		r = platform_section_capture(&section, described.root, &problem);
	else
		r = -ENOENT;
	if (section.platform.devices.items.known)
		r = released_plan(settings, described.root, &section.platform, &release);
	if (!target.platform_problem && r == 0)
		target.platform = &section.platform;
	else if (!target.platform_problem && r != -ENOENT)
		target.platform_problem = why_text(&problem, r);
	preflight_run_on(&described_system, settings, &target, described.root, ret);
	release_plan_free(&release);
	platform_section_free(&section);
	hide_root(ret);
	return 0;
}
