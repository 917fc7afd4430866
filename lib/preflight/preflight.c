/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "preflight/preflight.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "config/image_keys.h"
#include "kernel/snapshot_device.h"
#include "preflight/preflight_private.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_real_device(const char *path, int flags, mode_t kind)
{
	struct stat st;
	int fd;

	/* stat() before open(): opening a fifo would block. */
	if (stat(path, &st) < 0)
		return -errno;
	if ((st.st_mode & S_IFMT) != kind)
		return -EINVAL;
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

bool preflight_entry_device(const char *root, const struct swap_entry *entry, dev_t *ret)
{
	char path[PATH_MAX];
	struct stat st;

	if (snprintf(path, sizeof(path), "%s%s", root, entry->path) >= (int)sizeof(path) ||
	    stat(path, &st) < 0)
		return false;
	*ret = entry->file ? st.st_dev : st.st_rdev;
	return true;
}

const struct preflight_system preflight_real_system = {
	.euid = geteuid,
	.open_device = open_real_device,
	.set_swap_area = snapshot_set_swap_area,
	.avail_swap = snapshot_avail_swap,
	.find_entry = swap_area_find_entry,
	.resolve = swap_area_resolve,
	.entry_device = preflight_entry_device,
};

int preflight_open(const struct preflight_context *context, const char *path, int flags,
		   mode_t kind)
{
	char full[PATH_MAX];

	if (snprintf(full, sizeof(full), "%s%s", context->root, path) >= (int)sizeof(full))
		return -ENAMETOOLONG;
	return context->system->open_device(full, flags, kind);
}

uint64_t preflight_mib(uint64_t bytes)
{
	return (bytes >> 20) + (bytes >> 19 & 1);
}

struct check *preflight_place(struct preflight *preflight, const char *id, enum check_level level)
{
	struct check *checks = preflight->checks, *place;
	size_t mildest = 0;

	if (preflight->count < PREFLIGHT_MAX) {
		place = &checks[preflight->count++];
	} else {
		for (size_t i = 1; i < PREFLIGHT_MAX; i++)
			if (checks[i].level < checks[mildest].level)
				mildest = i;
		preflight->left_out++;
		place = &preflight->spare;
		if (checks[mildest].level < level) {
			place = &checks[PREFLIGHT_MAX - 1];
			memmove(&checks[mildest], &checks[mildest + 1],
				(PREFLIGHT_MAX - 1 - mildest) * sizeof(*checks));
		}
	}
	*place = (struct check){ .id = id, .level = level };
	return place;
}

struct check *preflight_add(struct preflight_context *context, const char *id,
			    enum check_level level, const char *format, ...)
{
	struct check *check = preflight_place(context->preflight, id, level);
	va_list args;

	va_start(args, format);
	vsnprintf(check->text, sizeof(check->text), format, args);
	va_end(args);
	/* Names of processes and devices may contain any bytes. */
	text_make_printable(check->text);
	return check;
}

void preflight_advise(struct check *check, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(check->advice, sizeof(check->advice), format, args);
	va_end(args);
	text_make_printable(check->advice);
}

static void check_root(struct preflight_context *context)
{
	if (context->system->euid() == 0) {
		preflight_add(context, "root", CHECK_OK, "running as root");
		return;
	}
	preflight_advise(preflight_add(context, "root", CHECK_FAILED, "not running as root"),
			 "run it as root, for example with sudo");
}

/* uswsusp encrypted images with an RSA key; s2disk does not. */
static void advise_key_pair(struct check *check, const struct settings *settings)
{
	preflight_advise(check,
			 "create a key pair with s2disk-keygen, set \"key pair\", and remove \"RSA "
			 "key file\" from %s",
			 settings->config_file[0] ? settings->config_file : "the configuration");
}

static void describe_ways(const struct settings *settings, char *text, size_t size)
{
	snprintf(text, size, "%s%s%s%s%s", settings->key_pair[0] ? "a key pair" : "",
		 settings->key_pair[0] && settings->key_file[0] ? ", " : "",
		 settings->key_file[0] ? "a key file" : "",
		 image_keys_ask(settings) && (settings->key_pair[0] || settings->key_file[0]) ? ", "
											      : "",
		 image_keys_ask(settings) ? "a passphrase" : "");
}

static void check_settings(struct preflight_context *context)
{
	const struct unknown_keys *unknown = &context->settings->unknown;
	struct check *check;
	char more[40] = "";

	if (unknown->count == 0) {
		preflight_add(context, "settings", CHECK_OK, "no unknown keys are configured");
		return;
	}
	if (unknown->count > unknown->named)
		snprintf(more, sizeof(more), "; and %u more", unknown->count - unknown->named);
	check = preflight_add(context, "settings", CHECK_WARNING, "%s%s, ignored", unknown->text,
			      more);
	preflight_advise(check, "correct %s or remove %s; suspend.conf(5) lists all keys",
			 unknown->count == 1 ? "it" : "them", unknown->count == 1 ? "it" : "them");
}

/* A mistyped "encrypt" must not silently give a plain image. */
static bool encrypt_mistyped(struct preflight_context *context)
{
	const char *where = context->settings->unknown.encrypt;

	if (!where[0] || context->settings->encrypt)
		return false;
	preflight_advise(preflight_add(context, "encrypt", CHECK_FAILED,
				       "not enabled, but a mistyped key suggests it should be: %s",
				       where),
			 "correct the key, or add \"encrypt = n\" after it if the image may be "
			 "readable by anyone who has the disk");
	return true;
}

static void check_encrypt(struct preflight_context *context)
{
	const struct settings *settings = context->settings;
	struct why warning = { 0 }, w = { 0 };
	char ways[80];
	int r;

	if (encrypt_mistyped(context))
		return;
	/* "RSA key file" alone does not enable encryption: uswsusp's packages set it together with
	 * "encrypt = n", and uswsusp ignored it then. */
	if (!settings->encrypt) {
		preflight_add(context, "encrypt", CHECK_OK,
			      "not enabled: anyone who has the disk can read the image");
		return;
	}
	r = image_keys_check(settings, context->root, &warning, &w);
	if (r < 0) {
		preflight_advise(preflight_add(context, "encrypt", CHECK_FAILED,
					       "the image cannot be encrypted: %s",
					       why_text(&w, r)),
				 "see \"key pair\", \"key file\" and \"passphrase\" in "
				 "suspend.conf(5)");
		return;
	}
	describe_ways(settings, ways, sizeof(ways));
	if (settings->rsa_key_file[0])
		advise_key_pair(preflight_add(context, "encrypt", CHECK_WARNING,
					      "the image will be encrypted; unlocked by: %s; the "
					      "RSA key of uswsusp is not used",
					      ways),
				settings);
	else if (warning.text[0])
		preflight_advise(preflight_add(context, "encrypt", CHECK_WARNING,
					       "the image will be encrypted, but %s", warning.text),
				 "make it accessible to root only: chmod 600");
	else
		preflight_add(context, "encrypt", CHECK_OK,
			      "the image will be encrypted; unlocked by: %s", ways);
}

void preflight_run_on(const struct preflight_system *system, const struct settings *settings,
		      const struct preflight_target *target, const char *root,
		      struct preflight *ret)
{
	struct preflight_context context = {
		.system = system,
		.settings = settings,
		.target = target,
		.root = root,
		.preflight = ret,
		.snapshot_fd = -1,
	};

	ret->count = ret->left_out = 0;
	ret->without_variable = CHECK_OK;
	check_root(&context);
	check_snapshot_device(&context);
	check_power_state(&context);
	check_memory_encryption(&context);
	check_method(&context);
	check_pm_test(&context);
	check_swap_area(&context);
	check_swap_device(&context);
	check_wiped_swap(&context);
	check_swap_size(&context);
	check_mounted_device(&context);
	check_memory(&context);
	check_shared_filesystems(&context);
	check_zfs(&context);
	check_settings(&context);
	check_encrypt(&context);
	check_way_back(&context);
	check_firmware(&context);
	check_drift(&context);
	check_vmbus(&context);
	check_xen(&context);
	check_release(&context);
	check_platform_forecast(&context);
	cleanup_close(&context.snapshot_fd);
}

void preflight_run(const struct settings *settings, const struct preflight_target *target,
		   const char *root, struct preflight *ret)
{
	preflight_run_on(&preflight_real_system, settings, target, root, ret);
}

enum check_level preflight_worst(const struct preflight *preflight)
{
	enum check_level worst = CHECK_OK;

	for (size_t i = 0; i < preflight->count; i++)
		if (preflight->checks[i].level > worst)
			worst = preflight->checks[i].level;
	return worst;
}
