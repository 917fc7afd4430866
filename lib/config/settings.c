/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/settings.h"

#include "base/bytes.h"
#include "base/text.h"
#include "release/release_rules.h"
#include "seal/seal.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *const method_names[] = {
	[METHOD_PLATFORM] = "platform",
	[METHOD_SHUTDOWN] = "shutdown",
	[METHOD_REBOOT] = "reboot",
	[METHOD_SUSPEND] = "suspend",
};

const char *method_name(enum method method)
{
	return method_names[method];
}

int method_parse(const char *text, enum method *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(method_names); i++) {
		if (strcasecmp(text, method_names[i]) == 0) {
			*ret = (enum method)i;
			return 0;
		}
	}
	return -EINVAL;
}

static const char *const mismatch_action_names[] = {
	[MISMATCH_REBOOT] = "reboot",
	[MISMATCH_ASK] = "ask",
	[MISMATCH_DISCARD] = "discard",
};

static int mismatch_action_parse(const char *text, enum mismatch_action *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(mismatch_action_names); i++) {
		if (strcasecmp(text, mismatch_action_names[i]) == 0) {
			*ret = (enum mismatch_action)i;
			return 0;
		}
	}
	return -EINVAL;
}

void settings_defaults(struct settings *settings)
{
	*settings = (struct settings){
		.snapshot_device = "/dev/snapshot",
		.method = METHOD_PLATFORM,
		.compress = true,
		.threads = true,
		.buffer_mib = 64,
		.block_kib = 512,
		.suspend_loglevel = 2,
		.max_loglevel = -1,
		.splash = true,
		.compute_checksum = true,
		.early_writeout = true,
		.platform_policy = POLICY_PROVEN,
		.mismatch_action = MISMATCH_REBOOT,
		.mismatch_retries = 2,
		.way_back = WAY_BACK_REQUIRE,
		.drift = true,
		.drift_margin = 2,
		.drift_mib = 8,
		.max_attempts = 5,
	};
}

/* How a key's value is written, and what holds it in struct settings. */
enum kind {
	KIND_BOOL,   /* bool: y or n */
	KIND_NUMBER, /* unsigned int: min to max */
	KIND_UNITS,  /* the same, in units of `unit` bytes; 64M is taken too */
	KIND_POWER,  /* the same, a power of two */
	KIND_LEVEL,  /* int: -1 (as it is) to max */
	KIND_PAGES,  /* uint64_t */
	KIND_SIZE,   /* uint64_t: bytes, 2G is taken too */
	KIND_METHOD, /* enum method */
	KIND_POLICY, /* enum verdict_policy */
	KIND_ACTION, /* enum mismatch_action */
	KIND_WAY,    /* enum way_back */
	KIND_CIPHER, /* enum aead_kind; 0: auto */
	KIND_TEXT,   /* char[256], may be empty */
	KIND_PATH,   /* char[256], begins with a slash */
	KIND_RULES,  /* char[256], as release_rules_parse() takes it */
	KIND_ACCEPT, /* char[256], as verdict_accept_parse() takes it */
};

struct key {
	const char *name;
	enum kind kind;
	unsigned int unit;
	size_t at;     /* offset in struct settings */
	size_t set_at; /* of the bool that says it was given; 0: there is none */
	unsigned int min, max;
};

#define AT(member) .at = offsetof(struct settings, member)
#define SET_AT(member) .set_at = offsetof(struct settings, member)
#define TEXT_SIZE sizeof(((struct settings *)0)->resume_device)

_Static_assert(sizeof(((struct settings *)0)->snapshot_device) == TEXT_SIZE, "one size of text");
_Static_assert(sizeof(((struct settings *)0)->rsa_key_file) == TEXT_SIZE, "one size of text");
_Static_assert(sizeof(((struct settings *)0)->key_pair) == TEXT_SIZE, "one size of text");
_Static_assert(sizeof(((struct settings *)0)->key_file) == TEXT_SIZE, "one size of text");
_Static_assert(sizeof(((struct settings *)0)->test_file) == TEXT_SIZE, "one size of text");
_Static_assert(sizeof(((struct settings *)0)->accept) == TEXT_SIZE, "one size of text");
_Static_assert(sizeof(((struct settings *)0)->release.devices) == TEXT_SIZE, "one size of text");

static const struct key keys[] = {
	{ "snapshot device", KIND_PATH, AT(snapshot_device) },
	{ "resume device", KIND_TEXT, AT(resume_device) },
	{ "resume offset", KIND_PAGES, AT(resume_offset), SET_AT(resume_offset_set) },
	{ "swap on demand", KIND_TEXT, AT(swap_on_demand) },
	{ "image size", KIND_SIZE, AT(image_size), SET_AT(image_size_set) },
	{ "shutdown method", KIND_METHOD, AT(method), SET_AT(method_set) },
	{ "compress", KIND_BOOL, AT(compress) },
	{ "threads", KIND_BOOL, AT(threads) },
	{ "workers", KIND_NUMBER, AT(workers), .min = 0, .max = 64 },
	{ "buffer size", KIND_UNITS, AT(buffer_mib), .min = 8, .max = 4096, .unit = 1 << 20 },
	{ "block size", KIND_POWER, AT(block_kib), .min = 64, .max = 4096, .unit = 1 << 10 },
	{ "suspend loglevel", KIND_LEVEL, AT(suspend_loglevel), .max = 15 },
	{ "max loglevel", KIND_LEVEL, AT(max_loglevel), .max = 15 },
	{ "splash", KIND_BOOL, AT(splash) },
	{ "compute checksum", KIND_BOOL, AT(compute_checksum) },
	{ "early writeout", KIND_BOOL, AT(early_writeout) },
	{ "encrypt", KIND_BOOL, AT(encrypt) },
	{ "cipher", KIND_CIPHER, AT(cipher) },
	{ "passphrase", KIND_BOOL, AT(passphrase), SET_AT(passphrase_set) },
	{ "key pair", KIND_TEXT, AT(key_pair) },
	{ "key file", KIND_TEXT, AT(key_file) },
	{ "key file in initramfs", KIND_BOOL, AT(key_file_in_initramfs) },
	{ "RSA key file", KIND_TEXT, AT(rsa_key_file) },
	{ "resume pause", KIND_NUMBER, AT(resume_pause), .min = 0, .max = 3600 },
	{ "debug verify image", KIND_BOOL, AT(verify_image) },
	{ "debug test file", KIND_TEXT, AT(test_file) },
	{ "platform policy", KIND_POLICY, AT(platform_policy) },
	{ "accept", KIND_ACCEPT, AT(accept) },
	{ "mismatch action", KIND_ACTION, AT(mismatch_action) },
	{ "mismatch retries", KIND_NUMBER, AT(mismatch_retries), .min = 0, .max = 1000 },
	{ "way back", KIND_WAY, AT(way_back) },
	{ "drift", KIND_BOOL, AT(drift) },
	{ "drift margin", KIND_NUMBER, AT(drift_margin), .min = 0, .max = 64 },
	{ "drift limit", KIND_UNITS, AT(drift_mib), .min = 0, .max = 1024, .unit = 1 << 20 },
	{ "release devices", KIND_RULES, AT(release.devices) },
	{ "release virtio-mem", KIND_BOOL, AT(release.virtio_mem) },
	{ "release wait", KIND_NUMBER, AT(release.wait), .min = 0, .max = 3600 },
	{ "max attempts", KIND_NUMBER, AT(max_attempts), .min = 1, .max = 1000 },
};

/* Ignores case, and takes any number of blanks for one. */
static bool key_equal(const char *text, const char *name)
{
	while (*text && *name) {
		if (isblank((unsigned char)*text) && *name == ' ') {
			while (isblank((unsigned char)*text))
				text++;
			name++;
			continue;
		}
		if (tolower((unsigned char)*text) != tolower((unsigned char)*name))
			return false;
		text++;
		name++;
	}
	return *text == *name;
}

static const struct key *find_key(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (key_equal(name, keys[i].name))
			return &keys[i];
	return NULL;
}

/* Describes valid values, for the message about a bad one. */
static const char *expected(const struct key *key, char *buffer, size_t size)
{
	switch (key->kind) {
	case KIND_BOOL:
		return "y or n";
	case KIND_NUMBER:
		snprintf(buffer, size, "a number from %u to %u", key->min, key->max);
		return buffer;
	case KIND_UNITS:
	case KIND_POWER:
		snprintf(buffer, size, "%s from %u to %u %s",
			 key->kind == KIND_POWER ? "a power of two" : "a number", key->min,
			 key->max, key->unit == 1 << 20 ? "MiB" : "KiB");
		return buffer;
	case KIND_LEVEL:
		snprintf(buffer, size, "a number from 0 to %u, or -1 for no change", key->max);
		return buffer;
	case KIND_PAGES:
		return "a number of pages";
	case KIND_SIZE:
		return "a number of bytes, optionally with the suffix K, M or G";
	case KIND_METHOD:
		return "platform, shutdown, reboot or suspend";
	case KIND_POLICY:
		return "strict, proven or tolerant";
	case KIND_ACTION:
		return "reboot, ask or discard";
	case KIND_WAY:
		return "require, warn or ignore";
	case KIND_CIPHER:
		return "auto, aes-256-ocb, aes-256-gcm or chacha20-poly1305";
	case KIND_TEXT:
		snprintf(buffer, size, "printable text of at most %zu bytes", TEXT_SIZE - 1);
		return buffer;
	case KIND_PATH:
		snprintf(buffer, size, "an absolute path of at most %zu bytes", TEXT_SIZE - 1);
		return buffer;
	case KIND_ACCEPT:
		return "hypervisor-version, processor-model, processor-count, firmware-version, "
		       "machine-model, device-tree, vmbus-device, pci-device";
	case KIND_RULES:
		return "PCI addresses (0000:01:00.0) and ids (8086:10d3), class:02, drivers, "
		       "bus/device, module:name";
	}
	return "something else";
}

static int set_number(const struct key *key, const char *value, unsigned int *ret)
{
	uint64_t number;
	int r = text_parse_u64(value, &number);

	if (r < 0 && key->unit) {
		r = text_parse_size(value, &number);
		if (r < 0 || number % key->unit != 0)
			return -EINVAL;
		number /= key->unit;
	}
	if (r < 0 || number < key->min || number > key->max ||
	    (key->kind == KIND_POWER && !is_power_of_two(number)))
		return -EINVAL;
	*ret = (unsigned int)number;
	return 0;
}

static int set_level(const struct key *key, const char *value, int *ret)
{
	uint64_t number;

	if (strcmp(value, "-1") == 0) {
		*ret = -1;
		return 0;
	}
	if (text_parse_u64(value, &number) < 0 || number > key->max)
		return -EINVAL;
	*ret = (int)number;
	return 0;
}

static int set_text(const struct key *key, const char *value, char *ret)
{
	if (strlen(value) >= TEXT_SIZE || (key->kind == KIND_PATH && *value != '/'))
		return -EINVAL;
	for (const char *c = value; *c; c++)
		if (iscntrl((unsigned char)*c))
			return -EINVAL;
	text_copy(ret, TEXT_SIZE, value);
	return 0;
}

static int parse_way_back(const char *text, enum way_back *ret)
{
	static const char *const names[] = {
		[WAY_BACK_REQUIRE] = "require",
		[WAY_BACK_WARN] = "warn",
		[WAY_BACK_IGNORE] = "ignore",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcasecmp(text, names[i]) == 0) {
			*ret = (enum way_back)i;
			return 0;
		}
	}
	return -EINVAL;
}

static int set_cipher(const char *value, enum aead_kind *ret)
{
	if (strcasecmp(value, "auto") != 0)
		return cipher_parse(value, ret);
	*ret = 0;
	return 0;
}

static int set_rules(const struct key *key, const char *value, char *ret)
{
	struct release_rules rules;
	int r = release_rules_parse(value, &rules, NULL);

	return r < 0 ? r : set_text(key, value, ret);
}

static int set_accept(const struct key *key, const char *value, char *ret)
{
	unsigned int set;
	int r = verdict_accept_parse(value, &set, NULL);

	return r < 0 ? r : set_text(key, value, ret);
}

static int set_value(void *at, const struct key *key, const char *value)
{
	switch (key->kind) {
	case KIND_BOOL:
		return text_parse_bool(value, at);
	case KIND_NUMBER:
	case KIND_UNITS:
	case KIND_POWER:
		return set_number(key, value, at);
	case KIND_LEVEL:
		return set_level(key, value, at);
	case KIND_PAGES:
		return text_parse_u64(value, at);
	case KIND_SIZE:
		return text_parse_size(value, at);
	case KIND_METHOD:
		return method_parse(value, at);
	case KIND_POLICY:
		return verdict_policy_parse(value, at);
	case KIND_ACTION:
		return mismatch_action_parse(value, at);
	case KIND_WAY:
		return parse_way_back(value, at);
	case KIND_CIPHER:
		return set_cipher(value, at);
	case KIND_TEXT:
	case KIND_PATH:
		return set_text(key, value, at);
	case KIND_RULES:
		return set_rules(key, value, at);
	case KIND_ACCEPT:
		return set_accept(key, value, at);
	}
	return -EINVAL;
}

/* How much of the user's text a message shows. */
#define SHOWN_SIZE 64

/* At most one edit in three letters: "enrypt", "encryption", but not "script". */
const char *settings_nearest_key(const char *key)
{
	size_t least = SIZE_MAX, length = strlen(key);
	const char *nearest = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		size_t distance = text_distance(key, keys[i].name);
		size_t known = strlen(keys[i].name);

		if (distance < least && distance * 3 <= (length > known ? length : known)) {
			least = distance;
			nearest = keys[i].name;
		}
	}
	return nearest;
}

static int unknown_key(const char *name, struct why *w)
{
	const char *nearest = settings_nearest_key(name);
	char text[SHOWN_SIZE];

	return why(w, -ENOENT, "unknown key \"%s\"%s%s%s", text_excerpt(name, text, sizeof(text)),
		   nearest ? " (did you mean \"" : "", nearest ? nearest : "",
		   nearest ? "\"?)" : "");
}

int settings_set(struct settings *settings, const char *name, const char *value, struct why *w)
{
	const struct key *key = find_key(name);
	char buffer[128], text[SHOWN_SIZE];

	if (!key)
		return unknown_key(name, w);
	if (set_value((char *)settings + key->at, key, value) < 0) {
		/* A bad value was meant to change the default. */
		if (settings->skip_bad && key->at == offsetof(struct settings, encrypt))
			settings->encrypt = true;
		return why(w, -EINVAL, "\"%s\" cannot be \"%s\"; expected: %s", key->name,
			   text_excerpt(value, text, sizeof(text)),
			   expected(key, buffer, sizeof(buffer)));
	}
	if (key->at == offsetof(struct settings, encrypt))
		settings->unknown.encrypt[0] = '\0';
	if (key->set_at)
		memcpy((char *)settings + key->set_at, &(bool){ true }, sizeof(bool));
	return 0;
}
