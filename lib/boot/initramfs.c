/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/initramfs.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "crypto/crypto.h"
#include "base/io.h"
#include "base/look.h"
#include "crypto/secret.h"
#include "base/stopwatch.h"
#include "base/text.h"
#include "base/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ADD_ALL "kernel-install add-all"
#define HEADER_SIZE 110 /* of an entry */

/* U-Boot's mkimage(1) puts a header before it (uInitrd). */
#define UBOOT_MAGIC "\47\5\31\126"
#define UBOOT_HEADER_SIZE 64

#define TEXT_LIMIT 65536
#define PROGRAM_LIMIT (64u << 20)

/* More than any initramfs needs. */
#define ENTRIES_LIMIT 1000000
#define UNPACKED_LIMIT (UINT64_C(2) << 30)
#define PADDING_LIMIT (1u << 20) /* zeros between archives */
#define NAMES_LIMIT (4 << 20)

/* In a report, see initramfs.h. */
#define CMDLINE_NAME ".cmdline"
#define UNREAD_NAME ".unread"

static const struct packer {
	const char *magic;
	size_t length;
	const char *program; /* all of which unpack with -cd */
} packers[] = {
	{ "\37\213", 2, "gzip" },     { "\3757zXZ", 6, "xz" },	    { "\50\265\57\375", 4, "zstd" },
	{ "\2\41\114\30", 4, "lz4" }, { "\4\42\115\30", 4, "lz4" }, { "BZh", 3, "bzip2" },
	{ "\211LZO", 4, "lzop" },     { "\135\0\0", 3, "xz" },
};

#define FLAG(name) offsetof(struct initramfs, name)
#define CONTENT SIZE_MAX /* no flag, but the file is kept */

/* Files that generators install for our hooks, and their own. '*' matches slashes, too. */
static const struct mark {
	const char *pattern;
	size_t flag; /* offset of the bool */
} marks[] = {
	{ "*uswsusp/resume", FLAG(resume) },
	{ "scripts/*/*s2disk*", FLAG(script) },
	{ "*hooks/*s2disk*", FLAG(script) },
	/* dracut without systemd runs uswsusp's resume on its own. */
	{ "*dracut/hooks/*resume-genrules*", FLAG(script) },
	{ "*systemd-hibernate-resume*.d/*s2disk*.conf", FLAG(unit) },
	/* A unit of its own: it depends on where the configuration is, and runs before
	 * pools are imported. */
	{ "*/s2disk-resume.service", FLAG(script) },
	/* mkinitcpio, initramfs-tools, dracut and sd-vconsole. */
	{ "keymap.bin", FLAG(keymap) },
	{ "etc/*.kmap.gz", FLAG(keymap) },
	{ "*/keymaps/*.map*", FLAG(keymap) },
	{ "etc/*susp*.conf", CONTENT }, /* suspend.conf, uswsusp.conf, and in their .d */
	{ "conf/conf.d/*", CONTENT },
	{ "config", CONTENT }, /* mkinitcpio's */
	{ "*/crypttab", CONTENT },
	{ "etc/cmdline*", CONTENT }, /* dracut's, and in its .d */
	{ CMDLINE_NAME, CONTENT },
	{ UNREAD_NAME, CONTENT },
};

/* A file that is being read. */
struct reading {
	const char *path;
	const struct initramfs_secrets *secrets;
	uint64_t deadline;
	struct initramfs *ret;
	FILE *names;	   /* of ret->names */
	FILE *file;	   /* where its archives come from */
	uint64_t position; /* … and how many bytes of that were consumed */
};

struct entry {
	char name[4096];
	unsigned int mode, size;
	/* The same for all names of a file, the last of which has the content; 0: it has
	 * one name. */
	uint64_t link;
};

static bool is_late(const struct reading *reading)
{
	return reading->deadline && now_usec() >= reading->deadline;
}

/* to may be NULL. */
static int take(struct reading *reading, void *to, uint64_t length)
{
	char unwanted[16384];

	/* Padding may have gone beyond it. */
	if (reading->position > UNPACKED_LIMIT || length > UNPACKED_LIMIT - reading->position)
		return -EFBIG;
	for (uint64_t taken = 0, n; taken < length; taken += n) {
		n = fread(to ? (char *)to + taken : unwanted, 1,
			  min_u64(length - taken, sizeof(unwanted)), reading->file);
		if (is_late(reading))
			return -ETIMEDOUT;
		if (n == 0 && (!ferror(reading->file) || errno != EINTR))
			return -EBADMSG;
		clearerr(reading->file);
	}
	reading->position += length;
	return 0;
}

/* Entries begin at multiples of four, and so does what follows them. */
static int take_aligned(struct reading *reading, void *to, uint64_t length)
{
	int r = take(reading, to, length);

	return r < 0 ? r : take(reading, NULL, -reading->position & 3);
}

/* The next nonzero byte, which is not consumed; EOF at the end. Zero: there are too many. */
static int skip_padding(struct reading *reading)
{
	int c = 0;

	for (unsigned int i = 0; i < PADDING_LIMIT && (c = getc(reading->file)) == 0; i++)
		reading->position++;
	return ungetc(c, reading->file);
}

/* The next header of a cpio archive of format "newc", and the name. 1: an entry, followed
 * by its content; 0: the end of the archive; -EBADMSG: not such an archive, or truncated;
 * -EFBIG. */
static int next_entry(struct reading *reading, struct entry *ret)
{
	unsigned int inode, links, major, minor, name_size;
	char header[HEADER_SIZE + 1] = "";
	int r = take(reading, header, HEADER_SIZE);

	if (r < 0)
		return r;
	if ((memcmp(header, "070701", 6) != 0 && memcmp(header, "070702", 6) != 0) ||
	    sscanf(header + 6, "%8x%8x%*16c%8x%*8c%8x%8x%8x%*16c%8x", &inode, &ret->mode, &links,
		   &ret->size, &major, &minor, &name_size) != 7 ||
	    name_size == 0 || name_size > sizeof(ret->name))
		return -EBADMSG;
	ret->link = links > 1 ? 1 + ((uint64_t)inode << 32 | major << 20 | minor) : 0;
	r = take_aligned(reading, ret->name, name_size);
	if (r == 0 && ret->name[name_size - 1])
		r = -EBADMSG;
	return r < 0 ? r : strcmp(ret->name, "TRAILER!!!") != 0;
}

static bool is_program(const char *name)
{
	return fnmatch(marks[0].pattern, name, 0) == 0;
}

static bool is_secret(const struct reading *reading, const char *name)
{
	for (size_t i = 0; reading->secrets && i < reading->secrets->count; i++)
		if (strcmp(reading->secrets->names[i], name) == 0)
			return true;
	return false;
}

/* Is the content needed? */
static bool note_name(const struct reading *reading, const char *name)
{
	bool wanted = is_program(name) || is_secret(reading, name);

	for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
		if (fnmatch(marks[i].pattern, name, 0) != 0)
			continue;
		if (marks[i].flag == CONTENT)
			wanted = true;
		else
			*((bool *)reading->ret + marks[i].flag) = true;
	}
	return wanted;
}

/* The kernel unpacks them in order: of several with one name the last wins. NULL: too many. */
static struct initramfs_file *add_file(struct initramfs *initramfs, const char *name, uint64_t link)
{
	struct initramfs_file *files = initramfs->files;
	size_t at = 0;

	while (at < initramfs->count && strcmp(files[at].name, name) < 0)
		at++;
	if (at == initramfs->count || strcmp(files[at].name, name) != 0) {
		if (initramfs->count == INITRAMFS_FILES_MAX ||
		    strlen(name) >= sizeof(files[0].name)) {
			initramfs->partial = true;
			return NULL;
		}
		memmove(&files[at + 1], &files[at], (initramfs->count++ - at) * sizeof(*files));
		files[at].text = NULL;
		text_copy(files[at].name, sizeof(files[at].name), name);
	}
	files[at].link = link;
	return &files[at];
}

static int keep(const struct reading *reading, struct initramfs_file *file, const char *content,
		size_t size)
{
	char digest[SHA256_TEXT_SIZE];
	int r = 0;

	if (is_program(file->name)) {
		reading->ret->current = memmem(content, size, INITRAMFS_RESUME_MARK,
					       strlen(INITRAMFS_RESUME_MARK)) != NULL;
		size = 0;
	} else if (is_secret(reading, file->name)) {
		r = crypto_sha256_text(content, size, digest);
		content = digest;
		size = sizeof(digest);
	}
	free(file->text);
	file->text = r < 0 ? NULL : strndup(content, size);
	return r < 0 || file->text ? r : -ENOMEM;
}

/* For files that are not opened only the name matters. */
static void note_member(const struct reading *reading, const char *name, mode_t mode,
			const void *content, size_t size, bool secret)
{
	look_note_member(&(struct look_member){ reading->path, name, mode, content, size, secret });
}

static void note_text(const struct reading *reading, const char *name, const char *text)
{
	note_member(reading, name, S_IFREG | 0644, text, strlen(text), false);
}

/* If a file has several names, the last has the content, which is kept for each (dracut
 * links identical files): until then they are empty. */
static int take_content(struct reading *reading, const struct entry *entry,
			const struct initramfs_file *own)
{
	struct initramfs_file *of[INITRAMFS_FILES_MAX], *file = reading->ret->files;
	size_t count = 0, limit = TEXT_LIMIT, size;
	bool secret = false;
	char *content;
	int r;

	for (; file < reading->ret->files + reading->ret->count; file++) {
		if (file != own && (!entry->link || !entry->size || file->link != entry->link))
			continue;
		of[count++] = file;
		secret |= is_secret(reading, file->name);
		limit = is_program(file->name) ? PROGRAM_LIMIT : limit;
	}
	if (count == 0)
		return take_aligned(reading, NULL, entry->size);
	size = entry->size <= limit ? entry->size : 0;
	content = calloc(1, size + 1);
	if (!content)
		return -ENOMEM;
	r = take_aligned(reading, size ? content : NULL, entry->size);
	for (size_t i = 0; i < count && r == 0; i++) {
		note_member(reading, of[i]->name, entry->mode, content, size, secret);
		r = keep(reading, of[i], content, size);
	}
	secret_wipe(content, size);
	free(content);
	return r;
}

static int take_entry(struct reading *reading, const struct entry *entry)
{
	const struct initramfs_file *own = NULL;
	const char *name = entry->name;

	while (*name == '/' || (*name == '.' && name[1] == '/'))
		name++;
	note_member(reading, name, entry->mode, NULL, 0, false);
	if (note_name(reading, name) && S_ISREG(entry->mode))
		own = add_file(reading->ret, name, entry->link);
	if (ftell(reading->names) < NAMES_LIMIT)
		fwrite(name, 1, strlen(name) + 1, reading->names);
	else
		reading->ret->partial = true;
	return take_content(reading, entry, own);
}

/* Archives one after the other. 0: up to the end, at length at the latest; 1: followed by
 * something else. */
static int read_archives(struct reading *reading, FILE *file, uint64_t length, struct why *w)
{
	struct entry entry;
	int within = 0, r = 0;

	reading->file = file;
	reading->position = 0;
	for (int i = 0; i < ENTRIES_LIMIT && r == 0; i++) {
		int first = within ? '0' : skip_padding(reading);

		if (is_late(reading))
			return -ETIMEDOUT;
		if (first == EOF || (reading->position >= length && !within))
			return i > 0 ? 0 : why(w, -EBADMSG, "it is empty");
		if (first != '0')
			return 1;
		r = within = next_entry(reading, &entry);
		if (r > 0)
			r = take_entry(reading, &entry);
		/* Of another archive. */
		for (size_t j = 0; j < reading->ret->count && !within; j++)
			reading->ret->files[j].link = 0;
	}
	return r == -EBADMSG ? why(w, r, "it is damaged") : r < 0 ? r : -EFBIG;
}

/* part: of the file with that descriptor, starting where the compressed part begins. */
static int read_packed(struct reading *reading, const char *program, int fd,
		       struct boot_section part, struct why *w)
{
	uint64_t now = now_usec(), seconds = 60;
	char command[320];
	FILE *unpacked;
	int r, status;

	/* The program may run for long, without any output. */
	if (reading->deadline)
		seconds = reading->deadline > now ? (reading->deadline - now) / 1000000 + 1 : 1;
	snprintf(command, sizeof(command),
		 "PATH=/usr/sbin:/usr/bin:/sbin:/bin:/run/current-system/sw/bin; exec 2>/dev/null; "
		 "tail -c +%" PRIu64 " /proc/%d/fd/%d | head -c %" PRIu64
		 " | timeout -s KILL %" PRIu64 " %s -cd",
		 part.offset + 1, getpid(), fd, part.length, seconds, program);
	unpacked = popen(command, "re");
	if (!unpacked)
		return -errno;
	r = read_archives(reading, unpacked, UINT64_MAX, w);
	status = pclose(unpacked);
	/* As timeout(1) and sh(1) end. */
	if (WIFEXITED(status) && (WEXITSTATUS(status) == 126 || WEXITSTATUS(status) == 127))
		return why(w, -ENOENT,
			   "%s, which would unpack it, or timeout is not installed, or does not "
			   "run",
			   program);
	/* Something else follows an archive. */
	reading->ret->partial |= status != 0 || r > 0;
	return r == -EBADMSG ? why(w, r, "it cannot be unpacked with %s", program) : r;
}

static int read_part(struct reading *reading, FILE *file, struct boot_section part, struct why *w)
{
	char start[6] = "";
	int r = read_archives(reading, file, part.length, w);

	part.offset += reading->position;
	part.length -= min_u64(part.length, reading->position);
	if (r > 0)
		io_pread_full(fileno(file), start, sizeof(start), part.offset);
	for (size_t i = 0; i < ARRAY_SIZE(packers) && r > 0; i++)
		if (memcmp(start, packers[i].magic, packers[i].length) == 0)
			return read_packed(reading, packers[i].program, fileno(file), part, w);
	reading->ret->partial |= r > 0;
	return r > 0 && reading->position == 0
		       ? why(w, -ENOTSUP, "it is compressed in an unknown format")
		       : r;
}

static int read_file(struct reading *reading, const char *root, const struct boot_file *file,
		     struct why *w)
{
	const struct boot_section *cmdline = &file->cmdline;
	struct boot_section part = file->initrd;
	int fd = io_open_below(root, file->path, O_RDONLY), r = 0;
	_cleanup_fclose_ FILE *opened = fd < 0 ? NULL : fdopen(fd, "r");
	const bool to_end = part.length == 0;
	char magic[4];
	struct stat st;

	if (!opened && fd >= 0)
		close(fd);
	if (opened && io_pread_full(fd, magic, sizeof(magic), part.offset) == 0 &&
	    memcmp(magic, UBOOT_MAGIC, sizeof(magic)) == 0) {
		part.offset += UBOOT_HEADER_SIZE;
		part.length -= min_u64(part.length, UBOOT_HEADER_SIZE);
	}
	if (!opened || fstat(fd, &st) < 0 || fseeko(opened, (off_t)part.offset, SEEK_SET) < 0)
		return fd < 0 ? fd : -errno;
	if (to_end)
		part.length = (uint64_t)st.st_size - min_u64(part.offset, (uint64_t)st.st_size);
	if (cmdline->length > 0 && cmdline->length < INITRAMFS_CMDLINE_SIZE)
		r = io_pread_full(fd, reading->ret->cmdline, cmdline->length, cmdline->offset);
	if (reading->ret->cmdline[0])
		note_text(reading, CMDLINE_NAME, reading->ret->cmdline);
	return r < 0 ? r : read_part(reading, opened, part, w);
}

/* What a report contains in place of the file: see initramfs.h. */
static int read_noted(struct initramfs *ret, struct why *w)
{
	const char *cmdline = initramfs_file(ret, CMDLINE_NAME);
	const char *unread = initramfs_file(ret, UNREAD_NAME);
	int error, length = 0;

	if (cmdline)
		text_copy(ret->cmdline, sizeof(ret->cmdline), cmdline);
	if (!unread || sscanf(unread, "%d %n", &error, &length) != 1 || error > 0 || error < -4095)
		return 0;
	ret->partial = true;
	return error < 0 ? why(w, error, "%.200s", unread + length) : 0;
}

int initramfs_read(const char *root, const struct boot_file *file,
		   const struct initramfs_secrets *secrets, uint64_t deadline,
		   struct initramfs *ret, struct why *w)
{
	struct why reason = { "" };
	char full[PATH_MAX], text[sizeof(reason.text) + 16];
	struct reading reading = {
		.path = full, .secrets = secrets, .deadline = deadline, .ret = ret
	};
	int r;

	*ret = (struct initramfs){ 0 };
	snprintf(full, sizeof(full), "%s%s", root, file->path);
	look_note("", full, LOOK_NAME);
	reading.names = open_memstream(&ret->names, &ret->names_length);
	r = !reading.names	? -ENOMEM
	    : is_late(&reading) ? -ETIMEDOUT
				: read_file(&reading, root, file, &reason);
	if (reading.names && fclose(reading.names) != 0 && r == 0)
		r = -ENOMEM;
	if (r == -EFBIG || (r < 0 && is_late(&reading)))
		r = why(&reason, -ETIMEDOUT, "it is too large to be searched in time");
	if (r >= 0)
		r = read_noted(ret, &reason);
	if (r < 0 || ret->partial) {
		snprintf(text, sizeof(text), "%d %s", r, r < 0 ? why_text(&reason, r) : "");
		note_text(&reading, UNREAD_NAME, text);
	}
	if (r < 0)
		initramfs_free(ret);
	return r < 0 ? why(w, r, "%s: %s", file->path, why_text(&reason, r)) : 0;
}

void initramfs_free(struct initramfs *initramfs)
{
	for (size_t i = 0; i < initramfs->count; i++)
		free(initramfs->files[i].text);
	free(initramfs->names);
	*initramfs = (struct initramfs){ 0 };
}

const char *initramfs_file(const struct initramfs *initramfs, const char *name)
{
	for (size_t i = 0; i < initramfs->count; i++)
		if (strcmp(initramfs->files[i].name, name) == 0)
			return initramfs->files[i].text;
	return NULL;
}

/* The command that makes them, a file of settings in /etc or /usr/lib, the first that exists, and a
 * setting with its value: some put them to where it boots from, and are used if it says so. */
static const char *const makers[][4] = {
	{ "update-initramfs -u -k all" },
	{ "sdbootutil mkinitrd", "sysconfig/bootloader", "LOADER_TYPE",
	  "@(systemd-boot|grub2-bls|)" },
	{ ADD_ALL, "kernel/install.conf", "layout", "uki" },
	{ "limine-mkinitcpio" },
	{ "mkinitcpio -P" },
	{ "dracut --force --regenerate-all" },
};

static bool is_used(const char *root, const char *program, const char *const maker[4])
{
	static const char *const directories[] = { "/etc", "/usr/lib" };
	char path[64], text[16384], value[64] = "";
	ssize_t r = -ENOENT;

	for (size_t i = 0; maker[1] && r < 0 && i < ARRAY_SIZE(directories); i++) {
		snprintf(path, sizeof(path), "%s/%s", directories[i], maker[1]);
		r = io_read_text(root, path, text, sizeof(text));
	}
	if (r > 0)
		text_assigned(text, maker[2], value, sizeof(value));
	/* It was a script until systemd 255, which knows no such word. */
	if (strcmp(maker[0], ADD_ALL) == 0 && io_read_text(root, program, text, 3) > 0 &&
	    text_starts(text, "#!"))
		return false;
	return !maker[1] || fnmatch(maker[3], value, FNM_EXTMATCH) == 0;
}

const char *initramfs_command(const char *root)
{
	static const char *const directories[] = { "/usr/sbin", "/usr/bin", "/sbin", "/bin" };
	char path[64];

	if (tree_exists(root, "/run/ostree-booted"))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(makers); i++)
		for (size_t j = 0; j < ARRAY_SIZE(directories); j++) {
			snprintf(path, sizeof(path), "%s/%.*s", directories[j],
				 (int)strcspn(makers[i][0], " "), makers[i][0]);
			if (tree_exists(root, path) && is_used(root, path, makers[i]))
				return makers[i][0];
		}
	return NULL;
}
