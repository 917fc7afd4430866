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
#include "boot/unified_image.h"

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
#define UNPACKED_LIMIT (UINT64_C(2) << 30)

/* Of a report, see initramfs.h. */
#define CMDLINE_NAME ".cmdline"
#define UNREAD_NAME ".unread"

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
	/* Its own unit: for the place of the configuration, and before pools are imported. */
	{ "*/s2disk-resume.service", offsetof(struct initramfs, script) },
	/* mkinitcpio, initramfs-tools, dracut and sd-vconsole. */
	{ "keymap.bin", offsetof(struct initramfs, keymap) },
	{ "etc/boottime.kmap.gz", offsetof(struct initramfs, keymap) },
	{ "etc/console-setup/*.kmap.gz", offsetof(struct initramfs, keymap) },
	{ "*/keymaps/*.map*", offsetof(struct initramfs, keymap) },
};

static const char *const wanted_files[] = {
	"etc/suspend.conf",
	"etc/uswsusp.conf",
	"etc/suspend.conf.d/*.conf",
	"etc/uswsusp.conf.d/*.conf",
	"conf/conf.d/*",
	"config", /* mkinitcpio's */
	"etc/crypttab",
	"cryptroot/crypttab",
	"etc/cmdline", /* dracut's */
	"etc/cmdline.d/*.conf",
	CMDLINE_NAME,
	UNREAD_NAME,
};

static const char *plain_name(const char *name)
{
	while (*name == '/' || (*name == '.' && name[1] == '/'))
		name++;
	return name;
}

static void note(struct initramfs *initramfs, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		if (fnmatch(marks[i].pattern, name, 0) == 0)
			memcpy((char *)initramfs + marks[i].flag, &(bool){ true }, sizeof(bool));
}

static int add_file(struct initramfs *initramfs, const char *name, char *text)
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

/* One file. */
struct reading {
	struct cpio *cpio;
	const char *path;
	const struct initramfs_secrets *secrets;
	uint64_t deadline;
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
	return text ? add_file(reading->ret, name, text) : -ENOMEM;
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

	reading->link_count = 0;
	for (int i = 0; i < ENTRIES_LIMIT; i++) {
		const char *name;

		r = cpio_next(reading->cpio, &entry);
		if (r <= 0)
			return r;
		name = plain_name(entry.name);
		note(reading->ret, name);
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

static const struct packer *find_packer(const unsigned char *start, size_t length)
{
	for (size_t i = 0; i < ARRAY_SIZE(packers); i++)
		if (length >= packers[i].length &&
		    memcmp(start, packers[i].magic, packers[i].length) == 0)
			return &packers[i];
	return NULL;
}

/* A process that writes so much of in and no more: what is behind a section of a unified
 * image is not packed. Returns what it is read from. */
static int feed(int in, uint64_t length, int out)
{
	static char buffer[65536];
	int ends[2];
	ssize_t n;

	pid_t child;

	if (length == UINT64_MAX)
		return in;
	if (pipe(ends) < 0 || (child = fork()) < 0)
		_exit(126);
	if (child == 0) {
		close(ends[0]);
		close(out);
		while (length > 0 && (n = read(in, buffer, min_u64(length, sizeof(buffer)))) > 0 &&
		       io_write_full(ends[1], buffer, (size_t)n) == 0)
			length -= (uint64_t)n;
		_exit(0);
	}
	close(ends[1]);
	return ends[0];
}

static void become_packer(const struct packer *packer, int in, uint64_t length, int out)
{
	int null = open("/dev/null", O_WRONLY);
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	dup2(feed(in, length, out), STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	if (null >= 0)
		dup2(null, STDERR_FILENO); /* of what is behind the archive */
	setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
	execvp(packer->command[0], (char *const *)(uintptr_t)packer->command);
	_exit(127);
}

static int read_parts(struct reading *reading, int fd, const struct unified_section *part,
		      bool packed, struct why *w);

/* fd stands where it begins; length: of what is left of the file. */
static int read_packed(struct reading *reading, const struct packer *packer, int fd,
		       uint64_t length, struct why *w)
{
	const struct unified_section whole = { 0, UNPACKED_LIMIT };
	int ends[2], status = 0, r;
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	child = fork();
	if (child == 0)
		become_packer(packer, fd, length, ends[1]);
	r = child < 0 ? -errno : 0;
	close(ends[1]);
	if (r == 0)
		r = read_parts(reading, ends[0], &whole, true, w);
	if (child > 0 && (r < 0 || reading->ret->partial))
		kill(child, SIGKILL);
	close(ends[0]);
	while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (r < 0 && WIFEXITED(status) && WEXITSTATUS(status) >= 126)
		return why(w, -ENOENT,
			   "%s, which would unpack it, is not installed, or does not run",
			   packer->command[0]);
	/* It met something else behind. */
	reading->ret->partial |= status != 0;
	return r == -EBADMSG ? why(w, r, "it cannot be unpacked with %s", packer->command[0]) : r;
}

static bool is_archive(const unsigned char *start, size_t length)
{
	return length == 6 && (memcmp(start, "070701", 6) == 0 || memcmp(start, "070702", 6) == 0);
}

static int read_each(struct reading *reading, int fd, const struct unified_section *part,
		     bool packed, struct why *w)
{
	struct cpio *cpio = reading->cpio;
	unsigned char start[6];

	for (int i = 0; i < ARCHIVES_LIMIT; i++) {
		const struct packer *packer;
		size_t length;
		int r;

		cpio_skip_zeros(cpio);
		length = cpio_peek(cpio, start, sizeof(start));
		if (length == 0)
			return i > 0 ? 0 : why(w, -EBADMSG, "it is empty");
		packer = packed ? NULL : find_packer(start, length);
		if (packer)
			return lseek(fd, (off_t)(part->offset + cpio->position), SEEK_SET) < 0
				       ? -errno
				       : read_packed(reading, packer, fd,
						     part->length == UINT64_MAX
							     ? UINT64_MAX
							     : part->length - cpio->position,
						     w);
		if (!is_archive(start, length)) {
			reading->ret->partial = true;
			return i > 0 ? 0 : why(w, -ENOTSUP, "it is packed in a way not known here");
		}
		r = read_entries(reading);
		if (r < 0)
			return r == -EBADMSG ? why(w, r, "it is damaged") : r;
	}
	return why(w, -ENOTSUP, "it has too many parts");
}

/* packed: fd is what a program unpacks it to. */
static int read_parts(struct reading *reading, int fd, const struct unified_section *part,
		      bool packed, struct why *w)
{
	_cleanup_free_ struct cpio *cpio = malloc(sizeof(*cpio));
	int r;

	if (!cpio)
		return -ENOMEM;
	cpio_begin(cpio, fd, part->length);
	cpio->deadline = reading->deadline;
	reading->cpio = cpio;
	r = read_each(reading, fd, part, packed, w);
	if (cpio->stopped || (packed && cpio->unread == 0))
		return why(w, -ETIMEDOUT, "it is too large to be looked through in time");
	return r;
}

/* Its own command line, "" where it has none or too long a one. */
static int open_unified(int fd, struct unified_image *image, char *cmdline, struct why *w)
{
	_cleanup_free_ unsigned char *header = malloc(UNIFIED_HEADER_SIZE);
	struct stat st;
	ssize_t n;
	int r;

	if (!header)
		return -ENOMEM;
	n = pread(fd, header, UNIFIED_HEADER_SIZE, 0);
	if (n < 0 || fstat(fd, &st) < 0)
		return why(w, -errno, "%s", strerror(errno));
	r = unified_image_parse(header, (size_t)n, (uint64_t)st.st_size, image, w);
	if (r < 0 || image->cmdline.length >= INITRAMFS_CMDLINE_SIZE)
		return r;
	r = io_pread_full(fd, cmdline, image->cmdline.length, image->cmdline.offset);
	cmdline[r == 0 ? image->cmdline.length : 0] = '\0';
	return r;
}

/* What a report has in the place of the file: see initramfs.h. */
static int read_noted(const struct boot_file *file, struct initramfs *ret, struct why *w)
{
	const char *cmdline = initramfs_file(ret, CMDLINE_NAME);
	const char *unread = initramfs_file(ret, UNREAD_NAME);
	int error, length = 0;

	if (file->unified && cmdline)
		text_copy(ret->cmdline, sizeof(ret->cmdline), cmdline);
	if (!unread || sscanf(unread, "%d %n", &error, &length) != 1 || error > 0 || error < -4095)
		return 0;
	ret->partial = true;
	return error < 0 ? why(w, error, "%.200s", unread + length) : 0;
}

static void note_text(const char *path, const char *name, const char *text)
{
	look_note_member(&(struct look_member){ .archive = path,
						.name = name,
						.mode = S_IFREG | 0644,
						.content = text,
						.size = strlen(text) });
}

static int read_file(int fd, const struct boot_file *file, struct reading *reading, struct why *w)
{
	struct unified_image image = { .initrd = { 0, UINT64_MAX } };
	unsigned char start[6];
	ssize_t length = pread(fd, start, sizeof(start), 0);
	struct initramfs *ret = reading->ret;
	int r = 0;

	if (file->unified && !is_archive(start, length > 0 ? (size_t)length : 0)) {
		r = open_unified(fd, &image, ret->cmdline, w);
		if (r == 0 && ret->cmdline[0])
			note_text(reading->path, CMDLINE_NAME, ret->cmdline);
	}
	if (r == 0 && lseek(fd, (off_t)image.initrd.offset, SEEK_SET) < 0)
		r = -errno;
	if (r == 0)
		r = read_parts(reading, fd, &image.initrd, false, w);
	return r == 0 ? read_noted(file, ret, w) : r;
}

int initramfs_read(const char *root, const struct boot_file *file,
		   const struct initramfs_secrets *secrets, uint64_t deadline,
		   struct initramfs *ret, struct why *w)
{
	_cleanup_free_ struct reading *reading = calloc(1, sizeof(*reading));
	struct why reason = { "" };
	char full[PATH_MAX], text[sizeof(reason.text) + 16];
	_cleanup_close_ int fd = -1;
	int r;

	*ret = (struct initramfs){ 0 };
	if (!reading || snprintf(full, sizeof(full), "%s%s", root, file->path) >= (int)sizeof(full))
		return -ENOMEM;
	look_note("", full, LOOK_NAME);
	fd = io_open_below(root, file->path, O_RDONLY);
	if (fd < 0)
		return why(w, fd, "%s: %s", file->path, strerror(-fd));
	reading->path = full;
	reading->secrets = secrets;
	reading->deadline = deadline;
	reading->ret = ret;
	r = read_file(fd, file, reading, &reason);
	if (r < 0 || ret->partial) {
		snprintf(text, sizeof(text), "%d %s", r, r < 0 ? why_text(&reason, r) : "");
		note_text(full, UNREAD_NAME, text);
	}
	if (r < 0)
		initramfs_free(ret);
	return r < 0 ? why(w, r, "%s: %s", file->path, why_text(&reason, r)) : 0;
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
