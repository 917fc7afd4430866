/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/initramfs.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/crypto.h"
#include "base/io.h"
#include "base/look.h"
#include "base/secret.h"
#include "base/text.h"
#include "boot/cpio.h"
#include "boot/initramfs_private.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define TEXT_LIMIT 65536
#define PROGRAM_LIMIT (64u << 20)

/* What no initramfs comes near to. */
#define ENTRIES_LIMIT 1000000
#define ARCHIVES_LIMIT 16

static const struct packer {
	const char *magic;
	size_t length;
	const char *command[4];
} packers[] = {
	{ "\x1f\x8b", 2, { "gzip", "-cd" } },
	{ "\xfd"
	  "7zXZ",
	  6,
	  { "xz", "-cd" } },
	{ "\x28\xb5\x2f\xfd", 4, { "zstd", "-cdq" } },
	{ "\x02\x21\x4c\x18", 4, { "lz4", "-cd" } },
	{ "\x04\x22\x4d\x18", 4, { "lz4", "-cd" } },
	{ "BZh", 3, { "bzip2", "-cd" } },
	{ "\x89LZO", 4, { "lzop", "-cd" } },
	{ "\x5d\0\0", 3, { "xz", "--format=lzma", "-cd" } },
};

/* What the generators make of our hooks, and their own. '*' takes slashes too. */
static const struct mark {
	const char *pattern;
	size_t flag; /* offset of the bool */
} marks[] = {
	{ "*uswsusp/resume", offsetof(struct initramfs, resume) },
	{ "scripts/*/*s2disk*", offsetof(struct initramfs, script) },
	{ "*dracut/hooks/*s2disk*", offsetof(struct initramfs, script) },
	{ "hooks/*s2disk*", offsetof(struct initramfs, script) },
	/* dracut without systemd runs uswsusp's resume by itself. */
	{ "*dracut/hooks/*resume-genrules*", offsetof(struct initramfs, script) },
	{ "*systemd-hibernate-resume*.d/*s2disk*.conf", offsetof(struct initramfs, unit) },
	{ "scripts/local-premount/resume", offsetof(struct initramfs, stock) },
	{ "hooks/resume", offsetof(struct initramfs, stock) },
	{ "*systemd-hibernate-resume-generator", offsetof(struct initramfs, stock) },
	/* mkinitcpio, initramfs-tools, dracut and sd-vconsole. */
	{ "keymap.bin", offsetof(struct initramfs, keymap) },
	{ "etc/boottime.kmap.gz", offsetof(struct initramfs, keymap) },
	{ "etc/console-setup/*.kmap.gz", offsetof(struct initramfs, keymap) },
	{ "*/keymaps/*.map*", offsetof(struct initramfs, keymap) },
};

static const char *const wanted_files[] = {
	"etc/suspend.conf",	     "etc/uswsusp.conf", "etc/suspend.conf.d/*.conf",
	"etc/uswsusp.conf.d/*.conf", "conf/conf.d/*",	 "config", /* mkinitcpio's */
};

static const char *plain_name(const char *name)
{
	while (*name == '/' || (*name == '.' && name[1] == '/'))
		name++;
	return name;
}

void initramfs_note(struct initramfs *initramfs, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		if (fnmatch(marks[i].pattern, name, 0) == 0)
			memcpy((char *)initramfs + marks[i].flag, &(bool){ true }, sizeof(bool));
}

int initramfs_add_file(struct initramfs *initramfs, const char *name, char *text)
{
	struct initramfs_file *files = initramfs->files;
	size_t at = initramfs->count;

	/* The kernel unpacks them in their order: the last one of a name stays. */
	for (size_t i = 0; i < initramfs->count; i++) {
		if (strcmp(files[i].name, name) == 0) {
			free(files[i].text);
			files[i].text = text;
			return 0;
		}
	}
	if (initramfs->count == INITRAMFS_FILES_MAX || strlen(name) >= sizeof(files[0].name)) {
		free(text);
		return -EOVERFLOW;
	}
	for (; at > 0 && strcmp(files[at - 1].name, name) > 0; at--)
		files[at] = files[at - 1];
	text_copy(files[at].name, sizeof(files[at].name), name);
	files[at].text = text;
	initramfs->count++;
	return 0;
}

static bool is_wanted(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(wanted_files); i++)
		if (fnmatch(wanted_files[i], name, FNM_PATHNAME) == 0)
			return true;
	return false;
}

static bool is_secret(const struct initramfs_secrets *secrets, const char *name)
{
	for (size_t i = 0; secrets && i < secrets->count; i++)
		if (strcmp(secrets->names[i], name) == 0)
			return true;
	return false;
}

static bool is_program(const char *name)
{
	return fnmatch(marks[0].pattern, name, 0) == 0;
}

/* A name that a later one will bring the content for. dracut makes one file of
 * all that are the same. */
struct link {
	uint32_t file[3];
	char name[256];
};

#define LINKS_MAX 32

/* One archive. */
struct reading {
	struct cpio *cpio;
	const char *path; /* of the whole file */
	const struct initramfs_secrets *secrets;
	struct initramfs *ret;
	struct link links[LINKS_MAX];
	size_t link_count;
};

static int keep(struct reading *reading, const char *name, const char *content, size_t size)
{
	char digest[SHA256_TEXT_SIZE], *text;
	int r = 0;

	if (is_program(name)) {
		reading->ret->current = memmem(content, size, INITRAMFS_RESUME_MARK,
					       strlen(INITRAMFS_RESUME_MARK)) != NULL;
		return 0;
	}
	if (size > TEXT_LIMIT)
		return 0;
	if (is_secret(reading->secrets, name))
		r = crypto_sha256_text(content, size, digest);
	else
		digest[0] = '\0';
	if (r < 0)
		return r;
	text = digest[0] ? strdup(digest) : strndup(content, size);
	return text ? initramfs_add_file(reading->ret, name, text) : -ENOMEM;
}

static int keep_linked(struct reading *reading, const struct cpio_entry *entry, const char *content)
{
	int r = 0;

	for (size_t i = 0; i < reading->link_count && r == 0; i++)
		if (memcmp(reading->links[i].file, entry->file, sizeof(entry->file)) == 0)
			r = keep(reading, reading->links[i].name, content, entry->size);
	return r;
}

/* How much of an entry may matter: 0, it is not one to look into. */
static uint64_t wanted_size(const struct reading *reading, const struct cpio_entry *entry,
			    const char *name)
{
	uint64_t size = 0;

	if (is_program(name))
		return PROGRAM_LIMIT;
	if (is_wanted(name) || is_secret(reading->secrets, name))
		size = TEXT_LIMIT;
	for (size_t i = 0; i < reading->link_count && entry->links > 1; i++)
		if (memcmp(reading->links[i].file, entry->file, sizeof(entry->file)) == 0)
			size = is_program(reading->links[i].name) ? PROGRAM_LIMIT
								  : max_u64(size, TEXT_LIMIT);
	return size;
}

static bool is_link_of(const struct link *link, const struct cpio_entry *entry)
{
	return entry->links > 1 && memcmp(link->file, entry->file, sizeof(entry->file)) == 0;
}

/* By any of its names. */
static bool holds_secret(const struct reading *reading, const struct cpio_entry *entry,
			 const char *name)
{
	bool secret = is_secret(reading->secrets, name);

	for (size_t i = 0; i < reading->link_count; i++)
		secret |= is_link_of(&reading->links[i], entry) &&
			  is_secret(reading->secrets, reading->links[i].name);
	return secret;
}

/* Of what is not looked into only the name matters. */
static void note_member(const struct reading *reading, const struct cpio_entry *entry,
			const char *name, const void *content)
{
	look_note_member(&(struct look_member){
		.archive = reading->path,
		.name = name,
		.mode = entry->mode,
		.content = content,
		.size = content ? entry->size : 0,
		.secret = holds_secret(reading, entry, name),
	});
}

/* Under each of its names: a report knows no links. */
static void note_content(const struct reading *reading, const struct cpio_entry *entry,
			 const char *name, const void *content)
{
	note_member(reading, entry, name, content);
	for (size_t i = 0; i < reading->link_count && entry->size > 0; i++)
		if (is_link_of(&reading->links[i], entry))
			note_member(reading, entry, reading->links[i].name, content);
}

/* 0: taken; 1: not one to look into. */
static int take_content(struct reading *reading, const struct cpio_entry *entry, const char *name)
{
	bool own = is_program(name) || is_wanted(name) || is_secret(reading->secrets, name);
	uint64_t limit = wanted_size(reading, entry, name);
	char *content;
	int r;

	if (!S_ISREG(entry->mode) || limit == 0 || entry->size > limit)
		return 1;
	content = malloc(entry->size + 1);
	if (!content)
		return -ENOMEM;
	r = cpio_content(reading->cpio, entry, content);
	if (r == 0)
		note_content(reading, entry, name, content);
	if (r == 0 && own)
		r = keep(reading, name, content, entry->size);
	if (r == 0 && entry->size > 0 && entry->links > 1)
		r = keep_linked(reading, entry, content);
	secret_wipe(content, entry->size);
	free(content);
	if (r == 0 && own && entry->size == 0 && entry->links > 1 &&
	    reading->link_count < LINKS_MAX) {
		struct link *link = &reading->links[reading->link_count];

		memcpy(link->file, entry->file, sizeof(link->file));
		if (text_copy(link->name, sizeof(link->name), name))
			reading->link_count++;
	}
	return r;
}

static int read_entries(struct reading *reading)
{
	struct cpio_entry entry;
	int r;

	for (int i = 0; i < ENTRIES_LIMIT; i++) {
		const char *name;

		r = cpio_next(reading->cpio, &entry);
		if (r <= 0)
			return r;
		name = plain_name(entry.name);
		initramfs_note(reading->ret, name);
		r = take_content(reading, &entry, name);
		if (r > 0) {
			note_member(reading, &entry, name, NULL);
			r = cpio_content(reading->cpio, &entry, NULL);
		}
		if (r < 0)
			return r;
	}
	return -EBADMSG;
}

static int read_archive(struct cpio *cpio, const char *path,
			const struct initramfs_secrets *secrets, struct initramfs *ret)
{
	_cleanup_free_ struct reading *reading = calloc(1, sizeof(*reading));

	if (!reading)
		return -ENOMEM;
	reading->cpio = cpio;
	reading->path = path;
	reading->secrets = secrets;
	reading->ret = ret;
	return read_entries(reading);
}

static const struct packer *find_packer(const unsigned char *start, size_t length)
{
	for (size_t i = 0; i < ARRAY_SIZE(packers); i++)
		if (length >= packers[i].length &&
		    memcmp(start, packers[i].magic, packers[i].length) == 0)
			return &packers[i];
	return NULL;
}

static void become_packer(const struct packer *packer, int in, int out)
{
	int null = open("/dev/null", O_WRONLY);
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	dup2(in, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	if (null >= 0)
		dup2(null, STDERR_FILENO); /* of what is behind the archive */
	setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
	execvp(packer->command[0], (char *const *)(uintptr_t)packer->command);
	_exit(127);
}

static int read_packed(const struct packer *packer, int in, const char *path,
		       const struct initramfs_secrets *secrets, struct initramfs *ret,
		       struct why *w)
{
	_cleanup_free_ struct cpio *cpio = malloc(sizeof(*cpio));
	int ends[2], status = 0, r;
	pid_t child;

	if (!cpio)
		return -ENOMEM;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	child = fork();
	if (child == 0)
		become_packer(packer, in, ends[1]);
	r = child < 0 ? -errno : 0;
	close(ends[1]);
	if (r == 0) {
		cpio_begin(cpio, ends[0]);
		r = read_archive(cpio, path, secrets, ret);
	}
	/* It gets a broken pipe if there is more. */
	close(ends[0]);
	while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (r < 0 && WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return why(w, -ENOENT, "%s, which would unpack it, is not installed",
			   packer->command[0]);
	return r < 0 ? why(w, r, "it cannot be unpacked with %s", packer->command[0]) : 0;
}

static int read_all(int fd, const char *path, const struct initramfs_secrets *secrets,
		    struct initramfs *ret, struct why *w)
{
	_cleanup_free_ struct cpio *cpio = malloc(sizeof(*cpio));
	unsigned char start[6];

	if (!cpio)
		return -ENOMEM;
	cpio_begin(cpio, fd);
	for (int i = 0; i < ARCHIVES_LIMIT; i++) {
		const struct packer *packer;
		size_t length;
		int r;

		cpio_skip_zeros(cpio);
		length = cpio_peek(cpio, start, sizeof(start));
		if (length == 0 && i > 0)
			return 0;
		packer = find_packer(start, length);
		if (packer) {
			if (lseek(fd, (off_t)cpio->position, SEEK_SET) < 0)
				return -errno;
			/* Nothing comes behind a compressed one that matters here. */
			return read_packed(packer, fd, path, secrets, ret, w);
		}
		r = read_archive(cpio, path, secrets, ret);
		if (r < 0)
			return why(w, r, "it is damaged, or packed in a way not known here");
	}
	return why(w, -EBADMSG, "it has too many parts");
}

int initramfs_read(const char *root, const char *path, const struct initramfs_secrets *secrets,
		   struct initramfs *ret, struct why *w)
{
	char full[PATH_MAX];
	_cleanup_close_ int fd = -1;
	int r;

	*ret = (struct initramfs){ 0 };
	if (snprintf(full, sizeof(full), "%s%s", root, path) >= (int)sizeof(full))
		return -ENAMETOOLONG;
	look_note("", full, LOOK_NAME);
	fd = io_open_below(root, path, O_RDONLY);
	if (fd < 0)
		return why(w, fd, "%s: %s", path, strerror(-fd));
	r = read_all(fd, full, secrets, ret, w);
	if (r < 0) {
		initramfs_free(ret);
		return why_prefix(w, r, "%s", path);
	}
	return 0;
}

void initramfs_free(struct initramfs *initramfs)
{
	for (size_t i = 0; i < initramfs->count; i++)
		free(initramfs->files[i].text);
	*initramfs = (struct initramfs){ 0 };
}

const char *initramfs_file(const struct initramfs *initramfs, const char *name)
{
	for (size_t i = 0; i < initramfs->count; i++)
		if (strcmp(initramfs->files[i].name, name) == 0)
			return initramfs->files[i].text;
	return NULL;
}
