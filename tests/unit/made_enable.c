/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "made_enable.h"

#include "made_tree.h"

#include <check.h>
#include <string.h>

const struct enable wanted = { .path = "/swapfile", .device = "UUID=1-2", .offset = "34816" };

char warnings[2048];

static void take_warning(void *context, const char *message)
{
	(void)context;
	strncat(warnings, message, sizeof(warnings) - strlen(warnings) - 1);
}

const struct step_teller teller = { .warn = take_warning };

void make_system(void)
{
	made_create();
	made_put("/etc/fstab", "UUID=1 / ext4 defaults 0 1\nlast line");
	warnings[0] = '\0';
}

int enable(struct state *state, const struct enable *how, enum boot_loader *ret, struct why *w)
{
	enum boot_loader loader;
	struct plan plan;
	int r = plan_open(&plan, "enable", how->path);

	if (r == 0)
		r = enable_plan(&plan, &made_system, how, &loader, w);
	if (r == 0 && ret)
		*ret = loader;
	if (r == 0)
		r = state_do(&made_system, state, &plan, &teller, w);
	plan_close(&plan);
	return r;
}

/* The state as another run would find it. */
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
	r = state_undo(&made_system, state, &state->plans[0], &teller, &w);
	ck_assert_msg(r == 0, "%s", w.text);
	ck_assert_uint_eq(state->count, 0);
	state_free(state);
}

void make_grub_folder(void)
{
	made_put("/etc/default/grub", "GRUB_CMDLINE_LINUX=\"\"\n");
	made_program("/usr/sbin/grub-mkconfig");
	made_put("/usr/sbin/grub-mkconfig", "x=${sysconfdir}/default/grub.d/*.cfg\n");
	made_program("/usr/sbin/update-grub");
}

void make_grub_file(void)
{
	made_put("/etc/default/grub", "GRUB_CMDLINE_LINUX=\"\"");
	made_put("/boot/grub2/grub.cfg", "");
	made_program("/usr/bin/grub2-mkconfig");
}

void make_grubby(void)
{
	make_grub_file();
	made_program("/usr/sbin/grubby");
	made_output = "index=0\nkernel=\"/boot/a\"\nargs=\"ro resume=/dev/sda2 quiet\"\n"
		      "index=1\nkernel=\"/boot/b\"\nargs=\"ro\"\n"
		      "index=2\nkernel=\"/boot/c\"\nargs=\"resume=/dev/sda3 resume_offset=7\"\n";
}

void make_entries(void)
{
	made_put("/boot/loader/entries/a.conf", "title A\nlinux /a\noptions root=/ ro\n");
	made_put("/boot/loader/entries/b.conf", "title B\nlinux /b");
	made_put("/boot/loader/entries/w.conf", "title W\nefi /w\n");
	made_put("/boot/loader/entries/text", "linux /b\n");
	made_put("/etc/kernel/cmdline", "root=/ ro resume=/dev/sda2\n");
	made_program("/usr/bin/kernel-install");
}

void make_kernel_install(void)
{
	made_put("/etc/kernel/cmdline", "root=/ ro");
	made_program("/usr/bin/kernel-install");
	made_put("/usr/lib/modules/6.1/vmlinuz", "");
	made_put("/usr/lib/modules/6.12/modules.dep", "");
	made_put("/boot/vmlinuz-6.12", "");
	made_put("/usr/lib/modules/gone/modules.dep", "");
}
