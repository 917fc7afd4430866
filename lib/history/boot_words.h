/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The words of the boot record. */
#ifndef S2DISK_HISTORY_BOOT_WORDS_H
#define S2DISK_HISTORY_BOOT_WORDS_H

/* Of a line of the map or of the log. */
#define BOOT_LINE_SIZE 1024

/* What named the place that resume looked at. */
enum boot_named {
	NAMED_BY_UNKNOWN, /* a word unknown to this program */
	NAMED_BY_NOTHING,
	NAMED_BY_FILE,	   /* a configuration file, see by_file */
	NAMED_BY_ARGUMENT, /* an option of resume */
	NAMED_BY_KERNEL,   /* resume= on the kernel command line */
	NAMED_BY_DEFAULT,  /* the scripts of the initramfs generator */
	NAMED_BY_FIRMWARE, /* its variable HibernateLocation */
};

enum boot_found {
	FOUND_UNKNOWN,
	FOUND_NOTHING_NAMED,
	FOUND_NO_DEVICE,    /* missing, even after waiting */
	FOUND_NOT_LOOKED,   /* the boot went on without looking at it */
	FOUND_UNUSABLE,	    /* it exists, but is no place for an image, or cannot be read */
	FOUND_NO_SWAP,	    /* no swap signature: file system, random data, … */
	FOUND_SWAP,	    /* plain swap */
	FOUND_OTHER_SWAP,   /* swap of a kernel with another page size */
	FOUND_KERNEL_IMAGE, /* the kernel's own image */
	FOUND_IMAGE,	    /* an image of ours, or uswsusp's */
};

/* What became of an image. */
enum boot_fate {
	FATE_UNKNOWN,
	FATE_NONE,	  /* no image is there */
	FATE_DISCARDED,	  /* the area is swap again */
	FATE_STILL_THERE, /* it could neither be restored nor discarded */
	FATE_RESTORED	  /* handed over by the boot that restored it */
};

/* The words of the record, also used in messages ("" for unknown). */
const char *boot_named_word(enum boot_named by);
const char *boot_found_word(enum boot_found found);
const char *boot_fate_word(enum boot_fate fate);

/* Parsing: anything else is the "unknown" of its kind. */
enum boot_named boot_named_parse(const char *word);
enum boot_found boot_found_parse(const char *word);
enum boot_fate boot_fate_parse(const char *word);

#endif
