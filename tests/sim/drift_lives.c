/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "drift_lives.h"

#include "base/bytes.h"
#include "config/settings.h"
#include "fixtures/machine/recorded_boot.h"
#include "history/maps/drift.h"
#include "verdict/verdict.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* No more boots in a row refuse an image: the most that one is kept for is 20. */
#define ATTEMPTS_MAX 32

/* Of all of memory as much is in use as half of what is around the places, so that it fits. */
#define ELSEWHERE_SHARE 2

struct life {
	const struct drift_machine *machine;
	const struct drift_plan *plan;
	struct drift_tally *tally;
	struct settings settings;
	unsigned int fill;
	uint64_t clock;
	struct map_history history;
	bool seen[DRIFT_BOOTS_MAX]; /* boots, or boot files, that the system knows of */
	unsigned int files;	    /* now */
	/* Boot files whose places of the log are remembered, the ones not booted for longest first.
	 */
	unsigned int recent[HISTORY_BOOT_FILES_MAX + 1], recent_count;
	const struct drift_boot *session; /* whose kernel runs, or is in the image */
	struct frame_list kernel;	  /* its own frames: never free, and not to be moved */
	struct frame_list offlined;
	struct frame_list elsewhere;
	struct frame_list image;
	struct maps_met met; /* in the image */
};

bool drift_updates(uint64_t seed, unsigned int hibernation)
{
	return drift_draw(seed, 'u', hibernation, 0) % 10 == 0;
}

static void clear(struct frame_list *list)
{
	free(list->items);
	*list = (struct frame_list){ 0 };
}

/* Boot files are replaced before a hibernation, by ones that are new or that were there before. */
static void update(struct life *life, unsigned int hibernation)
{
	unsigned int files = life->machine->files;

	if (files == 1 || !drift_updates(life->plan->seed, hibernation))
		return;
	if (life->machine->fresh)
		life->files++;
	else
		life->files = (life->files + 1 +
			       (unsigned int)(drift_draw(life->plan->seed, 'n', hibernation, 0) %
					      (files - 1))) %
			      files;
}

/* Of the boots with these boot files one has half of the chance in every other life; the others
 * have the same. */
static const struct drift_boot *draw_boot(const struct life *life, unsigned int hibernation,
					  unsigned int attempt)
{
	const struct drift_boot *candidates[DRIFT_BOOTS_MAX];
	uint64_t seed = life->plan->seed, draw = drift_draw(seed, 'd', hibernation, attempt);
	unsigned int count = 0, favourite;

	for (size_t i = 0; i < life->machine->boots.count; i++)
		if (life->machine->boots.items[i].files == life->files)
			candidates[count++] = &life->machine->boots.items[i];
	if (count == 0)
		ck_abort_msg("no boot with boot files %u", life->files);
	favourite = (unsigned int)(drift_draw(seed, 'v', life->files, 0) % count);
	if (drift_draw(seed, 'e', 0, 0) % 2 == 0 || count == 1)
		return candidates[draw % count];
	if (draw % 2 == 0)
		return candidates[favourite];
	return candidates[(favourite + 1 + (draw >> 1) % (count - 1)) % count];
}

/* Was each place seen where this machine, with these boot files, may put what it moves? The
 * surroundings of the TPM event log are known when it is. */
static bool all_seen(const struct life *life)
{
	if (life->machine->files > 1)
		return life->seen[life->files];
	for (size_t i = 0; i < life->machine->boots.count; i++)
		if (!life->seen[i])
			return false;
	return true;
}

/* As the history does; but that also has none of boots whose log is elsewhere. */
static void see_files(struct life *life, unsigned int files)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < life->recent_count; i++)
		if (life->recent[i] != files)
			life->recent[kept++] = life->recent[i];
	life->recent[kept++] = files;
	life->seen[files] = true;
	if (kept > HISTORY_BOOT_FILES_MAX) {
		life->seen[life->recent[0]] = false;
		memmove(&life->recent[0], &life->recent[1], --kept * sizeof(life->recent[0]));
	}
	life->recent_count = kept;
}

static void count_boot(struct life *life, const struct drift_boot *boot, enum boot_outcome outcome)
{
	struct boot_memory memory = boot->memory;

	if (life->machine->files > 1)
		see_files(life, boot->files);
	else
		life->seen[boot - life->machine->boots.items] = true;
	memory.time = ++life->clock;
	if (life->plan->remembers)
		ck_assert_int_eq(map_history_count(&life->history, &memory, outcome), 0);
}

/* As s2disk does early at each boot, and before it hibernates. */
static void keep_free(struct life *life)
{
	const struct boot_memory *now = &life->session->memory;
	struct frame_list movable;
	struct drift drift;
	int r;

	if (!life->plan->remembers)
		return;
	r = drift_choose(map_history_setup(&life->history, now), now, PAGE,
			 life->settings.drift_margin,
			 ((uint64_t)life->settings.drift_mib << 20) / PAGE, NULL, &drift);
	if (r < 0)
		ck_abort_msg("out of memory");
	movable = drift_select(&drift.keep, &life->kernel, false);
	drift_unite(&life->offlined, &movable);
	free(movable.items);
	drift_free(&drift);
}

static void start_session(struct life *life, const struct drift_boot *boot, unsigned int key)
{
	clear(&life->kernel);
	clear(&life->offlined);
	clear(&life->elsewhere);
	life->session = boot;
	if (!life->plan->movable)
		life->kernel = drift_kernel_frames(life->machine, boot,
						   drift_draw(life->plan->seed, 's', key, 0));
	life->elsewhere = drift_elsewhere(life->machine, boot, life->fill / ELSEWHERE_SHARE);
	count_boot(life, boot, BOOT_STARTED);
	keep_free(life);
}

/* What the image carries of the history. */
static void take_along(struct life *life)
{
	maps_met_free(&life->met);
	if (!life->plan->remembers)
		return;
	if (drift_maps_met(map_history_setup(&life->history, &life->session->memory),
			   &life->session->memory, PAGE, &life->met) < 0)
		ck_abort_msg("out of memory");
	if (!maps_met_valid(&life->met))
		ck_abort_msg("seed %llu: maps met", (unsigned long long)life->plan->seed);
}

/* For how many boots one that refuses the image keeps it. */
static uint32_t weigh(const struct life *life, const struct drift_boot *now)
{
	struct met_now met;
	struct met_odds odds;

	if (!life->plan->remembers)
		return life->settings.mismatch_retries;
	if (drift_met_now(&now->memory, PAGE, &met) < 0)
		ck_abort_msg("out of memory");
	maps_met_odds(&life->met, life->image.items, life->image.count, &met, &odds);
	return maps_met_worth(&odds, life->settings.mismatch_retries);
}

static void make_image(struct life *life, unsigned int hibernation)
{
	struct frame_list used =
		drift_detail(life->machine, drift_draw(life->plan->seed, 'i', hibernation, 0),
			     life->fill);
	struct frame_list in_ram = drift_select(&used, &life->session->ram, true);

	drift_unite(&in_ram, &life->elsewhere);
	drift_unite(&in_ram, &life->kernel);
	clear(&life->image);
	life->image = drift_select(&in_ram, &life->offlined, false);
	free(used.items);
	free(in_ram.items);
	take_along(life);
}

static void judge(const struct life *life, const struct drift_boot *now, struct verdict *ret)
{
	struct platform then = life->session->platform; /* its lists are borrowed */
	const struct verdict_image image = { .ranges = life->image.items,
					     .range_count = life->image.count,
					     .header = life->session->header,
					     .header_length = sizeof(life->session->header) };

	then.ram.poisoned.items = life->offlined.items;
	then.ram.poisoned.count = life->offlined.count;
	then.ram.poisoned.known = true;
	if (verdict_judge(&then, &now->platform, &image, ret, NULL) < 0)
		ck_abort_msg("seed %llu: not judged", (unsigned long long)life->plan->seed);
}

static bool finds(const struct verdict *verdict, enum verdict_about about, enum verdict_class least)
{
	for (size_t i = 0; i < verdict->count; i++)
		if (verdict->findings[i].about == about && verdict->findings[i].class >= least)
			return true;
	return false;
}

/* Why this boot refuses. What no s2disk can do anything about comes first. */
static enum drift_loss cause_of(const struct life *life, const struct drift_boot *now,
				const struct verdict *verdict)
{
	struct frame_list gone = drift_select(&life->session->ram, &now->ram, false);
	struct frame_list hit = drift_select(&life->image, &gone, true);
	struct frame_list movable = drift_select(&hit, &life->kernel, false);
	uint64_t limit = ((uint64_t)life->settings.drift_mib << 20) / PAGE;
	enum drift_loss cause = LOSS_OTHER;

	if (finds(verdict, ABOUT_ACPI_TABLES, VERDICT_RISKY))
		cause = LOSS_TABLES;
	else if (finds(verdict, ABOUT_FIRMWARE, VERDICT_RISKY))
		cause = LOSS_FIRMWARE;
	else if (frames_total(gone.items, gone.count) > limit)
		cause = LOSS_MEMORY;
	else if (hit.count > 0)
		cause = movable.count > 0 ? LOSS_PAGES : LOSS_KERNEL;
	else if (verdict->findings[0].about == ABOUT_MEMORY_REGION && gone.count > 0)
		cause = LOSS_DOUBT;
	free(gone.items);
	free(hit.items);
	free(movable.items);
	return cause;
}

static void lose(struct life *life, enum drift_loss cause)
{
	life->tally->lost++;
	life->tally->cause[cause]++;
	if (!all_seen(life))
		return;
	life->tally->lost_after++;
	life->tally->avoidable += cause == LOSS_PAGES || cause == LOSS_DOUBT;
}

/* The system learns of the boots that refused only now. */
static void resume(struct life *life, const struct drift_boot *const *boots, unsigned int refusals,
		   const struct verdict *verdict)
{
	for (unsigned int i = 0; i < refusals; i++)
		count_boot(life, boots[i], BOOT_REFUSED);
	count_boot(life, boots[refusals], BOOT_RESUMED);
	drift_unite(&life->offlined, &verdict->plan.quarantine);
	keep_free(life);
}

/* The image is discarded. The system that boots then learns of the boots that refused it, too. */
static void lose_session(struct life *life, const struct drift_boot *const *boots,
			 unsigned int refusals, enum drift_loss cause, unsigned int key)
{
	lose(life, cause);
	for (unsigned int i = 0; i < refusals; i++)
		count_boot(life, boots[i], BOOT_REFUSED);
	start_session(life, boots[refusals], key);
}

static void hibernate(struct life *life, unsigned int hibernation)
{
	const struct drift_boot *boots[ATTEMPTS_MAX];

	update(life, hibernation);
	make_image(life, hibernation);
	life->tally->hibernations++;
	for (unsigned int attempt = 0;; attempt++) {
		enum drift_loss cause = LOSS_OTHER;
		struct verdict verdict;
		bool allowed;

		ck_assert(attempt < ATTEMPTS_MAX);
		boots[attempt] = draw_boot(life, hibernation, attempt);
		life->tally->boots++;
		judge(life, boots[attempt], &verdict);
		allowed = verdict_allows(&verdict, life->settings.platform_policy);
		if (allowed)
			resume(life, boots, attempt, &verdict);
		else
			cause = cause_of(life, boots[attempt], &verdict);
		verdict_free(&verdict);
		if (allowed)
			return;
		if (attempt < weigh(life, boots[attempt]))
			continue;
		lose_session(life, boots, attempt, cause, hibernation * ATTEMPTS_MAX + attempt);
		return;
	}
}

void drift_live(const struct drift_machine *machine, const struct drift_plan *plan,
		struct drift_tally *tally)
{
	struct life life = { .machine = machine, .plan = plan, .tally = tally };

	settings_defaults(&life.settings);
	life.fill = plan->fill ? plan->fill
			       : 30 + (unsigned int)(drift_draw(plan->seed, 'p', 0, 0) % 61);
	start_session(&life, draw_boot(&life, 0, 0), 0);
	for (unsigned int hibernation = 1; hibernation <= LIFE_HIBERNATIONS; hibernation++)
		hibernate(&life, hibernation);
	tally->lives++;
	map_history_free(&life.history);
	maps_met_free(&life.met);
	clear(&life.kernel);
	clear(&life.offlined);
	clear(&life.elsewhere);
	clear(&life.image);
}
