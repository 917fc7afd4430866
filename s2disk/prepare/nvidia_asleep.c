/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nvidia_asleep.h"

#include "base/log.h"
#include "base/tree.h"
#include "release/nvidia.h"
#include "release/release_step.h"
#include "ui/abort_watch.h"

#include <errno.h>
#include <string.h>

#define PROGRAM "/usr/bin/nvidia-sleep.sh"
/* There from the program's "hibernate" to its "resume": the terminal to return to. */
#define ASLEEP "/run/nvidia-sleep/Xorg.vt_number"

static int ask(const char *root, const char *word)
{
	return nvidia_ask(root, tree_exists(root, PROGRAM) ? PROGRAM : NULL, word);
}

int nvidia_sleep(const char *root, struct why *w)
{
	int r;

	if (!nvidia_preserves(root) || tree_exists(root, ASLEEP))
		return 0;
	abort_watch_begin();
	r = ask(root, "hibernate");
	if (r == 0) {
		log_info("the driver nvidia is suspended");
		return 1;
	}
	if (r != -EINPROGRESS)
		log_warning("the driver nvidia does not suspend: %s", strerror(-r));
	/* The program may have left the terminal already. */
	nvidia_wake(root);
	return r == -EINPROGRESS ? why(w, r,
				       "the driver nvidia has not suspended within %d s; "
				       "what asked it does not freeze",
				       RELEASE_STEP_SECONDS)
				 : 0;
}

void nvidia_wake(const char *root)
{
	int r = ask(root, "resume");

	if (r < 0)
		log_warning("the driver nvidia does not resume: %s; to try it by hand: "
			    "echo resume >" NVIDIA_SUSPEND,
			    strerror(-r));
	else
		log_info("the driver nvidia has resumed");
}
