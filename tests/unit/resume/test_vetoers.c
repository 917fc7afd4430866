/* SPDX-License-Identifier: GPL-2.0-or-later */
/* resume releases drivers that would refuse the restore. */
#include "fixtures/check_main.h"
#include "fixtures/said.h"
#include "release/release_fixture.h"

#include "base/io.h"
#include "base/log.h"
#include "release/release_child.h"
#include "resume/vetoers.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define DONE_SIZE 1000

int __wrap_io_write_text(const char *root, const char *path, const char *value);
long __wrap_syscall(long number, ...);
int __wrap_release_child_run(int (*work)(void *context, struct why *w), void *context,
			     const struct child_limits *limits, struct why *w);
int __real_release_child_run(int (*work)(void *context, struct why *w), void *context,
			     const struct child_limits *limits, struct why *w);

static char *done; /* by this process and its children */
static int fail;
static bool hangs; /* every step */
static pid_t left; /* by one */
static struct vetoers vetoers;
static struct settings settings;

int __wrap_io_write_text(const char *root, const char *path, const char *value)
{
	const char *driver = strstr(path, "/driver") + strlen("/drivers/");
	char link[PATH_MAX], target[PATH_MAX];
	size_t used = strlen(done);

	ck_assert_str_eq(root, made_root);
	if (strcmp(path, "/proc/driver/nvidia/suspend") == 0) {
		snprintf(done + used, DONE_SIZE - used, "nvidia %s;", value);
		return fail;
	}
	snprintf(done + used, DONE_SIZE - used, "%s %s;", driver, value);
	if (fail < 0)
		return fail;
	snprintf(link, sizeof(link), "%s%.*s/devices/%s/driver", made_root,
		 (int)(strstr(path, "/drivers/") - path), path, value);
	snprintf(target, sizeof(target), "%s%.*s", made_root, (int)(strrchr(path, '/') - path),
		 path);
	if (strcmp(strrchr(path, '/'), "/unbind") == 0)
		ck_assert_int_eq(unlink(link), 0);
	else
		ck_assert_int_eq(symlink(target, link), 0);
	return 0;
}

long __wrap_syscall(long number, ...)
{
	unsigned int first, last;
	va_list args;

	ck_assert_int_eq(number, SYS_close_range);
	va_start(args, number);
	first = va_arg(args, unsigned int);
	last = va_arg(args, unsigned int);
	va_end(args);
	return close_range_here(first, last);
}

int __wrap_release_child_run(int (*work)(void *context, struct why *w), void *context,
			     const struct child_limits *limits, struct why *w)
{
	if (hangs && limits->left)
		*limits->left = left;
	return hangs ? -EINPROGRESS : __real_release_child_run(work, context, limits, w);
}

static void take(void)
{
	ck_assert_int_eq(vetoers_take(&vetoers, &settings, makedev(8, 1), made_root, NULL), 0);
}

static bool journal_is_there(void)
{
	return is_there("/run/s2disk/released");
}

static void begin(void)
{
	setup();
	said_begin(LOG_LEVEL_DEBUG, true);
	done = mmap(NULL, DONE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(done, MAP_FAILED);
	fail = 0;
	hangs = false;
	vetoers = (struct vetoers){ .plan.cut = false };
	settings_defaults(&settings);
	add_device("virtio", "virtio3", PORT_PATH "/virtio3", "virtio_mem");
	made_put(PORT_PATH "/virtio3/device", "0x0018\n");
	made_put("/proc/self/mountinfo", "1 1 0:2 / / rw - rootfs rootfs rw\n");
}

/* The setting of another boot: the disk with the image stays. */
static void name_devices(void)
{
	strcpy(settings.release.devices, NIC " " DISKS " " ROOT_PORT);
	strcpy(settings.release.devices_by, "/etc/suspend.conf:3");
}

START_TEST(known)
{
	take();
	ck_assert_str_eq(done, "virtio_mem/unbind virtio3;");
	ck_assert_str_eq(said,
			 "<5>released for the restore: virtio-mem device virtio3 (built in)\n");
	/* Once. */
	take();
	ck_assert_str_eq(done, "virtio_mem/unbind virtio3;");
	ck_assert(journal_is_there());
	vetoers_give(&vetoers, made_root);
	ck_assert(!journal_is_there());
	ck_assert_str_eq(done, "virtio_mem/unbind virtio3;virtio_mem/bind virtio3;");
	vetoers_give(&vetoers, made_root);
	ck_assert_str_eq(done, "virtio_mem/unbind virtio3;virtio_mem/bind virtio3;");
}
END_TEST

/* Unbound only, whatever s2disk does with them. */
START_TEST(named)
{
	name_devices();
	made_put(NIC_PATH "/driver", NULL);
	made_link(NIC_PATH "/driver", "../../../../bus/pci/drivers/e1000e");
	take();
	ck_assert_str_eq(done, "e1000e/unbind " NIC ";pcieport/unbind " ROOT_PORT
			       ";virtio_mem/unbind virtio3;");
	vetoers_give(&vetoers, made_root);
}
END_TEST

/* The boot that continues has its root file system behind that adapter. */
START_TEST(network_root)
{
	name_devices();
	made_put("/proc/cmdline", "root=/dev/nfs nfsroot=10.0.0.1:/srv resume=/dev/sda1\n");
	made_put(NIC_PATH "/net/eth0/flags", "0x1003\n");
	made_link("/sys/class/net/eth0", "../../devices/pci0000:00/" ROOT_PORT "/" NIC "/net/eth0");
	take();
	ck_assert_str_eq(done, "virtio_mem/unbind virtio3;");
	ck_assert_ptr_nonnull(strstr(said, "<5>not released for the restore: network adapter "
					   "8086:10d3 at " NIC ": it has the network interface "));
	vetoers_give(&vetoers, made_root);
}
END_TEST

#define PASSED "47505500-0001-0000-3130-444531444234"
#define FCOPY "34d14be3-dee4-41c8-9ae7-6b174977c192"
#define VMBUS "/sys/devices/LNXSYSTM:00/VMBUS:00/"

/* The driver of a PCI device, which may be the controller of /, hibernates; uio's does not. */
START_TEST(hyperv)
{
	made_put(PORT_PATH "/virtio3/driver", NULL);
	add_device("vmbus", PASSED, VMBUS PASSED, "hv_pci");
	made_put(VMBUS PASSED "/class_id", "{44c4f61d-4444-4400-9d52-802e27ede19f}\n");
	add_device("vmbus", FCOPY, VMBUS FCOPY, "uio_hv_generic");
	made_put(VMBUS FCOPY "/class_id", "{34d14be3-dee4-41c8-9ae7-6b174977c192}\n");
	take();
	ck_assert_str_eq(done, "uio_hv_generic/unbind " FCOPY ";");
	ck_assert_ptr_null(strstr(said, PASSED));
	vetoers_give(&vetoers, made_root);
	ck_assert_str_eq(done, "uio_hv_generic/unbind " FCOPY ";uio_hv_generic/bind " FCOPY ";");
	/* By name it goes. */
	done[0] = '\0';
	strcpy(settings.release.devices, "vmbus/" PASSED);
	take();
	ck_assert_str_eq(done, "hv_pci/unbind " PASSED ";uio_hv_generic/unbind " FCOPY ";");
	vetoers_give(&vetoers, made_root);
}
END_TEST

START_TEST(without_a_driver)
{
	strcpy(settings.release.devices, NIC);
	made_put(NIC_PATH "/driver", NULL);
	take();
	ck_assert_str_eq(done, "virtio_mem/unbind virtio3;");
	vetoers_give(&vetoers, made_root);
}
END_TEST

/* What a killed s2disk has left is the next one's. */
START_TEST(another_journal)
{
	made_put(PORT_PATH "/virtio3/driver", NULL);
	made_put("/run/s2disk/released", "boot 11111111-2222-3333-4444-555555555555\n"
					 "remove 0000:00:09.0 - - - 0x0 0x0 1 0\n");
	take();
	vetoers_give(&vetoers, made_root);
	ck_assert(journal_is_there());
}
END_TEST

/* The load will show whether that matters. */
START_TEST(failing)
{
	fail = -EBUSY;
	take();
	ck_assert_str_eq(said, "<4>not released for the restore: virtio-mem device virtio3: it "
			       "cannot be unbound from virtio_mem: Device or resource busy\n");
	said_clear();
	ck_assert(!journal_is_there());
	vetoers_give(&vetoers, made_root);
	ck_assert_str_eq(said, "");
	ck_assert(!journal_is_there());
}
END_TEST

/* The process that hangs would not freeze, so nothing is loaded. */
START_TEST(hanging)
{
	struct why w = { "" };

	hangs = true;
	if (_i == 1) {
		made_put(PORT_PATH "/virtio3/driver", NULL);
		made_put("/proc/driver/nvidia/params", "PreserveVideoMemoryAllocations: 1\n");
	}
	ck_assert_int_eq(vetoers_take(&vetoers, &settings, makedev(8, 1), made_root, &w),
			 -EINPROGRESS);
	ck_assert_str_eq(w.text,
			 _i == 1 ? "nvidia's driver is still suspending after 60 s"
				 : "virtio-mem device virtio3: the kernel has not finished it "
				   "within 60 s");
	hangs = false;
	said_clear();
	vetoers_give(&vetoers, made_root);
	/* Its driver has it still: the step may be made later. */
	ck_assert_str_eq(done, _i == 1 ? "nvidia resume;" : "");
	ck_assert(journal_is_there() == (_i == 0));
}
END_TEST

/* Nor with one that waits for a disk. */
START_TEST(waiting)
{
	struct why w = { "" };

	name_devices();
	hangs = true;
	left = fork();
	if (left == 0)
		for (;;)
			pause();
	ck_assert_int_eq(vetoers_take(&vetoers, &settings, makedev(99, 1), made_root, &w),
			 -EINPROGRESS);
	kill(left, SIGKILL);
	ck_assert_ptr_nonnull(strstr(w.text, "a process that waits for a device cannot be frozen"));
	ck_assert_ptr_nonnull(strstr(w.text, "its disk sda does not answer"));
	vetoers_give(&vetoers, made_root);
	ck_assert_str_eq(done, "");
	ck_assert(!journal_is_there());
}
END_TEST

START_TEST(not_given_back)
{
	take();
	said_clear();
	fail = -EBUSY;
	vetoers_give(&vetoers, made_root);
	ck_assert_str_eq(said, "<4>not given back: virtio-mem device virtio3: it cannot be bound "
			       "to virtio_mem again: Device or resource busy; to try it by hand: "
			       "echo virtio3 >/sys/bus/virtio/drivers/virtio_mem/bind\n");
}
END_TEST

START_TEST(nvidia)
{
	made_put(PORT_PATH "/virtio3/driver", NULL);
	made_put("/proc/driver/nvidia/params", "Other: 1\nPreserveVideoMemoryAllocations: 0\n");
	take();
	vetoers_give(&vetoers, made_root);
	ck_assert_str_eq(done, "");
	made_put("/proc/driver/nvidia/params", "Other: 0\nPreserveVideoMemoryAllocations: 1\n");
	take();
	take();
	ck_assert_str_eq(done, "nvidia suspend;");
	ck_assert_str_eq(said, "<5>nvidia's driver is suspended for the restore (built in)\n");
	fail = -EIO;
	vetoers_give(&vetoers, made_root);
	ck_assert_str_eq(done, "nvidia suspend;nvidia resume;");
	ck_assert_ptr_nonnull(strstr(said, "by hand: echo resume >/proc/driver/nvidia/suspend"));
	vetoers_give(&vetoers, made_root);
	ck_assert_str_eq(done, "nvidia suspend;nvidia resume;");
	/* What was not suspended need not resume. */
	take();
	ck_assert_ptr_nonnull(strstr(said, "does not suspend for the restore"));
	vetoers_give(&vetoers, made_root);
	ck_assert_str_eq(done, "nvidia suspend;nvidia resume;nvidia suspend;");
}
END_TEST

/* The last that was taken comes back first. */
START_TEST(in_reverse)
{
	made_put("/proc/driver/nvidia/params", "PreserveVideoMemoryAllocations: 1\n");
	take();
	ck_assert_str_eq(done, "virtio_mem/unbind virtio3;nvidia suspend;");
	done[0] = '\0';
	vetoers_give(&vetoers, made_root);
	ck_assert_str_eq(done, "nvidia resume;virtio_mem/bind virtio3;");
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tc = test_case(suite, "vetoers");

	tcase_add_checked_fixture(tc, begin, teardown);
	tcase_add_test(tc, known);
	tcase_add_test(tc, named);
	tcase_add_test(tc, network_root);
	tcase_add_test(tc, hyperv);
	tcase_add_test(tc, without_a_driver);
	tcase_add_test(tc, another_journal);
	tcase_add_test(tc, failing);
	tcase_add_loop_test(tc, hanging, 0, 2);
	tcase_add_test(tc, waiting);
	tcase_add_test(tc, not_given_back);
	tcase_add_test(tc, nvidia);
	tcase_add_test(tc, in_reverse);
}
