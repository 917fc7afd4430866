/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Many small requests in flight at once, by one thread (io_submit(2)): where
 * swap is in pieces, one request after the other leaves a device idle most of
 * the time, and each would be a switch to another thread and back.
 *
 * Everything it needs, also the kernel's side, is there once it was opened.
 */
#ifndef S2DISK_IMAGE_REQUEST_QUEUE_H
#define S2DISK_IMAGE_REQUEST_QUEUE_H

#include <linux/aio_abi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REQUESTS_MAX 64u

struct request_queue {
	bool tried, open;
	aio_context_t context;
	struct iocb requests[REQUESTS_MAX];
	struct iocb *to_submit[REQUESTS_MAX]; /* of these the first so many */
	unsigned int submit_count;
	struct iocb *unused[REQUESTS_MAX];
	unsigned int unused_count;
	unsigned int in_flight;

	int error;	       /* of the first request that failed, a negative errno */
	uint64_t error_offset; /* and its place on the device */
};

/* 0, or a negative errno where the kernel has no such thing (-ENOSYS) or no
 * room for another (-EAGAIN): then requests have to be made one by one. */
int request_queue_open(struct request_queue *queue);

/* Opens it if that was not tried yet; false: it is not open. */
bool request_queue_ready(struct request_queue *queue);

/* Harmless where it is not open. Takes the kernel some milliseconds. */
void request_queue_close(struct request_queue *queue);

/* Adds a request. Waits for others where there are too many. What fails is in
 * error, at once or later. */
void request_queue_add(struct request_queue *queue, int fd, bool write, void *memory, size_t bytes,
		       uint64_t offset);

/* Ends all that was added: when this returns, none is on its way. Returns error,
 * which it forgets. */
int request_queue_finish(struct request_queue *queue);

#endif
