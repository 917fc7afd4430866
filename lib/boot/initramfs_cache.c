/* SPDX-License-Identifier: GPL-2.0-or-later */
/* initramfs: what was found is kept in /run, so that the next look is quick. */
#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/look.h"
#include "base/text.h"
#include "boot/initramfs.h"
#include "boot/initramfs_private.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER "/run/s2disk"
#define CACHE FOLDER "/initramfs"
#define CACHE_LIMIT (INITRAMFS_FILES_MAX * 70000)

/* A file is the same while all of this is; another version of this program
 * looks for other things. */
static int make_key(const char *root, const char *path, const struct initramfs_secrets *secrets,
		    char *key, size_t size)
{
	char full[PATH_MAX], wanted[INITRAMFS_SECRETS_MAX * 257 + 1] = "";
	struct stat st;

	for (size_t i = 0; secrets && i < secrets->count; i++)
		snprintf(wanted + strlen(wanted), sizeof(wanted) - strlen(wanted), " %s",
			 secrets->names[i]);
	if (snprintf(full, sizeof(full), "%s%s", root, path) >= (int)sizeof(full))
		return -ENAMETOOLONG;
	if (stat(full, &st) < 0)
		return -errno;
	if (snprintf(key, size, "s2disk %s, %s; %llx %llx %llx %lld.%09ld %lld.%09ld %s%s\n",
		     PACKAGE_VERSION, INITRAMFS_RESUME_MARK, (unsigned long long)st.st_dev,
		     (unsigned long long)st.st_ino, (unsigned long long)st.st_size,
		     (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec, (long long)st.st_ctim.tv_sec,
		     st.st_ctim.tv_nsec, path, wanted) >= (int)size)
		return -ENAMETOOLONG;
	return 0;
}

/* "file LENGTH NAME", then the text and a newline. */
static const char *parse_file(const char *text, struct initramfs *ret)
{
	char name[sizeof(ret->files[0].name)];
	size_t length;
	int header = 0;
	char *content;

	if (sscanf(text, "file %zu %255[^\n]%n", &length, name, &header) != 2 ||
	    text[header] != '\n')
		return NULL;
	text += header + 1;
	if (strnlen(text, length + 1) <= length || text[length] != '\n')
		return NULL;
	content = strndup(text, length);
	if (!content || initramfs_add_file(ret, name, content) < 0)
		return NULL;
	return text + length + 1;
}

static int parse(const char *text, struct initramfs *ret)
{
	int flags[6], header = 0;

	if (sscanf(text, "flags %d %d %d %d %d %d%n", &flags[0], &flags[1], &flags[2], &flags[3],
		   &flags[4], &flags[5], &header) != 6 ||
	    text[header] != '\n')
		return -EBADMSG;
	ret->resume = flags[0] != 0;
	ret->current = flags[1] != 0;
	ret->script = flags[2] != 0;
	ret->unit = flags[3] != 0;
	ret->stock = flags[4] != 0;
	ret->keymap = flags[5] != 0;
	for (text += header + 1; *text && strcmp(text, "end\n") != 0;) {
		text = parse_file(text, ret);
		if (!text)
			return -EBADMSG;
	}
	return *text ? 0 : -EBADMSG;
}

static bool read_cache(const char *root, const char *key, struct initramfs *ret)
{
	_cleanup_free_ char *text = NULL;

	*ret = (struct initramfs){ 0 };
	if (io_read_file(root, CACHE, CACHE_LIMIT, &text, NULL) < 0 || !text_starts(text, key))
		return false;
	if (parse(text + strlen(key), ret) == 0)
		return true;
	initramfs_free(ret);
	return false;
}

/* Nothing is lost when it cannot be written. */
static void write_cache(const char *root, const char *key, const struct initramfs *initramfs)
{
	char folder[PATH_MAX], path[PATH_MAX], new_path[PATH_MAX];
	_cleanup_close_ int fd = -1;
	_cleanup_fclose_ FILE *out = NULL;

	if (snprintf(folder, sizeof(folder), "%s" FOLDER, root) >= (int)sizeof(folder) ||
	    snprintf(path, sizeof(path), "%s" CACHE, root) >= (int)sizeof(path) ||
	    snprintf(new_path, sizeof(new_path), "%s" CACHE ".new", root) >= (int)sizeof(new_path))
		return;
	mkdir(folder, 0755);
	/* Configuration may hold what is not for everybody. */
	fd = open(new_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	out = fd < 0 ? NULL : fdopen(fd, "w");
	if (!out)
		return;
	steal_fd(&fd);
	fprintf(out, "%sflags %d %d %d %d %d %d\n", key, initramfs->resume, initramfs->current,
		initramfs->script, initramfs->unit, initramfs->stock, initramfs->keymap);
	for (size_t i = 0; i < initramfs->count; i++)
		fprintf(out, "file %zu %s\n%s\n", strlen(initramfs->files[i].text),
			initramfs->files[i].name, initramfs->files[i].text);
	fprintf(out, "end\n");
	if (fflush(out) != 0 || rename(new_path, path) < 0)
		unlink(new_path);
}

int initramfs_read_cached(const char *root, const char *path,
			  const struct initramfs_secrets *secrets, struct initramfs *ret,
			  struct why *w)
{
	char key[PATH_MAX + INITRAMFS_SECRETS_MAX * 257 + 256];
	int r = make_key(root, path, secrets, key, sizeof(key));

	/* Whoever watches is to see what is in it. */
	if (r == 0 && !look_watched() && read_cache(root, key, ret))
		return 0;
	r = initramfs_read(root, path, secrets, ret, w);
	if (r == 0 && !io_only_looks())
		write_cache(root, key, ret);
	return r;
}
