/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "release/release_rules.h"

#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEPARATORS " \t,"

/* Is text as the pattern says: x is a hexadecimal digit, all else stands for itself? */
static bool has_form(const char *text, const char *pattern)
{
	for (; *pattern; text++, pattern++)
		if (*pattern == 'x' ? !isxdigit((unsigned char)*text) : *text != *pattern)
			return false;
	return *text == '\0';
}

static void lower(char *text)
{
	for (; *text; text++)
		*text = (char)tolower((unsigned char)*text);
}

/* A name of sysfs: nothing that leads elsewhere. */
static bool is_name(const char *text)
{
	static const char valid[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_-.:";

	return *text && *text != '.' && text[strspn(text, valid)] == '\0';
}

static bool take_text(struct release_rule *rule, enum release_by by, const char *text)
{
	rule->by = by;
	return is_name(text) && text_copy(rule->text, sizeof(rule->text), text);
}

/* Two digits are the base class, four the sub-class as well. */
static bool take_class(struct release_rule *rule, const char *text)
{
	rule->by = RELEASE_BY_CLASS;
	if (has_form(text, "xx"))
		rule->shifted = 16;
	else if (has_form(text, "xxxx"))
		rule->shifted = 8;
	else
		return false;
	rule->class = (uint32_t)strtoul(text, NULL, 16);
	return true;
}

static bool take_device(struct release_rule *rule, char *word, char *slash)
{
	*slash = '\0';
	return is_name(word) && text_copy(rule->bus, sizeof(rule->bus), word) &&
	       take_text(rule, RELEASE_BY_DEVICE, slash + 1);
}

/* As for modprobe a dash is an underscore; sysfs and the kernel have the latter. */
static bool take_module(struct release_rule *rule, const char *text)
{
	if (!take_text(rule, RELEASE_BY_MODULE, text) || strpbrk(rule->text, ".:"))
		return false;
	for (char *c = rule->text; (c = strchr(c, '-'));)
		*c = '_';
	return true;
}

/* Behind a VMD controller the number of the domain has five digits (vmd_find_free_domain() in
 * drivers/pci/controller/vmd.c). */
static bool is_address(const char *word)
{
	size_t domain = strspn(word, TEXT_HEX_DIGITS "ABCDEF");

	return (domain == 4 || (domain > 4 && domain <= 8 && *word != '0')) &&
	       has_form(word + domain, ":xx:xx.x");
}

static bool take_word(char *word, struct release_rule *rule)
{
	char *slash = strchr(word, '/');

	if (text_starts(word, "class:"))
		return take_class(rule, word + strlen("class:"));
	if (text_starts(word, "module:"))
		return take_module(rule, word + strlen("module:"));
	if (slash)
		return take_device(rule, word, slash);
	if (is_address(word) || has_form(word, "xxxx:xxxx")) {
		lower(word);
		return take_text(rule, strchr(word, '.') ? RELEASE_BY_ADDRESS : RELEASE_BY_ID,
				 word);
	}
	return !strchr(word, ':') && take_text(rule, RELEASE_BY_DRIVER, word);
}

int release_rules_parse(const char *text, struct release_rules *ret, struct why *w)
{
	struct release_rules rules = { .count = 0 };

	for (text += strspn(text, SEPARATORS); *text; text += strspn(text, SEPARATORS)) {
		struct release_rule *rule = &rules.items[rules.count];
		size_t length = strcspn(text, SEPARATORS);
		char word[sizeof(rule->word)];

		if (rules.count == RELEASE_RULES_MAX)
			return why(w, -EINVAL, "more than %d devices are named", RELEASE_RULES_MAX);
		snprintf(word, sizeof(word), "%.*s", (int)length, text);
		*rule = (struct release_rule){ .text = "" };
		text_copy(rule->word, sizeof(rule->word), word);
		if (length >= sizeof(word) || !take_word(word, rule))
			return why(w, -EINVAL,
				   "\"%.*s\" names no device: a PCI address (0000:01:00.0), a PCI "
				   "id (8086:10d3), class:02, a driver, bus/device or module:name",
				   (int)length, text);
		rules.count++;
		text += length;
	}
	*ret = rules;
	return 0;
}
