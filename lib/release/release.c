/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "release/release.h"

#include "release/release_journal.h"

#include <errno.h>
#include <string.h>

#define UNTIL_NEXT_BOOT "it comes back with the next boot only"
#define HURRY_SECONDS 15 /* more than a driver is waited for */

static struct release_limits limits_of(const struct release_plan *plan,
				       const struct release_watch *watch)
{
	return (struct release_limits){
		.seconds = plan->hanging ? HURRY_SECONDS : RELEASE_STEP_SECONDS,
		.stop = watch->stop,
		.context = watch->context,
	};
}

/* Memory comes back as long as its driver is there, and is not being taken. An s2disk that was
 * killed has perhaps not taken that any more. */
static bool is_lost(const char *root, const struct release_plan *plan,
		    const struct release_entry *entry)
{
	if (!entry->lasting)
		return false;
	if (entry->kind != RELEASE_OFFLINE)
		return release_step_may_be_made(root, entry);
	for (size_t i = 0; i < plan->entries.count; i++) {
		const struct release_entry *other = &plan->entries.items[i];

		if (other->group == entry->group && other->kind != RELEASE_OFFLINE &&
		    (other->lost || other->left))
			return true;
	}
	return false;
}

/* The driver of such memory refuses to hibernate. So where it is bound, the machine has not been
 * off since the release. */
static struct release_here here_for(const struct release_entry *entry,
				    const struct release_here *here)
{
	struct release_here ret = *here;

	if (entry->lasting)
		ret.unsure = false;
	return ret;
}

static void give(const char *root, struct release_plan *plan, struct release_entry *entry,
		 const struct release_here *here, const struct release_watch *watch)
{
	const struct release_limits limits = limits_of(plan, watch);
	const struct release_here now = here_for(entry, here);
	struct why w = { 0 };
	int r;

	if (!entry->taken)
		return;
	entry->taken = false;
	if (is_lost(root, plan, entry)) {
		entry->lost = true;
		watch->report(watch->context, RELEASE_GONE, entry, UNTIL_NEXT_BOOT);
		return;
	}
	r = release_step_give(root, entry, &now, &limits, &w);
	plan->hanging |= r == -EINPROGRESS;
	entry->left = r < 0 && r != -ENODEV;
	/* Of another run it is not known whether the step was made. */
	if (r == 1 && here->unsure)
		return;
	watch->report(watch->context,
		      r >= 0	     ? RELEASE_GIVEN
		      : r == -ENODEV ? RELEASE_GONE
				     : RELEASE_NOT_GIVEN,
		      entry, r < 0 ? why_text(&w, r) : "");
}

/* Those of one group, or (0) all; the last first. */
static void give_group(const char *root, struct release_plan *plan, unsigned int group,
		       const struct release_here *here, const struct release_watch *watch)
{
	for (size_t i = plan->entries.count; i > 0; i--)
		if (group == 0 || plan->entries.items[i - 1].group == group)
			give(root, plan, &plan->entries.items[i - 1], here, watch);
}

static int take(const char *root, struct release_plan *plan, struct release_entry *entry,
		const struct release_watch *watch, struct why *w)
{
	const struct release_limits limits = limits_of(plan, watch);
	int r = release_journal_add(root, entry);

	if (r < 0)
		return why(w, r, RELEASE_JOURNAL " cannot be written: %s", strerror(-r));
	r = release_step_take(root, entry, &limits, w);
	entry->taken = r == 0;
	entry->left = r == -EINPROGRESS;
	plan->hanging |= entry->left;
	/* The next s2disk must not bind what had no driver before. */
	if (r == 1)
		release_journal_keep(root, plan);
	if (r == 0)
		watch->report(watch->context, RELEASE_TAKEN, entry, "");
	return r < 0 ? r : 0;
}

/* What it goes with is given back. A process that hangs does not freeze, so all is then. */
static int not_taken(const char *root, struct release_plan *plan, const struct release_entry *entry,
		     const struct release_watch *watch, const struct why *reason, int error,
		     struct why *w)
{
	const struct release_here here = { 0 };

	watch->report(watch->context, RELEASE_NOT_TAKEN, entry, why_text(reason, error));
	give_group(root, plan, entry->group, &here, watch);
	return entry->needed || error == -EINPROGRESS
		       ? why(w, error, "%s: %s", entry->what, why_text(reason, error))
		       : 0;
}

int release_take(const char *root, struct release_plan *plan, const struct release_watch *watch,
		 struct why *w)
{
	const struct release_here here = { 0 };
	unsigned int failed = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < plan->entries.count; i++) {
		struct release_entry *entry = &plan->entries.items[i];
		struct why reason = { 0 };
		int error;

		if (entry->blocked[0] || entry->group == failed)
			continue;
		error = watch->stop && watch->stop(watch->context)
				? -ECANCELED
				: take(root, plan, entry, watch, &reason);
		if (error == 0)
			continue;
		failed = entry->group;
		r = error == -ECANCELED ? why(w, error, "interrupted")
					: not_taken(root, plan, entry, watch, &reason, error, w);
	}
	if (r < 0)
		release_give(root, plan, &here, watch);
	else
		release_journal_keep(root, plan);
	return r;
}

void release_give(const char *root, struct release_plan *plan, const struct release_here *here,
		  const struct release_watch *watch)
{
	give_group(root, plan, 0, here, watch);
	release_journal_keep(root, plan);
}

void release_recover(const char *root, const struct release_watch *watch)
{
	/* Perhaps it was killed after a resume. */
	const struct release_here here = { .unsure = true };
	struct release_plan plan = { 0 };

	if (release_journal_read(root, &plan) < 0)
		return;
	release_give(root, &plan, &here, watch);
	release_plan_free(&plan);
}
