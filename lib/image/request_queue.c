/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/request_queue.h"

#include "base/io.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel is asked to begin so many at once: few enough that the first do
 * not wait for long, and enough that asking costs little. */
#define SUBMIT_AT_ONCE 16u

int request_queue_open(struct request_queue *queue)
{
	*queue = (struct request_queue){ .tried = true };
	if (syscall(SYS_io_setup, REQUESTS_MAX, &queue->context) < 0)
		return -errno;
	queue->open = true;
	for (unsigned int i = 0; i < REQUESTS_MAX; i++)
		queue->unused[queue->unused_count++] = &queue->requests[i];
	return 0;
}

bool request_queue_ready(struct request_queue *queue)
{
	if (!queue->tried)
		(void)request_queue_open(queue);
	return queue->open;
}

void request_queue_close(struct request_queue *queue)
{
	/* Waits for what is in flight. */
	if (queue->open)
		syscall(SYS_io_destroy, queue->context);
	queue->open = false;
}

static void failed(struct request_queue *queue, const struct iocb *request, int error)
{
	if (queue->error < 0)
		return;
	queue->error = error;
	queue->error_offset = (uint64_t)request->aio_offset;
}

/* What is left of a request after so many bytes, the plain way. */
static void complete(struct request_queue *queue, const struct iocb *request, size_t done)
{
	char *memory = (char *)(uintptr_t)request->aio_buf + done;
	size_t bytes = (size_t)request->aio_nbytes - done;
	uint64_t offset = (uint64_t)request->aio_offset + done;
	int fd = (int)request->aio_fildes;
	int r = request->aio_lio_opcode == IOCB_CMD_PWRITE
			? io_pwrite_full(fd, memory, bytes, offset)
			: io_pread_full(fd, memory, bytes, offset);

	if (r < 0)
		failed(queue, request, r);
}

static void reap_one(struct request_queue *queue, const struct io_event *event)
{
	struct iocb *request = (struct iocb *)(uintptr_t)event->obj;

	queue->in_flight--;
	queue->unused[queue->unused_count++] = request;
	if (event->res < 0)
		failed(queue, request, (int)event->res);
	else if ((uint64_t)event->res < request->aio_nbytes)
		complete(queue, request, (size_t)event->res);
}

/* Waits until so many requests have ended. */
static void reap(struct request_queue *queue, unsigned int count)
{
	struct io_event events[REQUESTS_MAX];

	while (count > 0) {
		long n = syscall(SYS_io_getevents, queue->context, (long)count,
				 (long)queue->in_flight, events, NULL);

		/* Whatever it is, nothing may be given up that is in flight. */
		if (n <= 0)
			continue;
		for (long i = 0; i < n; i++)
			reap_one(queue, &events[i]);
		count -= (unsigned int)n < count ? (unsigned int)n : count;
	}
}

/* The kernel did not begin the first of those to be submitted. */
static void not_begun(struct request_queue *queue)
{
	struct iocb *request = queue->to_submit[0];

	/* Perhaps for want of room, which those in flight will give. */
	if (queue->in_flight > 0) {
		reap(queue, queue->in_flight);
		return;
	}
	complete(queue, request, 0);
	queue->unused[queue->unused_count++] = request;
	queue->submit_count--;
	memmove(queue->to_submit, queue->to_submit + 1,
		queue->submit_count * sizeof(struct iocb *));
}

static void submit(struct request_queue *queue)
{
	while (queue->submit_count > 0) {
		long n = syscall(SYS_io_submit, queue->context, (long)queue->submit_count,
				 queue->to_submit);

		if (n <= 0) {
			not_begun(queue);
			continue;
		}
		queue->in_flight += (unsigned int)n;
		queue->submit_count -= (unsigned int)n;
		memmove(queue->to_submit, queue->to_submit + n,
			queue->submit_count * sizeof(struct iocb *));
	}
}

void request_queue_add(struct request_queue *queue, int fd, bool write, void *memory, size_t bytes,
		       uint64_t offset)
{
	struct iocb *request;

	if (queue->submit_count == SUBMIT_AT_ONCE)
		submit(queue);
	if (queue->unused_count == 0)
		reap(queue, SUBMIT_AT_ONCE);
	request = queue->unused[--queue->unused_count];
	*request = (struct iocb){
		.aio_lio_opcode = write ? IOCB_CMD_PWRITE : IOCB_CMD_PREAD,
		.aio_fildes = (uint32_t)fd,
		.aio_buf = (uintptr_t)memory,
		.aio_nbytes = bytes,
		.aio_offset = (int64_t)offset,
	};
	queue->to_submit[queue->submit_count++] = request;
}

int request_queue_finish(struct request_queue *queue)
{
	int error;

	submit(queue);
	if (queue->in_flight > 0)
		reap(queue, queue->in_flight);
	error = queue->error;
	queue->error = 0;
	return error;
}
