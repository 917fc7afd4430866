/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The firmware's variable HibernateLocation: what systemd writes, what others could, and ours. */
#include "base/bytes.h"
#include "boot/hibernate_location.h"
#include "fixtures/check_main.h"
#include "fixtures/machine/made_root.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>

#define UUID "0f2a4c6e-1b3d-4f50-8a9b-c0d1e2f30415"
/* As systemd 257 wrote it on Debian 13. */
#define SYSTEMDS                                                                             \
	"{\"uuid\":\"" UUID "\",\"offset\":38912,\"kernelVersion\":\"6.12.48+deb13-amd64\"," \
	"\"osReleaseId\":\"debian\",\"osReleaseVersionId\":\"13\"}"
#define NESTED_8 "[{\"a\":[{\"a\":[{\"a\":[{\"a\":"
#define UNNESTED_8 "}]}]}]}]"
#define DIGITS "1234567890123456789012345678901234567890123456789012345678901234567890"
#define LONG DIGITS DIGITS
#define EFIVARS "/sys/firmware/efi/efivars"

static unsigned char raw[2 * HIBERNATE_LOCATION_MAX];

/* With attributes in front; the length. */
static size_t variable(const char *text)
{
	size_t length = strlen(text) + 1;

	memcpy(raw, "\7\0\0\0", 4);
	for (size_t i = 0; i < length; i++)
		put_le16(raw + 4 + 2 * i, (uint16_t)(unsigned char)text[i]);
	return 4 + 2 * length;
}

static void put(const char *text)
{
	made_put_bytes(HIBERNATE_LOCATION_FILE, raw, variable(text));
}

static int parse(const char *text, struct hibernate_location *ret)
{
	return hibernate_location_parse(raw + 4, variable(text) - 4, ret);
}

START_TEST(reads_systemds)
{
	struct hibernate_location got;

	ck_assert_int_eq(parse(SYSTEMDS, &got), 0);
	ck_assert_str_eq(got.uuid, UUID);
	ck_assert_uint_eq(got.offset, 38912);
	ck_assert_str_eq(got.kernel, "6.12.48+deb13-amd64");
	ck_assert_str_eq(got.id, "debian");
	ck_assert_str_eq(got.image_id, "");
	ck_assert_str_eq(got.version_id, "13");
}
END_TEST

static const struct {
	const char *text;
	uint64_t offset;
} good[] = {
	{ "{\"uuid\":\"0F2A4C6E1B3D4F508A9BC0D1E2F30415\",\"offset\":\"7\"}", 7 },
	{ " {\n\t\"offset\" : 0 ,\r\n\"uuid\" : \"" UUID "\"\n} \n", 0 },
	{ "{\"x\":true,\"uuid\":\"" UUID
	  "\",\"y\":\"\\\"}{\\u00e4\",\"offset\":18446744073709551615}",
	  UINT64_MAX },
	/* Members of later versions. */
	{ "{\"x\":{},\"y\":[],\"uuid\":\"" UUID
	  "\",\"z\":{\"a\":[1,{\"b\":\"}]\\\"\"}],\"offset\":5},\"offset\":6}",
	  6 },
	{ "{\"uuid\":\"" UUID "\",\"offset\":8,\"x\":" NESTED_8 NESTED_8 "1" UNNESTED_8 UNNESTED_8
	  "}",
	  8 },
	{ "{\"uuid\":\"" UUID "\",\"offset\":9,\"" LONG "\":\"" LONG "\",\"x\":" DIGITS
	  ",\"kernelVersion\":\"" LONG "\",\"osReleaseVersionId\":{\"a\":1}}",
	  9 },
};

START_TEST(reads_other_forms)
{
	struct hibernate_location got;

	ck_assert_int_eq(parse(good[_i].text, &got), 0);
	ck_assert_str_eq(got.uuid, UUID);
	ck_assert_uint_eq(got.offset, good[_i].offset);
}
END_TEST

static const char *const bad[] = {
	"",
	"{}",
	"[]",
	"{\"uuid\":\"" UUID "\"}",
	"{\"offset\":1}",
	"{\"uuid\":\"" UUID "\",\"offset\":1",
	"{\"uuid\":\"" UUID "\",\"offset\":}",
	"{\"uuid\":\"" UUID "\",\"offset\":-1}",
	"{\"uuid\":\"" UUID "\",\"offset\":1.5}",
	"{\"uuid\":\"" UUID "\",\"offset\":18446744073709551616}",
	"{\"uuid\":\"" UUID "0\",\"offset\":1}",
	"{\"uuid\":\"../../../../../../../../../../etc/x\",\"offset\":1}",
	"{\"uuid\":\"" UUID "\",\"offset\":1,}",
	"{\"uuid\":\"" UUID "\",\"offset\":1,\"x\":{\"y\":1}",
	"{\"uuid\":\"" UUID "\",\"offset\":1,\"x\":{\"y\":1]}",
	"{\"uuid\":\"" UUID "\",\"offset\":1,\"x\":[\"y}",
	"{\"uuid\":\"" UUID "\",\"offset\":1,\"x\":]}",
	"{\"uuid\":\"" UUID "\",\"offset\":{}}",
	"{\"uuid\":[\"" UUID "\"],\"offset\":1}",
	"{\"uuid\":\"" UUID "\",\"offset\":1,\"x\":[" NESTED_8 NESTED_8 "1" UNNESTED_8 UNNESTED_8
	"]}",
	"{\"uuid\":\"" UUID "\",\"offset\":1,\"x\":\"\\q\"}",
	"{\"uuid\":\"" UUID "\",\"offset\":1,\"x\":\"\\u12",
	"{\"uuid\":\"" UUID "\",\"offset\":1,\"x\":\"\\",
	"{uuid:\"" UUID "\",\"offset\":1}",
	"{\"uuid\" \"" UUID "\",\"offset\":1}",
};

START_TEST(refuses_what_is_not_one)
{
	struct hibernate_location got = { .uuid = "as before" };

	ck_assert_int_eq(parse(bad[_i], &got), -EBADMSG);
	ck_assert_str_eq(got.uuid, "as before");
}
END_TEST

/* Each beginning, each byte replaced: never beyond the buffers, and never a UUID that is none. */
START_TEST(survives_damage)
{
	static const unsigned char bytes[] = { 0,   '"', '\\', '{', '}',  '[',
					       ']', ',', ':',  'u', 0x80, 0xff };
	struct hibernate_location got;
	size_t length = variable(SYSTEMDS);

	for (size_t i = 4; i < length; i++) {
		ck_assert_int_eq(hibernate_location_parse(raw + 4, i - 4, &got) == 0,
				 i >= length - 2);
		for (size_t j = 0; j < sizeof(bytes); j++) {
			unsigned char before = raw[i];

			raw[i] = bytes[j];
			if (hibernate_location_parse(raw + 4, length - 4, &got) == 0)
				ck_assert_uint_eq(strspn(got.uuid, "-0123456789abcdef"), 36);
			raw[i] = before;
		}
	}
}
END_TEST

START_TEST(writes_what_it_reads)
{
	struct hibernate_location location = { .uuid = UUID,
					       .offset = UINT64_MAX,
					       .id = "debian",
					       .image_id = "a\"b",
					       .version_id = "13\xc3\xa4" },
				  got;
	unsigned char value[HIBERNATE_LOCATION_MAX];
	ssize_t length = hibernate_location_encode(&location, value);

	ck_assert_int_gt(length, 0);
	ck_assert_int_eq(hibernate_location_parse(value, (size_t)length, &got), 0);
	ck_assert_uint_eq(got.offset, UINT64_MAX);
	ck_assert_str_eq(got.id, "debian");
	ck_assert_str_eq(got.image_id, "");
	ck_assert_str_eq(got.version_id, "");
	memset(location.kernel, 'k', sizeof(location.kernel) - 1);
	memset(location.id, 'i', sizeof(location.id) - 1);
	ck_assert_int_gt(hibernate_location_encode(&location, value), 0);
}
END_TEST

/* Two systems on one machine: neither takes or deletes the other's. */
START_TEST(knows_whose_it_is)
{
	struct hibernate_location got;
	struct utsname uts;
	char text[512];

	ck_assert_int_eq(hibernate_location_read(made_root, &got), -ENOENT);
	put(SYSTEMDS);
	/* An initramfs that does not say what system it is of: by the kernel. */
	ck_assert_int_eq(hibernate_location_read(made_root, &got), -EREMOTE);
	made_put("/etc/initrd-release", "ID=debian\nVERSION_ID=\"12\"\n");
	ck_assert_int_eq(hibernate_location_read(made_root, &got), 0);
	made_put("/usr/lib/os-release", "ID=fedora\n");
	ck_assert_int_eq(hibernate_location_read(made_root, &got), -EREMOTE);
	ck_assert_int_eq(hibernate_location_clear(made_root), -EREMOTE);
	made_put("/etc/os-release", "ID=debian\nIMAGE_ID=kiosk\n");
	ck_assert_int_eq(hibernate_location_read(made_root, &got), -EREMOTE);
	made_put("/etc/os-release", "ID='debian'\n");
	ck_assert_int_eq(hibernate_location_read(made_root, &got), 0);
	ck_assert_int_eq(hibernate_location_clear(made_root), 0);
	ck_assert_int_eq(hibernate_location_read(made_root, &got), -ENOENT);
	ck_assert_int_eq(hibernate_location_clear(made_root), 0);
	ck_assert(made_shell("rm etc/os-release etc/initrd-release usr/lib/os-release"));
	uname(&uts);
	snprintf(text, sizeof(text),
		 "{\"uuid\":\"" UUID "\",\"offset\":1,\"kernelVersion\":\"%s\"}", uts.release);
	put(text);
	ck_assert_int_eq(hibernate_location_read(made_root, &got), 0);
	made_put_bytes(HIBERNATE_LOCATION_FILE, "\7\0", 2);
	ck_assert_int_eq(hibernate_location_read(made_root, &got), -EBADMSG);
	memset(raw, 'x', sizeof(raw));
	made_put_bytes(HIBERNATE_LOCATION_FILE, raw, sizeof(raw));
	ck_assert_int_eq(hibernate_location_read(made_root, &got), -EBADMSG);
}
END_TEST

static void put_uuid(const char *name, const char *uuid)
{
	char path[64], text[128];

	snprintf(path, sizeof(path), "/run/udev/data/%s", name);
	snprintf(text, sizeof(text), "S:disk/by-id/x\nE:ID_FS_UUID=%s\nG:systemd\n", uuid);
	made_put(path, text);
}

START_TEST(says_why_it_is_not_written)
{
	struct hibernate_location got;
	struct why w = { "" };

	ck_assert_int_eq(hibernate_location_write(made_root, makedev(254, 2), 9, &w), -ENOENT);
	ck_assert_ptr_nonnull(strstr(w.text, "UEFI"));
	made_directory(EFIVARS);
	ck_assert_int_eq(hibernate_location_write(made_root, makedev(254, 2), 9, &w), -ENOENT);
	ck_assert_str_eq(w.text, "udev knows no UUID of device 254:2");
	/* btrfs of several devices, or a copied disk. */
	put_uuid("b254:2", UUID);
	put_uuid("b254:18", UUID);
	ck_assert_int_eq(hibernate_location_write(made_root, makedev(254, 2), 9, &w), -ENOTUNIQ);
	ck_assert_str_eq(w.text, "another device has the UUID of device 254:2, " UUID);
	ck_assert_int_eq(hibernate_location_read(made_root, &got), -ENOENT);
	put_uuid("b254:18", "0f2a4c6e-1b3d-4f50-8a9b-c0d1e2f30416");
	put_uuid("+pci:0000:00:1f.2", UUID);
	made_put("/etc/os-release", "ID=fedora\n");
	ck_assert_int_eq(hibernate_location_write(made_root, makedev(254, 2), 9, &w), 0);
	/* That image is still there. */
	put(SYSTEMDS);
	ck_assert_int_eq(hibernate_location_write(made_root, makedev(254, 2), 9, &w), -EREMOTE);
	ck_assert_ptr_nonnull(strstr(w.text, "another system (debian, Linux 6.12.48+deb13-amd64)"));
	made_put("/etc/os-release", "ID=debian\n");
	ck_assert_int_eq(hibernate_location_read(made_root, &got), 0);
	ck_assert_uint_eq(got.offset, 38912);
	/* Nothing that any system could read. */
	put("{}");
	ck_assert_int_eq(hibernate_location_write(made_root, makedev(254, 2), 9, &w), 0);
	/* Reports success, and keeps nothing. */
	ck_assert(made_shell("rm ." HIBERNATE_LOCATION_FILE
			     " && ln -s /dev/null ." HIBERNATE_LOCATION_FILE));
	ck_assert_int_eq(hibernate_location_write(made_root, makedev(254, 2), 9, &w), -EIO);
	ck_assert_ptr_nonnull(strstr(w.text, "cannot be written: "));
}
END_TEST

START_TEST(leaves_word)
{
	struct hibernate_location got;
	struct why w = { "" };
	struct utsname uts;
	char path[256];

	ck_assert_int_eq(hibernate_location_write(made_root, makedev(254, 2), 9, &w), -ENOENT);
	made_directory(EFIVARS);
	ck_assert_int_eq(hibernate_location_write(made_root, makedev(254, 2), 9, &w), -ENOENT);
	made_put("/run/udev/data/b254:2", "E:ID_FS_UUID=3A4B-1C2D\nE:ID_FS_TYPE=vfat\n");
	ck_assert_int_eq(hibernate_location_write(made_root, makedev(254, 2), 9, &w), -ENOENT);
	made_put("/run/udev/data/b254:2",
		 "S:disk/by-id/x\nE:ID_FS_UUID=" UUID "\nE:ID_FS_UUID_ENC=y\nG:systemd\n");
	made_put("/etc/os-release", "NAME=\"Debian GNU\"\nID=debian\nVERSION_ID=\"13\"\n");
	ck_assert_int_eq(hibernate_location_write(made_root, makedev(254, 2), 9, &w), 0);
	ck_assert_int_eq(hibernate_location_read(made_root, &got), 0);
	uname(&uts);
	ck_assert_str_eq(got.uuid, UUID);
	ck_assert_uint_eq(got.offset, 9);
	ck_assert_str_eq(got.kernel, uts.release);
	ck_assert_str_eq(got.version_id, "13");
	/* Again, with another content. */
	ck_assert_int_eq(hibernate_location_write(made_root, makedev(254, 2), 0, &w), 0);
	ck_assert_int_eq(hibernate_location_read(made_root, &got), 0);
	ck_assert_uint_eq(got.offset, 0);
	/* Something in its place that cannot be written. */
	ck_assert_int_eq(hibernate_location_clear(made_root), 0);
	snprintf(path, sizeof(path), "%s/x", HIBERNATE_LOCATION_FILE);
	made_directory(path);
	ck_assert_int_lt(hibernate_location_write(made_root, makedev(254, 2), 9, &w), 0);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *test = test_case(suite, "hibernate_location");

	tcase_add_checked_fixture(test, made_root_create, made_root_remove);
	tcase_add_test(test, reads_systemds);
	tcase_add_loop_test(test, reads_other_forms, 0, ARRAY_SIZE(good));
	tcase_add_loop_test(test, refuses_what_is_not_one, 0, ARRAY_SIZE(bad));
	tcase_add_test(test, survives_damage);
	tcase_add_test(test, writes_what_it_reads);
	tcase_add_test(test, knows_whose_it_is);
	tcase_add_test(test, says_why_it_is_not_written);
	tcase_add_test(test, leaves_word);
}
