/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sleep_hybrid.h"

#include "base/io.h"
#include "base/log.h"
#include "base/text.h"

#include <string.h>

#define FILE_NAME "/sys/power/mem_sleep"

/* Is a word of that length in a text like "s2idle [deep]"? */
static bool is_offered(const char *offered, const char *word, size_t length)
{
	static const char between[] = " \t\n[]";

	for (const char *at = offered + strspn(offered, between); *at; at += strspn(at, between)) {
		size_t size = strcspn(at, between);

		if (size == length && strncmp(at, word, size) == 0)
			return true;
		at += size;
	}
	return false;
}

/* The first of MemorySleepMode= that the kernel offers, into mode; "" for none. */
static void choose(const char *wanted, const char *offered, char *mode, size_t size)
{
	mode[0] = '\0';
	for (wanted += strspn(wanted, " \t"); *wanted; wanted += strspn(wanted, " \t")) {
		size_t length = strcspn(wanted, " \t");

		if (length < size && is_offered(offered, wanted, length)) {
			memcpy(mode, wanted, length);
			mode[length] = '\0';
			return;
		}
		wanted += length;
	}
}

/* The kernel's own choice, the word in brackets, into mode: by the firmware (FADT's low-power idle
 * flag) or mem_sleep_default= of the command line. */
static void read_current(const char *offered, char *mode, size_t size)
{
	const char *at = strchr(offered, '[');
	size_t length = at ? strcspn(++at, "]") : size;

	mode[0] = '\0';
	if (length < size)
		text_copy(mode, length + 1, at);
}

static void explain(const char *mode, bool chosen, bool deep)
{
	if (!deep)
		log_notice("s2disk can only use deep sleep for hybrid sleep, and this machine has "
			   "none");
	else if (chosen)
		log_notice("s2disk can only use deep sleep for hybrid sleep, and MemorySleepMode= "
			   "of sleep.conf chooses %s",
			   mode);
	else
		log_notice("s2disk can only use deep sleep for hybrid sleep, and this machine is "
			   "set to %s; MemorySleepMode=deep in sleep.conf would choose it",
			   mode);
}

enum sleep_hybrid sleep_hybrid_way(const char *root, const struct sleep_config *config,
				   bool sealed_only)
{
	char offered[128], mode[32];
	bool chosen;

	/* Kernels without that file know only the deep one. */
	if (io_read_text(root, FILE_NAME, offered, sizeof(offered)) < 0)
		return HYBRID_BY_S2DISK;
	choose(config->memory_mode, offered, mode, sizeof(mode));
	chosen = mode[0] != '\0';
	if (!chosen)
		read_current(offered, mode, sizeof(mode));
	if (strcmp(mode, "deep") == 0)
		return HYBRID_BY_S2DISK;
	explain(mode, chosen, is_offered(offered, "deep", strlen("deep")));
	if (!sealed_only) {
		log_notice("systemd-sleep takes over, with an image of the kernel's own");
		return HYBRID_BY_SYSTEMD;
	}
	log_notice("an image of the kernel's own is not encrypted, and \"encrypt = y\" demands "
		   "encryption: suspending to RAM only, without an image on disk");
	return HYBRID_MEMORY_ONLY;
}

void sleep_hybrid_choose_deep(const char *root)
{
	char offered[128], mode[32];
	int r;

	if (io_read_text(root, FILE_NAME, offered, sizeof(offered)) < 0)
		return;
	read_current(offered, mode, sizeof(mode));
	if (strcmp(mode, "deep") == 0)
		return;
	r = io_write_text(root, FILE_NAME, "deep");
	if (r < 0)
		log_warning("deep sleep is entered, but is not the mode in use: %s", strerror(-r));
}
