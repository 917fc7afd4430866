/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Workers that take jobs and give them back in the order in which they were
 * submitted. One thread, the owner, submits and collects; when idle it helps, so no processor is
 * wasted. Without workers it is its own serial twin: submitting runs the job. All memory is the
 * caller's: nothing is allocated after a pool is started, and the threads' stacks come from the
 * caller, too, because pools are started while user space is frozen (threads created then inherit
 * PF_SUSPEND_TASK).
 */
#ifndef S2DISK_IMAGE_WORK_POOL_H
#define S2DISK_IMAGE_WORK_POOL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#define WORK_POOL_WORKERS_MAX 64
#define WORK_POOL_STACK_SIZE (256u << 10)

typedef void (*work_function)(void *worker_context, void *job);

struct work_pool;

struct work_worker {
	struct work_pool *pool;
	void *context; /* given to the work function */
	pthread_t thread;
};

struct work_entry {
	void *job;
	bool taken, done; /* under the lock */
};

struct work_pool {
	work_function work;
	struct work_worker workers[WORK_POOL_WORKERS_MAX];
	unsigned int started; /* threads that run; 0: serial */
	void *owner_context;

	pthread_mutex_t lock;
	pthread_cond_t submitted, finished;
	struct work_entry *ring; /* everything below is under the lock */
	size_t capacity;
	size_t collect, take, submit; /* counters that only grow */
	size_t waiting;		      /* jobs not taken yet */
	bool stopping;
};

/* How many workers to use: wanted or, if that is 0, one for each processor that this process may
 * run on; never more than WORK_POOL_WORKERS_MAX. */
unsigned int work_pool_workers(unsigned int wanted);

/* Bytes that work_pool_start needs: stacks, and a ring for this many jobs at once. */
size_t work_pool_memory(unsigned int workers, size_t capacity);

/* Starts the threads. contexts has one pointer for each worker, and before them
 * the owner's (for the serial twin and for helping); NULL: the work needs none. memory is
 * page-aligned; it stays the caller's and must outlive the pool. 0, or a negative errno with no
 * thread left over. */
int work_pool_start(struct work_pool *pool, unsigned int workers, work_function work,
		    void *const *contexts, size_t capacity, void *memory);

/* Never waits: at most capacity jobs may be between submit and collect. */
void work_pool_submit(struct work_pool *pool, void *job);

/* The oldest job when it is done; NULL when it is not (or, with wait, only
 * when none is outstanding). */
void *work_pool_collect(struct work_pool *pool, bool wait);

/* The owner runs a job itself if more than `enough` wait for a worker: the newest, which is still
 * in its caches. False if there was none. */
bool work_pool_help(struct work_pool *pool, size_t enough);

/* Jobs between submit and collect. */
size_t work_pool_outstanding(const struct work_pool *pool);

/* Finishes what was submitted and joins the threads. */
void work_pool_stop(struct work_pool *pool);

#endif
