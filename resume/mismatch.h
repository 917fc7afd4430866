/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What becomes of an image that this boot cannot take. */
#ifndef S2DISK_MISMATCH_H
#define S2DISK_MISMATCH_H

#include "settings.h"

#include <stdbool.h>
#include <stdint.h>

enum mismatch_choice {
	CHOICE_REBOOT,	  /* keep it, boot again: firmware often fits at another boot */
	CHOICE_DISCARD,	  /* set it aside, boot on */
	CHOICE_TRY,	  /* load it all the same; never for what is fatal */
	CHOICE_POWER_OFF, /* keep it until somebody has changed something */
};

/* Pure: what the settings say, after so many refusals before this one. hopeless:
 * another boot would not help. ask is set when the user is to be asked; the
 * result then is what happens without an answer. */
enum mismatch_choice mismatch_choose(const struct settings *settings, uint32_t refusals,
				     bool hopeless, bool *ret_ask);

/* Pure: the same where the image fits and this boot's kernel or a driver did not
 * restore it, after so many boots that did so before. Such a session is never
 * discarded without being asked for: what another boot may not do (a driver that
 * is not loaded, a device unplugged) is no reason to destroy it, booting on would
 * be with a live image, and a machine must not reboot for ever. */
enum mismatch_choice mismatch_choose_vetoed(const struct settings *settings, uint32_t vetoes,
					    bool *ret_ask);

/* Pure: what a key on the keyboard means; false: nothing. */
bool mismatch_key(char key, bool fatal, enum mismatch_choice *ret);

/* Asks on console (a path), for so many seconds. fallback where nobody answers
 * or there is no console. */
enum mismatch_choice mismatch_ask(const char *console, const char *question, bool fatal,
				  enum mismatch_choice fallback, unsigned int seconds);

#endif
