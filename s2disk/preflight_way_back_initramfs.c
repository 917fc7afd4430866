/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The way back: what an initramfs would do that has not booted yet. */
#include "preflight_way_back_private.h"

#include "base/bytes.h"
#include "base/text.h"
#include "image_keys.h"
#include "kernel/kernel_cmdline.h"
#include "target.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* One that is judged. */
struct judged {
	struct way *way;
	const char *path;
	const struct initramfs *initramfs;
	const char *cmdline; /* dracut's files in it, and the kernel's */
	bool seen;
	bool addon; /* its own has no resume=, and that of this boot has */
	struct way_answer *ret;
};

static bool has_resume(const struct judged *judged)
{
	const struct initramfs *initramfs = judged->initramfs;

	if (initramfs->resume && initramfs->current && (initramfs->script || initramfs->unit))
		return true;
	if (!initramfs->resume)
		way_say(judged->ret, WAY_BAD, "resume is not in %s", judged->path);
	else if (!initramfs->current)
		way_say(judged->ret, WAY_BAD,
			"the resume in %s is another program's or of another version, and does not "
			"know the images of this one",
			judged->path);
	else
		way_say(judged->ret, WAY_DOUBTFUL,
			"resume is in %s, but nothing that is known to run it", judged->path);
	way_advise(judged->ret, "install s2disk's hook for the initramfs, then run %s",
		   judged->way->command);
	return false;
}

static bool command_line_fine(const struct judged *judged, const struct kernel_cmdline *cmdline)
{
	if (cmdline->noresume) {
		way_say(judged->ret, WAY_BAD,
			"noresume (or the like) is on the kernel command line%s%s, with which an "
			"image is discarded",
			judged->initramfs->cmdline[0] ? " in " : "",
			judged->initramfs->cmdline[0] ? judged->path : "");
		way_advise(judged->ret, "take it out of the boot loader's configuration");
		return false;
	}
	if (judged->initramfs->script || cmdline->resume[0])
		return true;
	way_say(judged->ret, judged->addon ? WAY_DOUBTFUL : WAY_BAD,
		"there is no resume= on the kernel command line, without which systemd in %s does "
		"not run resume",
		judged->path);
	way_advise(judged->ret, "add resume= to the boot loader's configuration");
	return false;
}

/* The value of a line NAME=VALUE of a shell's file, without quotes; false where it is
 * another line. */
static bool take_value(const char *line, const char *name, char *ret, size_t size)
{
	if (!text_starts(line, name))
		return false;
	line += strlen(name);
	line += *line == '"' || *line == '\'';
	snprintf(ret, size, "%.*s", (int)min_u64(strcspn(line, "\"' \t\n"), size - 1), line);
	return true;
}

/* The generator's choice: RESUME= and RESUME_OFFSET= of the files that initramfs-tools and
 * our hooks of the others make; the last one counts. */
static void find_choice(const struct initramfs *initramfs, struct settings *ret)
{
	char *device = ret->default_device, offset[24] = "";

	for (size_t i = 0; i < initramfs->count; i++) {
		const char *line = initramfs->files[i].text;

		if (!text_starts(initramfs->files[i].name, "conf/"))
			continue;
		for (; *line; line = strchrnul(line, '\n'), line += *line != '\0')
			if (!take_value(line, "RESUME=", device, sizeof(ret->default_device)))
				take_value(line, "RESUME_OFFSET=", offset, sizeof(offset));
	}
	if (strcmp(device, "none") == 0 || strcmp(device, "auto") == 0)
		device[0] = '\0';
	if (offset[0])
		text_parse_u64(offset, &ret->default_offset);
}

/* What dracut puts before the kernel's command line: etc/cmdline.d, etc/cmdline. */
static void join_dracuts(const struct initramfs *initramfs, char *ret, size_t size)
{
	const char *last = initramfs_file(initramfs, "etc/cmdline");
	size_t used = 0;

	ret[0] = '\0';
	for (size_t i = 0; i < initramfs->count && used < size; i++)
		if (text_starts(initramfs->files[i].name, "etc/cmdline.d/"))
			used += (size_t)snprintf(ret + used, size - used, "%s ",
						 initramfs->files[i].text);
	if (last && used < size)
		snprintf(ret + used, size - used, "%s ", last);
}

/* Its hook hands resume what is named there, but no offset; what is baked in comes after it. */
static void find_dracuts(const char *dracut, struct settings *ret)
{
	struct kernel_cmdline cmdline;

	kernel_cmdline_parse(dracut, &cmdline);
	if (cmdline.resume[0]) {
		text_copy(ret->default_device, sizeof(ret->default_device), cmdline.resume);
		ret->default_offset = 0;
	}
}

/* The settings as resume will read them there. */
static int load_settings(const struct initramfs *initramfs, struct settings *ret, struct why *w)
{
	static const char *const names[] = { "etc/suspend.conf", "etc/uswsusp.conf" };
	const char *main_name = names[0], *text = NULL;
	char folder[64];
	int r = 0;

	settings_defaults(ret);
	find_choice(initramfs, ret);
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

bool way_needs_key_file(const struct settings *settings)
{
	return settings->encrypt && settings->key_file[0] && !settings->key_pair[0] &&
	       !image_keys_ask(settings);
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

bool way_same_key(const struct way *way, const char *path, const char *digest)
{
	char now[SHA256_TEXT_SIZE];

	return text_starts(path, "/run/") ||
	       (image_keys_digest(way->context->root, path, now, NULL) == 0 &&
		strcmp(now, digest) == 0);
}

bool way_keys_fine(const struct way *way,
		   const char *(*wrong)(const struct way *way, const void *context,
					const char *path),
		   const void *context, const char *whose, struct way_answer *ret)
{
	const char *list = way->context->settings->key_file, *first = NULL;
	char path[256], named[256] = "";

	if (!way_needs_key_file(way->context->settings))
		return true;
	while (image_keys_next_file(&list, path, sizeof(path))) {
		const char *this = wrong(way, context, path);

		if (!this)
			return true;
		if (!first) {
			first = this;
			text_copy(named, sizeof(named), path);
		}
	}
	way_say(ret, WAY_BAD, "only a key file opens the image, and %s %s%s", named, first, whose);
	way_advise(ret,
		   "set \"key file in initramfs = y\" where nobody else can read it (see "
		   "suspend.conf(5)), run %s; or use \"key pair\"",
		   way->command);
	return false;
}

bool way_refuses_plain(const struct way *way, bool encrypt, const char *whose,
		       struct way_answer *ret)
{
	if (!encrypt || way->context->settings->encrypt)
		return false;
	way_say(ret, WAY_BAD,
		"the resume %s takes sealed images only (encrypt = y in the initramfs), and the "
		"image would be plain",
		whose);
	way_advise(ret, "have the same \"encrypt\" in /etc/suspend.conf at both ends: run %s",
		   way->command);
	return true;
}

struct there {
	const struct initramfs *initramfs;
	const struct settings *settings;
};

/* NULL: it will open the image there. */
static const char *wrong_key(const struct way *way, const void *context, const char *path)
{
	const struct there *there = context;
	const char *found = initramfs_file(there->initramfs, path + (path[0] == '/'));

	if (!is_named(there->settings, path))
		return "is not named by the configuration in";
	if (!found && !text_starts(path, "/run/"))
		return "is not in";
	return way_same_key(way, path, found) ? NULL : "is not the same as that in";
}

/* Does it take the image, and open it? */
static bool takes_image(const struct judged *judged, const struct settings *settings)
{
	const struct there there = { judged->initramfs, settings };
	char whose[sizeof(((struct boot_file *)NULL)->path) + 4];

	snprintf(whose, sizeof(whose), "in %s", judged->path);
	if (way_refuses_plain(judged->way, settings->encrypt, whose, judged->ret))
		return false;
	snprintf(whose, sizeof(whose), " %s", judged->path);
	return way_keys_fine(judged->way, wrong_key, &there, whose, judged->ret);
}

static bool same_place(const struct judged *judged, const char *spec, uint64_t offset,
		       struct why *w)
{
	const struct swap_area *area = judged->way->context->target->area;
	struct swap_area found;
	int r = judged->way->context->system->resolve(spec, offset, false, &found, w);

	if (r < 0) {
		way_say(judged->ret, WAY_BAD, "what %s will look at is of no use: %s", judged->path,
			why_text(w, r));
		way_advise(judged->ret, "correct resume= or /etc/suspend.conf, then run %s",
			   judged->way->command);
		return false;
	}
	if (found.dev == area->dev && offset == area->offset)
		return true;
	way_say(judged->ret, WAY_BAD,
		"%s will look at %s, page %" PRIu64 ", but the image would go to %s, page %" PRIu64,
		judged->path, spec, offset, area->device, area->offset);
	way_advise(judged->ret, "correct resume= or /etc/suspend.conf, then run %s",
		   judged->way->command);
	return false;
}

/* Who opens it? Where this boot had it, something may that is not known here. */
static bool is_opened(const struct judged *judged, const char *spec)
{
	char name[128];

	if (!way_find_locked(judged->way, judged->initramfs, judged->cmdline, spec, name,
			     sizeof(name)))
		return true;
	way_say(judged->ret, judged->seen ? WAY_DOUBTFUL : WAY_BAD,
		"nothing is seen in %s that unlocks %s, which the image would be on", judged->path,
		name);
	way_advise(judged->ret,
		   "add initramfs (Debian) or x-initrd.attach to the options of %s in "
		   "/etc/crypttab, then run %s",
		   name, judged->way->command);
	return false;
}

/* Where will it look, and is that where the image goes? */
static void judge_place(const struct judged *judged, const struct kernel_cmdline *cmdline,
			const char *dracut)
{
	struct settings settings;
	struct why reason = { "" };
	char spec[256];
	const char *by;
	uint64_t offset;
	int r = load_settings(judged->initramfs, &settings, &reason);

	find_dracuts(dracut, &settings);
	if (r == 0)
		r = target_named(&settings, cmdline, false, spec, sizeof(spec), &offset, &by,
				 &reason);
	if (r < 0) {
		way_say(judged->ret, judged->addon && r == -ENOENT ? WAY_DOUBTFUL : WAY_BAD,
			"nothing tells the resume in %s where the image is%s%s", judged->path,
			r == -ENOENT ? ", neither its configuration nor resume=" : ": ",
			r == -ENOENT ? "" : why_text(&reason, r));
		way_advise(judged->ret, "s2disk-swapfile enable %s sets it up",
			   judged->way->context->target->area->name);
		return;
	}
	if (!same_place(judged, spec, offset, &reason) || !is_opened(judged, spec) ||
	    !takes_image(judged, &settings))
		return;
	text_copy(judged->way->named, sizeof(judged->way->named), spec);
	way_say(judged->ret, WAY_GOOD, "%s", judged->path);
}

static void wanted_secrets(const struct settings *settings, struct initramfs_secrets *ret)
{
	const char *list = settings->key_file;
	char path[256];

	ret->count = 0;
	while (way_needs_key_file(settings) && ret->count < INITRAMFS_SECRETS_MAX &&
	       image_keys_next_file(&list, path, sizeof(path)))
		text_copy(ret->names[ret->count++], sizeof(ret->names[0]), path + (path[0] == '/'));
}

static int read_one(struct way *way, const struct boot_file *file, struct initramfs *ret,
		    struct why *w)
{
	struct initramfs_secrets secrets;

	wanted_secrets(way->context->settings, &secrets);
	return initramfs_read(way->context->root, file, &secrets, way->deadline, ret, w);
}

static void keep(struct way *way, const struct boot_file *file, struct initramfs *initramfs)
{
	if (way->kept_path[0]) {
		initramfs_free(initramfs);
		return;
	}
	way->kept = *initramfs;
	text_copy(way->kept_path, sizeof(way->kept_path), file->path);
}

void way_keep_initramfs(struct way *way, const struct boot_file *file)
{
	struct initramfs initramfs;

	if (!way->kept_path[0] && read_one(way, file, &initramfs, NULL) == 0)
		keep(way, file, &initramfs);
}

/* Packed in several parts, of which not all could be read: what is missed may be there. */
static void judge_read(struct judged *judged)
{
	const struct initramfs *initramfs = judged->initramfs;
	const char *own = initramfs->cmdline[0] ? initramfs->cmdline : judged->way->cmdline;
	struct kernel_cmdline cmdline, booted;
	char dracut[INITRAMFS_CMDLINE_SIZE], all[2 * INITRAMFS_CMDLINE_SIZE];

	join_dracuts(initramfs, dracut, sizeof(dracut));
	snprintf(all, sizeof(all), "%s%s", dracut, own);
	judged->cmdline = all;
	kernel_cmdline_parse(own, &cmdline);
	kernel_cmdline_parse(judged->way->cmdline, &booted);
	judged->addon = judged->seen && !cmdline.resume[0] && booted.resume[0];
	if (has_resume(judged) && command_line_fine(judged, &cmdline))
		judge_place(judged, &cmdline, dracut);
	if (initramfs->partial && judged->ret->verdict == WAY_BAD)
		judged->ret->verdict = WAY_UNKNOWN;
}

void way_judge_initramfs(struct way *way, const struct boot_file *file, bool seen,
			 struct way_answer *ret)
{
	struct initramfs initramfs;
	struct judged judged = {
		.way = way, .path = file->path, .initramfs = &initramfs, .seen = seen, .ret = ret
	};
	struct why reason = { "" };
	int r = read_one(way, file, &initramfs, &reason);

	if (r < 0) {
		way_say(ret, r == -EBADMSG ? WAY_BAD : WAY_UNKNOWN, "%s", why_text(&reason, r));
		if (r == -EBADMSG)
			way_advise(ret, "regenerate it: %s", way->command);
		else
			way_advise(ret, "see for yourself that it runs resume");
		return;
	}
	judge_read(&judged);
	keep(way, file, &initramfs);
}
