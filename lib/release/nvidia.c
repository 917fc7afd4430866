/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "release/nvidia.h"

#include "base/cleanup.h"
#include "base/io.h"
#include "base/program.h"
#include "release/release_child.h"
#include "release/release_step.h"

#include <errno.h>
#include <string.h>

#define PARAMETERS "/proc/driver/nvidia/params"
#define PARAMETERS_LIMIT 65536

bool nvidia_preserves(const char *root)
{
	_cleanup_free_ char *parameters = NULL;

	return io_read_file(root, PARAMETERS, PARAMETERS_LIMIT, &parameters, NULL) == 0 &&
	       strstr(parameters, "PreserveVideoMemoryAllocations: 1");
}

struct question {
	const char *root, *program, *word;
};

static int ask(void *context, struct why *w)
{
	const struct question *question = context;
	const char *const arguments[] = { question->program, question->word, NULL };
	int r;

	(void)w;
	if (!question->program)
		return io_write_text(question->root, NVIDIA_SUSPEND, question->word);
	r = program_run(arguments[0], arguments, NULL, -1);
	return r > 0 ? -EIO : r;
}

int nvidia_ask(const char *root, const char *program, const char *word)
{
	struct question question = { root, program, word };
	const struct child_limits limits = { .seconds = RELEASE_STEP_SECONDS };

	return release_child_run(ask, &question, &limits, NULL);
}

int nvidia_write(const char *root, const char *word)
{
	return nvidia_ask(root, NULL, word);
}
