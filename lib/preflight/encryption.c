/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory encryption that the restore code of the kernel does not support. */
#include "preflight/preflight_private.h"

#include "base/cleanup.h"
#include "history/boot_record_file.h"
#include "kernel/messages/kernel_log.h"
#include "platform/hardware/encryption.h"

#define LOG_LIMIT (4u << 20)

/* The log of this boot may have been saved by an older resume, which did not keep this line; so the
 * kernel's own buffer is searched, too. */
static bool find_encryption(const char *root, char *kind, size_t size)
{
	_cleanup_free_ char *saved = NULL, *log = NULL;
	struct kernel kernel = { 0 };
	struct cpu cpu = { 0 };
	bool found;

	boot_record_log(root, &saved);
	kernel_log_read(root, LOG_LIMIT, &log);
	kernel_capture(root, NULL, &kernel);
	cpu_capture(root, &cpu);
	found = encryption_find(root, saved, kernel.release, &cpu.info, kind, size) ||
		encryption_find(root, log, kernel.release, &cpu.info, kind, size);
	cpu_free(&cpu);
	return found;
}

void check_memory_encryption(struct preflight_context *context)
{
	struct check *check;
	char kind[80];

	if (!find_encryption(context->root, kind, sizeof(kind)))
		return;
	check = preflight_add(context, "memory-encryption", CHECK_FAILED,
			      "memory encryption is active (%s): the kernel can make an image, but "
			      "cannot restore it",
			      kind);
	if (encryption_is_own(kind))
		preflight_advise(check, "boot without mem_encrypt=on, or with mem_encrypt=off, on "
					"the kernel command line; encryption by the firmware alone "
					"(TSME) does not matter");
	else
		preflight_advise(check, "shut this confidential guest down instead, or run the "
					"virtual machine without memory encryption");
}
