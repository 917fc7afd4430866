/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the way back share; nobody else includes this. */
#ifndef S2DISK_PREFLIGHT_WAY_BACK_PRIVATE_H
#define S2DISK_PREFLIGHT_WAY_BACK_PRIVATE_H

#include "boot/boot_files.h"
#include "boot/initramfs.h"
#include "history/boot_record.h"
#include "preflight_checks.h"

enum way_verdict {
	WAY_GOOD,
	WAY_DOUBTFUL, /* it may lead there */
	WAY_BAD,
	WAY_UNKNOWN /* it could not be read */
};

struct way_answer {
	enum way_verdict verdict;
	char text[320];
	char advice[280];
};

struct way {
	struct preflight_context *context;
	enum check_level bad; /* what a way that leads nowhere is */
	struct boot_files files;
	struct boot_record record;
	char cmdline[INITRAMFS_CMDLINE_SIZE]; /* of this boot */
	char command[80];		      /* that regenerates the initramfs */
	uint64_t deadline;		      /* of reading initramfs, now_usec() */
	struct initramfs kept;		      /* the first that was read */
	char kept_path[256];
	char named[256]; /* what the place is called where it is found */
};

void way_say(struct way_answer *answer, enum way_verdict verdict, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void way_advise(struct way_answer *answer, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Are key files all that opens the image? */
bool way_needs_key_file(const struct settings *settings);

/* If so: is there one with which nothing is wrong? wrong() says what is, or NULL; whose: behind
 * that in the sentence. */
bool way_keys_fine(const struct way *way,
		   const char *(*wrong)(const struct way *way, const void *context,
					const char *path),
		   const void *context, const char *whose, struct way_answer *ret);

/* Has today's key file this digest? One in /run, yes: a tool of the machine (TPM, network) puts
 * it there at boot. */
bool way_same_key(const struct way *way, const char *path, const char *digest);

/* encrypt = y at the other end, where an image that is not sealed is refused. whose resume. */
bool way_refuses_plain(const struct way *way, bool encrypt, const char *whose,
		       struct way_answer *ret);

/* Is the area on an encrypted device? The name of the mapping. */
bool way_encrypted(const struct way *way, char *name, size_t size);

/* Finds a mapping under the area that this initramfs does not open: not as what spec calls it, and
 * not for the root file system either. */
bool way_find_locked(const struct way *way, const struct initramfs *initramfs, const char *cmdline,
		     const char *spec, char *name, size_t size);

/* What this boot did: would the next one that does the same find the image? */
void way_judge_record(struct way *way, struct way_answer *ret);

/* What an initramfs will do. seen: at this boot the device was there. */
void way_judge_initramfs(struct way *way, const struct boot_file *file, bool seen,
			 struct way_answer *ret);

/* The run that tells most: it looked at the place, or at another, or at nothing. NULL: none. */
const struct boot_run *way_best_run(const struct way *way);

/* Reads it, where none was read yet. */
void way_keep_initramfs(struct way *way, const struct boot_file *file);

#endif
