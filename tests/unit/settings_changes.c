/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "settings_changes.h"

#include <stdio.h>
#include <string.h>

static char differences[4096];

static void add(const char *name, const char *value, const char *other)
{
	size_t used = strlen(differences);

	if (strcmp(value, other) != 0)
		snprintf(differences + used, sizeof(differences) - used, "%s%s=%s", used ? " " : "",
			 name, value);
}

static void add_number(const char *name, uint64_t value, uint64_t other)
{
	char number[24];

	snprintf(number, sizeof(number), "%lld", (long long)value);
	add(name, number, value == other ? number : "");
}

#define ADD_NUMBER(member) add_number(#member, (uint64_t)s->member, (uint64_t)defaults.member)
#define ADD_TEXT(member) add(#member, s->member, defaults.member)

const char *changes(const struct settings *s)
{
	struct settings defaults;

	settings_defaults(&defaults);
	differences[0] = '\0';
	ADD_TEXT(config_file);
	ADD_TEXT(snapshot_device);
	ADD_TEXT(resume_device);
	ADD_NUMBER(resume_offset);
	ADD_NUMBER(resume_offset_set);
	ADD_TEXT(default_device);
	ADD_TEXT(swap_on_demand);
	ADD_NUMBER(image_size);
	ADD_NUMBER(image_size_set);
	ADD_NUMBER(method);
	ADD_NUMBER(method_set);
	ADD_NUMBER(compress);
	ADD_NUMBER(threads);
	ADD_NUMBER(workers);
	ADD_NUMBER(buffer_mib);
	ADD_NUMBER(block_kib);
	ADD_NUMBER(suspend_loglevel);
	ADD_NUMBER(max_loglevel);
	ADD_NUMBER(splash);
	ADD_NUMBER(compute_checksum);
	ADD_NUMBER(early_writeout);
	ADD_NUMBER(encrypt);
	ADD_NUMBER(cipher);
	ADD_NUMBER(passphrase);
	ADD_NUMBER(passphrase_set);
	ADD_TEXT(key_pair);
	ADD_TEXT(key_file);
	ADD_NUMBER(key_file_in_initramfs);
	ADD_TEXT(rsa_key_file);
	ADD_NUMBER(resume_pause);
	ADD_NUMBER(verify_image);
	ADD_TEXT(test_file);
	ADD_NUMBER(platform_policy);
	ADD_NUMBER(mismatch_action);
	ADD_NUMBER(mismatch_retries);
	ADD_NUMBER(way_back);
	ADD_NUMBER(unknown.count);
	ADD_NUMBER(unknown.named);
	ADD_TEXT(unknown.text);
	ADD_TEXT(unknown.encrypt);
	ADD_NUMBER(skip_bad);
	ADD_NUMBER(max_attempts);
	return differences;
}
