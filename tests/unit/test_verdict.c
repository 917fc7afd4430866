/* SPDX-License-Identifier: GPL-2.0-or-later */
/* platform/verdict: the rules about memory, on made-up machines and on the
 * forum's maps; and how a verdict is printed. */
#include "test_verdict_fixture.h"

#include "platform/verdict_report.h"

#define LITTLE "0x0 0x9ffff System RAM\n0xf0000 0xfffff Reserved\n"

START_TEST(forum_move_is_mended)
{
	const struct finding *region;

	start_with_files("forum-boot-1.map", "forum-boot-2.map");
	hold(0x10, 0x20);
	hold(0x7df0b, 0x100);
	judge();
	region = only(ABOUT_MEMORY_REGION);
	ck_assert_int_eq(region->class, VERDICT_MENDED);
	ck_assert_ptr_nonnull(
		strstr(region->text, "The reserved page at 0x7df0a000 moved to 0x7e38b000"));
	ck_assert_uint_eq(region->start, 0x7e38b000);
	ck_assert_uint_eq(region->end, 0x7e38bfff);
	ck_assert_int_eq(only(ABOUT_KERNEL_CHECK)->class, VERDICT_MENDED);
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

/* The forum's work-around: with it there is nothing to take out of use. */
START_TEST(kept_free_is_harmless)
{
	start_with_files("forum-boot-1.map", "forum-boot-2.map");
	then.ram.used.known = true;
	ck_assert_int_eq(list_append(&then.ram.used, ((struct byte_range){ 0x1000, 0x9ffff })), 0);
	ck_assert_int_eq(list_append(&then.ram.used, ((struct byte_range){ 0x900000, 0x7cffffff })),
			 0);
	hold(0x10, 0x20);
	judge();
	ck_assert_int_eq(only(ABOUT_MEMORY_REGION)->class, VERDICT_HARMLESS);
	ck_assert_uint_eq(verdict.plan.quarantine.count, 0);
	ck_assert_int_eq(verdict.worst, VERDICT_MENDED);
	clean_up();
}
END_TEST

/* Measured: Linux accepted this very value for this map. */
START_TEST(new_checksum_is_the_kernels)
{
	start_with_files("qemu-hole-10000000.map", "qemu-hole-0e000000.map");
	ck_assert_uint_eq(get_le64(header + E820_CHECKSUM_OFFSET), 0x5e125e16);
	hold(0x100, 0x100);
	judge();
	ck_assert_int_eq(verdict.worst, VERDICT_MENDED);
	ck_assert_int_eq(verdict_mend_header(&verdict.plan, header, sizeof(header)), 0);
	ck_assert_uint_eq(get_le64(header + E820_CHECKSUM_OFFSET), 0x7cab8ff6);
	/* Not twice: it is not what the plan was made for any more. */
	ck_assert_int_eq(verdict_mend_header(&verdict.plan, header, sizeof(header)), -EINVAL);
	ck_assert_int_eq(verdict_mend_header(&verdict.plan, header, 447), -EINVAL);
	clean_up();
}
END_TEST

START_TEST(lower_top_of_ram)
{
	start_with_files("qemu-seabios-a.map", "qemu-seabios-b.map");
	now.ram.pages.present -= 32;
	hold(0x100, 0x100);
	judge();
	ck_assert_int_eq(only(ABOUT_PAGE_COUNT)->class, VERDICT_MENDED);
	ck_assert_ptr_nonnull(strstr(only(ABOUT_MEMORY_REGION)->text, "grew"));
	ck_assert(verdict.plan.patch_page_count && verdict.plan.patch_checksum);
	ck_assert_uint_eq(verdict.plan.new_page_count, now.ram.pages.present);
	ck_assert_uint_eq(verdict.plan.quarantine.items[0].count, 32);
	ck_assert_int_eq(verdict_mend_header(&verdict.plan, header, sizeof(header)), 0);
	ck_assert_uint_eq(get_le64(header + 400), now.ram.pages.present);
	ck_assert_uint_eq(get_le64(header + E820_CHECKSUM_OFFSET), 0xe6aacfbb);
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

START_TEST(nothing_uncalibrated_is_patched)
{
	start_with_files("qemu-seabios-a.map", "qemu-seabios-b.map");
	now.ram.pages.present -= 32;
	hold(0x100, 0x100);
	switch (_i) {
	case 0: /* another header than the one that was calibrated */
		header[E820_CHECKSUM_OFFSET] ^= 1;
		header[400] ^= 1;
		break;
	case 1:
		then.hibernation.checksum = CALIBRATION_FAILED;
		then.hibernation.page_count = CALIBRATION_FAILED;
		break;
	case 2: /* a generation that is not known */
		put_le64(header + E820_MAGIC_OFFSET, 0x23456789abcdef03);
		then.hibernation.page_count = CALIBRATION_NOT_TRIED;
		break;
	}
	judge();
	ck_assert_int_eq(only(ABOUT_KERNEL_CHECK)->class, VERDICT_FATAL);
	ck_assert_int_eq(only(ABOUT_PAGE_COUNT)->class, VERDICT_FATAL);
	ck_assert(!verdict.plan.patch_checksum && !verdict.plan.patch_page_count);
	clean_up();
}
END_TEST

/* The boot loader told this boot's types: what the other boot's were is no
 * reason to call them the same. */
START_TEST(types_told_are_not_guessed)
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
	ck_assert_int_eq(only(ABOUT_KERNEL_CHECK)->class, _i ? VERDICT_SAME : VERDICT_MENDED);
	ck_assert_uint_eq(differences(), _i ? 0 : 2);
	clean_up();
}
END_TEST

START_TEST(kernels_without_a_check)
{
	start_with_files("qemu-hole-10000000.map", "qemu-hole-0e000000.map");
	put_le64(header + E820_MAGIC_OFFSET, 0x23456789abcdef01);
	memset(header + E820_CHECKSUM_OFFSET, 0, E820_CHECKSUM_MAX);
	hold(0x100, 0x100);
	judge();
	ck_assert_int_eq(only(ABOUT_KERNEL_CHECK)->class, VERDICT_HARMLESS);
	ck_assert(!verdict.plan.patch_checksum);
	clean_up();
}
END_TEST

START_TEST(wiping_kernels_cannot_be_mended)
{
	start_with_files("forum-boot-1.map", "forum-boot-2.map");
	then.kernel.flags = KERNEL_WIPES_FREE;
	hold(0x10, 0x20);
	judge();
	ck_assert_int_eq(only(ABOUT_MEMORY_REGION)->class, VERDICT_RISKY);
	clean_up();
}
END_TEST

START_TEST(much_memory_is_not_mended)
{
	start_with("0x100000 0x3fffffff System RAM\n",
		   _i ? "0x100000 0x3fbfffff System RAM\n" : "0x100000 0x3fbfefff System RAM\n");
	hold(0x200, 0x20);
	judge();
	ck_assert_int_eq(only(ABOUT_MEMORY_REGION)->class, _i ? VERDICT_MENDED : VERDICT_RISKY);
	clean_up();
}
END_TEST

/* What was not RAM: one region is there then and RAM now. */
static const struct {
	const char *type;
	bool platform_mode;
	enum verdict_class class;
} gone[] = {
	{ "Reserved", true, VERDICT_HARMLESS },
	{ "Unknown E820 type", true, VERDICT_HARMLESS },
	{ "ACPI Tables", true, VERDICT_RISKY }, /* addresses unknown */
	{ "ACPI Non-volatile Storage", true, VERDICT_FATAL },
	{ "ACPI Non-volatile Storage", false, VERDICT_RISKY },
	{ "Persistent Memory", true, VERDICT_FATAL },
	{ "Soft Reserved", true, VERDICT_RISKY },
};

START_TEST(not_ram_becomes_ram)
{
	char map[256];

	snprintf(map, sizeof(map),
		 "0x100000 0xffffff System RAM\n0x1000000 0x1000fff %s\n0x1001000 0x1ffffff System "
		 "RAM\n",
		 gone[_i].type);
	start_with(map, "0x100000 0x1ffffff System RAM\n");
	then.hibernation.platform_mode = gone[_i].platform_mode;
	hold(0x200, 0x20);
	judge();
	ck_assert_int_eq(only(ABOUT_MEMORY_REGION)->class, gone[_i].class);
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
		   "0x100d000 0x1ffffff System RAM\n",
		   "0x100000 0xffdfff System RAM\n0xffe000 0x100afff ACPI Tables\n"
		   "0x100b000 0x1ffffff System RAM\n");
	hold(0x200, 0x20);
	add_table(&then, "DSDT", _i == 1 ? 0x100b800 : 0x2000000);
	add_table(&now, "DSDT", _i == 1 ? 0x100b800 : 0x2000000);
	add_table(&then, "BGRT", 0x100c000);
	add_table(&now, "BGRT", 0x100a000);
	judge();
	ck_assert_int_eq(only(ABOUT_MEMORY_REGION)->class,
			 _i == 1 ? VERDICT_FATAL : VERDICT_MENDED);
	ck_assert_ptr_nonnull(strstr(only(ABOUT_MEMORY_REGION)->text, "moved to 0xffe000"));
	ck_assert_int_eq(only(ABOUT_ACPI_TABLES)->class, VERDICT_HARMLESS);
	clean_up();
}
END_TEST

/* SeaBIOS has its tables in memory that it calls reserved. */
START_TEST(tables_in_reserved_memory)
{
	start_with("0x100000 0xffffff System RAM\n0x1000000 0x100ffff Reserved\n",
		   "0x100000 0x1003fff System RAM\n0x1004000 0x100ffff Reserved\n");
	hold(0x200, 0x20);
	add_table(&then, "APIC", _i ? 0x1003000 : 0x1005000);
	add_table(&now, "APIC", _i ? 0x1003000 : 0x1005000);
	judge();
	ck_assert_int_eq(only(ABOUT_MEMORY_REGION)->class, _i ? VERDICT_FATAL : VERDICT_HARMLESS);
	clean_up();
}
END_TEST

/* What is RAM now to the firmware, but not to the kernel. */
START_TEST(memmap_takes_image_pages)
{
	start_with(LITTLE, LITTLE);
	hold(0x10, 4);
	now.ram.used.known = true;
	ck_assert_int_eq(list_append(&now.ram.used, ((struct byte_range){ 0x1000, 0x11fff })), 0);
	now.kernel.flags = _i ? KERNEL_MEMMAP : 0;
	judge();
	ck_assert_int_eq(only(ABOUT_IMAGE_PAGES)->class, _i ? VERDICT_FATAL : VERDICT_RISKY);
	ck_assert_uint_eq(only(ABOUT_IMAGE_PAGES)->image_pages, 2);
	ck_assert_uint_eq(only(ABOUT_IMAGE_PAGES)->start, 0x12000);
	clean_up();
}
END_TEST

START_TEST(offline_blocks_are_not_ram)
{
	start_with("0x0 0xfffffff System RAM\n", "0x0 0xfffffff System RAM\n");
	now.ram.offline.known = true;
	ck_assert_int_eq(
		list_append(&now.ram.offline, ((struct byte_range){ 0x8000000, 0xfffffff })), 0);
	hold(0x100, 1);
	hold(0x8000, 1);
	judge();
	ck_assert_int_eq(only(ABOUT_IMAGE_PAGES)->class, VERDICT_FATAL);
	clean_up();
}
END_TEST

START_TEST(missing_dimm_and_virtio_mem)
{
	const struct finding *finding;

	start_with_tree("virtio-mem");
	hold(0x100, 0x100);
	memory_map_free(&now.map);
	ck_assert_int_eq(memory_map_copy(&then.map, &now.map), 0);
	now.map.entries.count = 6; /* the DIMM's entry is the last */
	now.ram.used.count = 2;	   /* what the firmware gave */
	now.ram.virtio.items[0].plugged = 0;
	now.ram.pages.present -= 65536;
	judge();
	finding = only(ABOUT_HOTPLUG_MEMORY);
	ck_assert_int_eq(finding->class, VERDICT_FATAL);
	ck_assert_uint_eq(finding->start, 0x100000000);
	ck_assert_ptr_nonnull(strstr(finding->text, "128 MiB"));
	finding = only(ABOUT_VIRTIO_MEM);
	ck_assert_int_eq(finding->class, VERDICT_FATAL);
	ck_assert_ptr_nonnull(strstr(finding->text, "had 128 MiB plugged and now has 0 MiB"));
	ck_assert_int_eq(only(ABOUT_MEMORY_MAP)->class, VERDICT_SAME);
	ck_assert_int_eq(only(ABOUT_KERNEL_CHECK)->class, VERDICT_SAME);
	clean_up();
}
END_TEST

START_TEST(image_must_fit)
{
	start_with("0x0 0xfffffff System RAM\n", "0x0 0xfffffff System RAM\n");
	hold(0x100, 1000);
	now.ram.pages.available = 999 * 4096;
	judge();
	ck_assert_int_eq(only(ABOUT_MEMORY_SIZE)->class, VERDICT_FATAL);
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
	ck_assert_ptr_nonnull(strstr(text, "Verdict: fatal (2 differences: 1 fatal, 1 mended)."));
	ck_assert_ptr_nonnull(strstr(text, "* 0x00007e38b000 0x00007e38bfff"));
	ck_assert_ptr_nonnull(strstr(text, "\"worst\": \"fatal\""));
	clean_up();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("verdict");
	TCase *tcase = tcase_create("verdict");
	SRunner *runner;
	int failed;

	crypto_init(NULL);
	tcase_add_test(tcase, forum_move_is_mended);
	tcase_add_test(tcase, forum_move_onto_a_page_is_fatal);
	tcase_add_test(tcase, kept_free_is_harmless);
	tcase_add_test(tcase, new_checksum_is_the_kernels);
	tcase_add_test(tcase, lower_top_of_ram);
	tcase_add_loop_test(tcase, nothing_uncalibrated_is_patched, 0, 3);
	tcase_add_loop_test(tcase, types_told_are_not_guessed, 0, 2);
	tcase_add_test(tcase, kernels_without_a_check);
	tcase_add_test(tcase, wiping_kernels_cannot_be_mended);
	tcase_add_loop_test(tcase, much_memory_is_not_mended, 0, 2);
	tcase_add_loop_test(tcase, not_ram_becomes_ram, 0, (int)ARRAY_SIZE(gone));
	tcase_add_loop_test(tcase, acpi_data_slides, 0, 2);
	tcase_add_loop_test(tcase, tables_in_reserved_memory, 0, 2);
	tcase_add_loop_test(tcase, memmap_takes_image_pages, 0, 2);
	tcase_add_test(tcase, offline_blocks_are_not_ram);
	tcase_add_test(tcase, missing_dimm_and_virtio_mem);
	tcase_add_test(tcase, image_must_fit);
	tcase_add_test(tcase, refuses_bad_lists);
	tcase_add_test(tcase, prints);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
