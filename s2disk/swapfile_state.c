/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "swapfile_state.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/text.h"
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
#define FIELDS_MAX 8

static const char *const kind_names[] = {
	[STEP_FILE] = "file",	    [STEP_FOLDER] = "folder",	[STEP_RUN] = "run",
	[STEP_SWAP] = "swap",	    [STEP_MADE] = "made",	[STEP_SUBVOLUME] = "subvolume",
	[STEP_KERNELS] = "kernels", [STEP_ENTRIES] = "entries",
};

/* A field: '-' for none, or '=' and the text, in which tab, newline, return
 * and backslash are \t, \n, \r and \\. */
static void put_field(FILE *out, const char *text)
{
	static const char from[] = "\t\n\r\\", to[] = "tnr\\";

	putc('\t', out);
	putc(text ? '=' : '-', out);
	for (; text && *text; text++) {
		const char *found = strchr(from, *text);

		if (found)
			fprintf(out, "\\%c", to[found - from]);
		else
			putc(*text, out);
	}
}

#define FLAG_ONLY "hibernate-only"
#define FLAG_UNFINISHED "unfinished"

static const char *plan_flags(const struct plan *plan)
{
	if (plan->unfinished)
		return plan->hibernate_only ? FLAG_ONLY " " FLAG_UNFINISHED : FLAG_UNFINISHED;
	return plan->hibernate_only ? FLAG_ONLY : NULL;
}

static void put_plan(FILE *out, const struct plan *plan)
{
	fputs("plan", out);
	put_field(out, plan->name);
	put_field(out, plan->path);
	put_field(out, plan->device);
	put_field(out, plan->offset);
	put_field(out, plan_flags(plan));
	putc('\n', out);
	for (size_t i = 0; i < plan->count; i++) {
		const struct step *step = &plan->steps[i];

		fputs(kind_names[step->kind], out);
		put_field(out, step->path);
		put_field(out, step->old_text);
		put_field(out, step->new_text);
		put_field(out, step->command);
		put_field(out, step->undo);
		putc('\n', out);
	}
}

char *state_encode(const struct state *state)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	fprintf(out, "%s\n", HEAD);
	for (size_t i = 0; i < state->count; i++)
		put_plan(out, &state->plans[i]);
	if (fclose(out) != 0)
		free(steal_pointer(&text));
	return text;
}

/* Undoes put_field in place; NULL in *ret for none. -EBADMSG. */
static int read_field(char *field, char **ret)
{
	char *to = field, *from = field + 1;

	*ret = NULL;
	if (*field == '-')
		return field[1] ? -EBADMSG : 0;
	if (*field != '=')
		return -EBADMSG;
	while (*from) {
		if (*from == '\\') {
			const char *codes = "tnr\\";
			const char *found = from[1] ? strchr(codes, from[1]) : NULL;

			if (!found)
				return -EBADMSG;
			*to++ = "\t\n\r\\"[found - codes];
			from += 2;
		} else {
			*to++ = *from++;
		}
	}
	*to = '\0';
	*ret = strdup(field);
	return *ret ? 0 : -ENOMEM;
}

static int add_plan(struct state *state, char **fields)
{
	struct plan *more = reallocarray(state->plans, state->count + 1, sizeof(*more)), *plan;
	char *flags = NULL;
	int r;

	if (!more)
		return -ENOMEM;
	state->plans = more;
	plan = &more[state->count++];
	*plan = (struct plan){ 0 };
	r = read_field(fields[0], &plan->name);
	if (r == 0)
		r = read_field(fields[1], &plan->path);
	if (r == 0)
		r = read_field(fields[2], &plan->device);
	if (r == 0)
		r = read_field(fields[3], &plan->offset);
	if (r == 0)
		r = read_field(fields[4], &flags);
	plan->hibernate_only = flags && strstr(flags, FLAG_ONLY);
	plan->unfinished = flags && strstr(flags, FLAG_UNFINISHED);
	free(flags);
	return r == 0 && (!plan->name || !plan->path) ? -EBADMSG : r;
}

/* A step without what it needs would be followed into nothing. */
static bool is_whole(const struct step *step)
{
	if (step->kind == STEP_ENTRIES && !step->undo)
		return false;
	if (step_runs(step))
		return !step->path || (step->kind == STEP_RUN && step->path[0] == '/' &&
				       step->undo && !step->command);
	if (step->kind == STEP_FILE && !step->new_text)
		return false;
	return step->path && step->path[0] == '/';
}

static int add_step(struct plan *plan, enum step_kind kind, char **fields)
{
	struct step *more = reallocarray(plan->steps, plan->count + 1, sizeof(*more)), *step;
	int r;

	if (!more)
		return -ENOMEM;
	plan->steps = more;
	step = &more[plan->count++];
	*step = (struct step){ .kind = kind };
	r = read_field(fields[0], &step->path);
	if (r == 0)
		r = read_field(fields[1], &step->old_text);
	if (r == 0)
		r = read_field(fields[2], &step->new_text);
	if (r == 0)
		r = read_field(fields[3], &step->command);
	if (r == 0)
		r = read_field(fields[4], &step->undo);
	return r == 0 && !is_whole(step) ? -EBADMSG : r;
}

static int add_line(struct state *state, char *line)
{
	char *fields[FIELDS_MAX];
	size_t count = 0;

	while (line && count < FIELDS_MAX)
		fields[count++] = strsep(&line, "\t");
	if (line || count != 6)
		return -EBADMSG;
	if (strcmp(fields[0], "plan") == 0)
		return add_plan(state, fields + 1);
	for (size_t i = 0; i < ARRAY_SIZE(kind_names) && state->count > 0; i++)
		if (strcmp(fields[0], kind_names[i]) == 0)
			return add_step(&state->plans[state->count - 1], (enum step_kind)i,
					fields + 1);
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
	if (r < 0)
		return why(w, r,
			   "%s, which says what to undo, cannot be used: %s; mend it, or move it "
			   "away and undo by hand what stands in it",
			   SWAPFILE_STATE, why_text(&reason, r));
	return 0;
}

int state_lock(const struct swapfile_system *system, int *ret_fd, struct why *w)
{
	_cleanup_free_ char *full = system_path(system, LOCK);
	_cleanup_close_ int fd = -1;

	*ret_fd = -1;
	if (!full)
		return -ENOMEM;
	fd = open(full, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, STATE_MODE);
	if (fd < 0)
		return errno == ENOENT ? 0 : why(w, -errno, LOCK ": %s", strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return why(w, -EAGAIN, "another s2disk-swapfile is at work; wait for its end");
	*ret_fd = steal_fd(&fd);
	return 0;
}

static int make_folders(const char *path)
{
	_cleanup_free_ char *copy = strdup(path);

	if (!copy)
		return -ENOMEM;
	for (char *c = copy + 1; *c; c++) {
		if (*c != '/')
			continue;
		*c = '\0';
		if (mkdir(copy, 0755) < 0 && errno != EEXIST)
			return -errno;
		*c = '/';
	}
	return 0;
}

static int forget(const struct swapfile_system *system, char *full)
{
	int r = system_has(system, SWAPFILE_STATE) ? system_unlink(system, SWAPFILE_STATE) : 0;

	rmdir(dirname(full)); /* only when it is empty */
	return r;
}

static int save(const struct swapfile_system *system, const struct state *state, struct why *w)
{
	_cleanup_free_ char *full = system_path(system, SWAPFILE_STATE), *text = NULL;
	int r;

	if (!full)
		return -ENOMEM;
	if (state->count == 0) {
		r = forget(system, full);
	} else {
		text = state_encode(state);
		r = text ? make_folders(full) : -ENOMEM;
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

static void tell(const struct step_teller *teller, const struct step *step, bool undo)
{
	if (teller && teller->tell)
		teller->tell(teller->context, step, undo);
}

/* A command that only belongs to undoing refreshes what is made of files: it
 * is needed where one was put back. */
static bool is_needed(const struct swapfile_system *system, const struct step *step, bool changed)
{
	if (step->kind == STEP_RUN && step->path && !system_has(system, step->path))
		return false;
	return !step_runs(step) || (step->undo && (step->command || changed));
}

/* Undoes the steps, the last one first; those that failed are what is left of
 * the plan. When the swap file cannot be switched off or deleted, that is the
 * end: what comes before it in a plan was not touched yet, and is to stay. */
static int undo_steps(const struct swapfile_system *system, struct plan *plan, bool changed,
		      const struct step_teller *teller, struct why *w)
{
	size_t left = plan->count, kept = plan->count;
	bool stop = false;
	int result = 0;

	while (left > 0 && !stop) {
		struct step step = plan->steps[left - 1];
		struct why reason = { "" };
		bool now = false;
		int r = 0;

		if (is_needed(system, &step, changed)) {
			tell(teller, &step, true);
			r = step_undo(system, &step, teller, &now, &reason);
		}
		changed |= now;
		if (r < 0 && result == 0)
			result = why(w, r, "%s", why_text(&reason, r));
		stop = r < 0 && (step.kind == STEP_SWAP || step.kind == STEP_MADE);
		left--;
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
static int do_steps(const struct swapfile_system *system, struct state *state,
		    const struct step_teller *teller, struct why *w)
{
	struct plan *plan = &state->plans[state->count - 1];
	size_t all = plan->count;
	int r = 0;

	for (size_t i = 0; i < all && r == 0; i++) {
		const struct step *step = &plan->steps[i];

		if (stop_asked()) {
			plan->count = i;
			r = why(w, -EINTR, "interrupted; what was done is undone");
			break;
		}
		plan->count = i + 1;
		r = save(system, state, w);
		if (r == 0 && (!step_runs(step) || step->command))
			tell(teller, step, false);
		if (r == 0)
			r = step_do(system, plan, step, w);
		/* Somebody else's file is not ours to delete. */
		if (r == -EEXIST && step->kind == STEP_MADE)
			plan->count = i;
	}
	/* Those never reached. */
	for (size_t i = plan->count; i < all; i++)
		plan_drop(&plan->steps[i]);
	return r;
}

int state_do(const struct swapfile_system *system, struct state *state, struct plan *plan,
	     const struct step_teller *teller, struct why *w)
{
	struct plan *more = reallocarray(state->plans, state->count + 1, sizeof(*more));
	struct why reason = { "" };
	int r;

	if (!more)
		return -ENOMEM;
	state->plans = more;
	more[state->count++] = *plan;
	*plan = (struct plan){ 0 };
	more[state->count - 1].unfinished = true;
	r = do_steps(system, state, teller, w);
	more = &state->plans[state->count - 1];
	if (r == 0) {
		more->unfinished = false;
		r = save(system, state, w);
	}
	if (r == 0)
		return 0;
	if (undo_steps(system, more, false, teller, &reason) < 0) {
		if (teller && teller->warn)
			teller->warn(teller->context, reason.text);
		save(system, state, NULL);
		return r;
	}
	remove_plan(state, more);
	save(system, state, &reason);
	return r;
}

int state_undo(const struct swapfile_system *system, struct state *state, struct plan *plan,
	       const struct step_teller *teller, struct why *w)
{
	struct why reason = { "" };
	int r, saved;

	/* On a full disk it is to be undone all the same. */
	plan->unfinished = true;
	save(system, state, NULL);
	r = undo_steps(system, plan, plan_changes_files(plan, plan->count), teller, w);
	if (r == 0)
		remove_plan(state, plan);
	saved = save(system, state, &reason);
	if (r == 0 && saved < 0)
		r = why(w, saved, "%s", why_text(&reason, saved));
	return r;
}
