/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The boot record: what resume(8) was told, saw and did at this boot, and what
 * of the boot is lost later (doc/architecture.md, "The boot record"). Here its
 * form, pure: text, a key and its value in each line.
 */
#ifndef S2DISK_HISTORY_BOOT_RECORD_H
#define S2DISK_HISTORY_BOOT_RECORD_H

#include "base/crypto.h"
#include "base/text.h"
#include "base/why.h"
#include "history/boot_words.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longer files are no boot records. */
#define BOOT_RECORD_LIMIT (1u << 20)

/* Of each of the two texts, this many bytes are kept. */
#define BOOT_RECORD_MAP_LIMIT (256u << 10)
#define BOOT_RECORD_LOG_LIMIT (256u << 10)

#define BOOT_RUNS_MAX 8
#define BOOT_KEYS_MAX 8

/* A key file that the configuration in the initramfs names. */
struct boot_key_file {
	char path[256];
	char digest[SHA256_TEXT_SIZE]; /* SHA-256, "" when it is not there or not readable */
};

/* One run of resume. Texts are "" where they are not known. */
struct boot_run {
	uint64_t time;	  /* seconds since 1970, by the clock of the initramfs */
	char program[64]; /* its version */
	char form[64];	  /* which images it knows: INITRAMFS_RESUME_MARK */
	enum boot_named by;
	char by_file[280];  /* FILE:LINE for NAMED_BY_FILE */
	char named[256];    /* as it was named: a path, UUID=, … */
	uint64_t offset;    /* as it was given, in pages; 0 where none was */
	bool noresume;	    /* on the kernel command line */
	bool encrypt;	    /* the configuration wants sealed images only */
	char settings[512]; /* what is wrong with the configuration */
	char device[256];   /* path of the block device that was found */
	bool has_number;
	uint32_t major, minor;	   /* its number, where has_number */
	char uuid[TEXT_UUID_SIZE]; /* of the swap area, as blkid(8) prints it */
	enum boot_found found;
	enum boot_fate fate;
	char reason[1024]; /* why it was discarded, unusable, … */
	struct boot_key_file keys[BOOT_KEYS_MAX];
	size_t key_count;
	bool recorded; /* not written: it is the last of the record that is there */
};

struct boot_record {
	char boot_id[40];	 /* /proc/sys/kernel/random/boot_id */
	char kernel[128];	 /* release */
	char command_line[4096]; /* of the kernel, cut to fit */
	struct boot_run runs[BOOT_RUNS_MAX];
	size_t run_count;
	bool keys_left_out; /* of what a resume handed over: there was no room for them */
	uint64_t forgotten; /* runs for which there was no room */
	char *map;	    /* the firmware's memory map as memory_map_parse reads it; NULL: none */
	char *log;	    /* lines of the kernel's log that are needed later; NULL: none */
};

/* Frees the texts. Harmless on a zeroed struct. */
void boot_record_free(struct boot_record *record);

/* Appends a run. Where the record is full, the oldest of those that tell least is
 * forgotten: one that looked at nothing before one that found an image. */
void boot_record_append(struct boot_record *record, const struct boot_run *run);

/* The last run that discarded an image, NULL where none did. */
const struct boot_run *boot_record_discarded(const struct boot_record *record);

/* The record as text, for the caller to free. 0 or -ENOMEM. */
int boot_record_encode(const struct boot_record *record, char **ret_text, size_t *ret_length);

/* Reads such a text. Unknown keys and words of a newer program are passed over,
 * what is too long is cut, and what is too much is left out. -EBADMSG: no boot record;
 * -ENOTSUP: of a newer form; -ENOMEM. boot_record_free afterwards. */
int boot_record_parse(const char *text, struct boot_record *ret, struct why *w);

#endif
