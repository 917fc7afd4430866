/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why something failed: a sentence that travels beside a negative errno.
 *
 * Library functions print nothing. They return a negative errno and, where the
 * number alone would not tell a user what to do, they fill a struct why. The
 * program prints it once, with the file or device in front.
 */
#ifndef S2DISK_BASE_WHY_H
#define S2DISK_BASE_WHY_H

struct why {
	char text[512];
};

/* Sets the sentence (printf style, cut to fit) and returns err, so that
 * "return why(w, -EBADMSG, …)" is one statement. w may be NULL. */
int why(struct why *w, int err, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Puts "prefix: " (printf style) before the sentence that is there; where
 * there is none, strerror(-err) becomes the sentence. Returns err. */
int why_prefix(struct why *w, int err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The sentence, or strerror(-err) when none was set. */
const char *why_text(const struct why *w, int err);

#endif
