/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "swapfile_state.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "swapfile_kernel.h"
#include "swapfile_stop.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Text of the system's files: for root's eyes. */
#define STATE_MODE 0600
#define LOCK "/run/s2disk-swapfile.lock"
#define HEAD "s2disk-swapfile state 1"
#define FLAG_UNFINISHED "unfinished"
#define PLAN_FIELDS 5 /* name, path, two that are not used any more, flags */

static const char escaped[] = "\t\n\r\\", escapes[] = "tnr\\";

/* A line: a word, and fields, each '-' for none, or '=' and the text, in which tab,
 * newline, return and backslash are \t, \n, \r and \\. */
static void put_line(FILE *out, const char *word, const char *const *fields, size_t count)
{
	fputs(word, out);
	for (size_t i = 0; i < count; i++) {
		fputs(fields[i] ? "\t=" : "\t-", out);
		for (const char *c = fields[i]; c && *c; c++) {
			const char *found = strchr(escaped, *c);

			if (found)
				putc('\\', out);
			putc(found ? escapes[found - escaped] : *c, out);
		}
	}
	putc('\n', out);
}

char *state_encode(const struct state *state)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	put_line(out, HEAD, NULL, 0);
	for (size_t i = 0; i < state->count; i++) {
		const struct plan *plan = &state->plans[i];
		const char *fields[PLAN_FIELDS] = { plan->name, plan->path, NULL, NULL,
						    plan->unfinished ? FLAG_UNFINISHED : NULL };

		put_line(out, "plan", fields, PLAN_FIELDS);
		for (size_t j = 0; j < plan->count; j++)
			put_line(out, step_kinds[plan->steps[j].kind].name,
				 (const char *const *)plan->steps[j].text, TEXTS);
	}
	if (fclose(out) != 0)
		free(steal_pointer(&text));
	return text;
}

/* Undoes what put_line did to a field, in place; NULL in *ret for none. */
static int read_field(char *field, char **ret)
{
	char *to = field;

	*ret = NULL;
	if (!field || (*field != '=' && strcmp(field, "-") != 0))
		return -EBADMSG;
	if (*field == '-')
		return 0;
	for (const char *from = field + 1; *from; from++) {
		const char *found = NULL;

		if (*from == '\\') {
			found = *++from ? strchr(escapes, *from) : NULL;
			if (!found)
				return -EBADMSG;
		}
		*to++ = found ? escaped[found - escapes] : *from;
	}
	*to = '\0';
	*ret = strdup(field);
	return *ret ? 0 : -ENOMEM;
}

/* Cuts the line into the fields behind the word; free them also on failure. */
static int read_fields(char *line, char **ret, size_t count)
{
	int r = 0;

	for (size_t i = 0; i < count && r == 0; i++)
		r = read_field(strsep(&line, "\t"), &ret[i]);
	return r == 0 && line ? -EBADMSG : r;
}

struct plan *state_add(struct state *state, struct plan *plan)
{
	struct plan *more = reallocarray(state->plans, state->count + 1, sizeof(*more));

	if (!more)
		return NULL;
	state->plans = more;
	more[state->count] = *plan;
	*plan = (struct plan){ 0 };
	return &more[state->count++];
}

static int add_plan(struct state *state, char *line)
{
	char *fields[PLAN_FIELDS] = { 0 };
	int r = read_fields(line, fields, PLAN_FIELDS);
	struct plan plan = { .name = fields[0], .path = fields[1] };

	plan.unfinished = fields[4] && strstr(fields[4], FLAG_UNFINISHED);
	for (size_t i = 2; i < PLAN_FIELDS; i++)
		free(fields[i]);
	if (r == 0 && (!plan.name || !plan.path))
		r = -EBADMSG;
	if (r == 0 && !state_add(state, &plan))
		r = -ENOMEM;
	plan_close(&plan);
	return r;
}

/* A step without what it needs would be followed into nothing. */
static bool is_whole(const struct step *step)
{
	const char *path = step->text[TEXT_PATH];

	switch (step->kind) {
	case STEP_FILE:
		return path && path[0] == '/' && step->text[TEXT_NEW];
	case STEP_RUN:
		return !path || (path[0] == '/' && step->text[TEXT_UNDO] && !step->text[TEXT_DO]);
	case STEP_KERNELS:
		return !path;
	case STEP_ENTRIES:
		return !path && step->text[TEXT_UNDO];
	case STEP_PLACE:
		return path && swapfile_kernel_is_place(step->text[TEXT_OLD]) &&
		       swapfile_kernel_is_place(step->text[TEXT_NEW]);
	case STEP_SWAP:
		return path && path[0];
	default:
		return path && path[0] == '/';
	}
}

static int add_step(struct plan *plan, enum step_kind kind, char *line)
{
	struct step *more = reallocarray(plan->steps, plan->count + 1, sizeof(*more)), *step;
	int r;

	if (!more)
		return -ENOMEM;
	plan->steps = more;
	step = &more[plan->count++];
	*step = (struct step){ .kind = kind };
	r = read_fields(line, step->text, TEXTS);
	return r == 0 && !is_whole(step) ? -EBADMSG : r;
}

static int add_line(struct state *state, char *line)
{
	const char *word = strsep(&line, "\t");

	if (strcmp(word, "plan") == 0)
		return add_plan(state, line);
	for (size_t i = 0; i < STEP_KINDS && state->count > 0; i++)
		if (strcmp(word, step_kinds[i].name) == 0)
			return add_step(&state->plans[state->count - 1], (enum step_kind)i, line);
	return -EBADMSG;
}

int state_decode(const char *text, struct state *ret, struct why *w)
{
	_cleanup_free_ char *copy = strdup(text);
	struct state state = { 0 };
	unsigned int number = 1;
	char *at = copy, *line;
	int r = 0;

	if (!copy)
		return -ENOMEM;
	line = strsep(&at, "\n");
	if (strcmp(line, HEAD) != 0)
		r = -EBADMSG;
	while (r == 0 && at && *at) {
		line = strsep(&at, "\n");
		number++;
		/* A line without its end was cut off. */
		r = at ? add_line(&state, line) : -EBADMSG;
	}
	if (r < 0) {
		state_free(&state);
		return why(w, r, "line %u is damaged", number);
	}
	*ret = state;
	return 0;
}

void state_free(struct state *state)
{
	for (size_t i = 0; i < state->count; i++)
		plan_close(&state->plans[i]);
	free(state->plans);
	*state = (struct state){ 0 };
}

int state_load(const struct swapfile_system *system, struct state *ret, struct why *w)
{
	_cleanup_free_ char *text = NULL;
	struct why reason = { "" };
	int r = system_read(system, SWAPFILE_STATE, &text);

	*ret = (struct state){ 0 };
	if (r == 0 && text)
		r = state_decode(text, ret, &reason);
	if (r == -EACCES)
		return why(w, r, "%s can be read by root only", SWAPFILE_STATE);
	return r < 0 ? why(w, r,
			   "%s, which says what to undo, cannot be used: %s; move it away, and "
			   "'s2disk-swapfile disable' goes by the marks in the files",
			   SWAPFILE_STATE, why_text(&reason, r))
		     : 0;
}

int state_lock(const struct swapfile_system *system, int *ret_fd, struct why *w)
{
	_cleanup_free_ char *full = system_path(system, LOCK);
	_cleanup_close_ int fd = -1;

	*ret_fd = -1;
	if (!full)
		return -ENOMEM;
	/* A program that this one runs has it, too: it goes on when this one is killed. */
	fd = open(full, O_RDWR | O_CREAT | O_NOFOLLOW, STATE_MODE);
	if (fd < 0)
		return errno == ENOENT ? 0 : why(w, -errno, LOCK ": %s", strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return why(w, -EAGAIN, "another s2disk-swapfile is at work; wait for its end");
	*ret_fd = steal_fd(&fd);
	return 0;
}

static int save(const struct swapfile_system *system, const struct state *state, struct why *w)
{
	_cleanup_free_ char *full = system_path(system, SWAPFILE_STATE), *text = NULL;
	int r = 0;

	if (!full)
		return -ENOMEM;
	if (state->count == 0) {
		if (system_has(system, SWAPFILE_STATE))
			r = system_unlink(system, SWAPFILE_STATE);
		rmdir(dirname(full)); /* only when it is empty */
	} else {
		text = state_encode(state);
		/* /var/lib is there. */
		if (!text || (mkdir(dirname(full), 0755) < 0 && errno != EEXIST))
			r = text ? -errno : -ENOMEM;
		if (r == 0)
			r = system_write(system, SWAPFILE_STATE, text, STATE_MODE);
	}
	return r < 0 ? why(w, r, "%s cannot be written: %s", SWAPFILE_STATE, strerror(-r)) : 0;
}

struct plan *state_find(const struct state *state, const char *name, const char *path)
{
	for (size_t i = state->count; i > 0; i--)
		if (strcmp(state->plans[i - 1].name, name) == 0 &&
		    (!path || strcmp(state->plans[i - 1].path, path) == 0))
			return &state->plans[i - 1];
	return NULL;
}

/* refresh: what is made of files is to be made anew. */
static bool is_due(const struct swapfile_system *system, const struct step *step, bool refresh)
{
	const char *path = step->text[TEXT_PATH];

	return step->kind != STEP_RUN ||
	       ((refresh || step->text[TEXT_DO]) && (!path || system_has(system, path)));
}

/* Undoes the steps, the last one first; those that failed are what is left of
 * the plan. When the swap area cannot be switched off or the file deleted, that is the
 * end: what comes before it in a plan was not touched yet, and is to stay. */
static int undo_steps(const struct swapfile_system *system, struct plan *plan, bool refresh,
		      struct report *report, struct why *w)
{
	size_t left = plan->count, kept = plan->count;
	bool stop = false;
	int result = 0;

	while (left > 0 && !stop) {
		struct step step = plan->steps[--left];
		struct why reason = { "" };
		int r = 0;

		if (is_due(system, &step, refresh)) {
			report_step(report, &step, true);
			r = step_kinds[step.kind].undo(system, &step, &reason);
		}
		if (r < 0 && result == 0)
			result = why(w, r, "%s", why_text(&reason, r));
		stop = r < 0 && (step.kind == STEP_SWAP || step.kind == STEP_MADE);
		if (r < 0)
			plan->steps[--kept] = step;
		else
			plan_drop(&step);
	}
	memmove(plan->steps + left, plan->steps + kept,
		(plan->count - kept) * sizeof(*plan->steps));
	plan->count -= kept - left;
	return result;
}

static void remove_plan(struct state *state, struct plan *plan)
{
	size_t index = (size_t)(plan - state->plans);

	plan_close(plan);
	memmove(plan, plan + 1, (state->count - index - 1) * sizeof(*plan));
	state->count--;
}

/* One step after the other; the plan is the state's last. */
static int do_steps(const struct swapfile_system *system, struct state *state, struct plan *plan,
		    struct report *report, struct why *w)
{
	size_t all = plan->count;
	int r = 0;

	for (plan->count = 0; plan->count < all && r == 0;) {
		const struct step *step = &plan->steps[plan->count];

		if (stop_asked()) {
			r = why(w, -EINTR, "interrupted; what was done is undone");
			break;
		}
		plan->count++;
		r = save(system, state, w);
		if (r == 0) {
			report_step(report, step, false);
			r = step_kinds[step->kind].act(system, plan, step, w);
		}
		/* A file of others is not this program's to delete. */
		if (r == -EEXIST && step->kind == STEP_MADE)
			plan->count--;
	}
	/* Those never reached. */
	for (size_t i = plan->count; i < all; i++)
		plan_drop(&plan->steps[i]);
	return r;
}

int state_do(const struct swapfile_system *system, struct state *state, struct plan *plan,
	     struct report *report, struct why *w)
{
	struct why reason = { "" };
	struct plan *own;
	int r;

	if (report && report->dry_run) {
		report_plan(report, plan);
		return 0;
	}
	own = state_add(state, plan);
	if (!own)
		return -ENOMEM;
	own->unfinished = true;
	r = do_steps(system, state, own, report, w);
	if (r == 0) {
		own->unfinished = false;
		r = save(system, state, w);
	}
	if (r == 0)
		return 0;
	if (undo_steps(system, own, plan_changes_files(own), report, &reason) < 0)
		log_warning("%s", reason.text);
	else
		remove_plan(state, own);
	save(system, state, NULL);
	return r;
}

/* All but what is made of files was undone before. */
static bool is_left(const struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->steps[i].kind != STEP_RUN)
			return false;
	return true;
}

int state_undo(const struct swapfile_system *system, struct state *state, struct plan *plan,
	       struct report *report, struct why *w)
{
	bool refresh = plan_changes_files(plan) || is_left(plan);
	struct why reason = { "" };
	int r, saved;

	for (size_t i = plan->count; report && report->dry_run && i > 0; i--)
		if (is_due(system, &plan->steps[i - 1], refresh))
			report_step(report, &plan->steps[i - 1], true);
	if (report && report->dry_run)
		return 0;
	/* On a full disk it is to be undone, too. */
	plan->unfinished = true;
	save(system, state, NULL);
	r = undo_steps(system, plan, refresh, report, w);
	if (r == 0)
		remove_plan(state, plan);
	saved = save(system, state, &reason);
	return r == 0 && saved < 0 ? why(w, saved, "%s", why_text(&reason, saved)) : r;
}
