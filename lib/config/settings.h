/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Settings from the configuration file, -P and the command line, in this order. The keys are
 * uswsusp's and a few of s2disk's; see
 * suspend.conf(5). */
#ifndef S2DISK_CONFIG_SETTINGS_H
#define S2DISK_CONFIG_SETTINGS_H

#include "crypto/crypto.h"
#include "base/why.h"
#include "release/release_plan.h"
#include "verdict/finding.h"

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
	MISMATCH_ASK,	  /* ask on the console; without an answer, as reboot */
	MISMATCH_DISCARD, /* discard it and continue booting */
};

/* What to do when the next boot would not find the image. */
enum way_back {
	WAY_BACK_REQUIRE, /* do not hibernate */
	WAY_BACK_WARN,	  /* hibernate anyway */
	WAY_BACK_IGNORE,  /* do not check */
};

/* Not settings: unknown keys in configuration files. */
struct unknown_keys {
	unsigned int count;
	unsigned int named; /* how many of them text holds, the first ones */
	char text[320];	    /* "FILE:LINE: unknown key "KEY" (did you mean …?)", "; " between */
	char encrypt[320];  /* the last that looks like "encrypt" and is not n, in the same form; ""
			       for none, or if a later line has "encrypt" itself */
};

struct settings {
	char config_file[256];	    /* the file that was read, "" for none */
	char snapshot_device[256];  /* "snapshot device": /dev/snapshot */
	char resume_device[256];    /* "resume device": "" when not set */
	char resume_device_by[280]; /* no key: the "FILE:LINE" that set it; "" for an option */
	uint64_t resume_offset;	    /* "resume offset", pages */
	bool resume_offset_set;
	char default_device[256]; /* no key: what resume uses if neither a key nor the kernel
				     command line names a device; "" for none */
	uint64_t default_offset;  /* of it, in pages; resume_offset= has precedence,
				   * except over the firmware's */
	bool default_by_firmware; /* it is from the firmware's variable HibernateLocation */
	char swap_on_demand[256]; /* "swap on demand": a swap file that is active only for
				     hibernation; "" for none */
	uint64_t image_size;	  /* "image size", bytes: the kernel's target */
	bool image_size_set;
	enum method method; /* "shutdown method" */
	bool method_set;
	bool compress;		    /* "compress": y */
	bool threads;		    /* "threads": y; n is the serial twin */
	unsigned int workers;	    /* "workers": 0 (one for each processor) to 64 */
	unsigned int buffer_mib;    /* "buffer size", MiB for buffers: 64 (8 to 4096) */
	unsigned int block_kib;	    /* "block size", KiB: 512 (a power of 2, 64 to 4096) */
	int suspend_loglevel;	    /* "suspend loglevel", console while working: 2 */
	int max_loglevel;	    /* "max loglevel", after a resume; -1: unchanged */
	bool splash;		    /* "splash": y */
	bool compute_checksum;	    /* "compute checksum": accepted; blocks always have a check */
	bool early_writeout;	    /* "early writeout": accepted; always done */
	bool encrypt;		    /* "encrypt": seal images, and refuse plain ones */
	enum aead_kind cipher;	    /* "cipher"; 0: "auto", the fastest here */
	bool passphrase;	    /* "passphrase": ask for one when hibernating */
	bool passphrase_set;	    /* … else only if there is no other way to the key */
	char key_pair[256];	    /* "key pair": file of s2disk-keygen; "" for none */
	char key_file[256];	    /* "key file": one or more, blanks between; "" for none */
	bool key_file_in_initramfs; /* "key file in initramfs": hooks copy them there */
	char rsa_key_file[256];	    /* "RSA key file": only for a message */
	unsigned int resume_pause;  /* "resume pause": seconds to wait before restoring */
	bool verify_image;	    /* "debug verify image": read it back before the commit */
	char test_file[256];	    /* "debug test file": write the image there instead */
	enum verdict_policy platform_policy;  /* "platform policy": proven */
	enum mismatch_action mismatch_action; /* "mismatch action": reboot */
	unsigned int mismatch_retries;	      /* "mismatch retries": 2 */
	enum way_back way_back;		      /* "way back": require */
	bool drift; /* "drift": remember memory maps, keep frames that drift free: y */
	unsigned int drift_margin;     /* "drift margin": pages on each side, 0 to 64: 2 */
	unsigned int drift_mib;	       /* "drift limit": MiB, 0 to 1024: 8 */
	char accept[256];	       /* "accept": verdict/finding.h */
	struct release_config release; /* "release devices" and so on */
	struct unknown_keys unknown;
	bool skip_bad;		   /* not a setting: unusable parts of files are skipped;
				    * "encrypt" is then true, to be safe */
	unsigned int max_attempts; /* "max attempts": discard an image after this many: 5 */
};

void settings_defaults(struct settings *settings);

/* Pure: the known key most similar to this unknown one; NULL if none is close. */
const char *settings_nearest_key(const char *key);

/* Sets one key. 0; -ENOENT unknown key; -EINVAL bad value; w says which key, which value, and what
 * is valid. */
int settings_set(struct settings *settings, const char *key, const char *value, struct why *w);

/* Applies "key = value" or "key: value" (as -P gives it; a line of a file is
 * the same). An empty line is fine. */
int settings_apply_line(struct settings *settings, const char *line, struct why *w);

/* Pure: applies the text of a configuration file. Unknown keys are reported to warn (with
 * "file:line: ..."; may be NULL), recorded in settings->unknown, and skipped; a bad value is an
 * error with file and line in w. Lines: "key = value" or "key: value", '#' begins a comment at the
 * start of a line or after white space, blank lines are skipped, values may be in double quotes,
 * keys ignore case. */
int settings_parse(struct settings *settings, const char *text, const char *file,
		   void (*warn)(const char *message), struct why *w);

/* Reads file, or where it is NULL the first of /etc/suspend.conf and
 * /etc/uswsusp.conf that exists under root (none is fine), and after it the
 * *.conf files in the directory of that name with ".d" appended, sorted by name (if neither exists,
 * those of /etc/suspend.conf.d). A file that was named must exist. On failure none of these
 * functions changes anything; with skip_bad, they take what is usable instead. */
int settings_load(struct settings *settings, const char *root, const char *file,
		  void (*warn)(const char *message), struct why *w);

const char *method_name(enum method method);
int method_parse(const char *text, enum method *ret);

#endif
