/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel/pci_decoding, on a tree of sysfs. */
#include "fixtures/check_main.h"
#include "kernel/pci_decoding.h"

#include "fixtures/machine/made_root.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define BRIDGE "0000:00:1c.0"
#define CARD "0000:01:00.0"
#define AT(address) "/sys/bus/pci/devices/" address

int __wrap_io_write_text(const char *root, const char *path, const char *text);
int __wrap_io_pwrite_full(int fd, const void *buffer, size_t length, uint64_t offset);
int __real_io_pwrite_full(int fd, const void *buffer, size_t length, uint64_t offset);

static struct pci_decoding decoding;
static char written[512];
static int bind_error, override_error;
#define BAR "driver_override=(disabled);"
#define UNBAR "driver_override=;"
static bool write_ignored;

/* Drivers' files do not store what is written to them. */
int __wrap_io_write_text(const char *root, const char *path, const char *text)
{
	size_t used = strlen(written);

	ck_assert_str_eq(root, made_root);
	snprintf(written + used, sizeof(written) - used, "%s=%s;", strrchr(path, '/') + 1,
		 *text == '\n' ? "" : text);
	return strcmp(strrchr(path, '/'), "/driver_override") == 0 ? override_error : bind_error;
}

int __wrap_io_pwrite_full(int fd, const void *buffer, size_t length, uint64_t offset)
{
	return write_ignored ? 0 : __real_io_pwrite_full(fd, buffer, length, offset);
}

static void add(const char *address, const char *driver, unsigned char command)
{
	unsigned char config[64] = { 0x86, 0x80, 0xd3, 0x10, command, 0x05 };
	char path[128], target[64];

	snprintf(path, sizeof(path), AT("%s/config"), address);
	made_put_bytes(path, config, sizeof(config));
	snprintf(path, sizeof(path), AT("%s/class"), address);
	made_put(path, "0x020000\n");
	if (!driver)
		return;
	snprintf(path, sizeof(path), AT("%s/driver"), address);
	snprintf(target, sizeof(target), "../../../bus/pci/drivers/%s", driver);
	made_link(path, target);
}

static void read_config(const char *address, off_t offset, unsigned char *bytes, size_t size)
{
	char path[200];
	int fd;

	snprintf(path, sizeof(path), "%s" AT("%s/config"), made_root, address);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pread(fd, bytes, size, offset), (ssize_t)size);
	close(fd);
}

static unsigned int command_of(const char *address)
{
	unsigned char command[2];

	read_config(address, 4, command, 2);
	return command[0] | (unsigned int)command[1] << 8;
}

static int disable(const char *address, struct why *w)
{
	return pci_decoding_disable(&decoding, made_root, address, makedev(8, 1), w);
}

static void setup(void)
{
	memset(&decoding, 0, sizeof(decoding));
	written[0] = '\0';
	bind_error = override_error = 0;
	write_ignored = false;
	made_root_create();
	add(BRIDGE, "pcieport", 0x07);
	add(CARD, "e1000e", 0x06);
}

START_TEST(disables_and_restores)
{
	struct why w = { 0 };

	ck_assert_int_eq(disable(CARD, &w), 0);
	ck_assert_int_eq(disable(BRIDGE, &w), 0);
	ck_assert_int_eq(disable(CARD, &w), 0); /* judged again: already done */
	ck_assert_str_eq(written, BAR "unbind=" CARD ";" BAR "unbind=" BRIDGE ";");
	/* These bits are cleared, and no others. */
	ck_assert_uint_eq(command_of(CARD), 0x500);
	ck_assert_uint_eq(command_of(BRIDGE), 0x500);
	written[0] = '\0';
	ck_assert(pci_decoding_restore(&decoding, made_root));
	ck_assert_str_eq(written, UNBAR "bind=" BRIDGE ";" UNBAR "bind=" CARD ";");
	ck_assert_uint_eq(command_of(CARD), 0x506);
	ck_assert_uint_eq(command_of(BRIDGE), 0x507);
	written[0] = '\0';
	ck_assert(pci_decoding_restore(&decoding, made_root));
	ck_assert_str_eq(written, "");
}
END_TEST

/* A bridge forwards configuration accesses even with its command register cleared. */
START_TEST(bridges)
{
	unsigned char config[64] = { 0x86, 0x80, 0x10, 0xa1, 0x07, 0x05 }, now[4];
	struct why w = { 0 };

	config[14] = 0x81; /* one of several functions */
	memcpy(config + 0x18, "\x00\x01\x03\x40", 4);
	made_put_bytes(AT(BRIDGE "/config"), config, sizeof(config));
	ck_assert_int_eq(disable(BRIDGE, &w), 0);
	read_config(BRIDGE, 0x18, now, sizeof(now));
	ck_assert_mem_eq(now, "\x00\x00\x00\x40", 4);
	ck_assert_uint_eq(command_of(BRIDGE), 0x500);
	ck_assert(pci_decoding_restore(&decoding, made_root));
	read_config(BRIDGE, 0x18, now, sizeof(now));
	ck_assert_mem_eq(now, "\x00\x01\x03\x40", 4);
	ck_assert_uint_eq(command_of(BRIDGE), 0x507);
	/* Where there is a BAR if it is not a bridge. */
	config[14] = 0x80;
	made_put_bytes(AT(BRIDGE "/config"), config, sizeof(config));
	ck_assert_int_eq(disable(BRIDGE, &w), 0);
	read_config(BRIDGE, 0x18, now, sizeof(now));
	ck_assert_mem_eq(now, "\x00\x01\x03\x40", 4);
	ck_assert(pci_decoding_restore(&decoding, made_root));
	/* Numbers that cannot be changed. */
	config[14] = 0x01;
	config[4] = 0;
	made_put_bytes(AT(BRIDGE "/config"), config, sizeof(config));
	write_ignored = true;
	ck_assert_int_eq(disable(BRIDGE, &w), -EIO);
	ck_assert_ptr_nonnull(strstr(w.text, "ignores configuration writes"));
	ck_assert(pci_decoding_restore(&decoding, made_root));
}
END_TEST

START_TEST(without_a_driver)
{
	struct why w = { 0 };

	add("0000:00:05.0", NULL, 0x03);
	made_put(AT("0000:00:05.0/class"), "0x030000\n");
	ck_assert_int_eq(disable("0000:00:05.0", &w), 0);
	ck_assert_uint_eq(command_of("0000:00:05.0"), 0x500);
	ck_assert_str_eq(written, BAR);
	ck_assert(pci_decoding_restore(&decoding, made_root));
	/* A driver that was loaded in the meantime. */
	ck_assert_str_eq(written, BAR UNBAR "drivers_probe=0000:00:05.0;");
	ck_assert_uint_eq(command_of("0000:00:05.0"), 0x503);
}
END_TEST

START_TEST(displays)
{
	struct why w = { 0 };

	made_put(AT(CARD "/class"), "0x030200\n");
	ck_assert_int_eq(disable(CARD, &w), -EPERM);
	ck_assert_str_eq(w.text, "PCI device " CARD " cannot be disabled: e1000e drives a display "
				 "on it");
	ck_assert_str_eq(written, "");
	ck_assert_uint_eq(command_of(CARD), 0x506);
}
END_TEST

static void add_disk(const char *name, const char *below)
{
	char path[128], target[200];

	snprintf(path, sizeof(path), "/sys/block/%s", name);
	snprintf(target, sizeof(target), "../devices/pci0000:00/%s/virtio0/block/%s", below, name);
	made_link(path, target);
	snprintf(path, sizeof(path), "/sys/devices/pci0000:00/%s/virtio0/block/%s/holders", below,
		 name);
	made_directory(path);
}

START_TEST(disks)
{
	struct why w = { 0 };

	add_disk("vda", BRIDGE "/" CARD);
	add_disk("vdb", "0000:00:03.0");
	made_put("/sys/devices/pci0000:00/0000:00:03.0/virtio0/block/vdb/holders/dm-1", "");
	made_link("/sys/dev/block/8:1", "../../devices/pci0000:00/0000:00:03.0/virtio0/block/vdb");
	ck_assert_int_eq(disable(CARD, &w), 0); /* nothing lies on vda */
	ck_assert(pci_decoding_restore(&decoding, made_root));
	written[0] = '\0';
	made_put("/sys/devices/pci0000:00/" BRIDGE "/" CARD "/virtio0/block/vda/vda1/holders/dm-0",
		 "");
	ck_assert_int_eq(disable(CARD, &w), -EBUSY);
	ck_assert_str_eq(w.text, "PCI device " CARD " cannot be disabled: its disk vda is in use");
	ck_assert_int_eq(disable(BRIDGE, &w), -EBUSY);
	add("0000:00:03.0", NULL, 0x07);
	ck_assert_int_eq(disable("0000:00:03.0", &w), -EBUSY);
	ck_assert_str_eq(w.text, "PCI device 0000:00:03.0 cannot be disabled: the image is on it");
	ck_assert_str_eq(written, "");
}
END_TEST

START_TEST(failures)
{
	struct why w = { 0 };

	override_error = -EIO;
	ck_assert_int_eq(disable(CARD, &w), -EIO);
	ck_assert_ptr_nonnull(strstr(w.text, "cannot be barred from drivers"));
	ck_assert_str_eq(written, BAR);
	ck_assert(pci_decoding_restore(&decoding, made_root));
	ck_assert_str_eq(written, BAR);
	override_error = 0;
	w = (struct why){ 0 };
	bind_error = -EIO;
	ck_assert_int_eq(disable(CARD, &w), -EIO);
	ck_assert_ptr_nonnull(strstr(w.text, "cannot be unbound from its driver e1000e"));
	ck_assert_uint_eq(command_of(CARD), 0x506);
	ck_assert(pci_decoding_restore(&decoding, made_root));
	bind_error = 0;
	/* A function that keeps responding has lost its driver, and gets it back. */
	write_ignored = true;
	ck_assert_int_eq(disable(CARD, &w), -EIO);
	ck_assert_ptr_nonnull(strstr(w.text, "ignores configuration writes"));
	written[0] = '\0';
	ck_assert(pci_decoding_restore(&decoding, made_root));
	ck_assert_str_eq(written, UNBAR "bind=" CARD ";");
	write_ignored = false;
	made_put(AT(CARD "/config"), NULL);
	ck_assert_int_eq(disable(CARD, &w), -ENOENT);
	ck_assert(pci_decoding_restore(&decoding, made_root));
	made_put_bytes(AT(CARD "/config"), "", 0);
	ck_assert_int_eq(disable(CARD, &w), -ENODATA);
	ck_assert(pci_decoding_restore(&decoding, made_root));
	/* What cannot be restored is reported. */
	add(CARD, NULL, 0x06);
	ck_assert_int_eq(disable(CARD, &w), 0);
	bind_error = -EBUSY;
	ck_assert(!pci_decoding_restore(&decoding, made_root));
}
END_TEST

START_TEST(no_more_than_these)
{
	struct why w = { 0 };

	decoding.count = PCI_DECODING_MAX;
	ck_assert_int_eq(disable(CARD, &w), -E2BIG);
	ck_assert_ptr_nonnull(strstr(w.text, "more than 64 PCI devices"));
	decoding.count = 0;
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "pci_decoding");

	tcase_add_checked_fixture(tcase, setup, made_root_remove);
	tcase_add_test(tcase, disables_and_restores);
	tcase_add_test(tcase, bridges);
	tcase_add_test(tcase, without_a_driver);
	tcase_add_test(tcase, displays);
	tcase_add_test(tcase, disks);
	tcase_add_test(tcase, failures);
	tcase_add_test(tcase, no_more_than_these);
}
