/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "swapfile_kernel.h"

#include "base/cleanup.h"
#include "base/io.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "kernel/kernel_cmdline.h"
#include "kernel/kernel_resume.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#define PLACE_SIZE 64
#define BOOT_ID "/proc/sys/kernel/random/boot_id"

int swapfile_read_kind(const struct swap_area *area, enum swap_signature_kind *ret, struct why *w)
{
	_cleanup_free_ unsigned char *page = aligned_alloc(page_size(), page_size());
	_cleanup_close_ int fd = page ? swap_area_open(area, O_RDONLY, w) : -ENOMEM;
	int r = fd < 0 ? fd : io_pread_full(fd, page, page_size(), swap_area_start(area));

	if (r == 0)
		*ret = swap_signature_kind(page, page_size());
	return r < 0 ? why_prefix(w, r, "%s cannot be read", area->device) : 0;
}

static void read_boot(const struct swapfile_system *system, char boot[PLACE_SIZE])
{
	if (io_read_text(system->root, BOOT_ID, boot, PLACE_SIZE) < 0 || !text_trim(boot)[0])
		strcpy(boot, "-");
	boot[strcspn(boot, " \n")] = '\0';
}

static int read_place(const struct swapfile_system *system, char place[PLACE_SIZE])
{
	char device[PLACE_SIZE / 2], offset[PLACE_SIZE / 2];

	if (io_read_text(system->root, "/sys/power/resume", device, sizeof(device)) < 0)
		return -ENOENT;
	/* Before Linux 4.17 there was none. */
	if (io_read_text(system->root, "/sys/power/resume_offset", offset, sizeof(offset)) < 0)
		strcpy(offset, "0");
	snprintf(place, PLACE_SIZE, "%s %s", text_trim(device), text_trim(offset));
	return swapfile_kernel_is_place(place) ? 0 : -EBADMSG;
}

static bool parse(const char *place, unsigned int *major, unsigned int *minor, uint64_t *offset)
{
	return sscanf(place, "%u:%u %" SCNu64, major, minor, offset) == 3;
}

bool swapfile_kernel_is_place(const char *text)
{
	unsigned int high, low;
	uint64_t offset;

	return text && parse(text, &high, &low, &offset);
}

int swapfile_plan_kernel(struct plan *plan, const struct swapfile_system *system, const char *path,
			 dev_t dev, const char *offset)
{
	char old[PLACE_SIZE], new[PLACE_SIZE], boot[PLACE_SIZE];
	struct kernel_cmdline cmdline = { 0 };
	struct step *step;
	int r;

	kernel_cmdline_read(system->root, &cmdline);
	snprintf(new, sizeof(new), "%u:%u %s", major(dev), minor(dev), offset);
	if (cmdline.noresume || read_place(system, old) < 0 || strcmp(old, new) == 0)
		return 0;
	r = plan_add(plan, STEP_PLACE, path);
	if (r < 0)
		return r;
	read_boot(system, boot);
	step = &plan->steps[plan->count - 1];
	step->text[TEXT_NEW] = strdup(new);
	if (asprintf(&step->text[TEXT_OLD], "%s %s", old, boot) < 0)
		step->text[TEXT_OLD] = NULL;
	return step->text[TEXT_OLD] && step->text[TEXT_NEW] ? 0 : -ENOMEM;
}

/* Writing the device makes the kernel look for an image of its own there (resume_store() of
 * kernel/power/hibernate.c): it must find plain swap. */
static int name(const struct swapfile_system *system, const char *place)
{
	enum swap_signature_kind kind = SWAP_IS_NOTHING;
	unsigned int high, low;
	struct swap_area area;
	char device[32];
	uint64_t offset;
	int r = parse(place, &high, &low, &offset) ? 0 : -EINVAL;

	snprintf(device, sizeof(device), "%.*s", (int)strcspn(place, " "), place);
	if (r == 0)
		r = swap_area_resolve(device, offset, false, &area, NULL);
	if (r == 0)
		r = swapfile_read_kind(&area, &kind, NULL);
	if (r == 0 && kind != SWAP_IS_SWAP)
		r = -EINVAL;
	return r < 0 ? r : kernel_resume_name(system->root, area.dev, offset);
}

int swapfile_kernel_do(const struct swapfile_system *system, const struct plan *plan,
		       const struct step *step, struct why *w)
{
	int r = name(system, step->text[TEXT_NEW]);

	(void)plan;
	(void)w;
	if (r < 0)
		log_debug("the kernel was not told of the place: %s", strerror(-r));
	return 0;
}

/* Numbers of another boot mean nothing. */
int swapfile_kernel_undo(const struct swapfile_system *system, const struct step *step,
			 struct why *w)
{
	const char *old = step->text[TEXT_OLD], *then = strrchr(old, ' ');
	char current[PLACE_SIZE], boot[PLACE_SIZE];
	bool this_boot;

	(void)w;
	read_boot(system, boot);
	this_boot = then && strcmp(then + 1, boot) == 0;
	if (read_place(system, current) < 0 || text_starts(current, "0:0 ") ||
	    (this_boot && strcmp(current, step->text[TEXT_NEW]) != 0))
		return 0;
	if (!this_boot || name(system, old) < 0)
		log_notice("the kernel keeps %s as the place for images of its own until the next "
			   "boot",
			   step->text[TEXT_PATH]);
	return 0;
}

const char *swapfile_kernel_other(const struct swapfile_system *system,
				  const struct swap_area *area, char *buffer, size_t size)
{
	struct kernel_cmdline cmdline = { 0 };
	struct swap_area other;

	buffer[0] = '\0';
	kernel_cmdline_read(system->root, &cmdline);
	if (!cmdline.resume[0] ||
	    (swap_area_resolve(cmdline.resume, cmdline.resume_offset, false, &other, NULL) == 0 &&
	     other.dev == area->dev && other.offset == area->offset))
		return buffer;
	if (cmdline.resume_offset)
		snprintf(buffer, size, "resume=%s resume_offset=%" PRIu64, cmdline.resume,
			 cmdline.resume_offset);
	else
		snprintf(buffer, size, "resume=%s", cmdline.resume);
	text_make_printable(buffer);
	return buffer;
}
