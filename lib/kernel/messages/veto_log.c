/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/messages/veto_log.h"

#include "base/bytes.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define LEVEL_ERROR 3u

struct device_message {
	char driver[64], device[128];
	const char *rest;
};

/* "DRIVER DEVICE: rest"; a driver's name may contain blanks. */
static bool split(const struct kernel_message *message, struct device_message *ret)
{
	const char *colon = strstr(message->text, ": "), *blank = colon;

	if (!colon || !message->device[0])
		return false;
	while (blank > message->text && *blank != ' ')
		blank--;
	if (blank == message->text)
		return false;
	snprintf(ret->driver, sizeof(ret->driver), "%.*s", (int)(blank - message->text),
		 message->text);
	snprintf(ret->device, sizeof(ret->device), "%.*s", (int)(colon - blank - 1), blank + 1);
	ret->rest = colon + 2;
	if (text_starts(ret->rest, "PM: "))
		ret->rest += strlen("PM: ");
	return true;
}

static void name_device(struct veto_log *log, enum veto_kind kind,
			const struct kernel_message *message, const struct device_message *split_up)
{
	if (strcmp(log->device, split_up->device) != 0)
		log->module[0] = '\0';
	log->kind = kind;
	log->said[0] = '\0';
	text_copy(log->subsystem, sizeof(log->subsystem), message->subsystem);
	text_copy(log->device, sizeof(log->device), split_up->device);
	text_copy(log->driver, sizeof(log->driver), split_up->driver);
}

/* "bus_freeze(): the_freeze [module] returns -16": the innermost function comes first. */
static void find_module(struct veto_log *log, const char *rest)
{
	const char *begin = strstr(rest, "(): "), *open, *end;

	begin = begin ? begin + 4 : rest;
	open = strchr(begin, '[');
	end = strstr(begin, " returns ");
	if (log->module[0] || !open || !end || open > end)
		return;
	snprintf(log->module, sizeof(log->module), "%.*s", (int)strcspn(open + 1, " ]"), open + 1);
}

static void add_device(struct veto_log *log, const struct kernel_message *message)
{
	static const char *const failed[] = { "failed to quiesce", "failed to freeze",
					      "not prepared for power transition: code -" };
	struct device_message device;

	/* After the first failure the other devices are brought back. */
	if (log->kind > VETO_COMPLAINT || !split(message, &device))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(failed); i++)
		if (text_starts(device.rest, failed[i])) {
			name_device(log, VETO_DEVICE, message, &device);
			return;
		}
	if (strstr(device.rest, "(): ") && strstr(device.rest, " returns -")) {
		name_device(log, VETO_COMPLAINT, message, &device);
		find_module(log, device.rest);
	} else if (message->level <= LEVEL_ERROR && log->kind == VETO_UNKNOWN) {
		name_device(log, VETO_COMPLAINT, message, &device);
		text_copy(log->said, sizeof(log->said), device.rest);
	}
}

void veto_log_add(struct veto_log *log, const struct kernel_message *message)
{
	const char *text = message->text;

	if (text_starts(text, "PM: "))
		text += strlen("PM: ");
	if (text_starts(text, "Freezing ") && strstr(text, " failed after "))
		log->kind = VETO_PROCESS;
	else if (text_starts(text, "Freezing ") && strstr(text, " aborted after "))
		log->kind = VETO_EVENT;
	else if (log->kind == VETO_PROCESS && !log->process[0] && text_starts(text, "task:"))
		snprintf(log->process, sizeof(log->process), "%.*s",
			 (int)strcspn(text + strlen("task:"), " "), text + strlen("task:"));
	else
		add_device(log, message);
}
