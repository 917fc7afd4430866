/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "swap_gate.h"

#include "base/log.h"
#include "base/text.h"
#include "platform/filesystems/device_cut.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* A disk that was just resumed may not answer at once. */
#define READ_TRIES 5

static int look(struct other_swaps *others, size_t index, const struct swap_use *then)
{
	const struct timespec pause = { .tv_nsec = 200000000 };
	int r = other_swaps_look_again(others, index, then);

	for (int i = 1; i < READ_TRIES && r < 0 && r != -EBADF; i++) {
		nanosleep(&pause, NULL);
		r = other_swaps_look_again(others, index, then);
	}
	return r;
}

static void close_one(const struct other_swap *other, const struct swap_use *then, const char *root,
		      struct last *last)
{
	int r = then->file ? -EOPNOTSUPP : device_cut(root, other->name);
	char line[300], used[24];

	text_size(then->used, used, sizeof(used));
	snprintf(line, sizeof(line), "%s: swap, with %s in use: %s", then->path, used,
		 r >= 0 ? "cut off" : "NOT cut off");
	last_add_shut_down(last, line);
	log_alert("ANOTHER SYSTEM CHANGED the swap area %s while this session slept; %s of this "
		  "session's memory were there. %s",
		  then->path, used,
		  r >= 0 ? "It was cut off: programs that need what was there are killed. Save "
			   "your work and reboot, now"
			 : "It CANNOT BE CUT OFF: programs continue with wrong data. Power the "
			   "machine "
			   "off, now");
}

size_t swap_gate_close(struct other_swaps *others, struct swaps *then, const char *root,
		       struct last *last)
{
	size_t changed = 0;

	/* Taking the snapshot may have swapped out more. */
	other_swaps_count(others, then);
	for (size_t i = 0; i < others->count && i < then->items.count; i++) {
		const struct swap_use *item = &then->items.items[i];
		int r = item->used == 0 ? 0 : look(others, i, item);

		if (r > 0) {
			close_one(&others->items[i], item, root, last);
			changed++;
		} else if (r < 0 && r != -EBADF) {
			log_warning("%s does not answer (%s): programs that were swapped out there "
				    "are killed when they need it",
				    item->path, strerror(-r));
		}
	}
	return changed;
}
