/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every row of doc/platform-verdict.md, and nothing that is in none: one
 * difference, its finding, its class. The lines are in verdict_rows_*.c. */
#include "fixtures/check_main.h"
#include "verdict_rows.h"

#include <ctype.h>

#define ROWS_MAX 400
#define LINES_MAX 1000

static struct row {
	const char *cell;
	size_t lines, documented;
} rows[ROWS_MAX];
static size_t row_count;

static struct {
	const struct line *line;
	void (*change)(void);
	const char *file;
	int number;
	struct row *row;
} lines[LINES_MAX];
static size_t line_count;

static bool without_image;

/* Before main(): errors here cannot be reported otherwise. */
static void insist(bool condition, const char *what, const char *where)
{
	if (condition)
		return;
	fprintf(stderr, "%s: %s\n", where, what);
	abort();
}

void add_row(const char *cell)
{
	for (size_t i = 0; i < row_count; i++)
		insist(strcmp(rows[i].cell, cell) != 0, "is there twice", cell);
	insist(row_count < ROWS_MAX, "too many rows", cell);
	rows[row_count++].cell = cell;
}

void add_line(const struct line *line, void (*change)(void), const char *file, int number)
{
	insist(row_count > 0, "a LINE before the first ROW", file);
	insist(line_count < LINES_MAX, "too many lines", file);
	lines[line_count].line = line;
	lines[line_count].change = change;
	lines[line_count].file = file;
	lines[line_count].number = number;
	lines[line_count].row = &rows[row_count - 1];
	lines[line_count++].row->lines++;
}

/* The same map, with one more entry, and less of those in its place. */
static void put_entry(struct platform *platform, const struct memory_entry *entry)
{
	struct memory_map map = { .entries.known = true, .table_known = 1 };
	bool done = entry->type == MEMORY_NONE;

	for (size_t i = 0; i < platform->map.entries.count; i++) {
		const struct memory_entry *old = &platform->map.entries.items[i];
		struct memory_entry before = *old, after = *old;

		if (old->start < entry->start) {
			before.end = old->end < entry->start ? old->end : entry->start - 1;
			ck_assert_int_eq(list_append(&map.entries, before), 0);
		}
		if (!done && old->end >= entry->start) {
			ck_assert_int_eq(list_append(&map.entries, *entry), 0);
			done = true;
		}
		if (old->end > entry->end) {
			after.start = old->start > entry->end ? old->start : entry->end + 1;
			ck_assert_int_eq(list_append(&map.entries, after), 0);
		}
	}
	if (!done)
		ck_assert_int_eq(list_append(&map.entries, *entry), 0);
	map.table_count = (uint32_t)map.entries.count;
	memory_map_free(&platform->map);
	platform->map = map;
}

void now_has(uint64_t start, uint64_t bytes, enum memory_type type)
{
	put_entry(&now, &(struct memory_entry){ start, start + bytes - 1, type, 0 });
}

void both_have(uint64_t start, uint64_t bytes, enum memory_type type)
{
	now_has(start, bytes, type);
	put_entry(&then, &(struct memory_entry){ start, start + bytes - 1, type, 0 });
	make_header();
}

void kernel_uses(struct platform *platform, uint64_t start, uint64_t end)
{
	platform->ram.used.known = true;
	ck_assert_int_eq(list_append(&platform->ram.used, ((struct byte_range){ start, end })), 0);
}

void no_image(void)
{
	without_image = true;
}

static void mount_one(struct platform *platform)
{
	struct filesystem item = { .type = "ext",
				   .device = "/dev/vda2",
				   .place = "/",
				   .stamp = { 5 },
				   .identity = "disk S1" };

	platform->hibernation.last_gate = 1;
	platform->filesystems.items.known = true;
	ck_assert_int_eq(list_append(&platform->filesystems.items, item), 0);
}

static void begin(enum base base)
{
	static const char *const trees[] = {
		[OVMF] = "ovmf",
		[HYPERV] = "hyperv-uio",
		[VIRTIO_MEM] = "virtio-mem",
		[XEN] = "xen",
	};
	static const char plain[] = "0x0 0x9ffff System RAM\n0xf0000 0xfffff Reserved\n"
				    "0x100000 0x3fffffff System RAM\n";

	without_image = false;
	if (base == PLAIN) {
		start_with(plain, plain);
		mount_one(&then);
		mount_one(&now);
	} else {
		start_with_tree(trees[base]);
	}
	hold(0x10, 0x20);
	hold(0x200, 0x100);
}

static void judge_line(void)
{
	struct why w = { "" };

	ck_assert_msg(verdict_judge(&then, &now, without_image ? NULL : &image, &verdict, &w) == 0,
		      "%s", w.text);
}

/* The findings, for people. */
static const char *found(void)
{
	static char text[16384];
	size_t used = 0;

	for (size_t i = 0; i < verdict.count && used < sizeof(text); i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "\n  %s %s: %s %s",
					 verdict_about_name(verdict.findings[i].about),
					 verdict_class_name(verdict.findings[i].class),
					 verdict.findings[i].text, verdict.findings[i].advice);
	return text;
}

/* Takes one finding off the list of those that no line has explained. */
static bool explain(bool *explained, const struct expected *expected, const char *words,
		    const struct finding **ret)
{
	for (size_t i = 0; i < verdict.count; i++) {
		const struct finding *finding = &verdict.findings[i];

		if (explained[i] || finding->about != expected->about ||
		    finding->class != expected->class || !strstr(finding->text, words))
			continue;
		explained[i] = true;
		*ret = finding;
		return true;
	}
	return false;
}

#define INSIST(condition, ...)                                                                    \
	do {                                                                                      \
		char what_[200];                                                                  \
		snprintf(what_, sizeof(what_), __VA_ARGS__);                                      \
		ck_assert_msg(condition, "%s:%d: %s: %s: %s. Found:%s", lines[_i].file,           \
			      lines[_i].number, lines[_i].row->cell, what_, #condition, found()); \
	} while (0)

static void check_findings(int _i, const struct line *line)
{
	static const struct expected check = { ABOUT_KERNEL_CHECK, VERDICT_CORRECTED };
	bool explained[FINDINGS_MAX] = { false };
	enum verdict_class worst = line->silent ? VERDICT_SAME : line->finding.class;
	const struct finding *finding, *other;

	if (!line->silent) {
		INSIST(explain(explained, &line->finding, line->words, &finding),
		       "not found: %s, %s, \"%s\"", verdict_about_name(line->finding.about),
		       verdict_class_name(line->finding.class), line->words);
		INSIST(!line->advice || strstr(finding->advice, line->advice), "the advice");
		INSIST(finding->class != VERDICT_RISKY || finding->accept == line->accept,
		       "accepted by \"%s\"", verdict_accept_name(finding->accept));
		INSIST(finding->image_pages == line->pages, "the pages of the image");
		INSIST(finding->of_command_line == line->of_command_line, "the command line");
	}
	if ((line->plan & CHECKSUM) && line->finding.about != ABOUT_KERNEL_CHECK) {
		INSIST(explain(explained, &check, "has to be replaced", &other), "the checksum");
		worst = worst > VERDICT_CORRECTED ? worst : VERDICT_CORRECTED;
	}
	for (const struct expected *also = line->also; also->class != VERDICT_SAME; also++) {
		INSIST(explain(explained, also, "", &other), "the finding about %s",
		       verdict_about_name(also->about));
		worst = worst > also->class ? worst : also->class;
	}
	for (size_t i = 0; i < verdict.count; i++)
		INSIST(explained[i] || verdict.findings[i].class == VERDICT_SAME, "another one");
	INSIST(verdict.worst == worst, "the worst");
}

static void check_plan(int _i, const struct line *line)
{
	const struct verdict_plan *plan = &verdict.plan;
	uint64_t quarantined = frames_total(plan->quarantine.items, plan->quarantine.count);

	INSIST(plan->patch_checksum == ((line->plan & CHECKSUM) != 0), "the plan's checksum");
	INSIST(plan->patch_page_count == ((line->plan & PAGE_COUNT) != 0), "the plan's page count");
	INSIST(quarantined == line->quarantine, "the quarantine has %llu page frames",
	       (unsigned long long)quarantined);
	INSIST(verdict.hopeless == line->hopeless, "hopeless");
	INSIST(verdict_correct_header(plan, header, sizeof(header)) == 0, "the header");
}

START_TEST(line_holds)
{
	const struct line *line = lines[_i].line;

	begin(line->base);
	lines[_i].change();
	judge_line();
	check_findings(_i, line);
	check_plan(_i, line);
	clean_up();
}
END_TEST

/* What a line's difference is measured by. */
START_TEST(bases_are_the_same)
{
	begin((enum base)_i);
	judge_line();
	ck_assert_uint_gt(verdict.count, 0);
	ck_assert_msg(differences() == 0 && verdict.worst == VERDICT_SAME, "%s", found());
	clean_up();
}
END_TEST

/* Is class among the words of a row's second cell? */
static bool names_class(const char *cell, enum verdict_class class)
{
	const char *name = verdict_class_name(class);
	size_t length = strlen(name);

	for (const char *at = strstr(cell, name); at; at = strstr(at + 1, name))
		if ((at == cell || !isalpha((unsigned char)at[-1])) &&
		    !isalpha((unsigned char)at[length]))
			return true;
	return false;
}

static void check_row(const char *cell, const char *classes)
{
	struct row *row = NULL;
	bool has[VERDICT_FATAL + 1] = { false };

	for (size_t i = 0; i < row_count; i++)
		if (strcmp(rows[i].cell, cell) == 0)
			row = &rows[i];
	ck_assert_msg(row, "the row has no ROW in tests/unit/verdict/verdict_rows_*.c: %s", cell);
	ck_assert_msg(row->lines > 0, "the row has no LINE: %s", cell);
	ck_assert_msg(row->documented++ == 0, "the document has two such rows: %s", cell);
	for (size_t i = 0; i < line_count; i++)
		if (lines[i].row == row)
			has[lines[i].line->finding.class] = true;
	for (enum verdict_class class = VERDICT_SAME; class <= VERDICT_FATAL; class ++)
		ck_assert_msg(has[class] == names_class(classes, class),
			      "%s: the document says \"%s\", and a line %s \"%s\"", cell, classes,
			      has[class] ? "says" : "is missing for", verdict_class_name(class));
}

/* A table of findings has these columns. */
#define TITLE "| finding | class | why |"

static char *read_document(void)
{
	char *text;

	ck_assert_int_eq(io_read_file(test_data(), "/../../doc/platform-verdict.md", 1 << 20, &text,
				      NULL),
			 0);
	return text;
}

START_TEST(document_has_the_rows)
{
	_cleanup_free_ char *text = read_document();
	char *rest = NULL;
	bool inside = false;
	size_t seen = 0;

	for (char *at = strtok_r(text, "\n", &rest); at; at = strtok_r(NULL, "\n", &rest)) {
		char *classes = strstr(at, " | "),
		     *why = classes ? strstr(classes + 3, " |") : NULL;

		inside = strcmp(at, TITLE) == 0 || (inside && at[0] == '|');
		if (!inside || strcmp(at, TITLE) == 0 || strncmp(at, "| -", 3) == 0)
			continue;
		ck_assert_msg(strncmp(at, "| ", 2) == 0 && why, "not a row of three cells: %s", at);
		*classes = *why = '\0';
		check_row(at + 2, classes + 3);
		seen++;
	}
	ck_assert_uint_gt(seen, 0);
	for (size_t i = 0; i < row_count; i++)
		ck_assert_msg(rows[i].documented, "not a row of the document: %s", rows[i].cell);
}
END_TEST

/* The first table: what each class is, and which policy takes it. */
START_TEST(document_has_the_policies)
{
	_cleanup_free_ char *text = read_document();
	const struct verdict some = { .worst = (enum verdict_class)_i };
	char begins[40], expected[80] = "";
	const char *row;

	snprintf(begins, sizeof(begins), "\n| %s | ", verdict_class_name(some.worst));
	row = strstr(text, begins);
	ck_assert_msg(row, "the document has no row of the class %s", begins);
	for (enum verdict_policy policy = POLICY_STRICT; policy <= POLICY_TOLERANT; policy++) {
		strcat(expected, verdict_allows(&some, policy) ? "| yes " : "| no ");
	}
	strcat(expected, "|");
	row = strstr(row + strlen(begins), "| ");
	ck_assert_msg(row && strncmp(row, expected, strlen(expected)) == 0, "not%s%s", begins,
		      expected);
}
END_TEST

/* What a subject's lines find, and what comes with other lines. */
static void classes_of(enum verdict_about about, bool *has)
{
	for (size_t i = 0; i < line_count; i++) {
		const struct line *line = lines[i].line;

		if (!line->silent && line->finding.about == about)
			has[line->finding.class] = true;
		for (const struct expected *also = line->also; also->class != VERDICT_SAME; also++)
			if (also->about == about)
				has[also->class] = true;
	}
}

START_TEST(document_has_the_subjects)
{
	_cleanup_free_ char *text = read_document();
	bool has[VERDICT_FATAL + 1] = { false };
	const char *comma = "";
	char row[120];

	classes_of((enum verdict_about)_i, has);
	snprintf(row, sizeof(row), "\n| `%s` | ", verdict_about_name((enum verdict_about)_i));
	for (enum verdict_class class = VERDICT_HARMLESS; class <= VERDICT_FATAL; class ++) {
		if (!has[class])
			continue;
		strcat(strcat(row, comma), verdict_class_name(class));
		comma = ", ";
	}
	strcat(row, " | ");
	ck_assert_msg(strstr(text, row), "the document has no row that begins%s", row);
}
END_TEST

static size_t count_rows(const char *text, const char *title)
{
	const char *at = strstr(text, title);
	size_t count = 0;

	ck_assert_msg(at, "the document has no table%s", title);
	for (at = strchr(at + 1, '\n'); at && at[1] == '|'; at = strchr(at + 1, '\n'))
		count++;
	return count - 1; /* the line below the title */
}

START_TEST(document_has_no_others)
{
	_cleanup_free_ char *text = read_document();

	ck_assert_uint_eq(count_rows(text, "\n| class | meaning | "), VERDICT_FATAL + 1);
	ck_assert_uint_eq(count_rows(text, "\n| subject | class | what "), ABOUT_COUNT);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "all");

	crypto_init(NULL);
	tcase_add_loop_test(tcase, bases_are_the_same, PLAIN, XEN + 1);
	tcase_add_test(tcase, document_has_the_rows);
	tcase_add_loop_test(tcase, document_has_the_policies, VERDICT_SAME, VERDICT_FATAL + 1);
	tcase_add_loop_test(tcase, document_has_the_subjects, 0, ABOUT_COUNT);
	tcase_add_test(tcase, document_has_no_others);
	tcase_add_loop_test(tcase, line_holds, 0, (int)line_count);
}
