/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Will the next boot find the image? Its initramfs must have resume(8) in it,
 * run it, and lead it to the area that the image goes to. An image that no boot
 * looks for is a session lost, and a swap area whose use is one, too.
 */
#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/look.h"
#include "base/text.h"
#include "boot/boot_entry.h"
#include "boot/initramfs.h"
#include "image_keys.h"
#include "kernel/kernel_cmdline.h"
#include "platform/tree.h"
#include "preflight_checks.h"
#include "target.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ID "way-back"

struct way {
	struct preflight_context *context;
	enum check_level bad; /* what a way that leads nowhere is */
	struct boot_entry entry;
	struct kernel_cmdline cmdline;
	char path[256]; /* of its initramfs */
	struct initramfs initramfs;
};

static bool has_program(const struct way *way, const char *name)
{
	static const char *const folders[] = { "/usr/sbin", "/usr/bin", "/sbin", "/bin" };
	char full[PATH_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		snprintf(full, sizeof(full), "%s%s/%s", way->context->root, folders[i], name);
		look_note("", full, LOOK_NAME);
		if (access(full, X_OK) == 0)
			return true;
	}
	return false;
}

static const char *make_initramfs(const struct way *way)
{
	if (has_program(way, "update-initramfs"))
		return "update-initramfs -u -k all";
	if (has_program(way, "mkinitcpio"))
		return "mkinitcpio -P";
	if (has_program(way, "dracut"))
		return "dracut --force --regenerate-all";
	return "the command of your distribution";
}

/* Every advice ends with the way around. */
static void advise(const struct way *way, struct check *check, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void advise(const struct way *way, struct check *check, const char *format, ...)
{
	char text[sizeof(check->advice)];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (way->bad == CHECK_FAILED)
		preflight_advise(
			check, "%s; or hibernate without a way back: -P \"way back = warn\"", text);
	else
		preflight_advise(check, "%s", text);
}

/* Nothing is known for sure: said, and no reason to refuse. */
static void cannot_tell(const struct way *way, const char *reason)
{
	struct check *check =
		preflight_add(way->context, ID, CHECK_WARNING,
			      "whether the next boot will look for the image could not be seen: %s",
			      reason);

	preflight_advise(check,
			 "see for yourself that its initramfs runs resume, and set \"way back = "
			 "ignore\"");
}

static bool has_resume(const struct way *way)
{
	const struct initramfs *initramfs = &way->initramfs;
	struct check *check;

	if (!initramfs->resume) {
		check = preflight_add(way->context, ID, way->bad,
				      "resume is not in %s, so the next boot would not look for "
				      "the image",
				      way->path);
		advise(way, check, "install s2disk's hook for the initramfs, then run %s",
		       make_initramfs(way));
		return false;
	}
	if (!initramfs->current) {
		check = preflight_add(way->context, ID, way->bad,
				      "the resume in %s is another program's or of another "
				      "version, and does not know the images of this one",
				      way->path);
		advise(way, check, "make the initramfs anew: %s", make_initramfs(way));
		return false;
	}
	if (initramfs->script || initramfs->unit)
		return true;
	check = preflight_add(way->context, ID, CHECK_WARNING,
			      "resume is in %s, but nothing that is known to run it", way->path);
	preflight_advise(check,
			 "install s2disk's hook for the initramfs, then run %s; or set "
			 "\"way back = ignore\" if it is run all the same",
			 make_initramfs(way));
	return false;
}

static bool command_line_fine(const struct way *way)
{
	struct check *check;

	if (way->cmdline.noresume) {
		check = preflight_add(way->context, ID, way->bad,
				      "the next boot will have noresume (or the like) on its "
				      "command line and set the image aside");
		advise(way, check, "take it out of the boot loader's configuration%s%s",
		       way->entry.source[0] ? ", which is now in " : "", way->entry.source);
		return false;
	}
	if (way->initramfs.script || way->cmdline.resume[0])
		return true;
	check = preflight_add(way->context, ID, way->bad,
			      "the next boot will have no resume= on its command line, without "
			      "which systemd in %s does not run resume",
			      way->path);
	advise(way, check, "add resume= to the boot loader's configuration");
	return false;
}

/* RESUME= of the files that initramfs-tools makes; the last one counts. */
static void find_choice(const struct initramfs *initramfs, char *ret, size_t size)
{
	for (size_t i = 0; i < initramfs->count; i++) {
		const char *line = initramfs->files[i].text;

		if (!text_starts(initramfs->files[i].name, "conf/"))
			continue;
		for (; *line; line = strchrnul(line, '\n'), line += *line != '\0') {
			if (!text_starts(line, "RESUME="))
				continue;
			line += strlen("RESUME=");
			line += *line == '"' || *line == '\'';
			snprintf(ret, size, "%.*s", (int)strcspn(line, "\"' \t\n"), line);
		}
	}
	if (strcmp(ret, "none") == 0 || strcmp(ret, "auto") == 0)
		ret[0] = '\0';
}

/* The settings as resume will read them there. */
static int load_settings(const struct way *way, struct settings *ret, struct why *w)
{
	static const char *const names[] = { "etc/suspend.conf", "etc/uswsusp.conf" };
	const struct initramfs *initramfs = &way->initramfs;
	const char *main_name = names[0], *text = NULL;
	char folder[64];
	int r = 0;

	settings_defaults(ret);
	find_choice(initramfs, ret->default_device, sizeof(ret->default_device));
	for (size_t i = 0; i < ARRAY_SIZE(names) && !text; i++) {
		text = initramfs_file(initramfs, names[i]);
		if (text)
			main_name = names[i];
	}
	if (text)
		r = settings_parse(ret, text, main_name, NULL, w);
	snprintf(folder, sizeof(folder), "%s.d/", main_name);
	for (size_t i = 0; i < initramfs->count && r == 0; i++)
		if (text_starts(initramfs->files[i].name, folder))
			r = settings_parse(ret, initramfs->files[i].text, initramfs->files[i].name,
					   NULL, w);
	return r;
}

/* Names of most, but not all, have the kernel's release in them: "6.1". */
static bool names_a_release(const char *path)
{
	for (const char *dot = strchr(path, '.'); dot; dot = strchr(dot + 1, '.'))
		if (dot > path && isdigit((unsigned char)dot[-1]) && isdigit((unsigned char)dot[1]))
			return true;
	return false;
}

/* "another kernel than this one", when it is. */
static const char *kernel_note(const struct way *way)
{
	char release[128];

	if (!tree_text(way->context->root, release, sizeof(release), "/proc/sys/kernel/osrelease"))
		return "";
	return strstr(way->path, release) || !names_a_release(way->path)
		       ? ""
		       : ", of another kernel than the running one,";
}

static void add_fine(const struct way *way, const char *spec, uint64_t offset)
{
	char place[64] = "";

	if (offset > 0)
		snprintf(place, sizeof(place), ", page %" PRIu64, offset);
	preflight_add(way->context, ID, CHECK_OK,
		      "the next boot will look for the image: resume is in %s%s and will look at "
		      "%s%s%s",
		      way->path, kernel_note(way), spec, place,
		      way->initramfs.stock ? " (the system's own hook for the kernel's images is "
					     "there too and does not mind)"
					   : "");
}

/* What opens the image is one of these files, and no passphrase. */
static bool needs_key_file(const struct settings *settings)
{
	return settings->encrypt && settings->key_file[0] && !settings->key_pair[0] &&
	       !image_keys_ask(settings);
}

static void wanted_secrets(const struct settings *settings, struct initramfs_secrets *ret)
{
	const char *list = settings->key_file;
	char path[256];

	ret->count = 0;
	while (needs_key_file(settings) && ret->count < INITRAMFS_SECRETS_MAX &&
	       image_keys_next_file(&list, path, sizeof(path)))
		text_copy(ret->names[ret->count++], sizeof(ret->names[0]), path + (path[0] == '/'));
}

static bool is_named(const struct settings *settings, const char *wanted)
{
	const char *list = settings->key_file;
	char path[256];

	while (image_keys_next_file(&list, path, sizeof(path)))
		if (strcmp(path, wanted) == 0)
			return true;
	return false;
}

/* NULL: it will open the image there; else what is wrong with it. */
static const char *judge_key_file(const struct way *way, const struct settings *there,
				  const char *path)
{
	const char *found = initramfs_file(&way->initramfs, path + (path[0] == '/'));
	char digest[SHA256_TEXT_SIZE];

	if (!is_named(there, path))
		return "is not named by the configuration in";
	/* A tool of the machine (TPM, network) puts it there at boot. */
	if (text_starts(path, "/run/"))
		return NULL;
	if (!found)
		return "is not in";
	if (image_keys_digest(way->context->root, path, digest, NULL) < 0 ||
	    strcmp(digest, found) != 0)
		return "is not the same as that in";
	return NULL;
}

/* Of a key inside, the initramfs' mode is the lock. */
static void judge_readers(const struct way *way, const char *key_file)
{
	char full[PATH_MAX];
	struct check *check;
	struct stat st;

	snprintf(full, sizeof(full), "%s%s", way->context->root, way->path);
	look_note("", full, LOOK_NAME);
	if (stat(full, &st) < 0 || !(st.st_mode & (S_IRGRP | S_IROTH)))
		return;
	check = preflight_add(way->context, ID, CHECK_WARNING,
			      "%s has %s in it, which opens the image, and can be read by others "
			      "than root",
			      way->path, key_file);
	preflight_advise(check, "chmod 600 %s, and have it made so: for initramfs-tools UMASK=0077",
			 way->path);
}

/* Where nobody can be asked, the file that opens the image must be there. */
static bool key_file_fine(const struct way *way, const struct settings *there)
{
	const struct settings *settings = way->context->settings;
	const char *list = settings->key_file, *wrong = NULL;
	char path[256], named[256] = "";
	struct check *check;

	if (!needs_key_file(settings))
		return true;
	while (image_keys_next_file(&list, path, sizeof(path))) {
		const char *this = judge_key_file(way, there, path);

		if (!this && !text_starts(path, "/run/"))
			judge_readers(way, path);
		if (!this)
			return true;
		if (!wrong) {
			wrong = this;
			text_copy(named, sizeof(named), path);
		}
	}
	check = preflight_add(way->context, ID, way->bad,
			      "only a key file opens the image, and %s %s %s", named, wrong,
			      way->path);
	advise(way, check,
	       "set \"key file in initramfs = y\" where nobody else can read %s (see "
	       "suspend.conf(5)) and run %s; or have a passphrase open it, by \"key pair\"",
	       way->path, make_initramfs(way));
	return false;
}

/* Where will it look, and is that where the image goes? */
static void judge_place(const struct way *way)
{
	const struct swap_area *area = way->context->target->area;
	struct settings settings;
	struct swap_area found;
	struct why reason = { "" };
	struct check *check;
	const char *by;
	char spec[256];
	uint64_t offset;
	int r = load_settings(way, &settings, &reason);

	if (r == 0)
		r = target_named(&settings, &way->cmdline, false, spec, sizeof(spec), &offset, &by,
				 &reason);
	if (r == -ENOENT) {
		check = preflight_add(way->context, ID, way->bad,
				      "nothing will tell resume in the next boot where the image "
				      "is: neither the configuration in %s nor resume= does",
				      way->path);
		advise(way, check,
		       "add resume= (and resume_offset=) to the boot loader's configuration, or "
		       "\"resume device\" to /etc/suspend.conf and run %s",
		       make_initramfs(way));
		return;
	}
	if (r == 0)
		r = way->context->system->resolve(spec, offset, false, &found, &reason);
	if (r < 0) {
		check = preflight_add(way->context, ID, way->bad,
				      "what resume in the next boot will look at is of no use: %s",
				      why_text(&reason, r));
		advise(way, check,
		       "correct the boot loader's configuration and "
		       "/etc/suspend.conf, then run %s",
		       make_initramfs(way));
		return;
	}
	if (found.dev == area->dev && offset == area->offset) {
		if (key_file_fine(way, &settings))
			add_fine(way, spec, offset);
		return;
	}
	check = preflight_add(way->context, ID, way->bad,
			      "resume in the next boot will look at %s, page %" PRIu64
			      " (%s), but the image would go to %s, page %" PRIu64,
			      spec, offset, by ? by : "configuration in the initramfs",
			      area->device, area->offset);
	advise(way, check,
	       "correct the boot loader's configuration or /etc/suspend.conf, then "
	       "run %s",
	       make_initramfs(way));
}

static void judge(struct way *way)
{
	kernel_cmdline_parse(way->entry.arguments, &way->cmdline);
	if (has_resume(way) && command_line_fine(way))
		judge_place(way);
}

static void look(struct way *way)
{
	const char *root = way->context->root;
	struct initramfs_secrets secrets;
	struct why reason = { "" };
	struct check *check;
	int r = boot_entry_find(root, &way->entry, &reason);

	if (r < 0) {
		cannot_tell(way, why_text(&reason, r));
		return;
	}
	/* Without a boot loader that is known all of it is a guess. */
	if (!way->entry.source[0])
		way->bad = CHECK_WARNING;
	if (!way->entry.initramfs[0]) {
		check = preflight_add(way->context, ID, way->bad,
				      "the next boot (%s in %s) has no initramfs, so nothing would "
				      "look for the image",
				      way->entry.title, way->entry.source);
		advise(way, check, "set up the boot loader to load one");
		return;
	}
	r = boot_entry_initramfs(root, &way->entry, way->path, sizeof(way->path));
	if (r < 0) {
		why(&reason, r, "%s, which %s names, was not found", way->entry.initramfs,
		    way->entry.source);
		cannot_tell(way, reason.text);
		return;
	}
	wanted_secrets(way->context->settings, &secrets);
	r = initramfs_read_cached(root, way->path, &secrets, &way->initramfs, &reason);
	if (r < 0) {
		cannot_tell(way, why_text(&reason, r));
		return;
	}
	judge(way);
	check_keyboard(way->context, &way->initramfs, way->path);
	initramfs_free(&way->initramfs);
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
	/* Asleep in memory, the image is but a second way back. */
	way->bad = settings->way_back == WAY_BACK_REQUIRE && settings->method != METHOD_SUSPEND
			   ? CHECK_FAILED
			   : CHECK_WARNING;
	look(way);
}
