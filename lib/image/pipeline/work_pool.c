/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/pipeline/work_pool.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>

unsigned int work_pool_workers(unsigned int wanted)
{
	cpu_set_t cpus;

	if (wanted == 0)
		wanted = sched_getaffinity(0, sizeof(cpus), &cpus) == 0
				 ? (unsigned int)CPU_COUNT(&cpus)
				 : 1;
	return wanted < WORK_POOL_WORKERS_MAX ? wanted : WORK_POOL_WORKERS_MAX;
}

size_t work_pool_memory(unsigned int workers, size_t capacity)
{
	return (size_t)workers * WORK_POOL_STACK_SIZE + capacity * sizeof(struct work_entry);
}

/* The oldest job not taken yet, with the lock held. */
static struct work_entry *oldest_waiting(struct work_pool *pool)
{
	while (pool->take != pool->submit && pool->ring[pool->take % pool->capacity].taken)
		pool->take++;
	return pool->take != pool->submit ? &pool->ring[pool->take % pool->capacity] : NULL;
}

/* Runs a waiting job; the lock is held before and after. */
static void run_entry(struct work_pool *pool, struct work_entry *entry, void *context)
{
	entry->taken = true;
	pool->waiting--;
	pthread_mutex_unlock(&pool->lock);
	pool->work(context, entry->job);
	pthread_mutex_lock(&pool->lock);
	entry->done = true;
	/* Only the oldest job is ever waited for. */
	if (entry == &pool->ring[pool->collect % pool->capacity])
		pthread_cond_signal(&pool->finished);
}

static void *run_worker(void *argument)
{
	struct work_worker *worker = argument;
	struct work_pool *pool = worker->pool;

	pthread_mutex_lock(&pool->lock);
	for (;;) {
		struct work_entry *entry;

		while (!(entry = oldest_waiting(pool)) && !pool->stopping)
			pthread_cond_wait(&pool->submitted, &pool->lock);
		if (!entry)
			break;
		run_entry(pool, entry, worker->context);
	}
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

/* Signals are handled by the owner: workers start with all of them blocked. */
static int start_thread(struct work_worker *worker, void *stack)
{
	pthread_attr_t attributes;
	sigset_t all, before;
	int r = pthread_attr_init(&attributes);

	if (r != 0)
		return -r;
	r = pthread_attr_setstack(&attributes, stack, WORK_POOL_STACK_SIZE);
	if (r == 0) {
		sigfillset(&all);
		pthread_sigmask(SIG_SETMASK, &all, &before);
		r = pthread_create(&worker->thread, &attributes, run_worker, worker);
		pthread_sigmask(SIG_SETMASK, &before, NULL);
	}
	pthread_attr_destroy(&attributes);
	return -r;
}

int work_pool_start(struct work_pool *pool, unsigned int workers, work_function work,
		    void *const *contexts, size_t capacity, void *memory)
{
	char *stacks = memory;

	if (workers > WORK_POOL_WORKERS_MAX || capacity == 0)
		return -EINVAL;
	*pool = (struct work_pool){
		.work = work,
		.owner_context = contexts ? contexts[0] : NULL,
		.ring = (void *)(stacks + (size_t)workers * WORK_POOL_STACK_SIZE),
		.capacity = capacity,
	};
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->submitted, NULL);
	pthread_cond_init(&pool->finished, NULL);
	for (unsigned int i = 0; i < workers; i++) {
		struct work_worker *worker = &pool->workers[i];
		int r;

		worker->pool = pool;
		worker->context = contexts ? contexts[i + 1] : NULL;
		r = start_thread(worker, stacks + (size_t)i * WORK_POOL_STACK_SIZE);
		if (r < 0) {
			work_pool_stop(pool);
			return r;
		}
		pool->started++;
	}
	return 0;
}

void work_pool_submit(struct work_pool *pool, void *job)
{
	struct work_entry *entry = &pool->ring[pool->submit % pool->capacity];

	if (pool->started == 0) {
		pool->work(pool->owner_context, job);
		*entry = (struct work_entry){ .job = job, .taken = true, .done = true };
		pool->submit++;
		return;
	}
	pthread_mutex_lock(&pool->lock);
	*entry = (struct work_entry){ .job = job };
	pool->submit++;
	pool->waiting++;
	pthread_cond_signal(&pool->submitted);
	pthread_mutex_unlock(&pool->lock);
}

void *work_pool_collect(struct work_pool *pool, bool wait)
{
	struct work_entry *entry;
	void *job = NULL;

	pthread_mutex_lock(&pool->lock);
	entry = &pool->ring[pool->collect % pool->capacity];
	if (pool->collect != pool->submit) {
		while (wait && !entry->done)
			pthread_cond_wait(&pool->finished, &pool->lock);
		if (entry->done) {
			job = entry->job;
			pool->collect++;
		}
	}
	pthread_mutex_unlock(&pool->lock);
	return job;
}

bool work_pool_help(struct work_pool *pool, size_t enough)
{
	bool helped = false;

	pthread_mutex_lock(&pool->lock);
	if (pool->waiting > enough) {
		size_t newest = pool->submit - 1;

		while (pool->ring[newest % pool->capacity].taken)
			newest--;
		run_entry(pool, &pool->ring[newest % pool->capacity], pool->owner_context);
		helped = true;
	}
	pthread_mutex_unlock(&pool->lock);
	return helped;
}

size_t work_pool_outstanding(const struct work_pool *pool)
{
	/* The owner alone changes both counters. */
	return pool->submit - pool->collect;
}

void work_pool_stop(struct work_pool *pool)
{
	if (!pool->work)
		return;
	pthread_mutex_lock(&pool->lock);
	pool->stopping = true;
	pthread_cond_broadcast(&pool->submitted);
	pthread_mutex_unlock(&pool->lock);
	for (unsigned int i = 0; i < pool->started; i++)
		pthread_join(pool->workers[i].thread, NULL);
	pthread_cond_destroy(&pool->finished);
	pthread_cond_destroy(&pool->submitted);
	pthread_mutex_destroy(&pool->lock);
	pool->started = 0;
	pool->work = NULL;
}
