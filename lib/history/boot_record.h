/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The boot record: what resume(8) was given, saw and did at this boot, and facts of the
 * boot that are lost later (doc/architecture.md, "The boot record"). This is its form,
 * pure: text, with a key and its value in each line.
 */
#ifndef S2DISK_HISTORY_BOOT_RECORD_H
#define S2DISK_HISTORY_BOOT_RECORD_H

#include "crypto/crypto.h"
#include "base/text.h"
#include "base/why.h"
#include "history/boot_words.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longer files are not boot records. */
#define BOOT_RECORD_LIMIT (1u << 20)

/* This many bytes of each of the two texts are kept. */
#define BOOT_RECORD_MAP_LIMIT (256u << 10)
#define BOOT_RECORD_LOG_LIMIT (256u << 10)

#define BOOT_RUNS_MAX 8
#define BOOT_KEYS_MAX 8

/* A key file that the configuration in the initramfs names. */
struct boot_key_file {
	char path[256];
	char digest[SHA256_TEXT_SIZE]; /* SHA-256, "" if it is missing or unreadable */
};

/* One run of resume. Texts are "" if unknown. */
struct boot_run {
	uint64_t time;	  /* seconds since 1970, by the clock of the initramfs */
	char program[64]; /* its version */
	char form[64];	  /* the images it can read: INITRAMFS_RESUME_MARK */
	enum boot_named by;
	char by_file[280];  /* FILE:LINE for NAMED_BY_FILE */
	char named[256];    /* as it was named: a path, UUID=, … */
	uint64_t offset;    /* as given, in pages; 0 if none was */
	bool noresume;	    /* on the kernel command line */
	bool encrypt;	    /* the configuration demands sealed images */
	char settings[512]; /* the error in the configuration */
	char device[256];   /* path of the block device that was found */
	bool has_number;
	uint32_t major, minor;	   /* its number, if has_number */
	char uuid[TEXT_UUID_SIZE]; /* of the swap area, as blkid(8) prints it */
	enum boot_found found;
	enum boot_fate fate;
	char reason[1024]; /* why it was discarded, unusable, … */
	struct boot_key_file keys[BOOT_KEYS_MAX];
	size_t key_count;
	bool recorded; /* not written: it is the last of the record on disk */
};

struct boot_record {
	char boot_id[40];	 /* /proc/sys/kernel/random/boot_id */
	char kernel[128];	 /* release */
	char command_line[4096]; /* of the kernel, cut to fit */
	struct boot_run runs[BOOT_RUNS_MAX];
	size_t run_count;
	bool keys_left_out; /* of what a resume handed over: dropped for lack of room */
	uint64_t forgotten; /* runs dropped for lack of room */
	char *map; /* the firmware's memory map in lines "0xSTART 0xEND TYPE"; NULL: none */
	char *log; /* lines of the kernel's log that are needed later; NULL: none */
};

/* Frees the texts. Harmless on a zeroed struct. */
void boot_record_free(struct boot_record *record);

/* Appends a run. If the record is full, the oldest run with the least information is
 * dropped: one that looked at nothing before one that found an image. */
void boot_record_append(struct boot_record *record, const struct boot_run *run);

/* The last run that discarded an image, NULL if none did. */
const struct boot_run *boot_record_discarded(const struct boot_record *record);

/* The record as text, for the caller to free. 0 or -ENOMEM. */
int boot_record_encode(const struct boot_record *record, char **ret_text, size_t *ret_length);

/* Reads such a text. Unknown keys and words of a newer program are skipped, long values
 * are cut, and surplus entries are dropped. -EBADMSG: not a boot record; -ENOTSUP: a
 * newer form; -ENOMEM. Call boot_record_free afterwards. */
int boot_record_parse(const char *text, struct boot_record *ret, struct why *w);

#endif
