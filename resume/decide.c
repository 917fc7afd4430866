/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decide.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "image/verdict_input.h"
#include "history/boot_record_file.h"
#include "history/maps/drift.h"
#include "platform/filesystems/other_swaps.h"
#include "resume/place/efi_variables.h"
#include "verdict/verdict.h"
#include "verdict/report/verdict_report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* How long to wait for a disk with swap; without it the image is refused. */
#define SWAP_MSEC 10000

/* How often to look again for a device that is missing: ten seconds. */
#define DEVICE_TURNS 50
#define DEVICE_TURN_MSEC 200

static void report_finding(const struct finding *finding, struct handover *handover)
{
	const char *class =
		finding->accepted ? "risky, accepted" : verdict_class_name(finding->class);

	if (finding->class == VERDICT_SAME)
		return;
	if (finding->class == VERDICT_HARMLESS) {
		log_info("%s: %s", class, finding->text);
		return;
	}
	log_notice("%s: %s%s%s", class, finding->text, finding->advice[0] ? " " : "",
		   finding->advice);
	handover_add_line(handover, "%s: %s", class, finding->text);
}

/* As a number, so the last byte comes first. */
static void hex(const unsigned char *bytes, size_t count, char *text)
{
	for (size_t i = 0; i < count; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[count - 1 - i]);
}

static void report_plan(const struct verdict_plan *plan, struct handover *handover)
{
	char old[2 * E820_CHECKSUM_MAX + 1], new[2 * E820_CHECKSUM_MAX + 1];

	if (plan->patch_checksum) {
		hex(plan->old_checksum, plan->checksum_size, old);
		hex(plan->new_checksum, plan->checksum_size, new);
		log_notice("memory map checksum in the kernel's header: %s, now %s", old, new);
		handover_add_line(handover, "memory map checksum %s became %s", old, new);
	}
	if (plan->patch_page_count) {
		log_notice("page count in the kernel's header: %" PRIu64 ", now %" PRIu64,
			   plan->old_page_count, plan->new_page_count);
		handover_add_line(handover, "page count %" PRIu64 " became %" PRIu64,
				  plan->old_page_count, plan->new_page_count);
	}
}

_Static_assert(PLAN_FRAMES_MAX == HANDOVER_PAGES_MAX && PLAN_RUNS_MAX == HANDOVER_RANGES_MAX,
	       "a plan is judged by what can be handed over");

/* The restored system does the quarantine, so the image is refused if it does not fit into the
 * hand-over. */
static int plan_quarantine(struct decision *decision, struct handover *handover, struct why *w)
{
	const struct verdict_plan *plan = &decision->verdict.plan;
	uint64_t pages = frames_total(plan->quarantine.items, plan->quarantine.count);

	if (plan->quarantine.count > HANDOVER_RANGES_MAX || pages > HANDOVER_PAGES_MAX) {
		decision->fatal = true;
		decision->map_refused = true;
		return why(w, -EPERM,
			   "%" PRIu64 " pages in %zu range%s would have to be offlined; at "
			   "most %u in %u can be",
			   pages, plan->quarantine.count, plan->quarantine.count == 1 ? "" : "s",
			   HANDOVER_PAGES_MAX, HANDOVER_RANGES_MAX);
	}
	for (size_t i = 0; i < plan->quarantine.count; i++)
		handover->quarantine[i] = (struct handover_range){
			.first = plan->quarantine.items[i].first,
			.count = plan->quarantine.items[i].count,
		};
	handover->quarantine_count = (uint32_t)plan->quarantine.count;
	return 0;
}

static int correct(const struct sections *sections, const struct verdict_plan *plan,
		   unsigned char **ret, struct why *w)
{
	_cleanup_free_ unsigned char *page = NULL;
	int r;

	if (!plan->patch_checksum && !plan->patch_page_count)
		return 0;
	page = malloc(sections->kernel_header.size);
	if (!page)
		return -ENOMEM;
	memcpy(page, sections->kernel_header.data, sections->kernel_header.size);
	r = verdict_correct_header(plan, page, sections->kernel_header.size);
	if (r < 0)
		return why(w, r, "the kernel's header is not the one that was judged");
	*ret = steal_pointer(&page);
	return 0;
}

/* Only "tolerant" accepts an image that does not say what machine it is of. */
static int decide_unknown(enum verdict_policy policy, struct handover *handover, struct why *w)
{
	static const char unknown[] = "the image does not say what machine it is of";

	if (policy != POLICY_TOLERANT)
		return why(w, -EPERM, "%s", unknown);
	log_notice("%s: %s", verdict_class_name(VERDICT_RISKY), unknown);
	handover_add_line(handover, "%s: %s", verdict_class_name(VERDICT_RISKY), unknown);
	return 0;
}

/* Logs all findings; refuses with the worst. */
static int apply_policy(const struct decision *decision, enum verdict_policy policy,
			struct handover *handover, struct why *w)
{
	const struct verdict *verdict = &decision->verdict;
	char summary[160], words[160];

	verdict_summary(verdict, summary, sizeof(summary));
	log_notice("this machine and the one that hibernated: %s", summary);
	for (size_t i = 0; i < verdict->count; i++)
		report_finding(&verdict->findings[i], handover);
	if (verdict_allows(verdict, policy)) {
		report_plan(&verdict->plan, handover);
		return 0;
	}
	if (verdict->count == 0)
		return why(w, -EPERM, "%s", summary);
	/* The findings were just logged. */
	if (verdict->worst == VERDICT_FATAL)
		return why(w, -EPERM,
			   "the verdict is fatal: no setting makes this image safe here");
	verdict_acceptable(verdict, words, sizeof(words));
	return why(w, -EPERM, "the verdict is %s, which platform policy = %s does not accept%s%s%s",
		   verdict_class_name(verdict->worst), verdict_policy_name(policy),
		   *words ? "; accept = " : "", words, *words ? " would" : "");
}

/* This boot, and the odds of another one. */
static void note_boot(const struct verdict_input *then, const struct platform *now, const char *log,
		      struct decision *ret)
{
	struct met_now met;

	boot_memory_free(&ret->boot);
	if (boot_memory_of("", now, log, (uint64_t)time(NULL), &ret->boot) < 0 ||
	    ret->boot.map.entries.count == 0 || drift_met_now(&ret->boot, page_size(), &met) < 0)
		return;
	maps_met_odds(&then->platform.met, then->image.ranges, then->image.range_count, &met,
		      &ret->odds);
	ret->odds_at_least = then->image.coarse;
}

static int compare(const struct verdict_input *then, const struct settings *settings,
		   struct decision *ret, struct why *w)
{
	_cleanup_free_ char *log = NULL;
	struct platform now = { 0 };
	unsigned int accepted = 0;
	int r;

	/* Without the log less is known; the verdict reports that. */
	if (boot_record_log("", &log) < 0)
		log = NULL;
	r = platform_capture("", log, &now, w);
	if (r == 0)
		r = platform_look_for("", &then->platform, &now);
	if (r == 0)
		r = other_swaps_await("", &then->platform.swaps, SWAP_MSEC, &now.swaps);
	if (r == 0)
		r = verdict_judge(&then->platform, &now, &then->image, &ret->verdict, w);
	if (r == 0 && verdict_accept_parse(settings->accept, &accepted, NULL) == 0)
		verdict_accept(&ret->verdict, accepted);
	if (r == 0)
		note_boot(then, &now, log, ret);
	platform_free(&now);
	return r;
}

/* Is that the only reason why this policy refuses the image? */
static bool refuses_only(const struct verdict *verdict, enum verdict_policy policy,
			 bool (*is_it)(const struct finding *finding))
{
	struct verdict rest = { .worst = VERDICT_SAME };
	bool some = false;

	if (verdict->omitted > 0)
		return false;
	for (size_t i = 0; i < verdict->count; i++) {
		const struct finding *finding = &verdict->findings[i];

		if (is_it(finding))
			some = true;
		else if (!finding->accepted && finding->class > rest.worst)
			rest.worst = finding->class;
	}
	return some && verdict_allows(&rest, policy) && !verdict_allows(verdict, policy);
}

static bool is_lack_of_memory(const struct finding *finding)
{
	return finding->about == ABOUT_MEMORY_SIZE && finding->class == VERDICT_FATAL;
}

/* Where another PCI device is in its place, it cannot come. One of its kind on the VMBus takes no
 * place. */
static bool is_missing_device(const struct finding *finding)
{
	return (finding->about == ABOUT_VMBUS_DEVICE ||
		(finding->about == ABOUT_PCI_DEVICE && !*finding->now)) &&
	       finding->class >= VERDICT_RISKY && !finding->accepted;
}

/* A host offers its devices one after the other, and modules are still being loaded. */
static int compare_waiting(const struct verdict_input *then, const struct settings *settings,
			   struct decision *ret, struct why *w)
{
	enum verdict_policy policy = settings->platform_policy;
	const struct timespec turn = { .tv_nsec = DEVICE_TURN_MSEC * 1000000L };
	int r = compare(then, settings, ret, w);

	for (int i = 0;
	     r == 0 && i < DEVICE_TURNS && refuses_only(&ret->verdict, policy, is_missing_device);
	     i++) {
		if (i == 0)
			log_notice("waiting up to %d s for a device that is missing",
				   DEVICE_TURNS * DEVICE_TURN_MSEC / 1000);
		verdict_free(&ret->verdict);
		nanosleep(&turn, NULL);
		r = compare(then, settings, ret, w);
	}
	return r;
}

/* Released only if the image needs them: 1 GiB pages may not be reserved again, and the crash
 * kernel's memory cannot be. */
static uint64_t make_room(struct kept_memory *kept, struct handover *handover)
{
	uint64_t bytes = kept_memory_give_huge(kept, "");
	const char *what = "huge pages";
	char size[24];

	if (bytes == 0) {
		bytes = kept_memory_give_crash("");
		what = "a crash kernel";
	}
	if (bytes > 0) {
		text_size(bytes, size, sizeof(size));
		log_notice("%s of memory that the kernel command line reserves for %s are used for "
			   "the image",
			   size, what);
		handover_add_line(handover, "%s reserved for %s were used for the image", size,
				  what);
	}
	return bytes;
}

static int compare_with_room(const struct verdict_input *then, const struct settings *settings,
			     struct kept_memory *kept, struct handover *handover,
			     struct decision *ret, struct why *w)
{
	enum verdict_policy policy = settings->platform_policy;
	int r = compare_waiting(then, settings, ret, w);

	while (r == 0 && refuses_only(&ret->verdict, policy, is_lack_of_memory) &&
	       make_room(kept, handover) > 0) {
		verdict_free(&ret->verdict);
		r = compare(then, settings, ret, w);
	}
	return r;
}

/* Also in an initramfs that has not mounted the EFI variables: without them the boot loader would
 * have another name than in the system. Once, for all looks at the machine: a mount asks the
 * firmware for each variable (efivar_init(), fs/efivarfs/vars.c). */
static int compare_with_variables(const struct verdict_input *then, const struct settings *settings,
				  struct kept_memory *kept, struct handover *handover,
				  struct decision *ret, struct why *w)
{
	bool mounted = efi_variables_mount("");
	int r = compare_with_room(then, settings, kept, handover, ret, w);

	if (mounted)
		efi_variables_unmount();
	return r;
}

static bool is_of_map(const struct finding *finding)
{
	enum verdict_about about = finding->about;

	return about == ABOUT_MEMORY_MAP || about == ABOUT_MEMORY_REGION ||
	       about == ABOUT_IMAGE_PAGES || about == ABOUT_KERNEL_CHECK ||
	       about == ABOUT_PAGE_COUNT || about == ABOUT_ACPI_TABLES ||
	       about == ABOUT_EFI_RUNTIME;
}

/* What a boot begins without: virtio-mem with nothing plugged, and without memory that the host
 * added to the running machine. Its user can give it back, a reboot cannot. */
static bool is_missing_memory(const struct finding *finding)
{
	return finding->about == ABOUT_VIRTIO_MEM || finding->about == ABOUT_HOTPLUG_MEMORY;
}

/* A guest that was moved to another host, or a machine whose firmware was updated, stays so,
 * whether that is risky or fatal. Not so what another boot entry changes. */
static bool is_other_machine(const struct finding *finding)
{
	enum verdict_about about = finding->about;

	return finding->class >= VERDICT_RISKY && !finding->of_command_line &&
	       (about == ABOUT_HYPERVISOR || about == ABOUT_FIRMWARE || about == ABOUT_MACHINE ||
		about == ABOUT_CPU || about == ABOUT_CPU_FEATURES || about == ABOUT_DEVICE_TREE);
}

static bool is_mendable(const struct finding *finding)
{
	return finding->mendable && finding->class >= VERDICT_RISKY && !finding->accepted;
}

/* Does this policy refuse the image for such a finding? */
static bool refused_by(const struct verdict *verdict, enum verdict_policy policy,
		       bool (*is_it)(const struct finding *finding))
{
	for (size_t i = 0; i < verdict->count; i++) {
		const struct finding *finding = &verdict->findings[i];
		const struct verdict alone = { .worst = finding->class };

		if (is_it(finding) && !finding->accepted && !verdict_allows(&alone, policy))
			return true;
	}
	return false;
}

/* With a verdict. */
static int act_on_verdict(const struct sections *sections, const struct settings *settings,
			  struct handover *handover, struct decision *ret, struct why *w)
{
	int r;

	ret->fatal = ret->verdict.worst == VERDICT_FATAL;
	ret->hopeless = ret->verdict.hopeless;
	ret->map_refused = refused_by(&ret->verdict, settings->platform_policy, is_of_map);
	ret->memory_missing =
		refused_by(&ret->verdict, settings->platform_policy, is_missing_memory);
	ret->other_machine = refused_by(&ret->verdict, settings->platform_policy, is_other_machine);
	ret->user_can_mend = refuses_only(&ret->verdict, settings->platform_policy, is_mendable);
	r = apply_policy(ret, settings->platform_policy, handover, w);
	if (r == 0)
		r = plan_quarantine(ret, handover, w);
	return r < 0 ? r : correct(sections, &ret->verdict.plan, &ret->first_page, w);
}

int decide_image(struct image_reader *reader, const struct settings *settings,
		 struct handover *handover, struct kept_memory *kept, struct decision *ret,
		 struct why *w)
{
	const struct sections *sections = image_reader_sections(reader);
	struct verdict_input then = { 0 };
	int r;

	*ret = (struct decision){ 0 };
	r = verdict_input_open(sections, &then, w);
	if (r < 0)
		return r;
	then.image.no_handover = image_reader_header(reader)->handover == 0;
	ret->platform_mode = then.platform.hibernation.platform_mode;
	if (!then.described) {
		r = decide_unknown(settings->platform_policy, handover, w);
	} else {
		r = compare_with_variables(&then, settings, kept, handover, ret, w);
		if (r == 0)
			r = act_on_verdict(sections, settings, handover, ret, w);
	}
	verdict_input_close(&then);
	return r;
}

void decision_free(struct decision *decision)
{
	verdict_free(&decision->verdict);
	free(decision->first_page);
	decision->first_page = NULL;
	boot_memory_free(&decision->boot);
}
