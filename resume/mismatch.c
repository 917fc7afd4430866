/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mismatch.h"

#include "base/cleanup.h"
#include "base/io.h"
#include "base/stopwatch.h"

#include <ctype.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>

bool mismatch_keeps(const struct mismatch *mismatch)
{
	return mismatch_apart(mismatch) || mismatch->class == WHY_TOO_NEW ||
	       mismatch->class == WHY_FOREIGN || (mismatch->mendable && !mismatch->hopeless);
}

bool mismatch_apart(const struct mismatch *mismatch)
{
	return mismatch->vetoed || mismatch->class == WHY_WRONG_KEY ||
	       mismatch->class == WHY_LOCKED;
}

uint32_t *mismatch_counter(const struct mismatch *mismatch, struct signature_record *record)
{
	if (mismatch->class == WHY_DAMAGED)
		return &record->damages;
	if (mismatch_apart(mismatch))
		return &record->vetoes;
	return mismatch->of_map ? &record->map_refusals : &record->refusals;
}

uint32_t mismatch_boots(const struct settings *settings, const struct mismatch *mismatch)
{
	if (settings->mismatch_retries == 0 || !mismatch->of_map ||
	    mismatch->worth < settings->mismatch_retries)
		return settings->mismatch_retries;
	return mismatch->worth;
}

/* Returns text; "" where the machine has no such log. */
static const char *log_odds(const struct met_odds *odds, bool at_least, char *text, size_t size)
{
	if (!odds->log)
		text[0] = '\0';
	else if (odds->log_boots == 0)
		snprintf(text, size,
			 "; no other boot with this kernel and initramfs is known, which decide "
			 "where the TPM event log lies");
	else
		snprintf(text, size,
			 "; with this kernel and initramfs it has no page where the TPM event log "
			 "lay in %s%" PRIu64 " of %" PRIu64 " boots",
			 at_least ? "at least " : "", odds->log_fitting, odds->log_boots);
	return text;
}

void mismatch_odds(const struct met_odds *odds, bool at_least, uint32_t keep, char *ret,
		   size_t size)
{
	char seen[24] = "none", fits[64], log[140];

	if (odds->same > 0)
		snprintf(seen, sizeof(seen), "%" PRIu64, odds->same);
	snprintf(fits, sizeof(fits), "%s%" PRIu64, at_least ? "at least " : "", odds->fitting);
	snprintf(ret, size,
		 "this boot's memory map was seen at %s of the %" PRIu64 " boots that are known, "
		 "the image fits the maps of %s%s; it is kept for up to %u boot%s",
		 seen, odds->boots, odds->fitting || at_least ? fits : "none",
		 log_odds(odds, at_least, log, sizeof(log)), keep, keep == 1 ? "" : "s");
}

enum mismatch_choice mismatch_choose(const struct settings *settings,
				     const struct mismatch *mismatch, bool *ret_ask)
{
	*ret_ask = settings->mismatch_action == MISMATCH_ASK;
	if (settings->mismatch_action == MISMATCH_DISCARD)
		return CHOICE_DISCARD;
	/* No question: an image is damaged if two boots read it as damaged. */
	if (mismatch->class == WHY_DAMAGED) {
		*ret_ask = false;
		return mismatch->counted && mismatch->refusals == 0 &&
				       settings->mismatch_retries > 0
			       ? CHOICE_REBOOT
			       : CHOICE_DISCARD;
	}
	if (mismatch->hopeless && !mismatch_keeps(mismatch))
		return CHOICE_DISCARD;
	if (mismatch->lasting && settings->mismatch_retries > 0) {
		*ret_ask = true;
		return CHOICE_POWER_OFF;
	}
	if (mismatch->counted && mismatch->refusals < mismatch_boots(settings, mismatch))
		return CHOICE_REBOOT;
	if (mismatch->counted && !mismatch_keeps(mismatch))
		return CHOICE_DISCARD;
	*ret_ask = true;
	return CHOICE_POWER_OFF;
}

bool mismatch_key(char key, bool fatal, enum mismatch_choice *ret)
{
	switch (tolower((unsigned char)key)) {
	case 'b':
		*ret = CHOICE_REBOOT;
		return true;
	case 'd':
		*ret = CHOICE_DISCARD;
		return true;
	case 'o':
		*ret = CHOICE_POWER_OFF;
		return true;
	case 't':
		if (fatal)
			return false;
		*ret = CHOICE_TRY;
		return true;
	default:
		return false;
	}
}

static char key_of(enum mismatch_choice choice)
{
	switch (choice) {
	case CHOICE_REBOOT:
		return 'b';
	case CHOICE_POWER_OFF:
		return 'o';
	default:
		return 'd';
	}
}

static void say(int fd, const char *text)
{
	/* A missing console is detected when reading. */
	if (io_write_full(fd, text, strlen(text)) < 0)
		return;
}

/* Waits for a valid key. */
static enum mismatch_choice wait_for_key(int fd, bool fatal, enum mismatch_choice fallback,
					 unsigned int seconds)
{
	uint64_t end = now_usec() + (uint64_t)seconds * 1000000, now;

	while ((now = now_usec()) < end) {
		struct pollfd ready = { .fd = fd, .events = POLLIN };
		enum mismatch_choice choice;
		char key;

		if (poll(&ready, 1, (int)((end - now) / 1000 + 1)) <= 0)
			continue;
		if (read(fd, &key, 1) != 1)
			return fallback;
		if (mismatch_key(key, fatal, &choice))
			return choice;
	}
	return fallback;
}

enum mismatch_choice mismatch_ask(const char *console, const char *question, bool fatal,
				  enum mismatch_choice fallback, unsigned int seconds)
{
	_cleanup_close_ int fd = open(console, O_RDWR | O_NOCTTY | O_CLOEXEC);
	struct termios before, keys;
	enum mismatch_choice choice;
	char text[240];
	bool terminal;

	if (fd < 0)
		return fallback;
	terminal = tcgetattr(fd, &before) == 0;
	if (terminal) {
		keys = before;
		keys.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
		keys.c_cc[VMIN] = 1;
		keys.c_cc[VTIME] = 0;
		tcsetattr(fd, TCSAFLUSH, &keys);
	}
	snprintf(text, sizeof(text),
		 "\r\n%s b: boot again and keep it; o: power off and keep it; "
		 "d: discard it and continue%s [%c in %u s] ",
		 question, fatal ? "" : "; t: try it anyway", key_of(fallback), seconds);
	say(fd, text);
	choice = wait_for_key(fd, fatal, fallback, seconds);
	say(fd, "\r\n");
	if (terminal)
		tcsetattr(fd, TCSANOW, &before);
	return choice;
}
