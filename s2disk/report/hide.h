/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keeps private data out of reports. */
#ifndef S2DISK_REPORT_HIDE_H
#define S2DISK_REPORT_HIDE_H

#include "crypto/crypto.h"

#include <stddef.h>

/* Pure: in words NAME=VALUE whose name looks like that of a password, in addresses with one
 * (iscsi:USER:PASSWORD@HOST, https://USER:PASSWORD@HOST), in GRUB's commands for passwords and
 * in lines of crypttab with a key script, the letters become x; all lengths stay. Names of key
 * files stay. Data with a zero byte is not text and stays as it is. */
void report_hide_passwords(char *text, size_t length);

/* Pure: the same for a configuration file of s2disk: hides only values where yes or no is
 * expected. */
void report_hide_settings(char *text);

/* Pure: how much of a variable Boot#### is title and path. What follows is for the program
 * that it starts, such as a kernel command line. */
size_t report_hide_boot_option(const char *option, size_t length);

/* Pure: leaves those lines of /proc/PID/maps that have one of the files in them which
 * the checks look for. Returns the new length; 0: none. */
size_t report_hide_maps(char *text, const char *const *names, size_t count);

/* The placeholder for a secret with this digest: of the same length, the same for the same
 * secret within this report (salt), and useless otherwise. 0 or a negative errno. */
int report_hide_secret(const unsigned char salt[32], const char *digest, char *to, size_t size);

/* The digests of a secret and of its placeholder. */
struct report_digest {
	char of_secret[SHA256_TEXT_SIZE], of_standing[SHA256_TEXT_SIZE];
};

/* Replaces the digests of key files in a boot record ("key DIGEST PATH"), since a short key
 * could be found by trial. One that is among known becomes that of the file's placeholder, so
 * equal files stay equal; any other is replaced. */
int report_hide_digests(const unsigned char salt[32], const struct report_digest *known,
			size_t count, char *text);

#endif
