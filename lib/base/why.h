/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why something failed: a sentence that travels beside a negative errno.
 *
 * Library functions print nothing. They return a negative errno and, where the number alone is not
 * enough for the user, they fill a struct why. The program prints it once, with the file or device
 * in front.
 */
#ifndef S2DISK_BASE_WHY_H
#define S2DISK_BASE_WHY_H

/* What a failure means for the thing that was read. The decoder that knows states it
 * explicitly: an errno is not enough, since the kernel and libraries return the same ones
 * for problems of their own, and this decides whether a hibernated session is kept or
 * discarded. */
enum why_class {
	WHY_NOW,       /* nothing is known: it cannot be read or used now, by this boot */
	WHY_DAMAGED,   /* corrupted: not the bytes that were written */
	WHY_TOO_NEW,   /* intact, but needs a newer version of the program */
	WHY_FOREIGN,   /* intact, but made for another kind of machine, kernel or device */
	WHY_WRONG_KEY, /* intact; the passphrase was wrong */
	WHY_LOCKED,    /* intact, but this boot has no key: no file, and no answer */
};

struct why {
	char text[512];
	enum why_class class;
};

/* Formats the sentence (printf style, cut to fit) and returns err, for "return why(w,
 * -EIO, …)". The class becomes WHY_NOW. w may be NULL. */
int why(struct why *w, int err, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The same with another class. */
int why_class(struct why *w, enum why_class class, int err, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Shorthands that every decoder needs: -EBADMSG and -ENOTSUP. */
int why_damaged(struct why *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
int why_too_new(struct why *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts "prefix: " (printf style) before the sentence; if there is none, strerror(-err)
 * becomes the sentence. The class stays. Returns err. */
int why_prefix(struct why *w, int err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The sentence, or strerror(-err) if none was set. */
const char *why_text(const struct why *w, int err);

#endif
