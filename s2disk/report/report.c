/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report.h"

#include "base/cleanup.h"
#include "crypto/crypto.h"
#include "base/io.h"
#include "base/look.h"
#include "base/memory.h"
#include "output/tar.h"
#include "base/text.h"
#include "s2disk/described.h"
#include "s2disk/aftermath/last.h"
#include "s2disk/prepare/platform_section.h"
#include "s2disk/prepare/released.h"
#include "base/tree.h"
#include "answers.h"
#include "tree.h"
#include "config/sleep_method.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#define STATE_DIRECTORY "/var/lib/s2disk"

static void note_state(const char *root)
{
	_cleanup_names_ struct tree_names names = { 0 };
	char path[300];

	if (tree_list(root, STATE_DIRECTORY, &names) < 0)
		return;
	for (size_t i = 0; i < names.count; i++)
		if (snprintf(path, sizeof(path), STATE_DIRECTORY "/%s", names.items[i]) <
		    (int)sizeof(path))
			look_note(root, path, LOOK_READ);
}

/* Reads what --last and the history use. */
static void look_at_past(const char *root)
{
	FILE *nowhere = fopen("/dev/null", "w");

	if (nowhere) {
		last_print(root, false, nowhere, NULL);
		fclose(nowhere);
	}
	look_note(root, "/run/s2disk/boot", LOOK_READ);
	look_note(root, "/run/s2disk/offlined", LOOK_READ);
	note_state(root);
}

static void look(const struct report_source *source, struct settings *settings,
		 struct report_answers *answers)
{
	struct release_plan release = { 0 };
	struct preflight_target target = { .release = &release };
	struct platform_section section = { 0 };
	struct why w = { "" }, problem = { "" };
	struct preflight *preflight = malloc(sizeof(*preflight));
	struct swap_area area;
	int r;

	if (!preflight)
		return;
	r = target.area_error = source->find_target(settings, &area, &w);
	if (r == 0)
		target.area = &area;
	else
		target.area_problem = why_text(&w, r);
	report_answers_target(answers, &target);
	r = source->describes_machine ? platform_section_capture(&section, source->root, &problem)
				      : -ENOENT;
	if (r == 0)
		r = released_plan(settings, source->root, &section.platform, &release);
	if (r == 0 && release.entries.count > 0)
		report_answers_claimed(answers);
	if (r == 0)
		target.platform = &section.platform;
	else if (source->describes_machine)
		report_answers_no_platform(answers, why_text(&problem, r));
	preflight_run_on(report_answers_system(answers), settings, &target, source->root,
			 preflight);
	release_plan_free(&release);
	platform_section_free(&section);
	look_at_past(source->root);
	free(preflight);
}

static void add_text(FILE *out, const char *name, const char *text, size_t size)
{
	const struct tar_member member = { .name = name + (name[0] == '/'),
					   .mode = S_IFREG | 0600,
					   .mtime = (uint64_t)time(NULL),
					   .content = text,
					   .size = size };

	tar_add(out, &member);
}

static int write_archive(struct report_tree *tree, struct report_answers *answers, FILE *out)
{
	_cleanup_free_ char *text = NULL;
	size_t length = 0;
	FILE *notes = open_memstream(&text, &length);
	int r;

	if (!notes)
		return -ENOMEM;
	fprintf(notes, "s2disk " PACKAGE_VERSION "; s2disk --check --root=DIR, with DIR where this "
		       "was unpacked, says what was found\n");
	report_answers_write(answers, out, add_text);
	r = report_tree_write(tree, out, notes);
	if (fclose(notes) != 0 && r == 0)
		r = -ENOMEM;
	if (r == 0)
		add_text(out, "report", text, length);
	tar_end(out);
	return r;
}

/* A temporary file beside it, until it is complete. */
static int open_beside(const char *file, char *name, size_t size, struct why *w)
{
	struct stat st;
	int fd;

	if (stat(file, &st) == 0 && !S_ISREG(st.st_mode))
		return why(w, S_ISDIR(st.st_mode) ? -EISDIR : -EEXIST,
			   "%s exists and is not a regular file", file);
	if (snprintf(name, size, "%s.XXXXXX", file) >= (int)size)
		return why(w, -ENAMETOOLONG, "%s: %s", file, strerror(ENAMETOOLONG));
	fd = mkostemp(name, O_CLOEXEC); /* mode 0600 */
	return fd < 0 ? why(w, -errno, "%s: %s", name, strerror(errno)) : fd;
}

static int write_file(struct report_tree *tree, struct report_answers *answers, const char *file,
		      struct why *w)
{
	bool standard = strcmp(file, "-") == 0;
	char name[PATH_MAX] = "";
	int fd = standard ? dup(STDOUT_FILENO) : open_beside(file, name, sizeof(name), w);
	FILE *out;
	int r = fd < 0 ? fd : 0;

	if (r < 0)
		return standard ? why(w, -errno, "standard output: %s", strerror(errno)) : r;
	out = fdopen(fd, "w");
	if (!out) {
		close(fd);
		r = -ENOMEM;
	} else {
		r = write_archive(tree, answers, out);
		if (ferror(out) && r == 0)
			r = -EIO;
		if (fclose(out) != 0 && (r == 0 || r == -EIO))
			r = -errno;
	}
	if (r == 0 && !standard && rename(name, file) < 0)
		r = -errno;
	if (r < 0 && name[0])
		unlink(name);
	return r < 0 ? why(w, r, "%s: %s", standard ? "standard output" : file, strerror(-r)) : 0;
}

int report_write(const struct report_source *source, const struct options *options,
		 const char *file, struct why *w)
{
	struct report_tree *tree = NULL;
	struct report_answers *answers;
	struct settings settings;
	int r = crypto_init(w);

	if (r < 0)
		return r;
	answers = report_answers_begin(source->system, source->root);
	tree = report_tree_begin(source->root);
	if (!tree || !answers) {
		r = why(w, -ENOMEM, "no memory for the report");
	} else {
		report_tree_watch(tree, true);
		if (options_load_settings(options, &settings, NULL) < 0)
			options_salvage_settings(options, &settings);
		sleep_method_load(source->root, &settings);
		look(source, &settings, answers);
		report_tree_watch(tree, false);
		r = write_file(tree, answers, file, w);
	}
	report_tree_free(tree);
	report_answers_free(answers);
	return r;
}
