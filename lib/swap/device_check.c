/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Can an image be stored on a stack of devices? */
#include "swap/device_stack.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/text.h"

#include <errno.h>
#include <string.h>

#define CRYPTTAB_LIMIT 1048576
#define CMDLINE_LIMIT 65536

/* What crypttab says about the key of a mapping. */
enum crypttab_key {
	KEY_UNNAMED, /* no line for it */
	KEY_LASTING, /* a file, or a passphrase */
	KEY_RANDOM,
};

static bool is_random(const char *key)
{
	static const char *const sources[] = { "/dev/random", "/dev/urandom", "/dev/hwrng",
					       "/dev/hw_random" };

	for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
		size_t length = strlen(sources[i]);

		/* "FILE:DEVICE" of systemd's crypttab(5). */
		if (text_starts(key, sources[i]) && (!key[length] || key[length] == ':'))
			return true;
	}
	return false;
}

/* One line, split into its fields: name, device, key, options. */
static enum crypttab_key line_key(char *line, const char *mapper)
{
	static const char blanks[] = " \t";
	char *rest;
	const char *name = strtok_r(line, blanks, &rest);
	const char *device = name ? strtok_r(NULL, blanks, &rest) : NULL;
	const char *key = device ? strtok_r(NULL, blanks, &rest) : NULL;

	if (!device || strcmp(name, mapper) != 0)
		return KEY_UNNAMED;
	return key && is_random(key) ? KEY_RANDOM : KEY_LASTING;
}

static enum crypttab_key crypttab_key(const char *root, const char *mapper)
{
	enum crypttab_key found = KEY_UNNAMED, key;
	_cleanup_free_ char *text = NULL;
	char *at, *line;

	if (io_read_file(root, "/etc/crypttab", CRYPTTAB_LIMIT, &text, NULL) < 0)
		return KEY_UNNAMED;
	at = text;
	while ((line = strsep(&at, "\n"))) {
		key = line_key(line, mapper);
		if (key > found)
			found = key;
	}
	return found;
}

/* mkinitcpio's hook "encrypt" opens it at each boot, with a passphrase or a file:
 * "cryptdevice=DEVICE:NAME[:OPTIONS]". */
static bool opened_by_initramfs(const char *root, const char *mapper)
{
	_cleanup_free_ char *text = NULL;
	char *at, *word, *name;

	if (io_read_file(root, "/proc/cmdline", CMDLINE_LIMIT, &text, NULL) < 0)
		return false;
	at = text;
	while ((word = strsep(&at, " \t\n"))) {
		if (!text_starts(word, "cryptdevice=") || !(name = strchr(word, ':')))
			continue;
		*strchrnul(++name, ':') = '\0';
		if (strcmp(name, mapper) == 0)
			return true;
	}
	return false;
}

/* Without a header on the disk, the key is what was given at this boot. Only a file
 * guarantees that the next boot uses the same. */
static int check_crypt(const char *root, const struct device_layer *layer, struct why *w)
{
	enum crypttab_key key = crypttab_key(root, layer->mapper);

	if (key == KEY_RANDOM || strcmp(layer->detail, "TEMP") == 0)
		return why(w, -EINVAL,
			   "it is on %s, whose key is random at every boot (/etc/crypttab), so the "
			   "image could never be read again; use LUKS, or name a key file there",
			   layer->mapper);
	if (strcmp(layer->detail, "PLAIN") == 0 && key == KEY_UNNAMED &&
	    !opened_by_initramfs(root, layer->mapper))
		return why(w, -EINVAL,
			   "it is on %s, dm-crypt without a LUKS header, and /etc/crypttab names "
			   "no key for it: such a key is usually random, and the image could "
			   "never be read again; use LUKS, or name the key file there",
			   layer->mapper);
	return 0;
}

static int refuse_changing(const struct device_layer *layer, struct why *w)
{
	return why(w, -EINVAL,
		   "it is on %s (%s), which updates its own metadata when the image is written; "
		   "the restored kernel does not know of that, and may damage everything stored "
		   "there; use a partition, or a separate logical volume that is plain (linear)",
		   layer->mapper[0] ? layer->mapper : layer->name, layer->detail);
}

static int check_layer(const char *root, const struct device_layer *layer, struct why *w)
{
	switch (layer->kind) {
	case LAYER_LOOP:
		return why(w, -EINVAL,
			   "it is on a loop device (%s%s%s), which does not exist yet when the "
			   "machine "
			   "boots; use a swap file on the file system that holds that file, or a "
			   "partition",
			   layer->name, layer->detail[0] ? ", over " : "", layer->detail);
	case LAYER_SERVED:
		return why(
			w, -EINVAL,
			"it is on %s, which is served by a program, and programs are frozen while "
			"the image is written; use a disk",
			layer->name);
	case LAYER_MEMORY:
		return why(w, -EINVAL,
			   "it is on %s, which is memory and is lost at power-off; use a disk",
			   layer->name);
	case LAYER_NETWORK:
		return why(
			w, -EINVAL,
			"it is on %s, which is reached over the network and not available when the "
			"machine resumes; use a local disk",
			layer->name);
	case LAYER_ZVOL:
		return why(w, -EINVAL,
			   "it is on the ZFS volume %s: its pool must not be imported before the "
			   "machine resumes, and it may lock up when memory is short; use a "
			   "partition",
			   layer->name);
	case LAYER_WIPED:
		return why(w, -EINVAL,
			   "it is on %s (%s), which is empty when the machine starts again after "
			   "being "
			   "stopped; use a persistent disk, such as the system's",
			   layer->name, layer->detail);
	case LAYER_CRYPT:
		return check_crypt(root, layer, w);
	case LAYER_CHANGING:
		return refuse_changing(layer, w);
	case LAYER_DISK:
	case LAYER_PARTITION:
	case LAYER_LVM:
	case LAYER_MD:
	case LAYER_MAPPER:
		return 0;
	}
	return 0;
}

int device_stack_check(const char *root, const struct device_stack *stack, struct why *w)
{
	int r = 0;

	for (size_t i = 0; i < stack->count && r == 0; i++)
		r = check_layer(root, &stack->layers[i], w);
	return r;
}
