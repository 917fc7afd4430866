/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "answers.h"

#include "base/cleanup.h"
#include "base/io.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/tree.h"
#include "release/release_guard.h"
#include "s2disk/described.h"
#include "swap/device_stack.h"
#include "swap/mapper_targets.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

enum { FILE_AREA, FILE_DEVICES, FILE_MAPPER, FILE_CLAIMED, FILE_ANSWERS, FILE_COUNT };

static const char *const names[FILE_COUNT] = { DESCRIBED_AREA, DESCRIBED_DEVICES, DESCRIBED_MAPPER,
					       RELEASE_CLAIMED, DESCRIBED_ANSWERS };

struct report_answers {
	const struct preflight_system *system;
	const char *root;
	struct swap_area area;
	bool area_known;
	struct {
		FILE *file;
		char *text;
		size_t size;
	} files[FILE_COUNT];
};

/* A struct preflight_system has no context. */
static struct report_answers *asked;

static const char *word(const char *text, char buffer[4 * PATH_MAX])
{
	return *text && text_escape_octal(text, buffer, (size_t)4 * PATH_MAX) ? buffer : "?";
}

/* The rest of a line. */
static const char *sentence(const char *text, char *buffer, size_t size)
{
	text_copy(buffer, size, text);
	for (char *c = buffer; (c = strchr(c, '\n'));)
		*c = ' ';
	return buffer;
}

static void add_device(const char *spec, dev_t dev)
{
	char buffer[4 * PATH_MAX];

	fprintf(asked->files[FILE_DEVICES].file, "%s %u:%u\n", word(spec, buffer), major(dev),
		minor(dev));
}

/* The device-mapper tables below it, which only an ioctl returns. */
static void add_mappers(dev_t dev)
{
	_cleanup_free_ struct device_stack *stack = calloc(1, sizeof(*stack));
	char targets[MAPPER_TARGETS_SIZE];

	if (!stack || device_stack_read(asked->root, dev, stack, NULL) < 0)
		return;
	for (size_t i = 0; i < stack->count; i++)
		if (text_starts(stack->layers[i].name, "dm-") &&
		    mapper_targets_read(asked->root, stack->layers[i].dev, targets,
					sizeof(targets)) == 0)
			fprintf(asked->files[FILE_MAPPER].file, "%u:%u %s\n",
				major(stack->layers[i].dev), minor(stack->layers[i].dev), targets);
}

static uid_t ask_euid(void)
{
	uid_t uid = asked->system->euid();

	fprintf(asked->files[FILE_ANSWERS].file, "euid %u\n", uid);
	return uid;
}

static int ask_open_device(const char *path, int flags, mode_t kind)
{
	int r = asked->system->open_device(path, flags, kind);
	char buffer[4 * PATH_MAX];

	if (r < 0)
		fprintf(asked->files[FILE_ANSWERS].file, "%s %s %d\n",
			(flags & O_ACCMODE) == O_RDWR ? "open-write" : "open-read",
			word(path + strlen(asked->root), buffer), r);
	return r;
}

static int ask_set_swap_area(int fd, dev_t dev, uint64_t offset)
{
	int r = asked->system->set_swap_area(fd, dev, offset);

	fprintf(asked->files[FILE_ANSWERS].file, "active %d\n", r);
	return r;
}

static int ask_avail_swap(int fd, uint64_t *ret)
{
	int r = asked->system->avail_swap(fd, ret);

	if (r == 0)
		fprintf(asked->files[FILE_ANSWERS].file, "free %" PRIu64 "\n", *ret);
	return r;
}

static bool ask_find_entry(const struct swap_area *area, const struct swap_entry *entries,
			   size_t count, struct swap_entry *ret)
{
	bool found = asked->system->find_entry(area, entries, count, ret);
	char buffer[4 * PATH_MAX];

	fprintf(asked->files[FILE_ANSWERS].file, "entry %s\n",
		found ? word(ret->path, buffer) : "-");
	return found;
}

static int ask_resolve(const char *spec, uint64_t offset, bool allow_file, struct swap_area *ret,
		       struct why *w)
{
	struct why reason = { "" };
	int r = asked->system->resolve(spec, offset, allow_file, ret, &reason);
	char buffer[4 * PATH_MAX], text[sizeof(reason.text)];

	if (r == 0) {
		add_device(spec, ret->dev);
		return 0;
	}
	fprintf(asked->files[FILE_ANSWERS].file, "lost %s %d %s\n", word(spec, buffer), r,
		sentence(why_text(&reason, r), text, sizeof(text)));
	return why(w, r, "%s", why_text(&reason, r));
}

static bool ask_entry_device(const char *root, const struct swap_entry *entry, dev_t *ret)
{
	if (!asked->system->entry_device(root, entry, ret))
		return false;
	add_device(entry->path, *ret);
	add_mappers(*ret);
	return true;
}

static const struct preflight_system asking = {
	.euid = ask_euid,
	.open_device = ask_open_device,
	.set_swap_area = ask_set_swap_area,
	.avail_swap = ask_avail_swap,
	.find_entry = ask_find_entry,
	.resolve = ask_resolve,
	.entry_device = ask_entry_device,
};

struct report_answers *report_answers_begin(const struct preflight_system *system, const char *root)
{
	struct report_answers *answers = calloc(1, sizeof(*answers));

	if (!answers)
		return NULL;
	answers->system = system;
	answers->root = root;
	for (int i = 0; i < FILE_COUNT; i++) {
		answers->files[i].file =
			open_memstream(&answers->files[i].text, &answers->files[i].size);
		if (!answers->files[i].file) {
			report_answers_free(answers);
			return NULL;
		}
	}
	asked = answers;
	return answers;
}

void report_answers_free(struct report_answers *answers)
{
	if (!answers)
		return;
	for (int i = 0; i < FILE_COUNT; i++) {
		if (answers->files[i].file)
			fclose(answers->files[i].file);
		free(answers->files[i].text);
	}
	free(answers);
	asked = NULL;
}

const struct preflight_system *report_answers_system(struct report_answers *answers)
{
	(void)answers;
	return &asking;
}

void report_answers_target(struct report_answers *answers, const struct preflight_target *target)
{
	char name[4 * PATH_MAX], device[4 * PATH_MAX], text[600];
	const struct swap_area *area = target->area;

	if (!area) {
		fprintf(answers->files[FILE_ANSWERS].file, "no-area %d %s\n", target->area_error,
			sentence(target->area_problem, text, sizeof(text)));
		return;
	}
	answers->area = *area;
	answers->area_known = true;
	fprintf(answers->files[FILE_AREA].file, "%s %s %u:%u %" PRIu64 " %d\n",
		word(area->name, name), word(area->device, device), major(area->dev),
		minor(area->dev), area->offset, area->file);
	add_device(area->device, area->dev);
	add_mappers(area->dev);
}

void report_answers_no_platform(struct report_answers *answers, const char *problem)
{
	char text[600];

	fprintf(answers->files[FILE_ANSWERS].file, "no-platform %s\n",
		sentence(problem, text, sizeof(text)));
}

void report_answers_claimed(struct report_answers *answers)
{
	_cleanup_names_ struct tree_names blocks = { 0 };

	if (tree_list(answers->root, "/sys/class/block", &blocks) < 0)
		return;
	for (size_t i = 0; i < blocks.count; i++)
		if (release_guard_claimed_disk(answers->root, blocks.items[i]))
			fprintf(answers->files[FILE_CLAIMED].file, "%s\n", blocks.items[i]);
}

/* Keeps only what names the area; its image is private. */
static unsigned char *read_page(const struct report_answers *answers)
{
	_cleanup_free_ unsigned char *page = aligned_alloc(page_size(), page_size());
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];

	if (!page || snprintf(path, sizeof(path), "%s%s", answers->root, answers->area.device) >=
			     (int)sizeof(path))
		return NULL;
	fd = answers->system->open_device(path, O_RDONLY | O_DIRECT, S_IFBLK);
	if (fd < 0 || io_pread_full(fd, page, page_size(), swap_area_start(&answers->area)) < 0)
		return NULL;
	swap_header_only(page, page_size());
	return steal_pointer(&page);
}

void report_answers_write(struct report_answers *answers, FILE *out,
			  void (*add)(FILE *out, const char *name, const char *text, size_t size))
{
	_cleanup_free_ unsigned char *page = answers->area_known ? read_page(answers) : NULL;

	for (int i = 0; i < FILE_COUNT; i++) {
		fflush(answers->files[i].file);
		if (answers->files[i].size > 0 || i == FILE_ANSWERS)
			add(out, names[i], answers->files[i].text, answers->files[i].size);
	}
	if (page)
		add(out, DESCRIBED_PAGE, (const char *)page, page_size());
}
