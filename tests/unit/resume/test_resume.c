/* SPDX-License-Identifier: GPL-2.0-or-later */
/* resume's main(): what it puts into the boot record in each case, and what it does about the
 * firmware's variable. */
#include "fixtures/check_main.h"
#include "main_fixture.h"

static const struct {
	const char *conf, *cmdline, *first, *second;
	enum boot_named by;
	const char *in; /* the end of by_file */
	const char *name;
	uint64_t offset;
} namings[] = {
	{ "", "quiet", NULL, NULL, NAMED_BY_NOTHING, "", "", 0 },
	{ "", "quiet", "--default-device=", NULL, NAMED_BY_NOTHING, "", "", 0 },
	{ "", "resume=UUID=7 resume_offset=9", NULL, NULL, NAMED_BY_KERNEL, "", "UUID=7", 9 },
	{ "", "quiet", "--default-device=/dev/x", NULL, NAMED_BY_DEFAULT, "", "/dev/x", 0 },
	{ "", "resume=8:1", "--default-device=/dev/x", NULL, NAMED_BY_KERNEL, "", "8:1", 0 },
	{ "\nresume device = /dev/y\nresume offset = 5\n", "resume=8:1", NULL, NULL, NAMED_BY_FILE,
	  "/conf:2", "/dev/y", 5 },
	{ "resume device = /dev/y\n", "resume=8:1", "/dev/z", NULL, NAMED_BY_ARGUMENT, "", "/dev/z",
	  0 },
	{ "", "resume=8:1", "-o6", "-r/dev/z", NAMED_BY_ARGUMENT, "", "/dev/z", 6 },
};

START_TEST(says_who_named_it)
{
	size_t length;

	made_put("/conf", namings[_i].conf);
	machine.cmdline = namings[_i].cmdline;
	if (namings[_i].by == NAMED_BY_NOTHING)
		machine.find = -ENOENT;
	ck_assert_int_eq(run_with(namings[_i].first, namings[_i].second), 0);
	ck_assert_uint_eq(recorded, 1);
	ck_assert_uint_gt(got.time, 1000000000);
	ck_assert_str_eq(got.program, PACKAGE_VERSION);
	ck_assert_str_eq(got.form, INITRAMFS_RESUME_MARK);
	ck_assert_int_eq(got.by, namings[_i].by);
	length = strlen(namings[_i].in);
	ck_assert_uint_ge(strlen(got.by_file), length);
	ck_assert_str_eq(got.by_file + strlen(got.by_file) - length, namings[_i].in);
	ck_assert_int_eq(got.by_file[0] != '\0', namings[_i].in[0] != '\0');
	ck_assert_str_eq(got.named, namings[_i].name);
	ck_assert_uint_eq(got.offset, namings[_i].offset);
	ck_assert_str_eq(got.device, machine.find ? "" : "/dev/vda2");
	ck_assert_int_eq(got.has_number, machine.find == 0);
	ck_assert_uint_eq(got.major, machine.find ? 0 : 254);
	ck_assert_uint_eq(got.minor, machine.find ? 0 : 2);
	ck_assert_int_eq(got.found, machine.find ? FOUND_NOTHING_NAMED : FOUND_SWAP);
	ck_assert_int_eq(got.fate, machine.find ? FATE_UNKNOWN : FATE_NONE);
	ck_assert_str_eq(got.reason, "");
	ck_assert_str_eq(got.settings, "");
}
END_TEST

/* From the initramfs, and after all others. */
START_TEST(says_that_it_was_baked_in)
{
	machine.baked = "UUID=3";
	ck_assert_int_eq(run_with(NULL, NULL), 0);
	ck_assert_int_eq(got.by, NAMED_BY_DEFAULT);
	ck_assert_str_eq(got.named, "UUID=3");
	ck_assert_uint_eq(got.offset, 77);
	ck_assert_int_eq(run_with("--default-device=", NULL), 0);
	ck_assert_str_eq(got.named, "UUID=3");
	ck_assert_int_eq(run_with("--default-device=/dev/x", NULL), 0);
	ck_assert_str_eq(got.named, "/dev/x");
	ck_assert_uint_eq(got.offset, 0);
	machine.cmdline = "resume=8:1";
	ck_assert_int_eq(run_with(NULL, NULL), 0);
	ck_assert_int_eq(got.by, NAMED_BY_KERNEL);
	ck_assert_str_eq(got.named, "8:1");
	ck_assert_uint_eq(got.offset, 0);
	made_put("/conf", "resume device = /dev/y\n");
	ck_assert_int_eq(run_with(NULL, NULL), 0);
	ck_assert_int_eq(got.by, NAMED_BY_FILE);
	ck_assert_uint_eq(got.offset, 0);
}
END_TEST

/* After all others, and for one boot. */
START_TEST(says_that_the_firmware_named_it)
{
	machine.word = "UUID=4";
	ck_assert_int_eq(run_with(NULL, NULL), 0);
	ck_assert_int_eq(got.by, NAMED_BY_FIRMWARE);
	ck_assert_str_eq(got.named, "UUID=4");
	ck_assert_uint_eq(got.offset, 78);
	ck_assert_uint_eq(words, 1);
	ck_assert_uint_eq(cleared, 1);
	ck_assert_uint_eq(ended, 1);
	ck_assert(by_word && !any_area);
	ck_assert(!may_mount);
	ck_assert_uint_eq(looked_at.dev, makedev(254, 2));
	ck_assert_uint_eq(looked_at.offset, 78);
	/* To be waited for; not deleted yet. */
	ck_assert_int_eq(run_with("--print-device", NULL), 0);
	ck_assert_uint_eq(words, 1);
	ck_assert_uint_eq(cleared, 0);
	ck_assert_uint_eq(ended, 1);
	ck_assert_int_eq(run_with("--default-device=/dev/x", NULL), 0);
	ck_assert_str_eq(got.named, "/dev/x");
	ck_assert_uint_eq(words, 0);
	ck_assert_uint_eq(cleared, 1);
	ck_assert(!by_word);
	ck_assert_uint_eq(looked_at.offset, 0);
	machine.baked = "UUID=3";
	ck_assert_int_eq(run_with(NULL, NULL), 0);
	ck_assert_str_eq(got.named, "UUID=3");
	machine.baked = NULL;
	machine.cmdline = "resume=8:1";
	ck_assert_int_eq(run_with(NULL, NULL), 0);
	ck_assert_str_eq(got.named, "8:1");
	machine.cmdline = "quiet";
	made_put("/conf", "resume device = /dev/y\n");
	ck_assert_int_eq(run_with(NULL, NULL), 0);
	ck_assert_int_eq(got.by, NAMED_BY_FILE);
	ck_assert_uint_eq(words, 0);
	ck_assert(!may_mount);
	machine.found = FOUND_IMAGE;
	ck_assert_int_eq(run_with(NULL, NULL), 0);
	ck_assert(may_mount);
	/* With unusable settings, so that no image stays there. */
	made_put("/conf", "mismatch action = x\n");
	ck_assert_int_eq(run_with(NULL, NULL), 2);
	ck_assert_int_eq(got.by, NAMED_BY_FIRMWARE);
	ck_assert_uint_eq(cleared, 1);
}
END_TEST

/* The device is missing: systemd waits longer for it, and it resumes what is its own. */
START_TEST(leaves_the_variable_to_systemd)
{
	machine.find = -ENODEV;
	made_put("/conf", "resume device = /dev/gone\n");
	ck_assert_int_eq(run_with(NULL, NULL), 1);
	ck_assert_int_eq(got.found, FOUND_NO_DEVICE);
	ck_assert_uint_eq(cleared, 0);
	made_put("/conf", "resume device = /dev/gone\nmismatch action = x\n");
	ck_assert_int_eq(run_with(NULL, NULL), 2);
	ck_assert_uint_eq(cleared, 0);
	made_put("/conf", "");
	machine.word = "UUID=4";
	ck_assert_int_eq(run_with(NULL, NULL), 1);
	ck_assert_int_eq(got.by, NAMED_BY_FIRMWARE);
	ck_assert_uint_eq(cleared, 0);
	/* It is there, and is no place for an image. */
	machine.find = -ENOTBLK;
	ck_assert_int_eq(run_with(NULL, NULL), 1);
	ck_assert_uint_eq(cleared, 1);
	ck_assert(by_word);
	ck_assert_uint_eq(looked_at.dev, 0);
	/* That run deleted it. */
	machine.earlier = FOUND_UNUSABLE;
	ck_assert_int_eq(run_with("--record-missed", NULL), 0);
	ck_assert_uint_eq(cleared, 0);
	/* The boot went on without the device. */
	machine.earlier = FOUND_NO_DEVICE;
	ck_assert_int_eq(run_with("--record-missed", NULL), 0);
	ck_assert_uint_eq(cleared, 1);
	/* No run got so far as to record anything. */
	machine.earlier = FOUND_UNKNOWN;
	ck_assert_int_eq(run_with("--record-missed", NULL), 0);
	ck_assert_uint_eq(cleared, 1);
	ck_assert(by_word && any_area);
	ck_assert_uint_eq(looks, 0);
	made_put("/conf", "mismatch action = x\n");
	ck_assert_int_eq(run_with("--record-missed", NULL), 0);
	ck_assert_uint_eq(cleared, 1);
	ck_assert(by_word);
	ck_assert_int_eq(got.by, NAMED_BY_FIRMWARE);
}
END_TEST

static const struct {
	int find, restore;
	enum boot_found before; /* as restore() finds it */
	enum boot_fate fate;
	enum boot_found found; /* as it is recorded */
	int code;
} outcomes[] = {
	{ -ENODEV, 0, 0, FATE_UNKNOWN, FOUND_NO_DEVICE, 1 },
	{ -ENOTBLK, 0, 0, FATE_UNKNOWN, FOUND_UNUSABLE, 1 },
	{ -EINVAL, 0, 0, FATE_UNKNOWN, FOUND_UNUSABLE, 1 },
	/* It was there, and then it was not. */
	{ 0, -ENODEV, FOUND_UNKNOWN, FATE_UNKNOWN, FOUND_UNUSABLE, 1 },
	{ 0, -EIO, FOUND_IMAGE, FATE_STILL_THERE, FOUND_IMAGE, 1 },
	{ 0, 0, FOUND_IMAGE, FATE_DISCARDED, FOUND_IMAGE, 0 },
	{ 0, 0, FOUND_KERNEL_IMAGE, FATE_DISCARDED, FOUND_KERNEL_IMAGE, 0 },
};

/* A crash would have left what restore() wrote: the same run, once. */
START_TEST(is_written_once)
{
	machine.found = FOUND_IMAGE;
	machine.fate = machine.kernels_fate = FATE_DISCARDED;
	machine.recorded = true;
	ck_assert_int_eq(run_with(NULL, NULL), 0);
	ck_assert_uint_eq(recorded, 0);
	ck_assert_uint_eq(renewed, 1);
	ck_assert_int_eq(got.fate, FATE_DISCARDED);
}
END_TEST

/* The kernel's image, which it did not accept and which cannot be discarded. */
START_TEST(says_that_an_image_stays)
{
	machine.found = FOUND_KERNEL_IMAGE;
	machine.fate = machine.kernels_fate = FATE_STILL_THERE;
	machine.place = -EIO;
	ck_assert_int_eq(run_with(NULL, NULL), 1);
	ck_assert_uint_eq(recorded, 1);
	ck_assert_int_eq(got.fate, FATE_STILL_THERE);
	ck_assert_str_eq(got.reason, "no discarding");
}
END_TEST

START_TEST(says_what_was_found)
{
	machine.cmdline = "resume=8:1 noresume";
	machine.find = outcomes[_i].find;
	machine.restore = outcomes[_i].restore;
	machine.found = outcomes[_i].before;
	machine.fate = machine.kernels_fate = outcomes[_i].fate;
	/* Whether or not it can be written. */
	machine.write = -ENOSPC;
	ck_assert_int_eq(run_with(NULL, NULL), outcomes[_i].code);
	ck_assert_uint_eq(recorded, 1);
	ck_assert_int_eq(got.found, outcomes[_i].found);
	ck_assert_int_eq(got.fate, outcomes[_i].fate);
	ck_assert_str_eq(got.reason, machine.find < 0	   ? "no area"
				     : machine.restore < 0 ? "no restoring"
							   : "");
	ck_assert(got.noresume);
	ck_assert_uint_eq(placed, outcomes[_i].code == 0);
	if (machine.find == 0)
		ck_assert_ptr_nonnull(strstr(unwanted_reason, "noresume"));
}
END_TEST

START_TEST(says_that_settings_are_wrong)
{
	made_put("/conf", "resume device = /dev/y\nmismatch action = x\n");
	machine.found = FOUND_IMAGE;
	machine.fate = machine.kernels_fate = FATE_DISCARDED;
	ck_assert_int_eq(run_with(NULL, NULL), 2);
	ck_assert_uint_eq(recorded, 1);
	ck_assert_uint_eq(placed, 1);
	ck_assert_ptr_nonnull(strstr(got.settings, "mismatch action"));
	ck_assert_str_eq(got.named, "/dev/y");
	ck_assert_int_eq(got.fate, FATE_DISCARDED);
	ck_assert_ptr_nonnull(strstr(unwanted_reason, "settings"));

	machine.find = -ENODEV;
	ck_assert_int_eq(run_with(NULL, NULL), 2);
	ck_assert_uint_eq(placed, 0);
	ck_assert_int_eq(got.found, FOUND_NO_DEVICE);
	made_put("/conf", "mismatch action = x\n");
	machine.find = -ENOENT;
	ck_assert_int_eq(run_with(NULL, NULL), 2);
	ck_assert_int_eq(got.found, FOUND_NOTHING_NAMED);
	ck_assert_str_eq(got.reason, "");
	/* The file that was named is not there. */
	made_put("/conf", NULL);
	ck_assert_int_eq(run_with("--default-device=/dev/x", NULL), 2);
	ck_assert_uint_eq(recorded, 1);
	ck_assert_str_eq(got.named, "/dev/x");
	ck_assert_int_eq(got.found, FOUND_UNUSABLE);
}
END_TEST

/* The key itself stays a secret. */
START_TEST(has_digests_of_keys)
{
	char conf[512];

	made_put("/key", "abc");
	/* The pipe has no writer. */
	snprintf(conf, sizeof(conf), "%s/pipe", made_root);
	ck_assert_int_eq(mkfifo(conf, 0600), 0);
	snprintf(conf, sizeof(conf), "encrypt = y\nkey file = %s/none %s/key %s/pipe\n", made_root,
		 made_root, made_root);
	made_put("/conf", conf);
	ck_assert_int_eq(run_with("/dev/z", NULL), 0);
	ck_assert(got.encrypt);
	ck_assert_uint_eq(got.key_count, 3);
	ck_assert_str_eq(got.keys[2].digest, "");
	ck_assert_str_eq(got.keys[0].digest, "");
	ck_assert_ptr_nonnull(strstr(got.keys[0].path, "/none"));
	ck_assert_ptr_nonnull(strstr(got.keys[1].path, "/key"));
	ck_assert_str_eq(got.keys[1].digest,
			 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
END_TEST

START_TEST(waits_for_the_device)
{
	machine.late = 2;
	ck_assert_int_eq(run_with("--wait=30", NULL), 0);
	ck_assert_uint_eq(looks, 3);
	ck_assert_int_eq(got.found, FOUND_SWAP);
	ck_assert_str_eq(got.reason, "");
	made_put("/conf", "mismatch action = x\n");
	machine.late = 2;
	ck_assert_int_eq(run_with("--wait=30", NULL), 2);
	ck_assert_uint_eq(looks, 3);
	made_put("/conf", "");
	machine.late = 100;
	ck_assert_int_eq(run_with("--wait=1", NULL), 1);
	ck_assert_uint_gt(looks, 1);
	ck_assert_uint_lt(looks, 10);
	ck_assert_int_eq(got.found, FOUND_NO_DEVICE);
	ck_assert_int_eq(run_with(NULL, NULL), 1);
	ck_assert_uint_eq(looks, 1);
	/* A device that is not named, or does not exist, never comes. */
	machine.late = 0;
	machine.find = -ENOENT;
	ck_assert_int_eq(run_with("--wait=30", NULL), 0);
	ck_assert_uint_eq(looks, 1);
	machine.find = -ENOTBLK;
	ck_assert_int_eq(run_with("--wait=30", NULL), 1);
	ck_assert_uint_eq(looks, 1);
	ck_assert_int_eq(run_with("--wait=x", NULL), 2);
	ck_assert_int_eq(run_with("--wait=3601", NULL), 2);
	ck_assert_uint_eq(looks, 0);
}
END_TEST

/* Typed after minutes it opens the device. */
START_TEST(waits_while_a_passphrase_is_asked)
{
	machine.late = 6;
	machine.asked = 6;
	ck_assert_int_eq(run_with("--wait=1", NULL), 0);
	ck_assert_uint_eq(looks, 7);
	ck_assert_int_eq(got.found, FOUND_SWAP);
	/* Without the option it is up to others. */
	machine.late = 6;
	machine.asked = 6;
	ck_assert_int_eq(run_with(NULL, NULL), 1);
	ck_assert_uint_eq(looks, 1);
}
END_TEST

/* Two units of the initramfs may run it at once. */
START_TEST(takes_turns)
{
	machine.turn = -EBUSY;
	ck_assert_int_eq(run_with(NULL, NULL), 1);
	ck_assert_uint_eq(looks + recorded, 0);
	/* Runs that only print do not wait. */
	ck_assert_int_eq(run_with("--plain-allowed", NULL), 0);
}
END_TEST

/* At the end of an initramfs: nothing is looked at. */
START_TEST(says_that_it_was_missed)
{
	machine.found = FOUND_IMAGE;
	machine.cmdline = "resume=/dev/x";
	ck_assert_int_eq(run_with("--record-missed", NULL), 0);
	ck_assert_uint_eq(recorded, 0);
	ck_assert_uint_eq(recorded_first, 1);
	ck_assert_int_eq(got.found, FOUND_NOT_LOOKED);
	ck_assert_int_eq(got.by, NAMED_BY_KERNEL);
	machine.cmdline = "quiet";
	ck_assert_int_eq(run_with("--record-missed", NULL), 0);
	ck_assert_int_eq(got.found, FOUND_NOTHING_NAMED);
	/* With wrong settings, too. */
	made_put("/conf", "resume device = /dev/y\nmismatch action = x\n");
	ck_assert_int_eq(run_with("--record-missed", NULL), 0);
	ck_assert_uint_eq(recorded_first, 1);
	ck_assert_int_eq(got.found, FOUND_NOT_LOOKED);
	machine.write = -EIO;
	ck_assert_int_eq(run_with("--record-missed", NULL), 1);
}
END_TEST

/* Runs that only print are not recorded. */
START_TEST(printing_records_nothing)
{
	static const char *const options[] = { "--print-device", "--print-key-files",
					       "--plain-allowed", "--print-default" };

	ck_assert_int_eq(run_with(options[_i], NULL), 0);
	ck_assert_uint_eq(recorded + recorded_first, 0);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "resume");

	tcase_add_checked_fixture(tcase, begin, made_root_remove);
	tcase_add_loop_test(tcase, says_who_named_it, 0, (int)ARRAY_SIZE(namings));
	tcase_add_test(tcase, says_that_it_was_baked_in);
	tcase_add_test(tcase, says_that_the_firmware_named_it);
	tcase_add_test(tcase, leaves_the_variable_to_systemd);
	tcase_add_loop_test(tcase, says_what_was_found, 0, (int)ARRAY_SIZE(outcomes));
	tcase_add_test(tcase, is_written_once);
	tcase_add_test(tcase, says_that_an_image_stays);
	tcase_add_test(tcase, says_that_settings_are_wrong);
	tcase_add_test(tcase, has_digests_of_keys);
	tcase_add_test(tcase, waits_for_the_device);
	tcase_add_test(tcase, waits_while_a_passphrase_is_asked);
	tcase_add_test(tcase, takes_turns);
	tcase_add_test(tcase, says_that_it_was_missed);
	tcase_add_loop_test(tcase, printing_records_nothing, 0, 4);
}
