/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Will a boot find the image? What this system's own boot did is known (the boot
 * record), and what was changed since can be read. No boot loader's configuration
 * is: it says what was meant once. An image that no boot looks for is a session lost.
 */
#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/look.h"
#include "base/stopwatch.h"
#include "base/text.h"
#include "boot/boot_choice.h"
#include "boot/initramfs_command.h"
#include "history/boot_record_file.h"
#include "kernel/kernel_cmdline.h"
#include "preflight_way_back_private.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define ID "way-back"

/* Unpacking takes a second or so each: of those that nothing points to, this many. */
#define NEWEST_MAX 6

/* … and for all of them this long, whatever they are: somebody waits for the machine to sleep. */
#define READ_SECONDS 10

/* Times on FAT are even seconds, and clocks are set during a boot. */
#define MARGIN_SECONDS 60

void way_say(struct way_answer *answer, enum way_verdict verdict, const char *format, ...)
{
	va_list args;

	answer->verdict = verdict;
	va_start(args, format);
	vsnprintf(answer->text, sizeof(answer->text), format, args);
	va_end(args);
}

void way_advise(struct way_answer *answer, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(answer->advice, sizeof(answer->advice), format, args);
	va_end(args);
}

static void add(const struct way *way, enum check_level level, const char *advice,
		const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Every refusal's advice ends with the way around. */
static void add(const struct way *way, enum check_level level, const char *advice,
		const char *format, ...)
{
	char text[sizeof(((struct check *)NULL)->text)];
	struct check *check;
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	check = preflight_add(way->context, ID, level, "%s", text);
	if (level == CHECK_FAILED)
		preflight_advise(check,
				 "%s; or hibernate without a way back: -P \"way back = warn\"",
				 advice);
	else if (level == CHECK_WARNING)
		preflight_advise(check, "%s", advice);
}

/* What several initramfs are, together. */
struct sum {
	unsigned int read;
	struct way_answer worst; /* of the first that is as bad */
	unsigned int rank;	 /* … and how bad that is */
	char good[256];		 /* the first that is good; "" for none */
	char named[256];	 /* … and what the place is called there */
};

/* The newest boots next as a rule, or that of the running kernel. */
#define RANK_WEIGHS 1U

static unsigned int rank(enum way_verdict verdict, bool weighs)
{
	unsigned int of = verdict == WAY_GOOD ? 0 : verdict == WAY_BAD ? 4 : 2;

	return of && weighs ? of | RANK_WEIGHS : of;
}

static const struct boot_file *newest(const struct way *way)
{
	for (size_t i = 0; i < way->files.count; i++)
		if (!way->files.files[i].spare)
			return &way->files.files[i];
	return NULL;
}

static enum way_verdict sum_up(struct way *way, const struct boot_file *file, bool seen,
			       struct sum *sum)
{
	struct way_answer answer = { 0 };
	unsigned int now;

	way_judge_initramfs(way, file, seen, &answer);
	if (answer.verdict == WAY_GOOD && !sum->good[0]) {
		text_copy(sum->good, sizeof(sum->good), file->path);
		text_copy(sum->named, sizeof(sum->named), way->named);
	}
	now = rank(answer.verdict, file == newest(way) || file->running);
	if (sum->read++ == 0 || now > sum->rank) {
		sum->worst = answer;
		sum->rank = now;
	}
	return answer.verdict;
}

/* Those changed since then, newest first. A rescue image boots when somebody chooses it. */
static void sum_files(struct way *way, time_t since, unsigned int max, bool seen, struct sum *ret)
{
	for (size_t i = 0; i < way->files.count && ret->read < max; i++)
		if (way->files.files[i].changed >= since && !way->files.files[i].spare)
			sum_up(way, &way->files.files[i], seen, ret);
}

/* What this boot looked for in vain, or did not wait for: why, no file can tell, so
 * none can tell that it will be there. */
static bool stays_missing(const struct way *way, const char *named)
{
	const struct boot_run *run = way_best_run(way);
	char name[128];

	return run && (run->found == FOUND_NO_DEVICE || run->found == FOUND_NOT_LOOKED) &&
	       (!run->named[0] || strcmp(run->named, named) == 0) &&
	       !way_encrypted(way, name, sizeof(name));
}

static void add_changed(struct way *way, const struct way_answer *record, const struct sum *sum)
{
	const struct way_answer *worst = &sum->worst;
	bool decides = !sum->good[0] || (sum->rank & RANK_WEIGHS);

	if (sum->good[0] && stays_missing(way, sum->named))
		add(way, way->bad, record->advice, "%s", record->text);
	else if (worst->verdict == WAY_BAD)
		add(way, decides ? way->bad : CHECK_WARNING, worst->advice,
		    "changed since this boot: %s", worst->text);
	else if (worst->verdict != WAY_GOOD)
		add(way, record->verdict == WAY_GOOD || !decides ? CHECK_WARNING : way->bad,
		    worst->advice,
		    "changed since this boot, and it is not seen whether it leads back: %s",
		    worst->text);
	else
		add(way, CHECK_OK, "", "the initramfs made since this boot looks for it: %s",
		    sum->good);
}

/* The boot that restored this system did what its record says: later than the
 * beginning of this kernel. Its clock may have been wrong. */
static time_t restored_at(const struct way *way)
{
	const struct boot_run *last = &way->record.runs[way->record.run_count - 1];
	char path[PATH_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "%s/run/s2disk/boot", way->context->root);
	if (last->fate != FATE_RESTORED || stat(path, &st) < 0)
		return 0;
	return (time_t)min_u64(last->time, (uint64_t)st.st_mtim.tv_sec);
}

/* 0: not known, so all counts as changed. */
static time_t changes_begin(const struct way *way)
{
	time_t began = boot_began(way->context->root), restored;

	if (way->record.run_count > 0) {
		restored = restored_at(way);
		if (began == 0)
			began = (time_t)way->record.runs[0].time;
		if (restored > began)
			began = restored;
	}
	return began > MARGIN_SECONDS ? began - MARGIN_SECONDS : 0;
}

/* Nothing is newer than the boot, but what booted may be gone. */
static void warn_of_removed(struct way *way)
{
	struct sum sum = { 0 };

	for (size_t i = 0; i < way->files.count && sum.read < NEWEST_MAX; i++) {
		if (!way->files.files[i].spare &&
		    sum_up(way, &way->files.files[i], true, &sum) != WAY_BAD)
			return;
	}
	if (sum.read > 0)
		add(way, CHECK_WARNING, sum.worst.advice,
		    "what booted this system is gone, or another would boot: %s", sum.worst.text);
	else if (way->files.folders_changed)
		add(way, CHECK_WARNING, "mount what the system boots from, or regenerate it",
		    "there is no initramfs below /boot and /efi (any more) that would boot");
}

static void judge_by_record(struct way *way)
{
	struct way_answer record = { 0 };
	struct sum sum = { 0 };
	time_t since = changes_begin(way);

	way_judge_record(way, &record);
	sum_files(way, since, BOOT_FILES_MAX, record.verdict == WAY_GOOD, &sum);
	if (sum.read > 0) {
		add_changed(way, &record, &sum);
		return;
	}
	add(way, record.verdict == WAY_GOOD ? CHECK_OK : way->bad, record.advice, "%s",
	    record.text);
	if (record.verdict == WAY_GOOD && way->files.folders_changed >= since)
		warn_of_removed(way);
}

/* The running system's settings and this boot's command line. */
static bool place_is_named(const struct way *way)
{
	struct kernel_cmdline cmdline;

	kernel_cmdline_parse(way->cmdline, &cmdline);
	return way->context->settings->resume_device[0] || cmdline.resume[0];
}

static void add_unread(const struct way *way, const struct sum *sum, const char *why_none)
{
	const char *what = sum->read > 0 ? sum->worst.text
					 : "no initramfs was found below /boot and "
					   "/efi";

	if (place_is_named(way))
		add(way, CHECK_WARNING,
		    "reboot once: the next boot's record tells; or see for yourself that its "
		    "initramfs runs resume",
		    "whether a boot will look for the image could not be seen: %s, and %s",
		    why_none, what);
	else
		add(way, way->bad, "s2disk-swapfile enable sets it up",
		    "nothing tells a boot where the image is, neither resume= nor "
		    "/etc/suspend.conf (%s, and %s)",
		    why_none, what);
}

static void judge_newest(struct way *way, const char *why_none)
{
	struct sum sum = { 0 };

	sum_files(way, 0, NEWEST_MAX, false, &sum);
	if (sum.good[0])
		add(way, CHECK_WARNING,
		    "if the boot loader does not start this system by itself, choose it in the "
		    "menu; after the next boot it is known",
		    "not proven: %s; %s would look for the image%s%.180s", why_none, sum.good,
		    sum.worst.verdict == WAY_GOOD ? "" : ", another would not: ",
		    sum.worst.verdict == WAY_GOOD ? "" : sum.worst.text);
	else if (sum.read == 0 || sum.worst.verdict == WAY_UNKNOWN)
		add_unread(way, &sum, why_none);
	else
		add(way, sum.worst.verdict == WAY_BAD ? way->bad : CHECK_WARNING, sum.worst.advice,
		    "%s (%s)", sum.worst.text, why_none);
}

/* This boot left no record, or none that can be read. */
static void judge_without_record(struct way *way, int error, const char *reason)
{
	int had = boot_had_initramfs(way->context->root);

	if (error != -ENOENT && error != -ESTALE) {
		judge_newest(way, reason);
	} else if (had == 0) {
		add(way, way->bad,
		    "have the boot loader load the initramfs (cloud images: "
		    "\"GRUB_FORCE_PARTUUID=\" "
		    "in a file in /etc/default/grub.d, then update-grub), and boot once",
		    "this boot ran no initramfs, so nothing looked for an image, and nothing "
		    "would");
	} else {
		judge_newest(way,
			     had > 0 ? "resume did not run at this boot"
				     : "resume did not run at this boot, which may have had no "
				       "initramfs");
	}
}

/* A name that the kernel gives in the order of finding: how many of its kind are there? */
static unsigned int disks_of_kind(const char *root, const char *name)
{
	size_t length = strcspn(name, "0123456789");
	char path[PATH_MAX], kind[16];
	const struct dirent *entry;
	unsigned int count = 0;
	DIR *dir;

	/* sda, vdb: one letter is the disk. */
	if (!text_starts(name, "nvme") && !text_starts(name, "mmcblk"))
		length = text_starts(name, "xvd") ? 3 : 2;
	snprintf(kind, sizeof(kind), "%.*s", (int)min_u64(length, sizeof(kind) - 1), name);
	snprintf(path, sizeof(path), "%s/sys/block", root);
	look_note("", path, LOOK_LIST);
	dir = opendir(path);
	while (dir && (entry = readdir(dir)))
		/* Not mmcblk0boot0, nor a path of a disk with several: nvme0c1n1. */
		count += text_starts(entry->d_name, kind) && !strstr(entry->d_name, "boot") &&
			 !(text_starts(kind, "nvme") && strchr(entry->d_name + 4, 'c'));
	if (dir)
		closedir(dir);
	return count;
}

static void warn_of_kernel_name(const struct way *way)
{
	static const char *const kinds[] = { "sd", "vd", "hd", "xvd", "nvme", "mmcblk" };
	const char *name = way->named + strlen("/dev/");

	if (!text_starts(way->named, "/dev/"))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (text_starts(name, kinds[i]) && disks_of_kind(way->context->root, name) > 1)
			add(way, CHECK_WARNING,
			    "name it by its UUID instead: resume=UUID=… or \"resume device = "
			    "UUID=…\"",
			    "the area is named %s, and with several disks another may have that "
			    "name "
			    "at the next boot",
			    way->named);
}

/* What has no answer, since it is not read. */
static void warn_of_unread(const struct way *way)
{
	time_t since = changes_begin(way);

	if (way->files.unmounted[0] && since > 0 &&
	    boot_modules_changed(way->context->root) >= since)
		add(way, CHECK_WARNING, "look into it (ls), which mounts it, and check again",
		    "kernels were installed since this boot, and %s, where their initramfs may "
		    "be, is not mounted",
		    way->files.unmounted);
}

static void warn_of_choices(const struct way *way)
{
	struct boot_choice choices[BOOT_CHOICES_MAX];
	size_t count = boot_choices_read(way->context->root, choices);

	for (size_t i = 0; i < count; i++)
		add(way, CHECK_WARNING, choices[i].advice,
		    "%s: the image waits until this system is started", choices[i].text);
}

/* Of a key inside, the initramfs' mode is the lock. */
static void warn_of_readers(const struct way *way)
{
	const struct boot_file *file = newest(way);
	const struct settings *settings = way->context->settings;
	char advice[400];

	if (!file || !way_needs_key_file(settings) || text_starts(settings->key_file, "/run/") ||
	    !(file->mode & (S_IRGRP | S_IROTH)))
		return;
	snprintf(advice, sizeof(advice),
		 "chmod 600 %s, and have it made so: for initramfs-tools UMASK=0077", file->path);
	add(way, CHECK_WARNING, advice,
	    "%s has the key file in it, which opens the image, and can be read by others than root",
	    file->path);
}

static void look(struct way *way)
{
	const char *root = way->context->root;
	const char *command = initramfs_command(root);
	struct why reason = { "" };
	int r = boot_record_read(root, &way->record, &reason);

	text_copy(way->command, sizeof(way->command),
		  command ? command : "the command of your distribution that makes the initramfs");
	if (io_read_text(root, "/proc/cmdline", way->cmdline, sizeof(way->cmdline)) < 0)
		way->cmdline[0] = '\0';
	boot_files_find(root, &way->files);
	if (r == 0)
		judge_by_record(way);
	else
		judge_without_record(way, r, why_text(&reason, r));
	warn_of_kernel_name(way);
	warn_of_unread(way);
	warn_of_choices(way);
	warn_of_readers(way);
	if (keyboard_matters(way->context) && newest(way))
		way_keep_initramfs(way, newest(way));
	if (way->kept_path[0])
		check_keyboard(way->context, &way->kept, way->kept_path);
	initramfs_free(&way->kept);
	boot_record_free(&way->record);
}

void check_way_back(struct preflight_context *context)
{
	const struct settings *settings = context->settings;
	_cleanup_free_ struct way *way = calloc(1, sizeof(*way));

	/* A test image is looked for by nobody; without an area another check failed. */
	if (!way || !context->target->area || settings->test_file[0])
		return;
	if (settings->way_back == WAY_BACK_IGNORE) {
		preflight_add(context, ID, CHECK_OK, "not looked at (\"way back = ignore\")");
		return;
	}
	way->context = context;
	way->deadline = now_usec() + READ_SECONDS * UINT64_C(1000000);
	/* Asleep in memory, the image is but a second way back. */
	way->bad = settings->way_back == WAY_BACK_REQUIRE && settings->method != METHOD_SUSPEND
			   ? CHECK_FAILED
			   : CHECK_WARNING;
	look(way);
}
