/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vetoers.h"

#include "base/log.h"
#include "base/text.h"
#include "release/release_text.h"
#include "release/nvidia.h"
#include "release/release.h"

#include <errno.h>
#include <string.h>

#define WAITING_SIZE 400

static void report(void *context, enum release_event event, const struct release_entry *entry,
		   const char *reason)
{
	char command[RELEASE_COMMAND_SIZE];

	(void)context;
	switch (event) {
	case RELEASE_TAKEN:
		log_notice("released for the restore: %s (%s)", entry->what, entry->source);
		break;
	case RELEASE_NOT_TAKEN:
		log_warning("not released for the restore: %s: %s", entry->what, reason);
		break;
	case RELEASE_GIVEN:
		log_info("given back: %s", entry->what);
		break;
	case RELEASE_NOT_GIVEN:
	case RELEASE_GONE:
		log_warning("not given back: %s: %s; to try it by hand: %s", entry->what, reason,
			    release_step_by_hand(entry, command, sizeof(command)));
		break;
	}
}

static const struct release_watch watch = { .report = report };

static void report_kept(const struct release_plan *plan)
{
	for (size_t i = 0; i < plan->entries.count; i++)
		if (plan->entries.items[i].blocked[0])
			log_notice("not released for the restore: %s: %s",
				   plan->entries.items[i].what, plan->entries.items[i].blocked);
}

/* Of what needs no setting, that which hibernates may stay: the passed-through PCI devices of
 * Hyper-V, one of which may have the root file system, which is not mounted yet. */
static bool refuses(const struct release_entry *entry)
{
	return entry->needed || strcmp(entry->source, RELEASE_BUILT_IN) != 0;
}

/* Only drivers refuse: a device need not go. */
static void keep_devices(struct release_plan *plan)
{
	size_t kept = 0;

	for (size_t i = 0; i < plan->entries.count; i++) {
		struct release_entry entry = plan->entries.items[i];

		if (entry.kind == RELEASE_REMOVE && *entry.driver) {
			entry.kind = RELEASE_UNBIND;
			text_copy(entry.bus, sizeof(entry.bus), "pci");
		}
		if ((entry.kind == RELEASE_UNBIND || entry.kind == RELEASE_UNLOAD) &&
		    refuses(&entry))
			plan->entries.items[kept++] = entry;
	}
	plan->entries.count = kept;
}

/* What this boot has of memory is no reason: all virtio-mem devices go, whatever they have
 * plugged. The image's system has its own devices, so that one may be missing later is no reason
 * either. */
static int make_plan(struct vetoers *vetoers, const char *root, struct why *w)
{
	struct platform platform = { 0 };
	char waiting[WAITING_SIZE];
	int r = devices_capture(root, &platform.devices);

	if (r == 0)
		r = release_plan_make(root, &platform, &vetoers->config, &vetoers->plan);
	devices_free(&platform.devices);
	if (r < 0)
		return r;
	if (release_text(&vetoers->plan, RELEASE_ALL_WAITING, waiting, sizeof(waiting)) > 0)
		return why(w, -EINPROGRESS, RELEASE_WAITING_TEXT ": %s", waiting);
	keep_devices(&vetoers->plan);
	report_kept(&vetoers->plan);
	return 0;
}

static int ask_nvidia(struct vetoers *vetoers, const char *root, struct why *w)
{
	int r;

	if (vetoers->nvidia || !nvidia_preserves(root))
		return 0;
	r = nvidia_write(root, "suspend");
	/* While it is still at it, "resume" waits for that. */
	vetoers->nvidia = r == 0 || r == -EINPROGRESS;
	if (r == -EINPROGRESS)
		return why(w, r, "nvidia's driver is still suspending after %d s",
			   RELEASE_STEP_SECONDS);
	if (r < 0)
		log_warning("nvidia's driver does not suspend for the restore: %s", strerror(-r));
	else
		log_notice("nvidia's driver is suspended for the restore (built in)");
	return 0;
}

static void resume_nvidia(struct vetoers *vetoers, const char *root)
{
	int r = vetoers->nvidia ? nvidia_write(root, "resume") : 0;

	vetoers->nvidia = false;
	if (r < 0)
		log_warning("nvidia's driver does not resume: %s; to try it by hand: echo resume "
			    ">" NVIDIA_SUSPEND,
			    strerror(-r));
}

static bool is_taken(const struct vetoers *vetoers)
{
	for (size_t i = 0; i < vetoers->plan.entries.count; i++)
		if (vetoers->plan.entries.items[i].taken)
			return true;
	return false;
}

/* Is anything of the plan to be released? */
static bool has_steps(const struct release_plan *plan)
{
	for (size_t i = 0; i < plan->entries.count; i++)
		if (!plan->entries.items[i].blocked[0])
			return true;
	return false;
}

static int take_plan(struct vetoers *vetoers, const struct settings *settings, dev_t keep,
		     const char *root, struct why *w)
{
	struct why reason = { 0 };
	int r;

	if (is_taken(vetoers))
		return 0;
	release_plan_free(&vetoers->plan);
	vetoers->config = settings->release;
	vetoers->config.keep = keep;
	r = make_plan(vetoers, root, &reason);
	/* Without its driver released the kernel may still refuse, and says so. */
	for (size_t i = 0; r == 0 && i < vetoers->plan.entries.count; i++)
		vetoers->plan.entries.items[i].needed = false;
	if (r == 0) {
		vetoers->tried = has_steps(&vetoers->plan);
		r = release_take(root, &vetoers->plan, &watch, &reason);
	}
	if (r == -EINPROGRESS)
		return why(w, r, "%s", reason.text);
	if (r < 0)
		log_warning("drivers that may refuse the restore cannot be released: %s",
			    why_text(&reason, r));
	return 0;
}

/* nvidia last, as s2disk does, so that it comes back first. */
int vetoers_take(struct vetoers *vetoers, const struct settings *settings, dev_t keep,
		 const char *root, struct why *w)
{
	int r = take_plan(vetoers, settings, keep, root, w);

	return r < 0 ? r : ask_nvidia(vetoers, root, w);
}

void vetoers_give(struct vetoers *vetoers, const char *root)
{
	const struct release_here here = { 0 };

	resume_nvidia(vetoers, root);
	/* Though nothing could be released: the journal goes with the boot into the running system,
	 * and the next s2disk would give back what was never released. */
	if (vetoers->tried)
		release_give(root, &vetoers->plan, &here, &watch);
	vetoers->tried = false;
	release_plan_free(&vetoers->plan);
}
