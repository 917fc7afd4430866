/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A sealed image on a device in a file, and a reader with some of the keys. */
#ifndef S2DISK_TESTS_SEALED_FIXTURE_H
#define S2DISK_TESTS_SEALED_FIXTURE_H

#include "fake_snapshot.h"
#include "image/image_reader.h"
#include "image/image_writer.h"

#define SEALED_DEVICE_PAGES 2048u
#define SEALED_PHRASE "correct horse"
#define SEALED_KEY_FILE "forty bytes of a key that is a file ...."

/* Cheap, since each load stretches. */
extern const struct stretch sealed_stretch;

struct sealed_fixture {
	struct fake_snapshot snapshot;
	struct fake_device device;
	struct image_written written;
	struct why why;
	struct key_ways *ways;
	struct key_pair pair;
	enum aead_kind cipher;
	unsigned int workers;
	const char *phrase, *file; /* what the reader has; NULL: not that */
	const char *id;
	unsigned int asked;
};

/* Without a way to the key yet; an image written then is plain. */
void sealed_make(struct sealed_fixture *f, enum aead_kind cipher, unsigned int workers);
void sealed_unmake(struct sealed_fixture *f);
void sealed_add_passphrase(struct sealed_fixture *f);
void sealed_add_pair(struct sealed_fixture *f);
void sealed_add_file(struct sealed_fixture *f, const char *content);

struct image_writer *sealed_writer(struct sealed_fixture *f);
int sealed_run(struct sealed_fixture *f, struct image_writer *writer);
void sealed_write(struct sealed_fixture *f);

/* Opens and loads; whatever the result, nothing false was handed on, and an
 * error has a sentence. */
struct image_reader_config sealed_config(struct sealed_fixture *f);
int sealed_load_with(struct sealed_fixture *f, const struct image_reader_config *config);
int sealed_load(struct sealed_fixture *f);
void sealed_expect_loaded(struct sealed_fixture *f);

#endif
