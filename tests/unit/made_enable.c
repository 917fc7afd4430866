/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "made_enable.h"

#include "base/log.h"
#include "made_tree.h"

#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const struct enable wanted = { .path = "/swapfile", .device = "UUID=1-2", .offset = "34816" };

char warnings[4096];

/* By the linker in the place of log_message(). */
void __wrap_log_message(enum log_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

void __wrap_log_message(enum log_level level, const char *format, ...)
{
	size_t used = strlen(warnings);
	va_list args;

	if (level != LOG_LEVEL_WARNING)
		return;
	va_start(args, format);
	vsnprintf(warnings + used, sizeof(warnings) - used, format, args);
	va_end(args);
	strncat(warnings, "\n", sizeof(warnings) - strlen(warnings) - 1);
}

void make_system(void)
{
	made_create();
	made_put("/etc/fstab", "UUID=1 / ext4 defaults 0 1\nlast line");
	made_program("/usr/sbin/update-initramfs");
	made_program("/usr/sbin/mkinitramfs");
	made_put("/etc/initramfs-tools/hooks/s2disk", "");
	warnings[0] = '\0';
}

int enable(struct state *state, const struct enable *how, struct why *w)
{
	struct initramfs_site initramfs;
	struct plan plan;
	int r = plan_open(&plan, "enable", how->path);

	if (r == 0)
		r = enable_plan(&plan, &made_system, how, &initramfs, w);
	if (r == 0)
		r = state_do(&made_system, state, &plan, NULL, w);
	plan_close(&plan);
	return r;
}

void reload(struct state *state)
{
	struct why w = { "" };

	state_free(state);
	ck_assert_msg(state_load(&made_system, state, &w) == 0, "%s", w.text);
}

void disable(struct state *state)
{
	struct why w = { "" };
	int r;

	reload(state);
	ck_assert_uint_eq(state->count, 1);
	r = state_undo(&made_system, state, &state->plans[0], NULL, &w);
	ck_assert_msg(r == 0, "%s", w.text);
	ck_assert_uint_eq(state->count, 0);
	state_free(state);
}
