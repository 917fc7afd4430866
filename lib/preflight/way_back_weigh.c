/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The way back: would a run of resume, a past one or that of an initramfs, find and open the
 * image? */
#include "preflight/way_back_private.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "base/tree.h"
#include "config/drop_ins.h"
#include "config/image_keys.h"
#include "kernel/kernel_cmdline.h"
#include "platform/filesystems/mountinfo.h"
#include "swap/device_stack.h"
#include "config/target.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/sysmacros.h>

/* Says what the subject does, with a detail, and what to do; rebuild: and then regenerate the
 * initramfs. Returns false. */
static bool say(struct way *way, const char *what, const char *detail, const char *advice,
		bool rebuild)
{
	way->answer.verdict = WAY_BAD;
	snprintf(way->answer.text, sizeof(way->answer.text),
		 "%s %s%.500s\n%s%s%s; reboot once to confirm it", way->subject, what, detail,
		 advice, rebuild ? ", then run " : "", rebuild ? way->command : "");
	return false;
}

bool way_needs_key_file(const struct settings *settings)
{
	return settings->encrypt && settings->key_file[0] && !settings->key_pair[0] &&
	       !image_keys_ask(settings);
}

/* Device numbers are valid within one boot, but multipath and MD devices may be assembled after
 * resume ran. */
static bool is_place(const struct way *way, const struct boot_run *run)
{
	const struct swap_area *area = way->context->target->area;
	const char *uuid = way->context->area_uuid;

	return run->offset == area->offset &&
	       ((run->has_number && area->dev == makedev(run->major, run->minor)) ||
		(uuid[0] && strcmp(run->uuid, uuid) == 0));
}

const struct boot_run *way_best_run(const struct way *way)
{
	const struct boot_run *best = NULL;
	int best_worth = -1;

	for (size_t i = way->record.run_count; i-- > 0;) {
		const struct boot_run *run = &way->record.runs[i];
		bool looked = run->found == FOUND_NO_DEVICE || run->found > FOUND_NOT_LOOKED;
		int worth = is_place(way, run) ? 2 : looked;

		if (worth > best_worth) {
			best = run;
			best_worth = worth;
		}
	}
	return best;
}

static const char *who(const struct boot_run *run)
{
	return run->by == NAMED_BY_FILE	      ? run->by_file
	       : run->by == NAMED_BY_KERNEL   ? "resume= on the kernel command line"
	       : run->by == NAMED_BY_DEFAULT  ? "the initramfs' own choice"
	       : run->by == NAMED_BY_FIRMWARE ? "the firmware's variable HibernateLocation"
					      : "an argument of resume";
}

/* Does it have one of the key files, unchanged? */
static bool has_key(const struct way *way, const struct boot_run *run)
{
	const char *list = way->context->settings->key_file;
	char path[256], now[SHA256_TEXT_SIZE];

	while (image_keys_next_file(&list, path, sizeof(path)))
		for (size_t i = 0; i < run->key_count; i++)
			/* A tool (TPM, network) creates those below /run at boot. */
			if (strcmp(run->keys[i].path, path) == 0 &&
			    (text_starts(path, "/run/") ||
			     (image_keys_digest(way->context->root, path, now, NULL) == 0 &&
			      strcmp(now, run->keys[i].digest) == 0)))
				return true;
	/* It opened an image, and its hand-over had no room for digests. */
	return run->fate == FATE_RESTORED && way->record.keys_left_out;
}

/* Would it accept and open the image, if it found it? */
static bool takes_image(struct way *way, const struct boot_run *run)
{
	const struct settings *settings = way->context->settings;

	if (strcmp(run->form, INITRAMFS_RESUME_MARK) != 0)
		return say(way, "runs no resume that can read images of this s2disk", "",
			   "install the initramfs hook of s2disk", true);
	if (run->noresume)
		return say(way,
			   "has noresume (or the like) on the kernel command line, which discards "
			   "an image",
			   "", "remove it from the boot loader's configuration", false);
	if (run->settings[0])
		return say(way, "has wrong settings: ", run->settings,
			   "correct /etc/suspend.conf or the kernel command line", true);
	if (run->encrypt && !settings->encrypt)
		return say(way, "accepts only encrypted images, and this one would be plain", "",
			   "set \"encrypt\" to the same value in /etc/suspend.conf and in the "
			   "initramfs",
			   true);
	if (way_needs_key_file(settings) && !has_key(way, run))
		return say(way,
			   "does not have the same key file, and nothing else opens the image: ",
			   settings->key_file,
			   "set \"key file in initramfs = y\" if only root can read it, or use "
			   "\"key pair\" (suspend.conf(5))",
			   true);
	return true;
}

/* Reports what it looked at without success. */
static bool say_failure(struct way *way, const struct boot_run *run)
{
	char detail[512];

	snprintf(detail, sizeof(detail), "%.120s (%.120s)%s%.200s", run->named, who(run),
		 run->reason[0] ? ": " : "", run->reason);
	switch (run->found) {
	case FOUND_NO_DEVICE:
		return say(way, "did not find ", detail,
			   "name it by its UUID, and make sure that the initramfs contains its "
			   "driver, or unlocks it (/etc/crypttab: initramfs or x-initrd.attach)",
			   true);
	case FOUND_NOT_LOOKED:
		return say(way, "did not wait for ", detail, "make its device available earlier",
			   true);
	case FOUND_NO_SWAP:
		return say(way, "found no swap on ", detail,
			   "if it is encrypted, give it a permanent key", true);
	default:
		return say(way, "could not use ", detail, "correct it", false);
	}
}

static bool is_swap(const struct boot_run *run)
{
	return run->found == FOUND_SWAP || run->found == FOUND_IMAGE ||
	       run->found == FOUND_KERNEL_IMAGE;
}

/* Does it look at the right place, does that hold swap, and does the name still lead there? mkswap
 * and a new partition table change that. */
static bool leads(struct way *way, const struct boot_run *run)
{
	static const char advice[] = "correct resume= or \"resume device\" "
				     "(s2disk-swapfile enable does)";
	const struct swap_area *area = way->context->target->area;
	bool good = is_swap(run), rebuild = run->by != NAMED_BY_KERNEL;
	struct swap_area found = *area;
	struct why reason = { "" };
	char detail[512];
	int r = 0;

	if (run->found == FOUND_NOTHING_NAMED)
		return say(way, "does not know where an image is", "", advice, true);
	if (good && strcmp(run->named, area->device) != 0)
		r = way->context->system->resolve(run->named, run->offset, false, &found, &reason);
	if (r < 0)
		return say(way, "looks for something that no longer exists: ", why_text(&reason, r),
			   advice, rebuild);
	if (found.dev != area->dev || ((good || run->has_number) && !is_place(way, run))) {
		snprintf(detail, sizeof(detail),
			 "%.120s, page %" PRIu64 " (%.120s), but the image would go to %.120s, "
			 "page %" PRIu64,
			 run->named, run->offset, who(run), area->device, area->offset);
		return say(way, "looks at ", detail, advice, rebuild);
	}
	return good || say_failure(way, run);
}

void way_weigh_run(struct way *way, const struct boot_run *run, const char *subject)
{
	way->subject = subject;
	way->answer.stays = false;
	if (!takes_image(way, run) || !leads(way, run))
		return;
	way->answer.verdict = WAY_GOOD;
	snprintf(way->answer.text, sizeof(way->answer.text),
		 "%s looks for it: at %s, page %" PRIu64 " (%s)", subject, run->named, run->offset,
		 who(run));
	text_copy(way->named, sizeof(way->named), run->named);
}

/* The device that the generator configured (initramfs-tools, or our hooks for the others), and the
 * kernel command line. dracut puts a command line of its own before that; our hook passes on only
 * its device, and only if none is configured. all: both command lines, as dracut reads them. */
static void find_choice(const struct initramfs *initramfs, const char *own, struct settings *ret,
			struct kernel_cmdline *cmdline, char *all, size_t size)
{
	char *device = ret->default_device, offset[24] = "";
	struct kernel_cmdline joined;
	size_t used = 0;

	for (size_t i = 0; i < initramfs->count; i++) {
		const struct initramfs_file *file = &initramfs->files[i];

		if (text_starts(file->name, "conf/")) {
			text_assigned(file->text, "RESUME", device, sizeof(ret->default_device));
			text_assigned(file->text, "RESUME_OFFSET", offset, sizeof(offset));
		} else if (text_starts(file->name, "etc/cmdline") && used < size) {
			used += (size_t)snprintf(all + used, size - used, "%s ", file->text);
		}
	}
	if (used < size)
		snprintf(all + used, size - used, "%s", own);
	text_parse_u64(offset, &ret->default_offset);
	if (strcmp(device, "none") == 0 || strcmp(device, "auto") == 0)
		device[0] = '\0';
	kernel_cmdline_parse(all, &joined);
	kernel_cmdline_parse(own, cmdline);
	if (!cmdline->resume[0] && !device[0])
		text_copy(cmdline->resume, sizeof(cmdline->resume), joined.resume);
}

/* The settings as resume reads them there. Files are sorted by name, so a file comes before its
 * drop-ins. */
static int load_settings(const struct initramfs *initramfs, struct settings *ret, struct why *w)
{
	const char *file = initramfs_file(initramfs, "etc/suspend.conf") ||
					   !initramfs_file(initramfs, "etc/uswsusp.conf")
				   ? "etc/suspend.conf"
				   : "etc/uswsusp.conf";
	char directory[32];
	int r = 0;

	snprintf(directory, sizeof(directory), "%s.d", file);
	for (size_t i = 0; i < initramfs->count && r == 0; i++) {
		const char *name = initramfs->files[i].name;

		if (strcmp(name, file) == 0 || drop_in_path(name, directory))
			r = settings_parse(ret, initramfs->files[i].text, name, NULL, w);
	}
	return r;
}

static void find_keys(const struct initramfs *initramfs, const struct settings *settings,
		      struct boot_run *ret)
{
	const char *list = settings->key_file, *digest;
	char path[256];

	while (ret->key_count < BOOT_KEYS_MAX && image_keys_next_file(&list, path, sizeof(path))) {
		struct boot_key_file *key = &ret->keys[ret->key_count++];

		text_copy(key->path, sizeof(key->path), path);
		digest = initramfs_file(initramfs, path + (path[0] == '/'));
		text_copy(key->digest, sizeof(key->digest), digest ? digest : "");
	}
}

/* The run that resume would make there, assuming that the name leads to the area. all: receives its
 * whole command line. */
static void forecast(const struct way *way, const struct initramfs *initramfs, char *all,
		     size_t size, struct boot_run *ret)
{
	const char *own = initramfs->cmdline[0] ? initramfs->cmdline : way->cmdline, *by;
	const dev_t dev = way->context->target->area->dev;
	struct kernel_cmdline cmdline;
	struct settings settings;
	struct why reason = { "" };
	int r;

	settings_defaults(&settings);
	find_choice(initramfs, own, &settings, &cmdline, all, size);
	r = load_settings(initramfs, &settings, &reason);
	*ret = (struct boot_run){ .found = FOUND_SWAP,
				  .has_number = true,
				  .major = major(dev),
				  .minor = minor(dev),
				  .noresume = cmdline.noresume,
				  .encrypt = settings.encrypt };
	if (initramfs->resume && initramfs->current && (initramfs->script || initramfs->unit))
		text_copy(ret->form, sizeof(ret->form), INITRAMFS_RESUME_MARK);
	find_keys(initramfs, &settings, ret);
	if (r == 0)
		r = target_named(&settings, &cmdline, false, ret->named, sizeof(ret->named),
				 &ret->offset, &by, &reason);
	/* systemd's unit runs it only if the kernel command line names a device. */
	if (r == -ENOENT || (initramfs->unit && !initramfs->script && !cmdline.resume[0]))
		ret->found = FOUND_NOTHING_NAMED;
	else if (r < 0)
		text_copy(ret->settings, sizeof(ret->settings), why_text(&reason, r));
	ret->by = settings.resume_device[0] ? NAMED_BY_FILE
		  : cmdline.resume[0]	    ? NAMED_BY_KERNEL
					    : NAMED_BY_DEFAULT;
	text_copy(ret->by_file, sizeof(ret->by_file), settings.resume_device_by);
}

/* What lies below the root file system, by root= of this boot or else by the mounts. False: it is
 * not known. */
static bool read_root(const struct way *way, struct device_stack *ret)
{
	const struct preflight_system *system = way->context->system;
	const char *root = way->context->root;
	_cleanup_mountinfo_ struct mountinfo *mountinfo = NULL;
	const struct mount_line *mount;
	const char *at = way->cmdline;
	struct swap_area found = { .dev = 0 };
	char name[256] = "";

	while ((at = strstr(at, "root=")) && at > way->cmdline && at[-1] != ' ')
		at++; /* nfsroot= */
	if (at)
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(at + 5, " \n"), at + 5);
	ret->count = 0;
	/* gpt-auto and fstab are not device names. */
	if ((!name[0] || system->resolve(name, 0, false, &found, NULL) < 0) &&
	    mountinfo_read(root, &mountinfo) == 0 && (mount = mountinfo_next_at(mountinfo, "/"))) {
		found.dev = makedev(mount->high, mount->low);
		/* btrfs has no device number in mountinfo. */
		if (mount->high == 0 && system->resolve(mount->source, 0, false, &found, NULL) < 0)
			found.dev = 0;
	}
	/* A name that does not resolve here is at least not that of the area. */
	return found.dev ? device_stack_read(root, found.dev, ret, NULL) == 0
			 : strpbrk(name, "/=") != NULL;
}

/* The mappings below the area that are not also below the root file system. */
struct locks {
	const struct device_layer *locked; /* one that nothing unlocks; NULL: none */
	bool opened; /* one is unlocked, and this boot's command line alone did not do that */
	bool known;  /* … where root is known */
};

/* spec: what it calls the area. */
static struct locks find_locks(const struct way *way, const struct initramfs *initramfs,
			       const char *cmdline, const char *spec)
{
	const struct initramfs nothing = { .count = 0 };
	struct locks ret = { .locked = NULL };
	struct device_stack root;

	ret.known = read_root(way, &root);
	for (size_t i = 0; i < way->stack.count; i++) {
		const struct device_layer *layer = &way->stack.layers[i];
		bool any_name = i > 0 || !text_starts(spec, "/dev/mapper/");

		if (layer->kind != LAYER_CRYPT || device_stack_lists(&root, layer->dev))
			continue;
		if (!initramfs_opens(initramfs, cmdline, layer->mapper, layer->luks, any_name))
			ret.locked = layer;
		else if (!initramfs_opens(&nothing, way->cmdline, layer->mapper, layer->luks,
					  any_name))
			ret.opened = true;
	}
	return ret;
}

/* Would the new run look where this boot found nothing, or did not wait? No file says why that
 * failed, so it may fail again. */
static bool stays(const struct way *way, const struct boot_run *new)
{
	const struct boot_run *run = way->run;

	return run && !is_swap(run) && run->found != FOUND_NOTHING_NAMED && !run->settings[0] &&
	       !run->noresume &&
	       (!run->named[0] ||
		(strcmp(run->named, new->named) == 0 && run->offset == new->offset));
}

int way_read_initramfs(const struct way *way, const struct boot_file *file, struct initramfs *ret,
		       struct why *w)
{
	const char *list = way->context->settings->key_file;
	struct initramfs_secrets secrets = { .count = 0 };
	char path[256];

	while (secrets.count < INITRAMFS_SECRETS_MAX &&
	       image_keys_next_file(&list, path, sizeof(path)))
		text_copy(secrets.names[secrets.count++], sizeof(secrets.names[0]),
			  path + (path[0] == '/'));
	return initramfs_read(way->context->root, file, &secrets, way->deadline, ret, w);
}

/* systemd's stub adds to the command line and the initramfs of a unified image what lies in these
 * directories. */
static bool has_addons(const struct way *way, const char *path)
{
	char near[PATH_MAX];
	size_t top = strlen(path);

	while (top > 0 && strncasecmp(path + top, "/EFI/", 5) != 0)
		top--;
	snprintf(near, sizeof(near), "%.*s/loader/addons", (int)top, path);
	if (tree_exists(way->context->root, near))
		return true;
	snprintf(near, sizeof(near), "%s.extra.d", path);
	return tree_exists(way->context->root, near);
}

static void weigh_read(struct way *way, const struct initramfs *initramfs, const char *path)
{
	char all[2 * INITRAMFS_CMDLINE_SIZE];
	struct boot_run run;
	struct locks locks;
	bool unsure;

	forecast(way, initramfs, all, sizeof(all), &run);
	/* Something unknown may run resume, and an addon of a unified image may contain resume=;
	 * not resume itself, unless addons are seen. */
	unsure = initramfs->partial ||
		 (initramfs->current && !initramfs->script && !initramfs->unit) ||
		 (way->proven && way->run->by == NAMED_BY_KERNEL && initramfs->cmdline[0] &&
		  run.found == FOUND_NOTHING_NAMED && (run.form[0] || has_addons(way, path)));
	way_weigh_run(way, &run, path);
	if (way->answer.verdict == WAY_GOOD) {
		locks = find_locks(way, initramfs, all, run.named);
		/* Unless the area was locked and is seen to be unlocked now. */
		way->answer.stays = stays(way, &run) && !(locks.opened && locks.known &&
							  (way->run->found == FOUND_NO_DEVICE ||
							   way->run->found == FOUND_NOT_LOOKED));
		if (locks.locked)
			say(way, "has nothing that would unlock ", locks.locked->mapper,
			    "add initramfs (Debian) or x-initrd.attach to its options in "
			    "/etc/crypttab (mkinitcpio: a line in /etc/crypttab.initramfs), and "
			    "rd.luks.uuid=UUID, if others are on the kernel command line",
			    true);
		/* If this boot had it, something unknown may unlock it; not without this. */
		unsure |= locks.locked && (way->proven || !locks.known) &&
			  (initramfs_has(initramfs, "*bin/cryptsetup") ||
			   initramfs_has(initramfs, "*/systemd-cryptsetup"));
	}
	if (way->answer.verdict == WAY_BAD && unsure)
		way->answer.verdict = WAY_UNKNOWN;
}

void way_weigh_initramfs(struct way *way, const struct boot_file *file)
{
	struct initramfs initramfs;
	struct why reason = { "" };
	int r = way_read_initramfs(way, file, &initramfs, &reason);

	if (r == 0) {
		weigh_read(way, &initramfs, file->path);
		initramfs_free(&initramfs);
		return;
	}
	way->answer.verdict = r == -EBADMSG ? WAY_BAD : WAY_UNKNOWN;
	snprintf(way->answer.text, sizeof(way->answer.text),
		 "%s\nregenerate it (%s), or check that it runs resume", why_text(&reason, r),
		 way->command);
}
