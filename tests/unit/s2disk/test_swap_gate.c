/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The last gate of swap: an area in use whose header is another is cut off. */
#include "base/bytes.h"
#include "fixtures/check_main.h"
#include "fixtures/machine/gate_fixture.h"
#include "s2disk/prepare/platform_section.h"
#include "fixtures/machine/made_root.h"
#include "s2disk/aftermath/swap_gate.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Swap on vda1, with its header's UUID. */
static void put_swap(const char *path, unsigned char uuid)
{
	memset(disk, 0, sizeof(disk));
	disk[1024] = 1;
	put_le32(disk + 1028, 767);
	memset(disk + 1036, uuid, 16);
	memcpy(disk + 4096 - 10, "SWAPSPACE2", 10);
	put_disk(path);
}

static const char swaps_head[] = "Filename Type Size Used Priority\n";

static void use_swap(const char *line)
{
	char text[200];

	snprintf(text, sizeof(text), "%s%s\n", swaps_head, line);
	made_put("/proc/swaps", text);
}

static struct last last;
static struct other_swaps others;
static struct swaps areas;

static void open_swap(const char *line)
{
	use_swap(line);
	ck_assert_int_eq(other_swaps_open(made_root, NULL, &others, &areas), 0);
	ck_assert_uint_eq(others.count, 1);
}

static void close_swap(void)
{
	other_swaps_close(&others);
	swaps_free(&areas);
}

START_TEST(lets_swap_through)
{
	put_swap("/dev/vda1", 1);
	open_swap("/dev/vda1 partition 3064 1024 -2");
	ck_assert_uint_eq(swap_gate_close(&others, &areas, made_root, &last), 0);
	ck_assert_str_eq(asked, "");
	ck_assert_str_eq(said, "");
	ck_assert_str_eq(last.shut_down, "");
	close_swap();
}
END_TEST

/* Taking the snapshot swapped out there first. */
START_TEST(cuts_off_swap_that_was_formatted_again)
{
	put_swap("/dev/vda1", 1);
	open_swap("/dev/vda1 partition 3064 0 -2");
	use_swap("/dev/vda1 partition 3064 2048 -2");
	put_swap("/dev/vda1", 2);
	no_resize = _i == 1;
	ck_assert_uint_eq(swap_gate_close(&others, &areas, made_root, &last), 1);
	ck_assert_ptr_nonnull(strstr(asked, "resize /dev/vda 1 1048576+512"));
	ck_assert_ptr_nonnull(strstr(said, "<1>ANOTHER SYSTEM CHANGED the swap area /dev/vda1"));
	ck_assert_ptr_nonnull(strstr(said, _i == 0 ? "It was cut off" : "CANNOT BE CUT OFF"));
	ck_assert_str_eq(last.shut_down,
			 _i == 0 ? "/dev/vda1: swap, with 2.0 MiB in use: cut off"
				 : "/dev/vda1: swap, with 2.0 MiB in use: NOT cut off");
	close_swap();
}
END_TEST

START_TEST(leaves_swap_alone_that_is_not_in_use)
{
	put_swap("/dev/vda1", 1);
	open_swap("/dev/vda1 partition 3064 0 -2");
	put_swap("/dev/vda1", 2);
	ck_assert_uint_eq(swap_gate_close(&others, &areas, made_root, &last), 0);
	ck_assert_str_eq(asked, "");
	ck_assert_str_eq(said, "");
	close_swap();
}
END_TEST

/* The file system would go with it. */
START_TEST(does_not_cut_off_a_file)
{
	put_swap("/dev/vda1", 1);
	open_swap("/dev/vda1 partition 3064 1024 -2");
	areas.items.items[0].file = 1;
	put_swap("/dev/vda1", 2);
	ck_assert_uint_eq(swap_gate_close(&others, &areas, made_root, &last), 1);
	ck_assert_str_eq(asked, "");
	ck_assert_ptr_nonnull(strstr(said, "CANNOT BE CUT OFF"));
	close_swap();
}
END_TEST

START_TEST(warns_of_swap_that_does_not_answer)
{
	put_swap("/dev/vda1", 1);
	open_swap("/dev/vda1 partition 3064 1024 -2");
	close(others.items[0].device);
	others.items[0].device = open("/proc/self/mem", O_RDONLY);
	ck_assert_uint_eq(swap_gate_close(&others, &areas, made_root, &last), 0);
	ck_assert_uint_eq(pauses, 4);
	ck_assert_ptr_nonnull(strstr(said, "/dev/vda1 does not answer"));
	/* Of what could not be read then, nothing is expected. */
	said_clear();
	close(others.items[0].device);
	others.items[0].device = -1;
	ck_assert_uint_eq(swap_gate_close(&others, &areas, made_root, &last), 0);
	ck_assert_str_eq(said, "");
	close_swap();
}
END_TEST

/* As it was when the snapshot was taken. */
START_TEST(records_swap_as_of_the_snapshot)
{
	static unsigned char header[4096];
	struct platform_section captured = { 0 };
	struct platform_maker maker = platform_section_maker(&captured);
	struct platform platform;
	const void *section;
	size_t size;

	put_swap("/dev/vda1", 1);
	use_swap("/dev/vda1 partition 3064 0 -2");
	ck_assert_int_eq(
		other_swaps_open(made_root, NULL, &captured.others, &captured.platform.swaps), 0);
	use_swap("/dev/vda1 partition 3064 2048 -2");
	ck_assert_int_eq(maker.make(maker.context, header, sizeof(header), &section, &size), 0);
	ck_assert_int_eq(platform_decode(section, size, &platform, NULL), 0);
	ck_assert_uint_eq(platform.swaps.items.count, 1);
	ck_assert_uint_eq(platform.swaps.items.items[0].used, 2 << 20);
	platform_free(&platform);
	platform_section_free(&captured);
}
END_TEST

static void end(void)
{
	last = (struct last){ 0 };
	made_root_remove();
}

void test_cases(Suite *suite)
{
	TCase *gate = test_case(suite, "gate");

	tcase_add_checked_fixture(gate, make_gate, end);
	tcase_add_test(gate, records_swap_as_of_the_snapshot);
	tcase_add_test(gate, lets_swap_through);
	tcase_add_loop_test(gate, cuts_off_swap_that_was_formatted_again, 0, 2);
	tcase_add_test(gate, leaves_swap_alone_that_is_not_in_use);
	tcase_add_test(gate, does_not_cut_off_a_file);
	tcase_add_test(gate, warns_of_swap_that_does_not_answer);
}
