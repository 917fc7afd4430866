/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is not to be in a report that a stranger gets. */
#ifndef S2DISK_REPORT_HIDE_H
#define S2DISK_REPORT_HIDE_H

#include "base/crypto.h"

#include <stddef.h>

/* Pure: in words NAME=VALUE whose name looks like that of a password, in addresses with
 * one (iscsi:USER:PASSWORD@HOST, https://USER:PASSWORD@HOST), in GRUB's commands for
 * passwords and in lines of crypttab with a key script, the letters become x; all keeps
 * its place. Names of key files stay. Nothing happens to what has a zero byte, which is
 * no text. */
void report_hide_passwords(char *text, size_t length);

/* Pure: the same for a configuration file of s2disk, whose words count: only what stands
 * where yes or no is wanted. */
void report_hide_settings(char *text);

/* Pure: how much of a variable Boot#### is title and path. What follows is for the program
 * that it starts, such as a kernel command line. */
size_t report_hide_boot_option(const char *option, size_t length);

/* Pure: leaves those lines of /proc/PID/maps that have one of the files in them which
 * the checks look for. Returns the new length; 0: none. */
size_t report_hide_maps(char *text, const char *const *names, size_t count);

/* What stands for a secret with this digest: as long, always the same for the same, in
 * this report only (salt), and good for nothing else. 0 or a negative errno. */
int report_hide_secret(const unsigned char salt[32], const char *digest, char *to, size_t size);

/* A secret's digest, and that of what stands for it. */
struct report_digest {
	char of_secret[SHA256_TEXT_SIZE], of_standing[SHA256_TEXT_SIZE];
};

/* In a boot record, digests of key files ("key DIGEST PATH"): a short one could be found
 * by trying. One that is among known becomes that of what stands for the file, so that
 * the same still are the same; another one is replaced. */
int report_hide_digests(const unsigned char salt[32], const struct report_digest *known,
			size_t count, char *text);

#endif
