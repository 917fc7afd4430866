/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the running kernel knows of the place, so that logind offers to hibernate at once,
 * and what its command line says of another one. */
#ifndef S2DISK_SWAPFILE_KERNEL_H
#define S2DISK_SWAPFILE_KERNEL_H

#include "swap/swap_area.h"
#include "swap/swap_signature.h"
#include "swapfile_steps.h"

/* What the first page of an area says that it is, read from the device. */
int swapfile_read_kind(const struct swap_area *area, enum swap_signature_kind *ret, struct why *w);

/* Adds the step where the kernel knows another place, unless it was booted with noresume,
 * which naming one would undo. offset: in pages, decimal. */
int swapfile_plan_kernel(struct plan *plan, const struct swapfile_system *system, const char *path,
			 dev_t dev, const char *offset);

/* Names TEXT_NEW, "MAJOR:MINOR OFFSET"; no failure of the plan where that cannot be. */
int swapfile_kernel_do(const struct swapfile_system *system, const struct plan *plan,
		       const struct step *step, struct why *w);
/* Names TEXT_OLD, the same and the boot's id, again. */
int swapfile_kernel_undo(const struct swapfile_system *system, const struct step *step,
			 struct why *w);
/* Is it of that form? */
bool swapfile_kernel_is_place(const char *text);

/* The arguments of the kernel command line that name another place than this; "" for none.
 * Returns buffer. */
const char *swapfile_kernel_other(const struct swapfile_system *system,
				  const struct swap_area *area, char *buffer, size_t size);

#endif
