/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Will the next boot find the image? If not, the session is lost. The boot record says what this
 * boot did, and files that changed since can be read. Configurations of boot loaders are not read:
 * what they say need not be what was
 * installed. */
#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/stopwatch.h"
#include "base/text.h"
#include "base/tree.h"
#include "boot/boot_choice.h"
#include "boot/hibernate_location.h"
#include "history/boot_record_file.h"
#include "kernel/kernel_cmdline.h"
#include "config/image_keys.h"
#include "preflight/way_back_private.h"

#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define ID "way-back"

/* Unpacking one takes about a second; without a record up to this many are read. */
#define NEWEST_MAX 6

/* For all of them together: the machine is about to hibernate. */
#define READ_SECONDS 10

/* FAT stores even seconds, and the clock may be set during a boot. */
#define MARGIN_SECONDS 60

static void add(const struct way *way, enum check_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* What was found and, after a line feed, what to do; a refusal also says how to override it. */
static void add(const struct way *way, enum check_level level, const char *format, ...)
{
	char text[sizeof(((struct way_answer *)NULL)->text) + 256], *advice;
	struct check *check;
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	advice = strrchr(text, '\n');
	if (advice)
		*advice++ = '\0';
	check = preflight_add(way->context, ID, level, "%s", text);
	if (level != CHECK_OK && advice)
		preflight_advise(check, "%s%s", advice,
				 level == CHECK_FAILED
					 ? "; to hibernate anyway: -P \"way back = warn\""
					 : "");
}

/* A rescue image boots only when chosen by hand; of the others usually the newest does. */
static const struct boot_file *newest(const struct way *way)
{
	for (size_t i = 0; i < way->files.count; i++)
		if (!way->files.files[i].spare)
			return &way->files.files[i];
	return NULL;
}

/* The answers for several initramfs together. */
struct sum {
	unsigned int read;
	bool stays;   /* a good one does */
	bool divided; /* one is good, and one that may be what booted is bad */
	enum way_verdict best;
	struct way_answer worst; /* of several the running kernel's, else the newest */
	bool old;		 /* … which was not changed since */
};

/* Some systems have releases in the names, others keep the names. */
static bool has_release(const struct boot_file *file)
{
	return fnmatch("*[0-9].[0-9]*", file->path, 0) == 0;
}

/* Was the running kernel's initramfs made again, but not this copy of it? What made it need not
 * know of the unified image, or of the directory that the boot loader reads. The boot that found
 * nothing may have been this one's. */
static bool is_left(const struct way *way, const struct boot_file *file, time_t since)
{
	bool again = false;

	for (size_t i = 0; i < way->files.count; i++) {
		const struct boot_file *other = &way->files.files[i];

		again |= other->changed >= since && !other->spare &&
			 (other->running || !has_release(file));
	}
	return again && file->running && !way->proven;
}

/* Those changed since then, newest first. */
static void sum_up(struct way *way, time_t since, unsigned int max, struct sum *ret)
{
	const struct way_answer *now = &way->answer;
	bool good = false, bad = false, left = false, failed;

	*ret = (struct sum){ .best = WAY_BAD,
			     .worst = { WAY_UNKNOWN, "no initramfs was found below /boot and /efi\n"
						     "mount what the system boots from; or reboot "
						     "once, so that there is a record" } };
	for (size_t i = 0; i < way->files.count && ret->read < max; i++) {
		const struct boot_file *file = &way->files.files[i];

		if (file->spare || (file->changed < since && !is_left(way, file, since)))
			continue;
		way_weigh_initramfs(way, file);
		good |= file->running && now->verdict == WAY_GOOD;
		failed = file->running && now->verdict == WAY_BAD;
		if (now->verdict < ret->best)
			ret->best = now->verdict;
		ret->stays |= now->verdict == WAY_GOOD && now->stays;
		if (ret->read++ == 0 || now->verdict > ret->worst.verdict || (failed && !bad)) {
			ret->worst = *now;
			ret->old = file->changed < since;
		}
		bad |= failed;
		left |= failed && !has_release(file);
	}
	ret->divided = bad && (good || left);
	if (way->files.cut[0] && (ret->read++ == 0 || ret->worst.verdict == WAY_GOOD)) {
		ret->worst.verdict = WAY_UNKNOWN;
		snprintf(ret->worst.text, sizeof(ret->worst.text),
			 "there are too many files below %s, or unprintable names\n"
			 "remove what is not needed to boot",
			 way->files.cut);
	}
}

/* Adds their common answer: each that boots must be good, but without a record it is not known
 * which are old, unless they are of one kernel. why: the reason they were read. */
static void add_sum(const struct way *way, const struct sum *sum, const char *why)
{
	enum way_verdict worst = sum->worst.verdict;

	if (worst == WAY_GOOD)
		add(way, way->run ? CHECK_OK : CHECK_WARNING, "%s: %s\nreboot once to confirm that",
		    why, sum->worst.text);
	else if (worst == WAY_UNKNOWN)
		add(way, way->proven || !way->run ? CHECK_WARNING : way->bad,
		    "%s; whether the next boot would find the image is unknown: %s", why,
		    sum->worst.text);
	else
		add(way,
		    sum->best == WAY_GOOD && !sum->divided && !way->run ? CHECK_WARNING : way->bad,
		    "%s: %s", why, sum->worst.text);
}

time_t way_changes_begin(const char *root, const struct boot_record *record)
{
	const struct boot_run *last =
		record->run_count ? &record->runs[record->run_count - 1] : NULL;
	time_t began = boot_began(root);
	char path[PATH_MAX];
	struct stat st;

	/* The record of a restored system is that of the boot that restored it, later than this
	 * kernel's own. That boot's clock may have been wrong. */
	snprintf(path, sizeof(path), "%s/run/s2disk/boot", root);
	if (last && last->fate == FATE_RESTORED && (time_t)last->time > began &&
	    stat(path, &st) == 0 && st.st_mtim.tv_sec > began)
		began = (time_t)min_u64(last->time, (uint64_t)st.st_mtim.tv_sec);
	return began > MARGIN_SECONDS ? began - MARGIN_SECONDS : 0;
}

/* Is the running kernel's initramfs there, unchanged? */
static bool is_there(const struct way *way, time_t since)
{
	for (size_t i = 0; i < way->files.count; i++)
		if (way->files.files[i].running && way->files.files[i].changed < since)
			return true;
	return false;
}

/* Only s2disk itself can write the variable by which the next boot finds the image. */
static void depend_on_variable(const struct way *way)
{
	struct why reason = { "" };

	way->context->preflight->without_variable = way->bad;
	if (hibernate_location_is_free(way->context->root, &reason) < 0)
		add(way, way->bad,
		    "%s, and the next boot would find this one's only by it\n"
		    "boot that system, or delete the variable; or name the area: resume=UUID=… or "
		    "\"resume device\", then run %s; reboot once to confirm it",
		    reason.text, way->command);
}

/* No file is newer than the boot, but the one that booted may have been removed. */
static void look_for_booted(struct way *way)
{
	const struct boot_file *next = newest(way);
	/* The names contain releases, and none is that of the running kernel. */
	bool gone = way->files.release[0] && next && has_release(next);
	struct sum sum;

	sum_up(way, 0, NEWEST_MAX, &sum);
	if (sum.best == WAY_BAD)
		add(way, gone ? way->bad : CHECK_WARNING,
		    "the initramfs that booted this system is gone, or another one would boot: %s",
		    sum.worst.text);
}

static void weigh_by_record(struct way *way, time_t since)
{
	struct way_answer record;
	bool by_variable;
	struct sum sum;

	way_weigh_run(way, way->run, "the initramfs that booted this system");
	record = way->answer;
	way->proven = record.verdict == WAY_GOOD;
	by_variable = way->proven && way->run->by == NAMED_BY_FIRMWARE;
	sum_up(way, since, BOOT_FILES_MAX, &sum);
	if (sum.read > 0 && !sum.stays) {
		add_sum(way, &sum,
			sum.old ? "another was changed since this boot, and this was not"
				: "changed since this boot");
		if (by_variable && sum.worst.verdict != WAY_GOOD)
			depend_on_variable(way);
		return;
	}
	if (by_variable)
		depend_on_variable(way);
	add(way, way->proven ? CHECK_OK : way->bad, "%s", record.text);
	/* The time of a directory is not always known. */
	if (way->proven && since > 0 && way->files.directories_changed >= since &&
	    !is_there(way, since))
		look_for_booted(way);
}

/* This boot left no record, or an unreadable one. */
static void weigh_without_record(struct way *way, int error, const char *reason)
{
	bool ran = error < 0 && error != -ENOENT && error != -ESTALE; /* and cannot be read */
	int had = ran ? 1 : boot_had_initramfs(way->context->root);
	struct kernel_cmdline cmdline;
	struct sum sum;

	if (had == 0) {
		add(way, way->bad,
		    "this boot used no initramfs, so nothing looked for an image\n"
		    "have the boot loader load the initramfs (cloud images: "
		    "\"GRUB_FORCE_PARTUUID=\" in a file in /etc/default/grub.d, then update-grub), "
		    "and boot once");
		return;
	}
	sum_up(way, 0, NEWEST_MAX, &sum);
	kernel_cmdline_parse(way->cmdline, &cmdline);
	if (sum.best != WAY_GOOD && sum.worst.verdict == WAY_UNKNOWN && !cmdline.resume[0] &&
	    !way->context->settings->resume_device[0])
		add(way, way->bad,
		    "neither resume= nor /etc/suspend.conf says where the image is\n"
		    "set it up with s2disk-swapfile enable");
	else
		add_sum(way, &sum, ran ? reason : "not confirmed, resume did not run at this boot");
}

/* Names such as sda follow the order of detection, which may change if there are several disks. */
static void warn_of_kernel_name(const struct way *way)
{
	/* Not mmcblk0boot0, nor a path of a disk with several: nvme0c1n1. */
	static const char disks[] = "@([svh]d*|xvd*|nvme[0-9]n*|mmcblk[0-9])";
	_cleanup_names_ struct tree_names names = { 0 };
	const char *name = way->named + strlen("/dev/");
	unsigned int count = 0;

	if (!text_starts(way->named, "/dev/") ||
	    tree_list(way->context->root, "/sys/block", &names) < 0)
		return;
	for (size_t i = 0; i < names.count; i++)
		count += strncmp(name, names.items[i], 2) == 0 &&
			 fnmatch(disks, names.items[i], FNM_EXTMATCH) == 0;
	if (count > 1)
		add(way, CHECK_WARNING,
		    "the area is named %s; with several disks, another one may have that name at "
		    "the next boot\n"
		    "name it by its UUID: resume=UUID=… or \"resume device = UUID=…\"",
		    way->named);
}

/* Known reasons why the next boot may differ from this one. */
static void warn_of_others(const struct way *way, time_t since)
{
	struct boot_choice choices[BOOT_CHOICES_MAX];
	size_t count = boot_choices_read(way->context->root, choices);
	const struct boot_files *files = &way->files;
	const char *unseen = files->unmounted[0] ? files->unmounted : "/boot";

	if ((files->unmounted[0] || files->count == 0) && since > 0 &&
	    boot_modules_changed(way->context->root) >= since)
		add(way, CHECK_WARNING,
		    "kernels were installed since this boot, and %s, where their initramfs should "
		    "be, is not mounted or has none\n"
		    "mount it (trigger an automount with ls), and check again",
		    unseen);
	for (size_t i = 0; i < count; i++)
		add(way, CHECK_WARNING, "%s: no image is resumed until this system boots again\n%s",
		    choices[i].text, choices[i].advice);
}

static void warn_of_readers(const struct way *way, const struct boot_file *file,
			    const struct initramfs *initramfs)
{
	const char *list = way->context->settings->key_file;
	bool has = false;
	char path[256];

	while (image_keys_next_file(&list, path, sizeof(path)))
		has |= !text_starts(path, "/run/") &&
		       initramfs_has(initramfs, path + (path[0] == '/'));
	if (has)
		add(way, CHECK_WARNING,
		    "%s contains the key file that opens the image, and users other than root can "
		    "read it\n"
		    "run chmod 600 on it (on FAT, mount that with umask=0077), and have it created "
		    "that way: for initramfs-tools, UMASK=0077",
		    file->path);
}

/* The initramfs that boots next: who can read a key file inside, and which keymap it has. */
static void look_at_newest(const struct way *way)
{
	const struct boot_file *file = newest(way);
	bool keyboard = keyboard_matters(way->context);
	bool readable = file && file->mode & (S_IRGRP | S_IROTH) &&
			way_needs_key_file(way->context->settings);
	struct initramfs initramfs;

	if (!file || !(keyboard || readable) || way_read_initramfs(way, file, &initramfs, NULL) < 0)
		return;
	if (readable)
		warn_of_readers(way, file, &initramfs);
	if (keyboard)
		check_keyboard(way->context, &initramfs, file->path);
	initramfs_free(&initramfs);
}

static void look(struct way *way)
{
	const char *root = way->context->root, *command = initramfs_command(root);
	struct why reason = { "" };
	int r = boot_record_read(root, &way->record, &reason);
	time_t since;

	text_copy(way->command, sizeof(way->command),
		  command ? command : "your distribution's command that regenerates the initramfs");
	if (io_read_text(root, "/proc/cmdline", way->cmdline, sizeof(way->cmdline)) < 0)
		way->cmdline[0] = '\0';
	boot_files_find(root, &way->files);
	if (device_stack_read(root, way->context->target->area->dev, &way->stack, NULL) < 0)
		way->stack.count = 0;
	way->run = way_best_run(way);
	since = way_changes_begin(root, &way->record);
	if (way->run)
		weigh_by_record(way, since);
	else
		weigh_without_record(way, r, why_text(&reason, r));
	warn_of_kernel_name(way);
	warn_of_others(way, since);
	look_at_newest(way);
	boot_record_free(&way->record);
}

void check_way_back(struct preflight_context *context)
{
	const struct settings *settings = context->settings;
	_cleanup_free_ struct way *way = calloc(1, sizeof(*way));

	/* No boot looks for a test image. Without an area, another check has failed. */
	if (!way || !context->target->area || settings->test_file[0])
		return;
	if (settings->way_back == WAY_BACK_IGNORE) {
		preflight_add(context, ID, CHECK_OK, "not checked (\"way back = ignore\")");
		return;
	}
	way->context = context;
	way->deadline = now_usec() + READ_SECONDS * UINT64_C(1000000);
	/* With suspend, the image is only a fallback. */
	way->bad = settings->way_back == WAY_BACK_REQUIRE && settings->method != METHOD_SUSPEND
			   ? CHECK_FAILED
			   : CHECK_WARNING;
	look(way);
}
