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

/* What a failure says about the thing that was read. Whoever decodes it says so
 * where it is known, in so many words: an errno cannot tell, since the kernel
 * and libraries return the same ones for troubles of their own, and on this
 * hangs whether a hibernated session is kept or discarded. */
enum why_class {
	WHY_NOW,       /* nothing: it cannot be read or used now, by this boot */
	WHY_DAMAGED,   /* its bytes are not those that were written */
	WHY_TOO_NEW,   /* sound, and a newer version of the program can read it */
	WHY_FOREIGN,   /* sound, and for another kind of machine, kernel or device */
	WHY_WRONG_KEY, /* sound, and whoever typed a passphrase typed a wrong one */
	WHY_LOCKED,    /* sound, and this boot has no key: no file, nobody to ask */
};

struct why {
	char text[512];
	enum why_class class;
};

/* Sets the sentence (printf style, cut to fit) and returns err, so that
 * "return why(w, -EIO, …)" is one statement. The class becomes WHY_NOW. w may
 * be NULL. */
int why(struct why *w, int err, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The same with another class. */
int why_class(struct why *w, enum why_class class, int err, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* The two that every decoder needs: -EBADMSG and -ENOTSUP. */
int why_damaged(struct why *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
int why_too_new(struct why *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts "prefix: " (printf style) before the sentence that is there; where
 * there is none, strerror(-err) becomes the sentence. The class stays. Returns
 * err. */
int why_prefix(struct why *w, int err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The sentence, or strerror(-err) when none was set. */
const char *why_text(const struct why *w, int err);

#endif
