/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Encrypted devices under the area, other than those of the root file system: the initramfs
 * opens those whose line in crypttab says so. */
#include "swapfile.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "base/tree.h"
#include "preflight/preflight.h"
#include "swap/device_stack.h"

#include <errno.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The line of a mapping: name, device, key, options. *ret_end: its length; 0 if a field is
 * missing. NULL: none. free() it. */
static char *find_line(const char *text, const char *name, char options[1024], int *ret_end)
{
	for (; *text; text += strcspn(text, "\n"), text += *text == '\n') {
		_cleanup_free_ char *line = strndup(text, strcspn(text, "\n"));
		char found[128], device[2];

		*ret_end = 0;
		if (line && sscanf(line, "%127s %1s", found, device) == 2 &&
		    strcmp(found, name) == 0) {
			if (sscanf(line, "%*s %*s %*s %1023s%n", options, ret_end) < 1)
				options[0] = '\0';
			return steal_pointer(&line);
		}
	}
	return NULL;
}

static int open_early(const char *path, const struct device_layer *layer, const char *text,
		      const char *option, struct mark_list *list, struct why *w)
{
	char options[1024] = "", *changed;
	const struct mntent entry = { .mnt_opts = options }; /* same syntax */
	int end;
	_cleanup_free_ char *line = find_line(text, layer->mapper, options, &end);

	if (line && (!option || hasmntopt(&entry, option)))
		return 0;
	if (line && end > 0) {
		if (asprintf(&changed, "%.*s,%s%s\n", end, line, option, line + end) < 0)
			changed = NULL;
		return marks_add(list, path, false, changed, steal_pointer(&line));
	}
	return why(w, -EINVAL,
		   "the initramfs does not open %s, which it lies on; add this line to %s%s, "
		   "then enable it again: %s %s%s none luks%s%s",
		   layer->mapper, path,
		   option ? ""
			  : ", and systemd and sd-encrypt in HOOKS in /etc/mkinitcpio.conf "
			    "(encrypt does not read it)",
		   layer->mapper, layer->luks[0] ? "UUID=" : "DEVICE", layer->luks,
		   option ? "," : "", option ? option : "");
}

/* dracut comes with an update-initramfs of its own. */
static bool is_dracut(const char *root, const char *command)
{
	return text_starts(command, "dracut") || (tree_exists(root, "/usr/bin/dracut") &&
						  !tree_exists(root, "/usr/sbin/mkinitramfs"));
}

int wanted_crypttab(const char *root, dev_t dev, const char *command, struct mark_list *list,
		    struct why *w)
{
	/* The area's, and that of the root file system, which is opened early anyway. */
	_cleanup_free_ struct device_stack *stack = calloc(2, sizeof(*stack));
	bool own_table = text_starts(command, "mkinitcpio");
	const char *path = own_table ? "/etc/crypttab.initramfs" : "/etc/crypttab";
	const char *option = own_table			? NULL
			     : is_dracut(root, command) ? "x-initrd.attach"
							: "initramfs";
	struct marks marks = { 0 };
	int r = stack ? 0 : -ENOMEM;

	/* A device that cannot be examined was not refused earlier either. */
	if (r < 0 || device_stack_read(root, dev, stack, NULL) < 0)
		return r;
	preflight_read_root(&preflight_real_system, root, "", &stack[1]);
	r = marks_read(root, path, &marks, w);
	for (size_t i = 0; i < stack->count && r == 0; i++)
		if (stack->layers[i].kind == LAYER_CRYPT &&
		    !device_stack_lists(&stack[1], stack->layers[i].dev))
			r = open_early(path, &stack->layers[i], marks.rest, option, list, w);
	marks_free(&marks);
	return r;
}
