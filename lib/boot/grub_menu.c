/* SPDX-License-Identifier: GPL-2.0-or-later */
/* boot_entry: the menu that grub-mkconfig writes. Its language is not run, only
 * what is always written the same way is looked for. */
#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "boot/boot_entry.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ITEMS_MAX 256
#define DEPTH_MAX 16

struct item {
	int parent;	    /* index of the submenu it is in; -1: the menu itself */
	unsigned int place; /* the how-manieth there */
	bool submenu;
	char title[256], id[256];
	struct boot_entry entry;
};

struct menu {
	struct item *items;
	size_t count;
	char wanted[256]; /* what "set default=" says */
	/* While it is read: the items whose braces are open; -2 for other braces. */
	int open[DEPTH_MAX];
	int depth;
	int current; /* the submenu that is open; -1 */
};

/* A word of the shell-like language, quotes undone; the rest of the line. */
static const char *next_word(const char *at, char *ret, size_t size)
{
	size_t used = 0;
	char quote = 0;

	while (*at == ' ' || *at == '\t')
		at++;
	for (; *at && (quote || !isspace((unsigned char)*at)); at++) {
		if (quote ? *at == quote : *at == '"' || *at == '\'') {
			quote = quote ? 0 : *at;
			continue;
		}
		if (*at == '\\' && quote != '\'' && at[1])
			at++;
		if (used + 1 < size)
			ret[used++] = *at;
	}
	ret[used] = '\0';
	return at;
}

static unsigned int count_in(const struct menu *menu, int parent)
{
	unsigned int count = 0;

	for (size_t i = 0; i < menu->count; i++)
		count += menu->items[i].parent == parent;
	return count;
}

/* After "menuentry" or "submenu". */
static int add_item(struct menu *menu, const char *rest, bool submenu)
{
	struct item *item = &menu->items[menu->count];
	char word[256];

	if (menu->count == ITEMS_MAX)
		return -2;
	*item = (struct item){ .parent = menu->current, .submenu = submenu };
	item->place = count_in(menu, menu->current);
	rest = next_word(rest, item->title, sizeof(item->title));
	text_copy(item->entry.title, sizeof(item->entry.title), item->title);
	while (*rest) {
		rest = next_word(rest, word, sizeof(word));
		if (!word[0])
			break;
		if (strcmp(word, "$menuentry_id_option") == 0 || strcmp(word, "--id") == 0)
			rest = next_word(rest, item->id, sizeof(item->id));
	}
	return (int)menu->count++;
}

static void open_brace(struct menu *menu, int what)
{
	if (menu->depth < DEPTH_MAX)
		menu->open[menu->depth] = what;
	menu->depth++;
	if (what >= 0 && menu->items[what].submenu)
		menu->current = what;
}

static void close_brace(struct menu *menu)
{
	int what;

	if (menu->depth == 0)
		return;
	what = --menu->depth < DEPTH_MAX ? menu->open[menu->depth] : -2;
	if (what >= 0 && menu->items[what].submenu)
		menu->current = menu->items[what].parent;
}

/* The entry whose braces are the innermost, NULL for none. */
static struct boot_entry *current_entry(struct menu *menu)
{
	int what = menu->depth > 0 && menu->depth <= DEPTH_MAX ? menu->open[menu->depth - 1] : -2;

	return what >= 0 && !menu->items[what].submenu ? &menu->items[what].entry : NULL;
}

static void take_initramfs(struct boot_entry *entry, const char *rest)
{
	char word[256];

	/* Microcode comes first, what matters last. */
	for (;;) {
		rest = next_word(rest, word, sizeof(word));
		if (!word[0])
			return;
		if (word[0] != '$')
			text_copy(entry->initramfs, sizeof(entry->initramfs), word);
	}
}

static void take_default(struct menu *menu, const char *value)
{
	char word[256];

	next_word(value, word, sizeof(word));
	/* What next boot alone is to start comes from grubenv. */
	if (!strstr(word, "next_entry"))
		text_copy(menu->wanted, sizeof(menu->wanted), word);
}

static bool is_one_of(const char *word, const char *a, const char *b, const char *c)
{
	return strcmp(word, a) == 0 || strcmp(word, b) == 0 || strcmp(word, c) == 0;
}

static void read_line(struct menu *menu, const char *line)
{
	struct boot_entry *entry = current_entry(menu);
	char word[64];
	const char *rest = next_word(line, word, sizeof(word));
	size_t length = strlen(line);

	while (length > 0 && isspace((unsigned char)line[length - 1]))
		length--;
	if (strcmp(word, "menuentry") == 0 || strcmp(word, "submenu") == 0) {
		open_brace(menu, add_item(menu, rest, word[0] == 's'));
	} else if (strcmp(word, "}") == 0) {
		close_brace(menu);
	} else if (length > 0 && line[length - 1] == '{') {
		open_brace(menu, -2);
	} else if (strcmp(word, "set") == 0 && !entry) {
		rest += strspn(rest, " \t");
		if (strncmp(rest, "default=", 8) == 0)
			take_default(menu, rest + 8);
	} else if (entry && is_one_of(word, "linux", "linux16", "linuxefi")) {
		rest = next_word(rest, entry->kernel, sizeof(entry->kernel));
		rest += strspn(rest, " \t");
		text_copy(entry->arguments, sizeof(entry->arguments), rest);
	} else if (entry && is_one_of(word, "initrd", "initrd16", "initrdefi")) {
		take_initramfs(entry, rest);
	}
}

/* The item that one step of "set default" means, -1 for none. */
static int find_item(const struct menu *menu, int parent, const char *name)
{
	uint64_t place;
	bool number = text_parse_u64(name, &place) == 0;

	for (size_t i = 0; i < menu->count; i++) {
		const struct item *item = &menu->items[i];

		if (item->parent != parent)
			continue;
		if ((number && item->place == place) || strcmp(item->title, name) == 0 ||
		    (item->id[0] && strcmp(item->id, name) == 0))
			return (int)i;
	}
	return -1;
}

/* "1>2", "Advanced options>Linux 6.1" and the like. */
static int follow(const struct menu *menu, const char *wanted)
{
	char copy[256], *rest = copy, *step;
	int found = -1;

	text_copy(copy, sizeof(copy), wanted);
	while ((step = strsep(&rest, ">"))) {
		found = find_item(menu, found, step);
		if (found < 0)
			break;
	}
	/* A submenu starts with its first. */
	while (found >= 0 && menu->items[found].submenu)
		found = find_item(menu, found, "0");
	return found;
}

static int choose(const struct menu *menu, const char *environment)
{
	char wanted[256];
	int found = -1;

	if (boot_grub_variable(environment, "next_entry", wanted, sizeof(wanted)))
		found = follow(menu, wanted);
	if (found < 0 && strstr(menu->wanted, "saved_entry") &&
	    boot_grub_variable(environment, "saved_entry", wanted, sizeof(wanted)))
		found = follow(menu, wanted);
	if (found < 0 && menu->wanted[0] && menu->wanted[0] != '$')
		found = follow(menu, menu->wanted);
	return found < 0 ? follow(menu, "0") : found;
}

int boot_entry_from_grub(const char *config, const char *environment, struct boot_entry *ret)
{
	_cleanup_free_ struct item *items = calloc(ITEMS_MAX, sizeof(*items));
	struct menu menu = { .items = items, .current = -1 };
	int found;

	if (!items)
		return -ENOMEM;
	while (*config) {
		size_t length = strcspn(config, "\n");
		_cleanup_free_ char *line = strndup(config, length);

		if (!line)
			return -ENOMEM;
		read_line(&menu, line);
		config += length + (config[length] == '\n');
	}
	found = choose(&menu, environment);
	if (found < 0 || !items[found].entry.kernel[0])
		return -ENOENT;
	*ret = items[found].entry;
	return 0;
}

bool boot_grub_variable(const char *environment, const char *name, char *ret, size_t size)
{
	size_t length = strlen(name);

	for (const char *line = environment; *line; line = strchrnul(line, '\n'), line += !!*line) {
		if (strncmp(line, name, length) != 0 || line[length] != '=')
			continue;
		line += length + 1;
		snprintf(ret, size, "%.*s", (int)strcspn(line, "\n"), line);
		return ret[0] != '\0';
	}
	return false;
}
