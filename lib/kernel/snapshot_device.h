/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /dev/snapshot: one function an ioctl (kernel/power/user.c,
 * Documentation/power/userland-swsusp.rst). All return 0 or a negative errno.
 *
 * The kernel takes a trylock for every ioctl and a lock for every read and
 * write, so one thread only must use the device. Where another process holds
 * that lock (-EBUSY) they try again for a second. Those marked (*) are asked
 * once: -EBUSY and -EAGAIN come from what they do. A device did not stop, or
 * something woke the machine meanwhile (kernel/power/suspend.c,
 * drivers/base/power/main.c); if it were tried again, the machine could sleep
 * through what it should wake for.
 */
#ifndef S2DISK_KERNEL_SNAPSHOT_DEVICE_H
#define S2DISK_KERNEL_SNAPSHOT_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Opens for hibernating (reading) or for resuming (writing). Returns the fd. */
int snapshot_open(const char *path, bool resuming);

/* Names the swap area: the device and the offset of its first page in pages.
 * -ENODEV: that is not an active swap area. */
int snapshot_set_swap_area(int fd, dev_t dev, uint64_t offset);

/* (*) Freezes all other processes; syncs file systems first. -EBUSY: some did not
 * stop within the kernel's time (20 s, /sys/power/pm_freeze_timeout), or a
 * wake-up event came (from Linux 7 on while file systems are synced, too); asked
 * again, the kernel would forget that event. That another holds its lock is
 * waited for before. */
int snapshot_freeze(int fd);

/* Lets them go on. Does nothing while an image exists: snapshot_free first. */
int snapshot_unfreeze(int fd);

/* Whether the firmware takes part (ACPI S4). */
int snapshot_set_platform(int fd, bool platform);

/* Bytes the kernel should aim at; also sets /sys/power/image_size. */
int snapshot_set_image_size(int fd, uint64_t bytes);

/* (*) *ret_resumed false: the snapshot was taken; true: this is the system that
 * was restored from it. */
int snapshot_create(int fd, bool *ret_resumed);

/* Drops the snapshot and thaws kernel threads. */
int snapshot_free(int fd);

/* Bytes of the snapshot, and of free swap in the area. */
int snapshot_size(int fd, uint64_t *ret);
int snapshot_avail_swap(int fd, uint64_t *ret);

/* A page of swap: *ret is its byte offset on the block device. -ENOSPC. */
int snapshot_alloc_page(int fd, uint64_t *ret);
int snapshot_free_swap_pages(int fd);

/* (*) Restores what was written. Returns only when that failed. Never to be
 * called twice for one load, whatever it said: snapshot_write_finalize() in
 * kernel/power/snapshot.c recycles a bitmap each time, and the second time the
 * kernel runs round a list for ever, with everything frozen. */
int snapshot_restore(int fd);

/* (*) ACPI S4; needs snapshot_set_platform(true). Returning 0 means that nothing
 * happened. */
int snapshot_power_off(int fd);

/* (*) Suspends to RAM; 0 after waking. */
int snapshot_suspend_to_ram(int fd);

/* read(2) and write(2) move a page at most (kernel/power/user.c), and of a
 * readv(2) or writev(2) the kernel makes one of these for each vector
 * (do_loop_readv_writev in fs/read_write.c): so several pages go in and out of
 * the kernel at once. It needs no memory of its own for so many vectors
 * (UIO_FASTIOV), which matters while there is hardly any. */
#define SNAPSHOT_PAGES_A_CALL 8u

/* Reads the next bytes of the snapshot, up to length, a multiple of the page
 * size. Returns the bytes read; fewer only at the end. */
ssize_t snapshot_read(int fd, void *buffer, size_t length);

/* Writes length bytes, a multiple of the page size; at most so many pages a
 * call, 1 to SNAPSHOT_PAGES_A_CALL. What the kernel says of a page that it does
 * not take is surely told only with one a call: behind others that it took, the
 * page has to be offered a second time, when the kernel may have given up all
 * it had. It looks at the header page when it gets the second, at the metadata
 * pages each when it gets the next, and takes all the memory that it will need
 * when it gets the first page behind these. */
int snapshot_write(int fd, const void *buffer, size_t length, unsigned int pages_a_call);

/* To be called behind the last page, before anything that cannot be taken back:
 * offers the kernel more. 0: it has all it needs. -ENODATA: it waits for more
 * pages. From Linux 6.7 on, page frames of zeros are in its list without having
 * data, and it fills them inside the write that comes after; up to early 2026
 * (7.0, and the stable versions of that time) ATOMIC_RESTORE says EPERM where
 * the last ones were not. All versions take nothing once they have all
 * (snapshot_write_next() in kernel/power/snapshot.c). */
int snapshot_write_end(int fd);

#endif
