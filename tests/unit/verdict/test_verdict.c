/* SPDX-License-Identifier: GPL-2.0-or-later */
/* platform/verdict: the rules about memory, on made-up machines and on the
 * forum's maps; and how a verdict is printed. */
#include "fixtures/check_main.h"
#include "verdict_fixture.h"

#include "verdict/verdict.h"
#include "verdict/report/verdict_report.h"

#define LITTLE "0x0 0x9ffff System RAM\n0xf0000 0xfffff Reserved\n"

START_TEST(forum_move_is_corrected)
{
	const struct finding *region;

	start_with_files("forum-boot-1.map", "forum-boot-2.map");
	hold(0x10, 0x20);
	have_pieces(0x10000);
	hold(0x7df0b, 0x100);
	judge();
	region = only(ABOUT_MEMORY_REGION);
	ck_assert_int_eq(region->class, VERDICT_CORRECTED);
	ck_assert_ptr_nonnull(
		strstr(region->text, "The reserved page at 0x7df0a000 moved to 0x7e38b000"));
	ck_assert_uint_eq(region->start, 0x7e38b000);
	ck_assert_uint_eq(region->end, 0x7e38bfff);
	ck_assert_int_eq(only(ABOUT_KERNEL_CHECK)->class, VERDICT_CORRECTED);
	ck_assert_uint_eq(differences(), 2);
	ck_assert(!verdict_allows(&verdict, POLICY_STRICT));
	ck_assert(verdict_allows(&verdict, POLICY_PROVEN));
	ck_assert_uint_eq(verdict.plan.quarantine.count, 1);
	ck_assert_uint_eq(verdict.plan.quarantine.items[0].first, 0x7e38b);
	ck_assert_uint_eq(verdict.plan.quarantine.items[0].count, 1);
	ck_assert(verdict.plan.patch_checksum && !verdict.plan.patch_page_count);
	clean_up();
}
END_TEST

START_TEST(forum_move_onto_a_page_is_fatal)
{
	const struct finding *region;

	start_with_files("forum-boot-1.map", "forum-boot-2.map");
	hold(0x10, 0x20);
	hold(0x7e38b, 1);
	judge();
	region = only(ABOUT_MEMORY_REGION);
	ck_assert_int_eq(region->class, VERDICT_FATAL);
	ck_assert_uint_eq(region->start, 0x7e38b000);
	ck_assert_uint_eq(region->image_pages, 1);
	ck_assert_ptr_nonnull(strstr(region->text, "1 page there"));
	ck_assert_ptr_nonnull(strstr(region->advice, "memmap=4K$0x7df0a000 memmap=4K$0x7e38b000"));
	ck_assert_ptr_nonnull(strstr(region->advice, "memmap=4K\\\\\\$0x7e38b000"));
	ck_assert_uint_eq(differences(), 2);
	ck_assert(!verdict_allows(&verdict, POLICY_TOLERANT));
	clean_up();
}
END_TEST

/* Measured: Linux accepted this very value for this map. */
START_TEST(new_checksum_is_the_kernels)
{
	start_with_files("qemu-hole-10000000.map", "qemu-hole-0e000000.map");
	ck_assert_uint_eq(get_le64(header + IMAGE_INFO_CHECKSUM), 0x5e125e16);
	hold(0x100, 0x100);
	judge();
	ck_assert_int_eq(verdict.worst, VERDICT_CORRECTED);
	ck_assert_int_eq(verdict_correct_header(&verdict.plan, header, sizeof(header)), 0);
	ck_assert_uint_eq(get_le64(header + IMAGE_INFO_CHECKSUM), 0x7cab8ff6);
	/* Not twice: it is not what the plan was made for any more. */
	ck_assert_int_eq(verdict_correct_header(&verdict.plan, header, sizeof(header)), -EINVAL);
	ck_assert_int_eq(verdict_correct_header(&verdict.plan, header, 447), -EINVAL);
	clean_up();
}
END_TEST

START_TEST(lower_top_of_ram)
{
	start_with_files("qemu-seabios-a.map", "qemu-seabios-b.map");
	now.ram.pages.present -= 32;
	hold(0x100, 0x100);
	judge();
	ck_assert_int_eq(only(ABOUT_PAGE_COUNT)->class, VERDICT_CORRECTED);
	ck_assert_ptr_nonnull(strstr(only(ABOUT_MEMORY_REGION)->text, "grew"));
	ck_assert(verdict.plan.patch_page_count && verdict.plan.patch_checksum);
	ck_assert_uint_eq(verdict.plan.new_page_count, now.ram.pages.present);
	ck_assert_uint_eq(verdict.plan.quarantine.items[0].count, 32);
	ck_assert_int_eq(verdict_correct_header(&verdict.plan, header, sizeof(header)), 0);
	ck_assert_uint_eq(get_le64(header + 400), now.ram.pages.present);
	ck_assert_uint_eq(get_le64(header + IMAGE_INFO_CHECKSUM), 0xe6aacfbb);
	verdict_free(&verdict);
	hibernate();
	hold(0x1ffbc, 2);
	judge();
	ck_assert_int_eq(only(ABOUT_MEMORY_REGION)->class, VERDICT_FATAL);
	ck_assert_uint_eq(only(ABOUT_MEMORY_REGION)->image_pages, 2);
	ck_assert_int_eq(only(ABOUT_PAGE_COUNT)->class, VERDICT_FATAL);
	ck_assert(!verdict.plan.patch_page_count);
	clean_up();
}
END_TEST

/* The boot loader reported this boot's types: what the other boot's were is no
 * reason to call them the same. */
START_TEST(types_known_are_not_guessed)
{
	static const char map[] = "0x100000 0xffffff System RAM\n0x1000000 0x1ffffff Unknown\n";
	unsigned char page[4096] = { [0x1e8] = 2 };

	start_with(map, map);
	put_le64(page + 0x2d0, 0x100000);
	put_le64(page + 0x2d8, 0xf00000);
	put_le32(page + 0x2e0, MEMORY_RAM);
	put_le64(page + 0x2e4, 0x1000000);
	put_le64(page + 0x2ec, 0x1000000);
	put_le32(page + 0x2f4, _i ? MEMORY_VENDOR_20 : 13);
	e820_apply_boot_params(&now.map, page, sizeof(page));
	hold(0x200, 0x20);
	judge();
	ck_assert_int_eq(only(ABOUT_KERNEL_CHECK)->class, _i ? VERDICT_SAME : VERDICT_CORRECTED);
	ck_assert_uint_eq(differences(), _i ? 0 : 2);
	clean_up();
}
END_TEST

/* The saved kernel's driver had a part of the TPM; here no driver is loaded. */
START_TEST(tpm_in_parts)
{
	static const struct byte_range whole = { 0xfed40000, 0xfed4087f },
				       part = { 0xfed40080, 0xfed4087f };

	start_with_tree("ovmf");
	hold(0x100, 0x10);
	then.acpi.tpm.known = now.acpi.tpm.known = true;
	ck_assert_int_eq(list_append(&then.acpi.tpm, whole), 0);
	ck_assert_int_eq(list_append(&then.acpi.tpm, part), 0);
	ck_assert_int_eq(list_append(&now.acpi.tpm, whole), 0);
	judge();
	ck_assert_int_eq(only(ABOUT_ACPI_TABLES)->class, VERDICT_SAME);
	verdict_free(&verdict);
	now.acpi.tpm.known = false; /* nothing is known of this boot's */
	now.acpi.tpm.count = 0;
	judge();
	ck_assert_int_eq(verdict.worst, VERDICT_SAME);
	clean_up();
}
END_TEST

static void add_table(struct platform *platform, const char *name, uint64_t address)
{
	struct acpi_table table = { .address = address, .length = 0x100 };

	snprintf(table.name, sizeof(table.name), "%s", name);
	platform->acpi.tables.known = true;
	ck_assert_int_eq(list_append(&platform->acpi.tables, table), 0);
}

/* Framework's laptops: an "ACPI data" region that slides by a page or three. */
START_TEST(acpi_data_slides)
{
	start_with("0x100000 0xffffff System RAM\n0x1000000 0x100cfff ACPI Tables\n"
		   "0x100d000 0x1ffffff System RAM\n0x100000000 0x13fffffff System RAM\n",
		   "0x100000 0xffdfff System RAM\n0xffe000 0x100afff ACPI Tables\n"
		   "0x100b000 0x1ffffff System RAM\n0x100000000 0x13fffffff System RAM\n");
	hold(0x200, 0x20);
	have_pieces(0x400);
	add_table(&then, "DSDT", _i == 1 ? 0x100b800 : 0x2000000);
	add_table(&now, "DSDT", _i == 1 ? 0x100b800 : 0x2000000);
	add_table(&then, "BGRT", 0x100c000);
	add_table(&now, "BGRT", 0x100a000);
	judge();
	ck_assert_int_eq(only(ABOUT_MEMORY_REGION)->class,
			 _i == 1 ? VERDICT_FATAL : VERDICT_CORRECTED);
	ck_assert_ptr_nonnull(strstr(only(ABOUT_MEMORY_REGION)->text, "moved to 0xffe000"));
	ck_assert_int_eq(only(ABOUT_ACPI_TABLES)->class, VERDICT_HARMLESS);
	clean_up();
}
END_TEST

START_TEST(refuses_bad_lists)
{
	struct why w = { "" };

	start_with(LITTLE, LITTLE);
	hold(5, 1);
	hold(4, 1);
	ck_assert_int_eq(verdict_judge(&then, &now, &image, &verdict, &w), -EINVAL);
	image.range_count = 1;
	image.header_length = 100;
	ck_assert_int_eq(verdict_judge(&then, &now, &image, &verdict, &w), -EINVAL);
	clean_up();
}
END_TEST

START_TEST(prints)
{
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *out;
	struct json json;

	start_with_files("forum-boot-1.map", "forum-boot-2.map");
	hold(0x10, 0x20);
	hold(0x7e38b, 1);
	judge();
	out = open_memstream(&text, &size);
	verdict_print(&verdict, true, out);
	ck_assert_int_eq(verdict_print_maps(&then, &now, &image, out), 0);
	platform_print(&then, out);
	platform_print_map(&then, &image, out);
	json_begin(&json, out);
	json_object_begin(&json, NULL);
	verdict_json(&json, "verdict", &verdict);
	platform_json(&json, "platform", &then);
	json_object_end(&json);
	ck_assert_int_eq(json_end(&json), 0);
	fclose(out);
	if (getenv("S2DISK_TEST_SHOW"))
		fputs(text, stdout);
	ck_assert_ptr_nonnull(
		strstr(text, "Verdict: fatal (2 differences: 1 fatal, 1 corrected)."));
	ck_assert_ptr_nonnull(strstr(text, "* 0x00007e38b000 0x00007e38bfff"));
	ck_assert_ptr_nonnull(strstr(text, "\"worst\": \"fatal\""));
	clean_up();
}
END_TEST

/* One of each class; what is the same only where all is asked for. */
START_TEST(prints_every_class)
{
	_cleanup_free_ char *text = NULL;
	struct finding findings[VERDICT_FATAL + 1] = { 0 };
	struct verdict some = { .findings = findings, .count = ARRAY_SIZE(findings) };
	size_t size, shown = 0;
	FILE *out = open_memstream(&text, &size);

	for (enum verdict_class class = VERDICT_SAME; class <= VERDICT_FATAL; class ++) {
		findings[class].class = class;
		snprintf(findings[class].text, sizeof(findings[class].text), "@");
	}
	some.worst = VERDICT_FATAL;
	verdict_print(&some, _i, out);
	fclose(out);
	for (const char *at = strchr(text, '@'); at; at = strchr(at + 1, '@'))
		shown++;
	ck_assert_uint_eq(shown, _i ? 5 : 4);
	ck_assert_ptr_nonnull(strstr(
		text,
		"Verdict: fatal (4 differences: 1 fatal, 1 risky, 1 corrected, 1 harmless)."));
}
END_TEST

/* Only what is risky can be accepted, and not all of it. */
START_TEST(json_says_what_can_be_accepted)
{
	_cleanup_free_ char *text = NULL;
	struct finding finding = { .class = (enum verdict_class)_i, .accept = ACCEPT_DEVICE_TREE };
	struct verdict some = { .findings = &finding, .count = 1, .worst = finding.class };
	FILE *out;
	size_t size;

	for (int with = 0; with < 2; with++) {
		struct json json;

		finding.accept = with ? ACCEPT_DEVICE_TREE : ACCEPT_NOTHING;
		out = open_memstream(&text, &size);
		json_begin(&json, out);
		json_object_begin(&json, NULL);
		verdict_json(&json, "verdict", &some);
		json_object_end(&json);
		ck_assert_int_eq(json_end(&json), 0);
		fclose(out);
		ck_assert_int_eq(strstr(text, "\"accept\": \"device-tree\"") != NULL,
				 with && finding.class == VERDICT_RISKY);
		ck_assert_int_eq(strstr(text, "\"accept\"") != NULL,
				 with && finding.class == VERDICT_RISKY);
		free(text);
		text = NULL;
	}
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "verdict");

	crypto_init(NULL);
	tcase_add_test(tcase, forum_move_is_corrected);
	tcase_add_test(tcase, forum_move_onto_a_page_is_fatal);
	tcase_add_test(tcase, new_checksum_is_the_kernels);
	tcase_add_test(tcase, lower_top_of_ram);
	tcase_add_loop_test(tcase, json_says_what_can_be_accepted, VERDICT_SAME, VERDICT_FATAL + 1);
	tcase_add_loop_test(tcase, types_known_are_not_guessed, 0, 2);
	tcase_add_test(tcase, tpm_in_parts);
	tcase_add_loop_test(tcase, acpi_data_slides, 0, 2);
	tcase_add_test(tcase, refuses_bad_lists);
	tcase_add_test(tcase, prints);
	tcase_add_loop_test(tcase, prints_every_class, 0, 2);
}
