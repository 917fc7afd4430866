/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ways to unlock a sealed image, from the settings and the user: preparing them before hibernation,
 * and finding the key before
 * resuming. */
#ifndef S2DISK_CONFIG_IMAGE_KEYS_H
#define S2DISK_CONFIG_IMAGE_KEYS_H

#include "crypto/crypto.h"
#include "base/why.h"
#include "image/image_reader.h"
#include "seal/key_slots.h"
#include "config/settings.h"
#include "ui/passphrase.h"

#include <stdbool.h>

/* How many wrong passphrases are accepted. */
#define PASSPHRASE_TRIES 3

/* Does hibernation with these settings ask for a passphrase? */
bool image_keys_ask(const struct settings *settings);

/* The next of the settings' key files (a list separated by blanks; *list is moved past it); false
 * if there is none. */
bool image_keys_next_file(const char **list, char *path, size_t size);

/* SHA-256 of root/path, as hexadecimal digits, to compare with a copy of it. */
int image_keys_digest(const char *root, const char *path, char result[SHA256_TEXT_SIZE],
		      struct why *w);

/* Can the files that the settings name, below root, be used? Never asks. warning: a file is usable,
 * but its mode is unsafe ("" otherwise). */
int image_keys_check(const struct settings *settings, const char *root, struct why *warning,
		     struct why *w);

/* Prepares all ways: reads files, asks for a new passphrase (twice if it is typed), derives its
 * key. *ret is for key_ways_free. */
int image_keys_prepare(const struct settings *settings, const struct passphrase_places *places,
		       struct key_ways **ret, struct why *w);

/* The cipher of the settings, or the fastest. */
enum aead_kind image_keys_cipher(const struct settings *settings);

/* For image_reader_config: tries the key files, then asks for the passphrase up to PASSPHRASE_TRIES
 * times. */
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

/* Asks for a new passphrase (name: what for), twice if it is typed, into locked memory of
 * PASSPHRASE_SIZE bytes. */
int passphrase_ask_new(const struct passphrase_places *places, const char *name, char *buffer,
		       size_t *ret_length, struct why *w);

/* Parameters that cost about a second of this machine's time. */
int kdf_choose_here(struct kdf *ret, struct why *w);

#endif
