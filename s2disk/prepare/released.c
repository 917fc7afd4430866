/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "released.h"

#include "base/log.h"
#include "base/stopwatch.h"
#include "release/release.h"
#include "release/release_text.h"
#include "ui/abort_watch.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#define TURN_MSEC 500

/* Of a piece of memory, one block is logged for all. */
struct logged {
	enum release_event event;
	unsigned int group;
};

static enum log_level level_of(enum release_event event)
{
	switch (event) {
	case RELEASE_TAKEN:
	case RELEASE_GIVEN:
		return LOG_LEVEL_INFO;
	case RELEASE_GONE:
		return LOG_LEVEL_NOTICE;
	case RELEASE_NOT_TAKEN:
	case RELEASE_NOT_GIVEN:
		return LOG_LEVEL_WARNING;
	}
	return LOG_LEVEL_WARNING;
}

/* Online memory that does not exist crashes the kernel. */
static const char *before_command(const struct release_entry *entry)
{
	return entry->kind == RELEASE_OFFLINE
		       ? "only if the machine has this memory, or the kernel crashes, try by hand"
		       : "to try it by hand";
}

/* What follows where it stays. A hibernation that needs it fails, and says so. */
static const char *without(const struct release_entry *entry)
{
	return entry->kind == RELEASE_OFFLINE && !entry->needed
		       ? "; a machine that starts without this memory will refuse to resume"
		       : "";
}

static void report(void *context, enum release_event event, const struct release_entry *entry,
		   const char *reason)
{
	struct logged *logged = context;
	bool again = entry->kind == RELEASE_OFFLINE && logged->event == event &&
		     logged->group == entry->group;
	enum log_level level = again ? LOG_LEVEL_DEBUG : level_of(event);
	char command[RELEASE_COMMAND_SIZE];

	*logged = (struct logged){ event, entry->group };
	switch (event) {
	case RELEASE_TAKEN:
		log_message(level, "released: %s: %s (%s)", entry->what, entry->reason,
			    entry->source);
		break;
	case RELEASE_NOT_TAKEN:
		log_message(level, "not released: %s: %s%s", entry->what, reason, without(entry));
		break;
	case RELEASE_GIVEN:
		log_message(level, "given back: %s", entry->what);
		break;
	case RELEASE_NOT_GIVEN:
		log_message(level, "not given back: %s: %s; %s: %s", entry->what, reason,
			    before_command(entry),
			    release_step_by_hand(entry, command, sizeof(command)));
		break;
	case RELEASE_GONE:
		log_message(level, "not given back: %s: %s", entry->what, reason);
		break;
	}
}

static bool stop(void *context)
{
	(void)context;
	return abort_requested();
}

void released_recover(const char *root)
{
	struct logged logged = { 0 };
	const struct release_watch watch = { .report = report, .context = &logged };

	release_recover(root, &watch);
}

/* Without them its driver can be unbound and bound again. */
static uint64_t plugged(const char *root)
{
	struct ram ram = { 0 };
	uint64_t bytes = 0;

	if (ram_capture(root, &ram) < 0)
		return 0;
	for (size_t i = 0; i < ram.virtio.count; i++)
		bytes += ram.virtio.items[i].added;
	ram_free(&ram);
	return bytes;
}

void released_wait(const struct settings *settings, const char *root)
{
	const struct timespec turn = { .tv_nsec = TURN_MSEC * 1000000 };
	uint64_t end = now_usec() + settings->release.wait * UINT64_C(1000000);
	uint64_t bytes = settings->release.wait > 0 ? plugged(root) : 0;

	if (bytes == 0)
		return;
	log_notice("waiting up to %u s for the host to unplug %" PRIu64
		   " MiB of virtio-mem's memory",
		   settings->release.wait, bytes >> 20);
	while (now_usec() < end && plugged(root) > 0)
		nanosleep(&turn, NULL);
}

int released_plan(const struct settings *settings, const char *root, struct platform *platform,
		  struct release_plan *ret)
{
	int r = release_plan_make(root, platform, &settings->release, ret);

	if (r == 0)
		release_plan_apply(ret, platform);
	return r;
}

static int capture_again(struct platform_section *section, const char *root, struct why *w)
{
	/* It is of the history, not of the machine. */
	struct maps_met met = section->platform.met;
	int r;

	section->platform.met = (struct maps_met){ 0 };
	platform_section_free(section);
	r = platform_section_capture(section, root, w);
	if (r == 0)
		section->platform.met = met;
	else
		maps_met_free(&met);
	return r;
}

/* A child that looked at a device which does not answer does not freeze. */
static int check_waiting(const struct release_plan *plan, struct why *w)
{
	char text[300];

	return release_text(plan, RELEASE_ALL_WAITING, text, sizeof(text)) == 0
		       ? 0
		       : why(w, -EBUSY, RELEASE_WAITING_TEXT ": %s; " RELEASE_WAITING_ADVICE, text);
}

/* Since the checks a passphrase may have been typed, a disk mounted, memory plugged. */
static int plan_again(struct release_plan *plan, const struct settings *settings,
		      struct platform_section *section, const char *root, struct why *w)
{
	struct release_plan now = { 0 };
	char text[300];
	int r = capture_again(section, root, w);

	if (r == 0)
		r = release_plan_make(root, &section->platform, &settings->release, &now);
	if (r < 0)
		return r;
	release_plan_free(plan);
	*plan = now;
	r = check_waiting(plan, w);
	if (r < 0)
		return r;
	return release_text(plan, RELEASE_ALL_REFUSING, text, sizeof(text)) == 0
		       ? 0
		       : why(w, -EBUSY, "must be released to hibernate, and cannot be: %s", text);
}

int released_begin(struct release_plan *plan, const struct settings *settings,
		   struct platform_section *section, const char *root, struct why *w)
{
	struct logged logged = { 0 };
	const struct release_watch watch = { .report = report, .stop = stop, .context = &logged };
	char text[24];
	int r = check_waiting(plan, w);

	if (r < 0 || release_text(plan, RELEASE_ALL_FREE, text, sizeof(text)) == 0)
		return r;
	r = plan_again(plan, settings, section, root, w);
	if (r < 0 || release_text(plan, RELEASE_ALL_FREE, text, sizeof(text)) == 0)
		return r;
	abort_watch_begin();
	r = release_take(root, plan, &watch, w);
	if (r == -ECANCELED && abort_requested())
		return why(w, r, "%s", abort_requested());
	if (r < 0)
		return r;
	r = capture_again(section, root, w);
	if (r < 0)
		released_end(plan, NULL, root, false);
	return r;
}

void released_end(struct release_plan *plan, const struct memory_map *map, const char *root,
		  bool resumed)
{
	struct logged logged = { 0 };
	const struct release_watch watch = { .report = report, .context = &logged };
	const struct release_here here = {
		.restarted = resumed,
		.map = resumed && map && map->entries.count > 0 ? map : NULL,
	};
	char text[24];

	if (release_text(plan, RELEASE_ALL_TAKEN, text, sizeof(text)) == 0)
		return;
	release_give(root, plan, &here, &watch);
}
