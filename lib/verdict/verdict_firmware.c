/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The firmware and the kernels: ACPI tables, EFI runtime services, names. */
#include "verdict/verdict_private.h"

#include "base/bytes.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

static const struct acpi_table *find_table(const struct acpi *acpi, const char *name)
{
	for (size_t i = 0; i < acpi->tables.count; i++)
		if (strcmp(acpi->tables.items[i].name, name) == 0)
			return &acpi->tables.items[i];
	return NULL;
}

static void report_table(struct judge *judge, const struct acpi_table *then,
			 const struct acpi_table *now, enum verdict_class class, const char *what)
{
	struct finding *finding = judge_add(judge, ABOUT_ACPI_TABLES, class);

	SAY(finding->then, "%s, %llu bytes at 0x%llx", then->name, (unsigned long long)then->length,
	    (unsigned long long)then->address);
	if (now)
		SAY(finding->now, "%s, %llu bytes at 0x%llx", now->name,
		    (unsigned long long)now->length, (unsigned long long)now->address);
	SAY(finding->text, "The ACPI table %s %s", then->name, what);
	if (then->address == 0 || then->length == 0)
		return;
	finding->has_range = true;
	finding->start = then->address;
	finding->end = then->address + (then->length - 1);
}

#define ACPI_SIGNATURE_LENGTH 4

#define FORGOTTEN "Nothing uses it once the kernel has booted."
#define TAKEN "The saved kernel keeps using what it read at boot."
#define IN_PLACE "The saved kernel keeps reading the old one at its old address."

static void report_content(struct judge *judge, const struct acpi_table *then,
			   const struct acpi_table *now)
{
	switch (acpi_use_of(then->name)) {
	case ACPI_FORGOTTEN:
		report_table(judge, then, now, VERDICT_HARMLESS,
			     now ? "changed. " FORGOTTEN : "is missing. " FORGOTTEN);
		break;
	case ACPI_TAKEN:
		report_table(judge, then, now, VERDICT_FATAL,
			     now ? "changed. " TAKEN : "is missing. " TAKEN);
		break;
	default:
		report_table(judge, then, now, VERDICT_FATAL,
			     now ? "changed. " IN_PLACE : "is missing. " IN_PLACE);
	}
}

/* The log fields of the TPM's table may differ: the log is read only at boot. */
static void report_tpm(struct judge *judge, const struct acpi_table *then,
		       const struct acpi_table *now)
{
	static const unsigned char unknown[SHA256_SIZE];

	if (memcmp(then->used_sha256, unknown, sizeof(unknown)) == 0 ||
	    memcmp(now->used_sha256, unknown, sizeof(unknown)) == 0)
		report_table(judge, then, now, VERDICT_RISKY,
			     "changed, and the image does not say whether more than the address of "
			     "its log did.");
	else if (memcmp(then->used_sha256, now->used_sha256, sizeof(unknown)) == 0)
		report_table(judge, then, now, VERDICT_HARMLESS,
			     "has another address for its log, which is read only at boot.");
	else
		report_content(judge, then, now);
}

static void report_moved(struct judge *judge, const struct acpi_table *then,
			 const struct acpi_table *now)
{
	if (acpi_use_of(then->name) == ACPI_IN_PLACE)
		report_table(judge, then, now, VERDICT_FATAL, "moved. " IN_PLACE);
	else
		report_table(judge, then, now, VERDICT_HARMLESS,
			     "moved. Nothing reads it once the kernel has booted.");
}

static bool same_content(const struct acpi_table *a, const struct acpi_table *b)
{
	return a->length == b->length && memcmp(a->sha256, b->sha256, sizeof(a->sha256)) == 0;
}

/* Is the very table there, under another number? Linux numbers SSDTs in the order in which the
 * firmware lists them, and the saved kernel knows them by their addresses. */
static bool is_listed_elsewhere(const struct acpi *acpi, const struct acpi_table *table)
{
	for (size_t i = 0; table->address != 0 && i < acpi->tables.count; i++) {
		const struct acpi_table *other = &acpi->tables.items[i];

		if (other->address == table->address && same_content(other, table) &&
		    strncmp(other->name, table->name, ACPI_SIGNATURE_LENGTH) == 0)
			return true;
	}
	return false;
}

static void compare_table(struct judge *judge, const struct acpi_table *then)
{
	const struct acpi_table *now = find_table(&judge->now->acpi, then->name);
	bool same = now && same_content(then, now);

	if (is_listed_elsewhere(&judge->now->acpi, then))
		return;
	if (!same && now && text_starts(then->name, "TPM2"))
		report_tpm(judge, then, now);
	else if (!same)
		report_content(judge, then, now);
	else if (then->address != 0 && now->address != 0 && then->address != now->address)
		report_moved(judge, then, now);
}

static bool covered(const struct byte_range *range, const struct acpi *acpi)
{
	for (size_t i = 0; i < acpi->tpm.count; i++)
		if (acpi->tpm.items[i].start <= range->start &&
		    acpi->tpm.items[i].end >= range->end)
			return true;
	return false;
}

/* Is all that is visible of the TPM now a part of what it had then, outside this area? */
static bool is_unseen(const struct byte_range *area, const struct acpi *then,
		      const struct acpi *now)
{
	for (size_t i = 0; i < now->tpm.count; i++) {
		const struct byte_range *other = &now->tpm.items[i];

		if (!covered(other, then) ||
		    (other->start <= area->end && area->start <= other->end))
			return false;
	}
	return now->tpm.count > 0;
}

/* The driver of the saved kernel has mapped the TPM's registers and buffers, and writes commands
 * there when it resumes. A buffer that the firmware does not list in the device's resources is
 * visible only while the driver is loaded (crb_map_res()). */
static void judge_tpm(struct judge *judge)
{
	const struct acpi *then = &judge->then->acpi, *now = &judge->now->acpi;

	for (size_t i = 0; now->tpm.known && i < then->tpm.count; i++) {
		const struct byte_range *area = &then->tpm.items[i];
		bool unseen = is_unseen(area, then, now);
		struct finding *finding;

		if (covered(area, now))
			continue;
		finding =
			judge_add(judge, ABOUT_ACPI_TABLES, unseen ? VERDICT_RISKY : VERDICT_FATAL);
		SAY(finding->then, "0x%llx-0x%llx", (unsigned long long)area->start,
		    (unsigned long long)area->end);
		SAY(finding->text,
		    "The TPM's registers or buffers at 0x%llx %s. The saved kernel would write its "
		    "commands to these addresses.",
		    (unsigned long long)area->start,
		    unseen ? "are not visible without its driver" : "are gone");
		if (unseen)
			SAY(finding->advice, "Add the module tpm_crb to the initramfs.");
		finding->has_range = true;
		finding->start = area->start;
		finding->end = area->end;
	}
}

/* Would the saved kernel itself refuse an image with another signature? It does as a guest, where
 * the host changes the signature only for that purpose, or with acpi_sleep=s4_hwsig. */
static bool signature_counts(const struct platform *then)
{
	if (then->kernel.flags & (KERNEL_SIGNATURE | KERNEL_NO_SIGNATURE))
		return then->kernel.flags & KERNEL_SIGNATURE;
	return then->guest.hypervisor;
}

static void judge_facs(struct judge *judge)
{
	const struct acpi_facs *then = &judge->then->acpi.facs, *now = &judge->now->acpi.facs;
	bool counts = signature_counts(judge->then);
	struct finding *finding;

	if (!then->present || !now->present || then->hardware_signature == now->hardware_signature)
		return;
	finding = judge_add(judge, ABOUT_ACPI_SIGNATURE, counts ? VERDICT_RISKY : VERDICT_HARMLESS);
	SAY(finding->then, "0x%08x", then->hardware_signature);
	SAY(finding->now, "0x%08x", now->hardware_signature);
	SAY(finding->text,
	    "The firmware reports that the hardware was changed (FACS signature). %s",
	    counts ? "The saved kernel treats that as a request not to resume."
		   : "Laptops report this when they are docked; the devices are compared one by "
		     "one.");
}

void judge_acpi(struct judge *judge)
{
	const struct acpi *then = &judge->then->acpi, *now = &judge->now->acpi;
	size_t before = judge->verdict->count;
	struct finding *finding;

	if (then->tables.known != now->tables.known) {
		finding = judge_add(judge, ABOUT_ACPI_TABLES, VERDICT_RISKY);
		SAY(finding->text, "The ACPI tables are known only %s.",
		    now->tables.known ? "of this boot" : "of the boot that was saved");
	} else {
		for (size_t i = 0; i < then->tables.count; i++)
			compare_table(judge, &then->tables.items[i]);
		for (size_t i = 0; i < now->tables.count; i++) {
			if (find_table(then, now->tables.items[i].name))
				continue;
			finding = judge_add(judge, ABOUT_ACPI_TABLES, VERDICT_HARMLESS);
			SAY(finding->now, "%s", now->tables.items[i].name);
			SAY(finding->text,
			    "The ACPI table %s is new; the saved kernel does not know it.",
			    now->tables.items[i].name);
		}
	}
	judge_tpm(judge);
	judge_facs(judge);
	if (judge->verdict->count == before && then->tables.known)
		judge_same(judge, ABOUT_ACPI_TABLES, "The ACPI tables are the same.");
}

static void tree_words(const struct device_tree *tree, char *text, size_t size)
{
	if (tree->present)
		snprintf(text, size, "%s%s%u properties", tree->model, *tree->model ? ", " : "",
			 tree->properties);
}

/* Drivers keep the addresses, interrupts and clocks that they read while they were probed. */
void judge_device_tree(struct judge *judge)
{
	const struct device_tree *then = &judge->then->device_tree;
	const struct device_tree *now = &judge->now->device_tree;
	struct finding *finding;

	/* Of an older image it is not known. */
	if (!then->present)
		return;
	if (now->present && memcmp(then->sha256, now->sha256, sizeof(then->sha256)) == 0) {
		judge_same(judge, ABOUT_DEVICE_TREE, "The device tree is the same.");
		return;
	}
	finding = judge_add(judge, ABOUT_DEVICE_TREE, VERDICT_RISKY);
	finding->accept = ACCEPT_DEVICE_TREE;
	tree_words(then, finding->then, sizeof(finding->then));
	tree_words(now, finding->now, sizeof(finding->now));
	if (!now->present)
		SAY(finding->text, "A device tree is known only of the boot that was saved.");
	else
		SAY(finding->text,
		    "The device tree is another: %s, not %s. The saved kernel keeps using the "
		    "addresses, interrupts and clocks that the old one names.",
		    finding->now, finding->then);
	SAY(finding->advice, "Boot with the device tree of the system that hibernated: the same "
			     "firmware, settings, boot entry, .dtb file and overlays.");
}

static const struct efi_region *find_region(const struct efi *efi, uint64_t start)
{
	for (size_t i = 0; i < efi->regions.count; i++)
		if (efi->regions.items[i].start == start)
			return &efi->regions.items[i];
	return NULL;
}

static struct finding *report_efi(struct judge *judge, const struct efi_region *then,
				  const char *what)
{
	struct finding *finding = judge_add(judge, ABOUT_EFI_RUNTIME, VERDICT_FATAL);

	SAY(finding->then, "%s 0x%llx-0x%llx at 0x%llx", efi_type_name(then->type),
	    (unsigned long long)then->start, (unsigned long long)efi_region_end(then),
	    (unsigned long long)then->virtual_start);
	SAY(finding->text,
	    "The EFI %s at 0x%llx %s. The saved kernel would call invalid addresses.",
	    efi_type_name(then->type), (unsigned long long)then->start, what);
	finding->has_range = true;
	finding->start = then->start;
	finding->end = efi_region_end(then);
	return finding;
}

/* A table that the firmware left in memory that it no longer uses. */
static void compare_left_over(struct judge *judge, const struct efi_region *then,
			      const struct efi_region *now)
{
	struct finding *finding;

	if (now && now->type == then->type && now->pages == then->pages)
		return;
	finding = judge_add(judge, ABOUT_EFI_RUNTIME, VERDICT_HARMLESS);
	SAY(finding->then, "%s 0x%llx-0x%llx", efi_type_name(then->type),
	    (unsigned long long)then->start, (unsigned long long)efi_region_end(then));
	SAY(finding->text,
	    "The firmware left its boot-time tables at an address other than 0x%llx. It does not "
	    "use them, and the saved kernel has already read them.",
	    (unsigned long long)then->start);
}

/* This boot's kernel has set the virtual addresses, and the firmware has relocated itself
 * accordingly, so they must match, too. */
static void compare_region(struct judge *judge, const struct efi_region *then)
{
	const struct efi_region *now = find_region(&judge->now->efi, then->start);
	struct finding *finding = NULL;

	if (!efi_region_is_firmware(then)) {
		compare_left_over(judge, then, now);
		return;
	}
	if (!now) {
		report_efi(judge, then, "is gone");
		return;
	}
	if (then->type != now->type || then->pages != now->pages)
		finding = report_efi(judge, then, "changed its size or type");
	else if (then->virtual_start != now->virtual_start)
		finding = report_efi(judge, then, "is mapped at another virtual address");
	if (finding)
		SAY(finding->now, "%s 0x%llx-0x%llx at 0x%llx", efi_type_name(now->type),
		    (unsigned long long)now->start, (unsigned long long)efi_region_end(now),
		    (unsigned long long)now->virtual_start);
}

static void compare_table_address(struct judge *judge, enum verdict_class class, uint64_t then,
				  uint64_t now, const char *what)
{
	struct finding *finding;

	if (then == 0 || now == 0 || then == now)
		return;
	finding = judge_add(judge, ABOUT_EFI_RUNTIME, class);
	SAY(finding->then, "0x%llx", (unsigned long long)then);
	SAY(finding->now, "0x%llx", (unsigned long long)now);
	SAY(finding->text, "%s", what);
}

/* This boot's firmware relocated its pointers, including those into such a region, to addresses
 * that the saved kernel's page tables do not map. */
static void report_new_region(struct judge *judge, const struct efi_region *now)
{
	struct finding *finding = judge_add(judge, ABOUT_EFI_RUNTIME, VERDICT_FATAL);

	SAY(finding->now, "%s 0x%llx-0x%llx at 0x%llx", efi_type_name(now->type),
	    (unsigned long long)now->start, (unsigned long long)efi_region_end(now),
	    (unsigned long long)now->virtual_start);
	SAY(finding->text,
	    "The EFI %s at 0x%llx is new. The saved kernel does not map it, and this boot's "
	    "firmware uses it when it is called.",
	    efi_type_name(now->type), (unsigned long long)now->start);
	finding->has_range = true;
	finding->start = now->start;
	finding->end = efi_region_end(now);
}

static void compare_regions(struct judge *judge)
{
	const struct efi *then = &judge->then->efi, *now = &judge->now->efi;
	bool missing = false;

	for (size_t i = 0; i < then->regions.count; i++) {
		const struct efi_region *region = &then->regions.items[i];

		missing = missing ||
			  (efi_region_is_firmware(region) && !find_region(now, region->start));
		compare_region(judge, region);
	}
	/* A region missing at its old address is usually the one that is new elsewhere. */
	for (size_t i = 0; !missing && then->regions.count > 0 && i < now->regions.count; i++) {
		const struct efi_region *region = &now->regions.items[i];
		const struct efi_region *old = find_region(then, region->start);

		if (efi_region_is_firmware(region) && (!old || !efi_region_is_firmware(old)))
			report_new_region(judge, region);
	}
}

/* A kernel that calls none has no map of them either. */
static bool efi_is_called(const struct platform *platform)
{
	return platform->efi.regions.known ||
	       (platform->efi.state.booted && !(platform->kernel.flags & KERNEL_NO_EFI_RUNTIME));
}

bool efi_is_unseen(const struct platform *platform)
{
	return efi_is_called(platform) && !platform->efi.regions.known;
}

static void report_no_efi(struct judge *judge)
{
	const struct efi *then = &judge->then->efi;
	struct finding *finding = judge_add(judge, ABOUT_EFI_RUNTIME, VERDICT_FATAL);

	if (then->regions.known)
		SAY(finding->then, "%zu regions", then->regions.count);
	SAY(finding->text, "The saved kernel uses EFI runtime services, and this boot has "
			   "none: it booted without EFI, or with noefi or efi=noruntime.");
}

void judge_efi(struct judge *judge)
{
	const struct efi *then = &judge->then->efi, *now = &judge->now->efi;
	bool unseen = efi_is_unseen(judge->then);
	size_t before = judge->verdict->count;

	if (!efi_is_called(judge->then))
		return;
	if (unseen ? !efi_is_called(judge->now) : then->regions.known && !now->regions.known) {
		report_no_efi(judge);
	} else {
		compare_regions(judge);
		compare_table_address(judge, VERDICT_FATAL, then->state.runtime, now->state.runtime,
				      "The EFI runtime services table moved. The saved kernel "
				      "would call invalid addresses.");
		compare_table_address(
			judge, VERDICT_HARMLESS, then->state.config_table, now->state.config_table,
			"The EFI configuration table moved. The saved kernel read it at boot.");
	}
	if (judge->verdict->count == before)
		judge_same(judge, ABOUT_EFI_RUNTIME,
			   unseen ? "Both boots have EFI runtime services; their regions are not "
				    "visible with this kernel."
				  : "The EFI runtime services are unchanged.");
}

void judge_machine(struct judge *judge)
{
	const struct dmi *then = &judge->then->dmi, *now = &judge->now->dmi;
	size_t before = judge->verdict->count;
	struct finding *finding;
	/* Other firmware has its runtime services at other addresses within the same regions. */
	bool called = efi_is_called(judge->then);

#define MACHINE(member)                                                                         \
	finding = judge_text(judge, ABOUT_MACHINE, VERDICT_RISKY, then->member, now->member);   \
	if (finding) {                                                                          \
		finding->accept = ACCEPT_MACHINE_MODEL;                                         \
		SAY(finding->text, "This is another kind of machine: %s, not %s.", now->member, \
		    then->member);                                                              \
	}
	MACHINE(vendor)
	MACHINE(product)
	MACHINE(version)
	MACHINE(board)
#undef MACHINE
#define FIRMWARE(member)                                                                           \
	finding = judge_text(judge, ABOUT_FIRMWARE, called ? VERDICT_FATAL : VERDICT_RISKY,        \
			     then->member, now->member);                                           \
	if (finding) {                                                                             \
		finding->accept = ACCEPT_FIRMWARE_VERSION;                                         \
		SAY(finding->text, "The firmware was changed from %s to %s.%s", then->member,      \
		    now->member, called ? " The saved kernel calls the old one's services." : ""); \
	}
	FIRMWARE(firmware_vendor)
	FIRMWARE(firmware_version)
	FIRMWARE(firmware_date)
#undef FIRMWARE
	if (judge->verdict->count == before && *then->product)
		judge_same(judge, ABOUT_MACHINE,
			   "The machine and its firmware version are the same.");
}

/* On x86-64 the image contains its own kernel and entry point, so any kernel that knows the format
 * can load it. */
void judge_kernel(struct judge *judge)
{
	const struct kernel *then = &judge->then->kernel, *now = &judge->now->kernel;
	bool neutral = strcmp(now->machine, "x86_64") == 0 || !*now->machine;
	struct finding *finding;

	if (judge_text(judge, ABOUT_KERNEL, VERDICT_FATAL, then->machine, now->machine)) {
		finding = &judge->verdict->findings[judge->verdict->count - 1];
		SAY(finding->text, "The image is of another architecture.");
		return;
	}
	if (judge->image && judge->image->zero_pages > 0 && *now->release &&
	    !kernel_at_least(now->release, 6, 7)) {
		finding = judge_add(judge, ABOUT_KERNEL, VERDICT_FATAL);
		SAY(finding->now, "%s", now->release);
		SAY(finding->text,
		    "The image omits zero pages, which kernels before 6.7 do not support: this "
		    "kernel (%s) will refuse it.",
		    now->release);
		SAY(finding->advice, "Boot the kernel that made it (%s).", then->release);
		return;
	}
	finding = judge_text(judge, ABOUT_KERNEL, neutral ? VERDICT_HARMLESS : VERDICT_FATAL,
			     then->build, now->build);
	if (!finding) {
		if (*then->build)
			judge_same(judge, ABOUT_KERNEL, "The kernel is the same build.");
		return;
	}
	SAY(finding->then, "%s", then->release);
	SAY(finding->now, "%s", now->release);
	if (neutral)
		SAY(finding->text,
		    "This kernel is a different build from the saved one; any build of this "
		    "architecture can load the image.");
	else
		SAY(finding->text,
		    "This kernel is a different build from the saved one, and on this "
		    "architecture only the same build can load the image.");
}
