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

enum sleep_hybrid sleep_hybrid_way(const char *root, const struct sleep_config *config,
				   bool sealed_only)
{
	char offered[128], mode[32];
	bool deep;

	/* Kernels without that file know only the deep one. */
	if (io_read_text(root, FILE_NAME, offered, sizeof(offered)) < 0)
		return HYBRID_BY_S2DISK;
	deep = is_offered(offered, "deep", strlen("deep"));
	choose(config->memory_mode, offered, mode, sizeof(mode));
	if (deep && (!mode[0] || strcmp(mode, "deep") == 0))
		return HYBRID_BY_S2DISK;
	log_notice("s2disk can only use deep sleep for hybrid sleep, and %s%s",
		   deep ? "MemorySleepMode= of sleep.conf chooses " : "this machine has none",
		   deep ? mode : "");
	if (!sealed_only) {
		log_notice("systemd-sleep takes over, with an image of the kernel's own");
		return HYBRID_BY_SYSTEMD;
	}
	log_notice("an image of the kernel's own is not encrypted, and \"encrypt = y\" demands "
		   "encryption: suspending to RAM only, without an image on disk");
	return HYBRID_MEMORY_ONLY;
}
