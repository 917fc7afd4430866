/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verdict/finding_private.h"

#include "base/bytes.h"
#include "base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define SEPARATORS " \t,"
#define WORDS_SIZE 200

static const char *const class_names[] = { "same", "harmless", "corrected", "risky", "fatal" };
static const char *const policy_names[] = { "strict", "proven", "tolerant" };

static const char *const about_names[] = {
	[ABOUT_MEMORY_MAP] = "memory-map",
	[ABOUT_MEMORY_REGION] = "memory-region",
	[ABOUT_IMAGE_PAGES] = "image-pages",
	[ABOUT_HOTPLUG_MEMORY] = "hot-plugged-memory",
	[ABOUT_VIRTIO_MEM] = "virtio-mem",
	[ABOUT_MEMORY_SIZE] = "memory-size",
	[ABOUT_KERNEL_CHECK] = "kernel-check",
	[ABOUT_PAGE_COUNT] = "page-count",
	[ABOUT_ACPI_TABLES] = "acpi-tables",
	[ABOUT_ACPI_SIGNATURE] = "acpi-signature",
	[ABOUT_DEVICE_TREE] = "device-tree",
	[ABOUT_EFI_RUNTIME] = "efi-runtime",
	[ABOUT_FIRMWARE] = "firmware",
	[ABOUT_MACHINE] = "machine",
	[ABOUT_KERNEL] = "kernel",
	[ABOUT_CPU] = "processor",
	[ABOUT_CPU_FEATURES] = "processor-features",
	[ABOUT_CPU_COUNT] = "processor-count",
	[ABOUT_MICROCODE] = "microcode",
	[ABOUT_HYPERVISOR] = "hypervisor",
	[ABOUT_VMBUS_DEVICE] = "vmbus-device",
	[ABOUT_PCI_DEVICE] = "pci-device",
	[ABOUT_PCI_SPACE] = "pci-addresses",
	[ABOUT_FILE_SYSTEM] = "file-system",
	[ABOUT_SWAP_AREA] = "swap-area",
};

_Static_assert(ARRAY_SIZE(about_names) == ABOUT_COUNT, "one name each");

const char *verdict_class_name(enum verdict_class class)
{
	return class_names[class];
}

const char *verdict_about_name(enum verdict_about about)
{
	return about_names[about];
}

const char *verdict_policy_name(enum verdict_policy policy)
{
	return policy_names[policy];
}

int verdict_policy_parse(const char *text, enum verdict_policy *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(policy_names); i++) {
		if (strcasecmp(text, policy_names[i]) == 0) {
			*ret = (enum verdict_policy)i;
			return 0;
		}
	}
	return -EINVAL;
}

bool verdict_allows(const struct verdict *verdict, enum verdict_policy policy)
{
	switch (policy) {
	case POLICY_STRICT:
		return verdict->worst == VERDICT_SAME;
	case POLICY_TOLERANT:
		return verdict->worst <= VERDICT_RISKY;
	default:
		return verdict->worst <= VERDICT_CORRECTED;
	}
}

static const char *const accept_names[] = {
	[ACCEPT_NOTHING] = "",
	[ACCEPT_HYPERVISOR_VERSION] = "hypervisor-version",
	[ACCEPT_PROCESSOR_MODEL] = "processor-model",
	[ACCEPT_PROCESSOR_COUNT] = "processor-count",
	[ACCEPT_FIRMWARE_VERSION] = "firmware-version",
	[ACCEPT_MACHINE_MODEL] = "machine-model",
	[ACCEPT_DEVICE_TREE] = "device-tree",
	[ACCEPT_VMBUS_DEVICE] = "vmbus-device",
	[ACCEPT_PCI_DEVICE] = "pci-device",
};

_Static_assert(ARRAY_SIZE(accept_names) == ACCEPT_COUNT, "one name each");

const char *verdict_accept_name(enum verdict_accept accept)
{
	return accept_names[accept];
}

static int unknown_word(const char *word, size_t length, struct why *w)
{
	char words[WORDS_SIZE] = "";
	size_t used = 0;

	for (size_t i = ACCEPT_NOTHING + 1; i < ACCEPT_COUNT && used < sizeof(words); i++)
		used += (size_t)snprintf(words + used, sizeof(words) - used, "%s%s",
					 used ? ", " : "", accept_names[i]);
	return why(w, -EINVAL, "\"%.*s\" cannot be accepted; only: %s", (int)length, word, words);
}

int verdict_accept_parse(const char *text, unsigned int *ret, struct why *w)
{
	unsigned int set = 0;

	for (text += strspn(text, SEPARATORS); *text; text += strspn(text, SEPARATORS)) {
		size_t length = strcspn(text, SEPARATORS), i = ACCEPT_NOTHING + 1;

		while (i < ACCEPT_COUNT && (strlen(accept_names[i]) != length ||
					    strncmp(accept_names[i], text, length) != 0))
			i++;
		if (i == ACCEPT_COUNT)
			return unknown_word(text, length, w);
		set |= 1u << i;
		text += length;
	}
	*ret = set;
	return 0;
}

void verdict_accept(struct verdict *verdict, unsigned int accepted)
{
	enum verdict_class worst = VERDICT_SAME;

	if (accepted == 0 || verdict->omitted > 0)
		return;
	for (size_t i = 0; i < verdict->count; i++) {
		struct finding *finding = &verdict->findings[i];
		enum verdict_class class = finding->class;

		finding->accepted = class == VERDICT_RISKY && finding->accept != ACCEPT_NOTHING &&
				    (accepted & 1u << finding->accept);
		if (finding->accepted)
			class = VERDICT_HARMLESS;
		if (class > worst)
			worst = class;
	}
	verdict->worst = worst;
}

const char *verdict_acceptable(const struct verdict *verdict, char *buffer, size_t size)
{
	unsigned int set = 0;
	size_t used = 0;

	buffer[0] = '\0';
	if (verdict->worst != VERDICT_RISKY || verdict->omitted > 0)
		return buffer;
	for (size_t i = 0; i < verdict->count; i++) {
		const struct finding *finding = &verdict->findings[i];

		if (finding->class != VERDICT_RISKY || finding->accepted)
			continue;
		if (finding->accept == ACCEPT_NOTHING)
			return buffer;
		set |= 1u << finding->accept;
	}
	for (size_t i = ACCEPT_NOTHING + 1; i < ACCEPT_COUNT && used < size; i++)
		if (set & 1u << i)
			used += (size_t)snprintf(buffer + used, size - used, "%s%s",
						 used ? " " : "", accept_names[i]);
	return buffer;
}

void verdict_free(struct verdict *verdict)
{
	free(verdict->findings);
	free(verdict->plan.quarantine.items);
	free(verdict->plan.disable.items);
	*verdict = (struct verdict){ 0 };
}

struct finding *judge_add(struct judge *judge, enum verdict_about about, enum verdict_class class)
{
	struct verdict *verdict = judge->verdict;
	struct finding *findings, *finding = &judge->spare;

	if (class > verdict->worst)
		verdict->worst = class;
	if (verdict->count < FINDINGS_MAX) {
		findings = list_grow(verdict->findings, verdict->count, sizeof(*findings));
		if (findings) {
			verdict->findings = findings;
			finding = &findings[verdict->count++];
		} else {
			judge->error = -ENOMEM;
		}
	} else {
		verdict->omitted++;
	}
	*finding = (struct finding){ .about = about, .class = class };
	return finding;
}

void judge_say(char *text, size_t size, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(text, size, format, args);
	va_end(args);
}

void judge_same(struct judge *judge, enum verdict_about about, const char *text)
{
	SAY(judge_add(judge, about, VERDICT_SAME)->text, "%s", text);
}

struct finding *judge_text(struct judge *judge, enum verdict_about about, enum verdict_class class,
			   const char *then, const char *now)
{
	struct finding *finding;

	if (!*then || !*now || strcmp(then, now) == 0)
		return NULL;
	finding = judge_add(judge, about, class);
	SAY(finding->then, "%s", then);
	SAY(finding->now, "%s", now);
	return finding;
}

uint64_t judge_pages(const struct judge *judge, uint64_t start, uint64_t end)
{
	if (!judge->image)
		return 0;
	return frames_in_bytes(judge->image->ranges, judge->image->range_count, judge->page_size,
			       start, end);
}

void judge_explained(struct judge *judge, uint64_t start, uint64_t end)
{
	uint64_t first = start / judge->page_size;

	if (frames_append(&judge->explained, first, end / judge->page_size - first + 1) < 0)
		judge->error = -ENOMEM;
}

void size_words(uint64_t bytes, char *text, size_t size)
{
	if (bytes >= 1024 && bytes % 1024 == 0 && bytes < 10u << 20)
		snprintf(text, size, "%u KiB", (unsigned int)(bytes / 1024));
	else
		text_size(bytes, text, size);
}
