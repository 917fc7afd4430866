/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "history/boot_brief.h"

#include "base/cleanup.h"
#include "base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Does it fit? *ret_over: the number of bytes by which it does not. */
static bool fits(const struct boot_record *record, const char *left_out, char *ret, size_t size,
		 size_t *ret_over)
{
	_cleanup_free_ char *text = NULL;
	size_t length, note = strlen(left_out);

	*ret_over = 0;
	if (boot_record_encode(record, &text, &length) < 0)
		return false;
	if (length + note >= size) {
		*ret_over = length + note - size + 1;
		return false;
	}
	memcpy(ret, text, length);
	memcpy(ret + length, left_out, note + 1);
	return true;
}

void boot_record_brief(struct boot_record *record, char *ret, size_t size)
{
	size_t over, length;

	free(record->log);
	free(record->map);
	record->log = record->map = NULL;
	if (fits(record, "left-out log map\n", ret, size, &over))
		return;
	while (record->run_count > 1) {
		memmove(record->runs, record->runs + 1,
			--record->run_count * sizeof(record->runs[0]));
		record->forgotten++;
		if (fits(record, "left-out log map\n", ret, size, &over))
			return;
	}
	length = strlen(record->command_line);
	over += strlen(" command-line");
	record->command_line[length > over ? length - over : 0] = '\0';
	if (fits(record, "left-out log map command-line\n", ret, size, &over))
		return;
	for (size_t i = 0; i < record->run_count; i++)
		record->runs[i].key_count = 0;
	if (!fits(record, "left-out log map command-line key\n", ret, size, &over))
		ret[0] = '\0';
}

int boot_record_take_over(const char *text, struct boot_record *mine, struct boot_record *ret,
			  struct why *w)
{
	_cleanup_free_ struct boot_record *record = calloc(1, sizeof(*record));
	struct boot_run *last;
	int r = record ? boot_record_parse(text, record, w) : -ENOMEM;

	if (r < 0)
		return r;
	if (record->run_count == 0) {
		boot_record_free(record);
		return why(w, -EBADMSG, "it has no run of resume");
	}
	last = &record->runs[record->run_count - 1];
	last->found = FOUND_IMAGE;
	last->fate = FATE_RESTORED;
	last->reason[0] = '\0';
	text_copy(record->boot_id, sizeof(record->boot_id), mine->boot_id);
	free(record->log);
	record->log = mine->log;
	mine->log = NULL;
	*ret = *record;
	return 0;
}
