/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What becomes of an image that this boot cannot take. */
#ifndef S2DISK_MISMATCH_H
#define S2DISK_MISMATCH_H

#include "base/why.h"
#include "config/settings.h"

#include <stdbool.h>
#include <stdint.h>

enum mismatch_choice {
	CHOICE_REBOOT,	  /* keep it, boot again: firmware often fits at another boot */
	CHOICE_DISCARD,	  /* set it aside, boot on */
	CHOICE_TRY,	  /* load it all the same; never for what is fatal */
	CHOICE_POWER_OFF, /* keep it until somebody boots what can take it */
};

/* What keeps this boot from taking the image. */
struct mismatch {
	enum why_class class;
	bool vetoed;	   /* the image fits, and this boot's kernel or a driver is against it */
	bool counted;	   /* there is a record that refusals can be counted in */
	uint32_t refusals; /* before this one; vetoes where mismatch_apart; of damage, damages */
	bool hopeless;	   /* another boot would not help */
};

/* Is the image sound, and only this program, kernel or driver not the one for it, or
 * its key not here, or mistyped (or a stuck key's)?
 * What another boot may not do is no reason to destroy a session. */
bool mismatch_keeps(const struct mismatch *mismatch);

/* Is it counted among the vetoes, so that it takes no boot from the refusals? */
bool mismatch_apart(const struct mismatch *mismatch);

/* Pure: what the settings say. Damage has one boot more, and nobody is asked. Unless they say
 * "discard", what mismatch_keeps names does not discard an image, nor does a program that cannot
 * even read the record. Booting on would be with a live image, and a machine must not reboot for
 * ever, so in the end these power off, unless whoever is there wants something else. *ret_ask is
 * set when the user is to be asked; the result then is what happens without an answer. */
enum mismatch_choice mismatch_choose(const struct settings *settings,
				     const struct mismatch *mismatch, bool *ret_ask);

/* Pure: what a key on the keyboard means; false: nothing. */
bool mismatch_key(char key, bool fatal, enum mismatch_choice *ret);

/* Asks on console (a path), for so many seconds. fallback where nobody answers
 * or there is no console. */
enum mismatch_choice mismatch_ask(const char *console, const char *question, bool fatal,
				  enum mismatch_choice fallback, unsigned int seconds);

#endif
