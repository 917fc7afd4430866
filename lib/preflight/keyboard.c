/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A passphrase is set with the keyboard layout of the system, and typed at boot with that of the
 * initramfs. */
#include "preflight/preflight_private.h"

#include "base/io.h"
#include "base/text.h"
#include "base/tree.h"
#include "config/image_keys.h"

#include <stdio.h>
#include <string.h>

#define ID "keyboard"

/* The first of a list counts: "fr" of "fr,us". */
static bool find_value(const char *text, const char *name, char *value, size_t size)
{
	if (!text_assigned(text, name, value, size))
		return false;
	*strchrnul(value, ',') = '\0';
	return value[0];
}

/* The layout and its variant, as in "us(dvorak)". */
static bool find_xkb(const char *text, char *layout, size_t size)
{
	char variant[32];
	size_t used;

	if (!find_value(text, "XKBLAYOUT", layout, size))
		return false;
	used = strlen(layout);
	if (find_value(text, "XKBVARIANT", variant, sizeof(variant)))
		snprintf(layout + used, size - used, "(%s)", variant);
	return true;
}

/* The layout of the console's keyboard: systemd's file, else Debian's. */
static bool find_layout(const char *root, char *layout, size_t size)
{
	char text[4096];

	if (io_read_text(root, "/etc/vconsole.conf", text, sizeof(text)) > 0 &&
	    (find_value(text, "KEYMAP", layout, size) || find_xkb(text, layout, size)))
		return true;
	return io_read_text(root, "/etc/default/keyboard", text, sizeof(text)) > 0 &&
	       find_xkb(text, layout, size);
}

/* The layout that is built into the kernel, and variants of it with the same letters; others
 * (dvorak, colemak) have different ones. */
static bool is_built_in(const char *layout)
{
	static const char *const same[] = { "intl", "acentos", "euro", "mac" };

	if (strcmp(layout, "us") == 0 || strcmp(layout, "defkeymap") == 0)
		return true;
	for (size_t i = 0; text_starts(layout, "us") && i < sizeof(same) / sizeof(*same); i++)
		if (strstr(layout, same[i]) && !strstr(layout, "dvorak"))
			return true;
	return false;
}

static const char *advice(const char *root)
{
	if (tree_exists(root, "/etc/mkinitcpio.conf"))
		return "put \"keymap\" (with systemd \"sd-vconsole\") before \"s2disk\" in HOOKS "
		       "of "
		       "/etc/mkinitcpio.conf, then run mkinitcpio -P";
	if (tree_exists(root, "/etc/initramfs-tools"))
		return "install console-setup, put KEYMAP=y into "
		       "/etc/initramfs-tools/initramfs.conf, then run update-initramfs -u";
	return "add the layout to the initramfs (dracut: module i18n), or choose a passphrase that "
	       "is typed with the same keys on both layouts";
}

static bool is_asked(const struct settings *settings)
{
	return image_keys_ask(settings) || (settings->encrypt && settings->key_pair[0]);
}

bool keyboard_matters(const struct preflight_context *context)
{
	char layout[64];

	return is_asked(context->settings) && find_layout(context->root, layout, sizeof(layout)) &&
	       !is_built_in(layout);
}

void check_keyboard(struct preflight_context *context, const struct initramfs *initramfs,
		    const char *path)
{
	char layout[64];

	if (!find_layout(context->root, layout, sizeof(layout)))
		return;
	text_make_printable(layout);
	if (initramfs->keymap && !initramfs_runs_late(initramfs, "keymap")) {
		preflight_add(context, ID, CHECK_OK,
			      "the passphrase is typed with the layout %s at boot, too", layout);
		return;
	}
	preflight_advise(
		preflight_add(context, ID, CHECK_WARNING,
			      "a passphrase is asked for at boot; the keyboard layout of this "
			      "system is %s, but %s %s: it would be typed on a US layout",
			      layout, path,
			      initramfs->keymap ? "loads it only after that" : "has no keymap"),
		"%s", advice(context->root));
}
