/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ways to the key of a sealed image, as settings and user give them: making
 * them ready before hibernating, and finding the key before resuming.
 */
#ifndef S2DISK_CONFIG_IMAGE_KEYS_H
#define S2DISK_CONFIG_IMAGE_KEYS_H

#include "base/crypto.h"
#include "base/why.h"
#include "image/image_reader.h"
#include "seal/key_slots.h"
#include "config/settings.h"
#include "ui/passphrase.h"

#include <stdbool.h>

/* How often a wrong passphrase may be typed. */
#define PASSPHRASE_TRIES 3

/* Does hibernating with these settings ask for a passphrase? */
bool image_keys_ask(const struct settings *settings);

/* The next of the settings' key files (a list with blanks between, of which *list
 * is moved behind it); false when there is none. */
bool image_keys_next_file(const char **list, char *path, size_t size);

/* SHA-256 of root/path, as hexadecimal digits, to compare with a copy of it. */
int image_keys_digest(const char *root, const char *path, char result[SHA256_TEXT_SIZE],
		      struct why *w);

/* Can the files that the settings name, below root, be used? Asks nobody. warning: where one
 * can, but should not be as it is ("" otherwise). */
int image_keys_check(const struct settings *settings, const char *root, struct why *warning,
		     struct why *w);

/* Makes all ways ready: reads files, asks for a new passphrase (twice where
 * somebody types it), stretches it. *ret is for key_ways_free. */
int image_keys_prepare(const struct settings *settings, const struct passphrase_places *places,
		       struct key_ways **ret, struct why *w);

/* The cipher of the settings, or the fastest. */
enum aead_kind image_keys_cipher(const struct settings *settings);

/* For image_reader_config: tries the key files, then asks for the passphrase,
 * as often as PASSPHRASE_TRIES. */
struct image_unlock {
	const struct settings *settings;
	const struct passphrase_places *places;
	const char *name; /* of the device, for the question */
};

struct image_unlocker image_unlocker_of(struct image_unlock *unlock);

/* Reads a small secret file into locked memory of size bytes, *ret_length of
 * them. -EFBIG when it has more. */
int secret_read_file(const char *path, void *memory, size_t size, size_t *ret_length,
		     struct why *w);

/* Asks for a passphrase to be (name: what for), twice where somebody types it,
 * into locked memory of PASSPHRASE_SIZE bytes. */
int passphrase_ask_new(const struct passphrase_places *places, const char *name, char *buffer,
		       size_t *ret_length, struct why *w);

/* About a second of this machine's work. */
int kdf_choose_here(struct kdf *ret, struct why *w);

#endif
