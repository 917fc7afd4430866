/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /dev/snapshot: one function an ioctl (kernel/power/user.c,
 * Documentation/power/userland-swsusp.rst). All return 0 or a negative errno.
 *
 * The kernel takes a trylock for every ioctl and a lock for every read and
 * write, so only one thread may use the device. If another process holds that lock (-EBUSY), these
 * functions retry for a second. Those marked (*) do not: there, -EBUSY and -EAGAIN are results. A
 * device did not stop, or a wakeup event occurred (kernel/power/suspend.c,
 * drivers/base/power/main.c); on a retry the machine could sleep through the event that should wake
 * it.
 */
#ifndef S2DISK_KERNEL_SNAPSHOT_DEVICE_H
#define S2DISK_KERNEL_SNAPSHOT_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Opens it for hibernating (reading) or for resuming (writing). Returns the fd. */
int snapshot_open(const char *path, bool resuming);

/* Sets the swap area: the device and the offset of its first page in pages. -ENODEV: not
 * an active swap area. */
int snapshot_set_swap_area(int fd, dev_t dev, uint64_t offset);

/* (*) Freezes all other processes; syncs file systems first. -EBUSY: some did not freeze
 * within the kernel's timeout (20 s, /sys/power/pm_freeze_timeout), or a wakeup event
 * occurred (from Linux 7 on also during the sync); a retry would lose that event.
 * Contention for the kernel's lock is resolved before. */
int snapshot_freeze(int fd);

/* Thaws them. Does nothing while an image exists: snapshot_free first. */
int snapshot_unfreeze(int fd);

/* Whether the firmware takes part (ACPI S4). */
int snapshot_set_platform(int fd, bool platform);

/* The image size that the kernel should aim at, in bytes; also sets /sys/power/image_size. */
int snapshot_set_image_size(int fd, uint64_t bytes);

/* (*) *ret_resumed false: the snapshot was taken; true: this is the system restored from it. */
int snapshot_create(int fd, bool *ret_resumed);

/* Frees the snapshot and thaws kernel threads. */
int snapshot_free(int fd);

/* Bytes of the snapshot, and of free swap in the area. */
int snapshot_size(int fd, uint64_t *ret);
int snapshot_avail_swap(int fd, uint64_t *ret);

/* Allocates a page of swap: *ret is its byte offset on the block device. -ENOSPC. */
int snapshot_alloc_page(int fd, uint64_t *ret);
int snapshot_free_swap_pages(int fd);

/* (*) Restores what was written. Returns only on failure. Never call it twice for one
 * load, whatever it returned: snapshot_write_finalize() in kernel/power/snapshot.c
 * recycles a bitmap each time, and the second time the kernel loops over a list for ever,
 * with everything frozen. */
int snapshot_restore(int fd);

/* (*) ACPI S4; needs snapshot_set_platform(true). A return of 0 means that nothing happened. */
int snapshot_power_off(int fd);

/* (*) Suspends to RAM; 0 after waking. */
int snapshot_suspend_to_ram(int fd);

/* read(2) and write(2) move a page at most (kernel/power/user.c), and of a readv(2) or
 * writev(2) the kernel makes one of these for each vector (do_loop_readv_writev in
 * fs/read_write.c): so several pages are moved per call. Up to UIO_FASTIOV vectors the
 * kernel allocates no memory for them, which matters while there is hardly any. */
#define SNAPSHOT_PAGES_A_CALL 8u

/* Reads the next bytes of the snapshot, up to length, a multiple of the page size.
 * Returns the bytes read; fewer only at the end. */
ssize_t snapshot_read(int fd, void *buffer, size_t length);

/* Writes length bytes, a multiple of the page size; at most pages_a_call pages per call,
 * 1 to SNAPSHOT_PAGES_A_CALL. The kernel's error for a page that it rejects is only
 * reliable with one page per call: after others that it accepted, the page has to be
 * written a second time, when the kernel may have freed everything. It checks the header
 * page when it gets the second page, each metadata page when it gets the next, and
 * allocates all the memory that it will need when it gets the first page after these. */
int snapshot_write(int fd, const void *buffer, size_t length, unsigned int pages_a_call);

/* Call this after the last page, before anything irreversible: writes one more byte. 0:
 * the kernel has all it needs. -ENODATA: it waits for more pages. From Linux 6.7 on, zero
 * page frames are in its list without data, and it fills them in the write that follows;
 * up to early 2026 (7.0, and the stable versions of that time) ATOMIC_RESTORE returns
 * EPERM if the last ones have not been filled. All versions accept nothing once they are
 * complete (snapshot_write_next() in kernel/power/snapshot.c). */
int snapshot_write_end(int fd);

#endif
