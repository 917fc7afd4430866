/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the user wants: configuration file, -P, command line, in this order,
 * into one struct. Keys are uswsusp's and a few of our own; see suspend.conf(5).
 */
#ifndef S2DISK_CONFIG_SETTINGS_H
#define S2DISK_CONFIG_SETTINGS_H

#include "base/crypto.h"
#include "base/why.h"
#include "verdict/verdict.h"

#include <stdbool.h>
#include <stdint.h>

enum method {
	METHOD_PLATFORM, /* ACPI S4 (the default; shutdown where it is not offered) */
	METHOD_SHUTDOWN, /* power off */
	METHOD_REBOOT,
	METHOD_SUSPEND, /* suspend to RAM, the image on disk as safety net */
};

/* What to do with an image that this boot cannot take. */
enum mismatch_action {
	MISMATCH_REBOOT,  /* keep it and boot again, "mismatch retries" times; then discard */
	MISMATCH_ASK,	  /* ask on the console; where nobody answers, as reboot */
	MISMATCH_DISCARD, /* set it aside and boot on */
};

/* What to do when the next boot would not find the image. */
enum way_back {
	WAY_BACK_REQUIRE, /* do not hibernate */
	WAY_BACK_WARN,	  /* hibernate all the same */
	WAY_BACK_IGNORE,  /* do not look */
};

/* No settings: the keys in configuration files that are unknown. */
struct unknown_keys {
	unsigned int count;
	unsigned int named; /* in text: the first ones, as many as it holds */
	char text[320];	    /* "FILE:LINE: unknown key "KEY" (did you mean …?)", "; " between */
	char encrypt[320];  /* the last that seems to be "encrypt" and does not say n, in the same
			       way; "" for none, or where a later line has "encrypt" itself */
};

struct settings {
	char config_file[256];	    /* the file that was read, "" for none */
	char snapshot_device[256];  /* "snapshot device": /dev/snapshot */
	char resume_device[256];    /* "resume device": "" when not set */
	char resume_device_by[280]; /* no key: the "FILE:LINE" that set it; "" for an option */
	uint64_t resume_offset;	    /* "resume offset", pages */
	bool resume_offset_set;
	char default_device[256]; /* no key: what resume takes where neither a key nor the kernel
				     command line names a device; "" for none */
	uint64_t default_offset;  /* of it, in pages; resume_offset= goes first */
	char swap_on_demand[256]; /* "swap on demand": a swap file that is on only while
				     hibernating; "" for none */
	uint64_t image_size;	  /* "image size", bytes; what the kernel should aim at */
	bool image_size_set;
	enum method method; /* "shutdown method" */
	bool method_set;
	bool compress;		    /* "compress": y */
	bool threads;		    /* "threads": y; n is the serial twin */
	unsigned int workers;	    /* "workers": 0 (one for each processor) to 64 */
	unsigned int buffer_mib;    /* "buffer size", MiB for buffers: 64 (8 to 4096) */
	unsigned int block_kib;	    /* "block size", KiB: 512 (a power of 2, 64 to 4096) */
	int suspend_loglevel;	    /* "suspend loglevel", console while working: 2 */
	int max_loglevel;	    /* "max loglevel", after a resume; -1: as it was */
	bool splash;		    /* "splash": y */
	bool compute_checksum;	    /* "compute checksum": accepted, blocks always are checked */
	bool early_writeout;	    /* "early writeout": accepted, always so */
	bool encrypt;		    /* "encrypt": seal images, and take no plain ones */
	enum aead_kind cipher;	    /* "cipher"; 0: "auto", the fastest here */
	bool passphrase;	    /* "passphrase": ask for one when hibernating */
	bool passphrase_set;	    /* … else only where there is no other way to the key */
	char key_pair[256];	    /* "key pair": file of s2disk-keygen; "" for none */
	char key_file[256];	    /* "key file": one or more, blanks between; "" for none */
	bool key_file_in_initramfs; /* "key file in initramfs": hooks copy them there */
	char rsa_key_file[256];	    /* "RSA key file": accepted for a message */
	unsigned int resume_pause;  /* "resume pause": seconds to wait before restoring */
	bool verify_image;	    /* "debug verify image": read back before the commit */
	char test_file[256];	    /* "debug test file": write the image there instead */
	enum verdict_policy platform_policy;  /* "platform policy": proven */
	enum mismatch_action mismatch_action; /* "mismatch action": reboot */
	unsigned int mismatch_retries;	      /* "mismatch retries": 2 */
	enum way_back way_back;		      /* "way back": require */
	struct unknown_keys unknown;
	bool skip_bad;		   /* no setting: what cannot be used of a file is skipped;
				    * "encrypt" is then true, the safe side */
	unsigned int max_attempts; /* "max attempts": set an image aside after so many: 5 */
};

void settings_defaults(struct settings *settings);

/* Pure: the known key that is written almost like this one, which is none; NULL
 * where none is near. */
const char *settings_nearest_key(const char *key);

/* Sets one key. 0; -ENOENT unknown key; -EINVAL bad value; w has the sentence
 * (which key, which value, what would be right). */
int settings_set(struct settings *settings, const char *key, const char *value, struct why *w);

/* Applies "key = value" or "key: value" (as -P gives it; a line of a file is
 * the same). A line with nothing in it is fine. */
int settings_apply_line(struct settings *settings, const char *line, struct why *w);

/* Pure: applies the text of a configuration file. Unknown keys are told to
 * warn (with "file:line: ...", NULL: nobody), kept in settings->unknown, and
 * skipped; a bad value is an error with file and line in w. Lines: "key =
 * value" or "key: value", '#' begins a comment at the start of a line or after
 * white space, blank lines are skipped, values may be in double quotes, case
 * does not count in keys. */
int settings_parse(struct settings *settings, const char *text, const char *file,
		   void (*warn)(const char *message), struct why *w);

/* Reads file, or where it is NULL the first of /etc/suspend.conf and
 * /etc/uswsusp.conf that exists under root (none is fine), and after it the
 * *.conf files of that name with ".d" behind it, sorted by name (where there is
 * none of the two, those of /etc/suspend.conf.d). A file that was named must
 * exist. All of these change nothing when they fail; with skip_bad set, they
 * take what can be used instead. */
int settings_load(struct settings *settings, const char *root, const char *file,
		  void (*warn)(const char *message), struct why *w);

const char *mismatch_action_name(enum mismatch_action action);
int mismatch_action_parse(const char *text, enum mismatch_action *ret);

const char *method_name(enum method method);
int method_parse(const char *text, enum method *ret);

#endif
