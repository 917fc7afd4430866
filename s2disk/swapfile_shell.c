/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "swapfile_shell.h"

#include "base/cleanup.h"

#include <ctype.h>
#include <glob.h>
#include <string.h>

/* at: behind the '='. Returns the value's end. */
static const char *take_value(const char *at, char *to, size_t room)
{
	bool array = *at == '(';
	char quote = '\0';

	for (at += array; *at; at++) {
		if (quote ? *at == quote : *at == '"' || *at == '\'')
			quote = quote ? '\0' : *at;
		else if (!quote && (array ? *at == ')' : strchr(" \t\n;", *at) != NULL))
			break;
		else if (!quote && *at == '#' && strchr(" \t\n(", at[-1]))
			at += strcspn(at, "\n") - 1;
		else if (*at == '\\' && at[1] == '\n')
			at++;
		else if (room-- > 1)
			*to++ = isspace((unsigned char)*at) ? ' ' : *at;
		else
			break;
	}
	*to = '\0';
	return at;
}

void shell_take(const char *text, const char *name, char *buffer, size_t size)
{
	size_t length = strlen(name);

	for (; *text; text += strcspn(text, "\n"), text += *text == '\n') {
		bool more;
		size_t used;

		text += strspn(text, " \t");
		more = strncmp(text, name, length) == 0 && text[length] == '+';
		if (strncmp(text, name, length) != 0 || text[length + more] != '=')
			continue;
		used = more ? strlen(buffer) : 0;
		if (used > 0 && used + 2 < size)
			buffer[used++] = ' ';
		text = take_value(text + length + more + 1, buffer + used, size - used);
	}
}

const char *shell_read(const struct swapfile_system *system, const char *const *patterns,
		       const char *name, char *buffer, size_t size)
{
	buffer[0] = '\0';
	for (; *patterns; patterns++) {
		_cleanup_free_ char *pattern = system_path(system, *patterns);
		glob_t found;

		if (!pattern || glob(pattern, 0, NULL, &found) != 0)
			continue;
		for (size_t i = 0; i < found.gl_pathc; i++) {
			_cleanup_free_ char *text = NULL;

			if (system_read(system, found.gl_pathv[i] + strlen(system->root), &text) ==
				    0 &&
			    text)
				shell_take(text, name, buffer, size);
		}
		globfree(&found);
	}
	return buffer;
}

bool shell_has_word(const char *words, const char *word)
{
	size_t length = strlen(word);

	for (; *words; words += strcspn(words, " "), words += *words == ' ')
		if (strncmp(words, word, length) == 0 && strchr(" ", words[length]))
			return true;
	return false;
}
