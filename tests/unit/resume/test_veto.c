/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What kept an image from being restored, by the kernel's messages. */
#include "fixtures/check_main.h"
#include "resume/veto.h"

#include "base/log.h"
#include "base/text.h"
#include "fixtures/machine/made_root.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define HDA "\n SUBSYSTEM=pci\n DEVICE=+pci:0000:00:1f.3\n"

/* Reads the message of one record; 0: it is none. */
static int read_message(const char *record, struct kernel_message *ret)
{
	int fd, r;

	made_put("/dev/kmsg", record);
	fd = kernel_log_open(made_root, false);
	ck_assert_int_ge(fd, 0);
	r = kernel_log_next_message(fd, ret);
	close(fd);
	return r;
}

START_TEST(messages)
{
	struct kernel_message m;

	ck_assert_int_eq(read_message("3,1,2,-;a b: c" HDA, &m), 1);
	ck_assert_uint_eq(m.level, 3);
	ck_assert_str_eq(m.text, "a b: c");
	ck_assert_str_eq(m.subsystem, "pci");
	ck_assert_str_eq(m.device, "+pci:0000:00:1f.3");
	ck_assert_int_eq(read_message("6,1,2,-;no DEVICE=x here", &m), 1);
	ck_assert_str_eq(m.device, "");
	ck_assert_str_eq(m.subsystem, "");
	ck_assert_int_eq(read_message("6,1,2,-", &m), 0);
}
END_TEST

/* Lines as Linux 6.1, 6.12 and later print them. */
static const struct {
	const char *records[4];
	enum veto_kind kind;
	const char *device, *driver, *module, *process, *said;
} logs[] = {
	{ { "3,1,2,-;snd_hda_intel 0000:00:1f.3: PM: pci_pm_freeze(): azx_freeze+0x0/0x40 "
	    "[snd_hda_intel] returns -16" HDA,
	    "3,1,2,-;snd_hda_intel 0000:00:1f.3: PM: dpm_run_callback(): pci_pm_freeze+0x0/0x90 "
	    "returns -16" HDA,
	    "3,1,2,-;snd_hda_intel 0000:00:1f.3: PM: failed to quiesce async: error -16" HDA,
	    "3,1,2,-;xhci 0000:00:14.0: PM: failed to recover: error -5\n SUBSYSTEM=pci\n "
	    "DEVICE=+pci:0000:00:14.0\n" },
	  VETO_DEVICE,
	  "0000:00:1f.3",
	  "snd_hda_intel",
	  "snd_hda_intel",
	  "",
	  "" },
	/* Another device complains before the one that fails; no "PM: ". */
	{ { "3,1,2,-;serial8250 serial8250: dpm_run_callback(): port_freeze [8250] returns "
	    "-16\n SUBSYSTEM=platform\n DEVICE=+platform:serial8250\n",
	    "3,1,2,-;usb 1-2: failed to freeze: error -16\n SUBSYSTEM=usb\n DEVICE=c189:1\n",
	    "3,1,2,-;snd_hda_intel 0000:00:1f.3: failed to quiesce: error -16" HDA },
	  VETO_DEVICE,
	  "1-2",
	  "usb",
	  "",
	  "",
	  "" },
	{ { "6,1,2,-;Generic bus 0000:00:1f.3: PM: not prepared for power transition: code "
	    "-16" HDA },
	  VETO_DEVICE,
	  "0000:00:1f.3",
	  "Generic bus",
	  "",
	  "",
	  "" },
	{ { "6,1,2,-;virtio_blk virtio0: [vda] 100 blocks\n SUBSYSTEM=virtio\n "
	    "DEVICE=+virtio:virtio0\n",
	    "3,1,2,-;virtio_mem virtio2: hibernation is not supported.\n SUBSYSTEM=virtio\n "
	    "DEVICE=+virtio:virtio2\n" },
	  VETO_COMPLAINT,
	  "virtio2",
	  "virtio_mem",
	  "",
	  "",
	  "hibernation is not supported." },
	{ { "6,1,2,-;Freezing user space processes",
	    "3,1,2,-;Freezing user space processes failed after 20.004 seconds (1 tasks refusing "
	    "to freeze, wq_busy=0):",
	    "6,1,2,-;task:cp              state:D stack:0     pid:311   ppid:1",
	    "6,1,2,-;task:dd              state:D stack:0     pid:312   ppid:1" },
	  VETO_PROCESS,
	  "",
	  "",
	  "",
	  "cp",
	  "" },
	{ { "3,1,2,-;PM: Freezing user space processes aborted after 0.001 seconds (2 tasks "
	    "refusing to freeze, wq_busy=0):" },
	  VETO_EVENT,
	  "",
	  "",
	  "",
	  "",
	  "" },
	{ { "3,1,2,-;a disk: is slow", "6,1,2,-;PM: hibernation: Image not loaded" },
	  VETO_UNKNOWN,
	  "",
	  "",
	  "",
	  "",
	  "" },
};

START_TEST(who)
{
	struct veto_log log = { 0 };

	for (size_t i = 0; i < 4 && logs[_i].records[i]; i++) {
		struct kernel_message m;

		ck_assert_int_eq(read_message(logs[_i].records[i], &m), 1);
		veto_log_add(&log, &m);
	}
	ck_assert_int_eq(log.kind, logs[_i].kind);
	ck_assert_str_eq(log.device, logs[_i].device);
	ck_assert_str_eq(log.driver, logs[_i].driver);
	ck_assert_str_eq(log.module, logs[_i].module);
	ck_assert_str_eq(log.process, logs[_i].process);
	ck_assert_str_eq(log.said, logs[_i].said);
}
END_TEST

static char kernel_says[600], logged[1000];

static void keep_message(enum log_level level, const char *text)
{
	ck_assert_int_eq(level, LOG_LEVEL_NOTICE);
	text_copy(logged, sizeof(logged), text);
}

/* The real one gives a record a read. */
ssize_t __real_read(int fd, void *buffer, size_t size);
ssize_t __wrap_read(int fd, void *buffer, size_t size);

ssize_t __wrap_read(int fd, void *buffer, size_t size)
{
	size_t length = strlen(kernel_says);

	if (!length)
		return __real_read(fd, buffer, size);
	ck_assert_uint_lt(length, size);
	memcpy(buffer, kernel_says, length);
	kernel_says[0] = '\0';
	return (ssize_t)length;
}

static const char *explain(int error, const char *record)
{
	static struct why w;
	struct veto_watch watch;

	made_put("/dev/kmsg", "");
	veto_watch_begin(&watch, made_root);
	ck_assert_int_ge(watch.log, 0);
	snprintf(kernel_says, sizeof(kernel_says), "%s", record);
	why(&w, error, "it failed");
	veto_explain(&watch, made_root, error, &w);
	veto_watch_end(&watch);
	ck_assert_int_eq(watch.log, -1);
	logged[0] = '\0';
	log_set_also(keep_message);
	veto_advise(&watch);
	log_set_also(NULL);
	return w.text;
}

/* Driver and module are those of the device in /sys. */
START_TEST(in_words)
{
	made_link("/sys/bus/virtio/devices/virtio2/driver", "../../drivers/virtio_mem");
	made_link("/sys/bus/virtio/drivers/virtio_mem/module", "../../../module/virtio_mem");
	ck_assert_str_eq(explain(-EPERM, logs[3].records[1]),
			 "it failed; the driver virtio_mem of the device virtio2 reported: "
			 "hibernation is not supported.");
	ck_assert_ptr_nonnull(strstr(logged, "module_blacklist=virtio_mem "));
	ck_assert_ptr_nonnull(strstr(logged, "If that is the cause"));
	ck_assert_ptr_nonnull(strstr(logged, "omit_drivers+=\" virtio_mem \""));

	made_link("/sys/class/net/eth0/device/driver", "../drivers/slow_nic");
	ck_assert_str_eq(explain(-EBUSY, "3,1,2,-;slow eth0: PM: failed to quiesce: error -16\n "
					 "SUBSYSTEM=net\n DEVICE=n2\n"),
			 "it failed; the device eth0 (driver slow_nic) did not freeze");
	/* Its driver is no module. */
	ck_assert_ptr_nonnull(strstr(logged, "unplug the device"));
	ck_assert_str_eq(explain(-EBUSY, logs[5].records[0]),
			 "it failed; something woke the machine meanwhile");
	ck_assert_str_eq(logged, "");
	ck_assert_str_eq(explain(-EBUSY, logs[4].records[1]),
			 "it failed; the process (see dmesg) did not freeze");
	ck_assert_str_eq(explain(-EPERM, "6,1,2,-;nothing"),
			 "it failed; the kernel does not name the cause");
	made_put("/sys/power/disk", "[disabled]\n");
	ck_assert_ptr_nonnull(strstr(explain(-EPERM, "6,1,2,-;nothing"), "nohibernate"));
	ck_assert_str_eq(explain(-EIO, "6,1,2,-;nothing"),
			 "it failed; the kernel does not name the cause");
}
END_TEST

/* Where the log cannot be read (a container, a test). */
START_TEST(no_log)
{
	struct veto_watch watch;
	struct why w = { "it failed" };

	veto_watch_begin(&watch, made_root);
	ck_assert_int_lt(watch.log, 0);
	veto_explain(&watch, made_root, -EBUSY, &w);
	ck_assert_ptr_nonnull(strstr(w.text, "it failed; the kernel does not name the cause"));
	veto_watch_end(&watch);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "veto");

	tcase_add_checked_fixture(tcase, made_root_create, made_root_remove);
	tcase_add_test(tcase, messages);
	tcase_add_loop_test(tcase, who, 0, sizeof(logs) / sizeof(*logs));
	tcase_add_test(tcase, in_words);
	tcase_add_test(tcase, no_log);
}
