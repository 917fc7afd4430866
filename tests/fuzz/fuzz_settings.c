/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text of a configuration file. */
#include "fuzz.h"

#include "base/bytes.h"
#include "config/settings.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

static void warn(const char *message)
{
	fuzz_assert(strstr(message, "fuzz.conf:"));
	for (; *message; message++)
		fuzz_assert((unsigned char)*message >= ' ' && *message != 127);
}

static void check(const struct settings *s)
{
	fuzz_assert(s->snapshot_device[0] == '/');
	fuzz_assert(memchr(s->resume_device, 0, sizeof(s->resume_device)));
	fuzz_assert(memchr(s->test_file, 0, sizeof(s->test_file)));
	fuzz_assert(s->method <= METHOD_SUSPEND && method_name(s->method));
	fuzz_assert(s->mismatch_action <= MISMATCH_DISCARD);
	fuzz_assert(s->mismatch_retries <= 1000);
	fuzz_assert(s->workers <= 64);
	fuzz_assert(s->buffer_mib >= 8 && s->buffer_mib <= 4096);
	fuzz_assert(s->block_kib >= 64 && s->block_kib <= 4096 && is_power_of_two(s->block_kib));
	fuzz_assert(s->suspend_loglevel >= -1 && s->suspend_loglevel <= 15);
	fuzz_assert(s->max_loglevel >= -1 && s->max_loglevel <= 15);
	fuzz_assert(s->resume_pause <= 3600);
	fuzz_assert(s->max_attempts >= 1 && s->max_attempts <= 1000);
	fuzz_assert(s->resume_offset_set || s->resume_offset == 0);
	fuzz_assert(s->image_size_set || s->image_size == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct settings settings, before, again;
	struct why w = { "" };

	fuzz_assert(text);
	memcpy(text, data, size);
	text[size] = '\0';
	memset(&settings, 0, sizeof(settings));
	settings_defaults(&settings);
	memcpy(&before, &settings, sizeof(before));
	if (settings_parse(&settings, text, "fuzz.conf", warn, &w) < 0) {
		fuzz_assert(strstr(w.text, "fuzz.conf:"));
		fuzz_assert(memcmp(&before, &settings, sizeof(before)) == 0);
	} else {
		check(&settings);
		fuzz_assert(settings.unknown.named <= settings.unknown.count);
		fuzz_assert(memchr(settings.unknown.text, 0, sizeof(settings.unknown.text)));
		/* A second time adds nothing, except for unknown keys. */
		memcpy(&again, &settings, sizeof(again));
		fuzz_assert(settings_parse(&again, text, "fuzz.conf", NULL, &w) == 0);
		again.unknown = settings.unknown;
		fuzz_assert(memcmp(&again, &settings, sizeof(again)) == 0);
	}
	free(text);
	return 0;
}
