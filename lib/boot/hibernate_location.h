/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HibernateLocation, the firmware variable by which systemd 255 and later leaves word of
 * where an image is: JSON in UTF-16, with the UUID of the device, the offset of a swap
 * file, and which system wrote it (src/sleep/sleep.c, hibernate-resume-config.c).
 */
#ifndef S2DISK_BOOT_HIBERNATE_LOCATION_H
#define S2DISK_BOOT_HIBERNATE_LOCATION_H

#include "base/text.h"
#include "base/why.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define HIBERNATE_LOCATION_FILE \
	"/sys/firmware/efi/efivars/HibernateLocation-8cf2644b-4b0b-428f-9387-6d876050dc67"

#define HIBERNATE_LOCATION_MAX 2048 /* bytes of the variable */

struct hibernate_location {
	char uuid[TEXT_UUID_SIZE]; /* of the device, as blkid(8) prints it */
	uint64_t offset;	   /* of a swap file, in pages; 0 for a partition */
	/* "" where not known: */
	char kernel[128]; /* release of the kernel that hibernated */
	char id[64];	  /* of os-release(5), like the others */
	char image_id[64];
	char version_id[64];
	char image_version[64];
};

/* Pure: reads the variable's value (after the four bytes of attributes), from the firmware and thus
 * untrusted. Unknown members are skipped, whatever they hold, and long texts are cut. 0 or
 * -EBADMSG. */
int hibernate_location_parse(const unsigned char *value, size_t length,
			     struct hibernate_location *ret);

/* Pure: the reverse; the length, or -EMSGSIZE. Text that is not plain ASCII is left out. */
ssize_t hibernate_location_encode(const struct hibernate_location *location,
				  unsigned char value[HIBERNATE_LOCATION_MAX]);

/* Reads the variable below root, if this system wrote it: where os-release(5) is known its ID and
 * IMAGE_ID decide, as with systemd, and otherwise the kernel's release. -ENOENT: there is none, or
 * no such firmware; -EREMOTE: another system's; -EBADMSG. */
int hibernate_location_read(const char *root, struct hibernate_location *ret);

/* May this system write it? -EREMOTE: it leads to another system's image, which w names. */
int hibernate_location_is_free(const char *root, struct why *w);

/* Writes it for an area on this device, and reads it back; udev's database has the UUID. -ENOENT:
 * no such firmware, or no UUID; -ENOTUNIQ: several devices have it; -EREMOTE: the variable is
 * another system's, and stays; -EIO and others: the firmware refuses. w has the sentence. */
int hibernate_location_write(const char *root, dev_t dev, uint64_t offset, struct why *w);

/* Deletes it, if this system wrote it. 0: there is none now. */
int hibernate_location_clear(const char *root);

#endif
