/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Decides about an image that this boot cannot take. */
#ifndef S2DISK_MISMATCH_H
#define S2DISK_MISMATCH_H

#include "base/why.h"
#include "config/settings.h"
#include "format/signature_record.h"
#include "platform/memory/maps_met.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum mismatch_choice {
	CHOICE_REBOOT,	  /* keep it, boot again: firmware often fits then */
	CHOICE_DISCARD,	  /* discard it, continue the boot */
	CHOICE_TRY,	  /* load it anyway; never if the verdict is fatal */
	CHOICE_POWER_OFF, /* keep it until a boot can resume it */
};

/* Why this boot cannot resume the image. */
struct mismatch {
	enum why_class class;
	bool vetoed;	   /* the image fits, but this boot's kernel or a driver refuses it */
	bool counted;	   /* there is a record that refusals can be counted in */
	uint32_t refusals; /* before this one, by mismatch_counter() */
	bool hopeless;	   /* another boot would not help */
	uint32_t worth;	   /* boots for which the odds make keeping it worthwhile; 0: not known */
	bool lasting;	   /* so will each boot, until the machine is changed */
	bool of_map;	   /* the boot's memory map is a reason */
	bool mendable;	   /* its user can connect what is missing, or accept what is found */
};

/* Pure: for how many boots the image is kept: "mismatch retries", or more where the odds make that
 * worthwhile. Not where the setting is 0: the user wants none; nor where the map is no reason. */
uint32_t mismatch_boots(const struct settings *settings, const struct mismatch *mismatch);

/* Is the image sound, and only the wrong program, kernel or driver was booted, or its key is
 * missing or mistyped (or a key of the keyboard is stuck), or can its user mend the cause? That is
 * no reason to destroy a session. */
bool mismatch_keeps(const struct mismatch *mismatch);

/* Is it counted as a veto, and not as a refusal? */
bool mismatch_apart(const struct mismatch *mismatch);

/* Where such refusals are counted. Those for the map may become many, so they are apart: none of
 * them is a reason to discard the image when another cause refuses it once. */
uint32_t *mismatch_counter(const struct mismatch *mismatch, struct signature_record *record);

/* Pure: a sentence about the odds (odds->boots is not 0). at_least: the image may fit at more of
 * the boots than it says; keep: for how many boots it is kept. */
void mismatch_odds(const struct met_odds *odds, bool at_least, uint32_t keep, char *ret,
		   size_t size);

/* Pure: the choice according to the settings. Damage gets one more boot, without a question.
 * Unless the settings say "discard", an image is not discarded for the reasons of
 * mismatch_keeps(), nor by a program that cannot read the record. The boot must not continue
 * with a live image, and a machine must not reboot forever, so in the end these cases power off,
 * unless the user at the console decides otherwise. What is lasting powers off at once, unless the
 * user wants no retries. *ret_ask is set if the user is to be asked;
 * the result is then what happens without an answer. */
enum mismatch_choice mismatch_choose(const struct settings *settings,
				     const struct mismatch *mismatch, bool *ret_ask);

/* Pure: the choice for a key on the keyboard; false: none. */
bool mismatch_key(char key, bool fatal, enum mismatch_choice *ret);

/* Asks on console (a path) and waits for that many seconds. Returns fallback without an answer
 * or a console. */
enum mismatch_choice mismatch_ask(const char *console, const char *question, bool fatal,
				  enum mismatch_choice fallback, unsigned int seconds);

#endif
