/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "witness.h"

#include "crypto/crypto.h"
#include "base/log.h"
#include "base/text.h"
#include "boot/initramfs.h"
#include "history/boot_record_file.h"
#include "config/image_keys.h"
#include "kernel/kernel_cmdline.h"
#include "config/target.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>

static enum boot_named named_by(const struct settings *settings,
				const struct kernel_cmdline *cmdline)
{
	if (settings->resume_device[0])
		return settings->resume_device_by[0] ? NAMED_BY_FILE : NAMED_BY_ARGUMENT;
	if (cmdline->resume[0])
		return NAMED_BY_KERNEL;
	if (settings->default_by_firmware)
		return NAMED_BY_FIRMWARE;
	return settings->default_device[0] ? NAMED_BY_DEFAULT : NAMED_BY_NOTHING;
}

void witness_settings(struct boot_run *run, const struct settings *settings)
{
	struct kernel_cmdline cmdline = { 0 };
	const char *by;

	*run = (struct boot_run){ .time = (uint64_t)time(NULL) };
	kernel_cmdline_read("", &cmdline);
	text_copy(run->program, sizeof(run->program), PACKAGE_VERSION);
	text_copy(run->form, sizeof(run->form), INITRAMFS_RESUME_MARK);
	run->by = named_by(settings, &cmdline);
	if (run->by == NAMED_BY_FILE)
		text_copy(run->by_file, sizeof(run->by_file), settings->resume_device_by);
	/* A bad resume_offset= is in the message of the failure. */
	target_named(settings, &cmdline, false, run->named, sizeof(run->named), &run->offset, &by,
		     NULL);
	run->noresume = cmdline.noresume;
	run->encrypt = settings->encrypt;
}

void witness_area(struct boot_run *run, const struct swap_area *area)
{
	text_copy(run->device, sizeof(run->device), area->device);
	run->has_number = true;
	run->major = major(area->dev);
	run->minor = minor(area->dev);
}

void witness_failure(struct boot_run *run, int error, const char *sentence)
{
	if (run->found == FOUND_UNKNOWN)
		run->found =
			error == -ENODEV && !run->has_number ? FOUND_NO_DEVICE : FOUND_UNUSABLE;
	text_copy(run->reason, sizeof(run->reason), sentence);
}

/* Opening a pipe could block the boot. */
static bool is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

void witness_keys(struct boot_run *run, const struct settings *settings)
{
	const char *list = settings->key_file;
	char path[sizeof(run->keys[0].path)];

	run->key_count = 0;
	while (run->key_count < BOOT_KEYS_MAX && image_keys_next_file(&list, path, sizeof(path))) {
		struct boot_key_file *key = &run->keys[run->key_count++];

		text_copy(key->path, sizeof(key->path), path);
		if (!is_file(path) || crypto_init(NULL) < 0 ||
		    image_keys_digest("", path, key->digest, NULL) < 0)
			key->digest[0] = '\0';
	}
}

void witness_record(struct boot_run *run)
{
	int r = run->recorded ? boot_record_renew("", run) : boot_record_add("", run);

	run->recorded |= r == 0;
	if (r < 0)
		log_debug("this boot cannot be recorded: %s", strerror(-r));
}
