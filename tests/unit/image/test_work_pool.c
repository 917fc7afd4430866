/* SPDX-License-Identifier: GPL-2.0-or-later */
/* image/work_pool: order, the serial twin, ends. Fields of jobs and contexts
 * are plain ones, so that ThreadSanitizer sees what the pool does not order. */
#include "base/bytes.h"
#include "base/memory.h"
#include "fixtures/check_main.h"
#include "image/pipeline/work_pool.h"

#include <errno.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>

#define JOBS 20000u
#define CAPACITY 24u

struct job {
	uint64_t number, result;
	unsigned int runs;
	pthread_t thread;
	bool signals_blocked;
	sem_t *begun, *may_end; /* NULL: no wait */
};

struct context {
	uint64_t jobs;
};

struct fixture {
	struct work_pool pool;
	struct arena arena;
	struct context contexts[WORK_POOL_WORKERS_MAX + 1]; /* the owner's first */
	void *context_list[WORK_POOL_WORKERS_MAX + 1];
	unsigned int workers;
};

static const unsigned int worker_counts[] = { 0, 1, 2, 5, WORK_POOL_WORKERS_MAX };

static void work(void *worker_context, void *argument)
{
	struct context *context = worker_context;
	struct job *job = argument;
	uint64_t value = job->number;

	if (job->begun)
		sem_post(job->begun);
	/* Some jobs take far longer than others. */
	for (uint64_t i = 0; i < job->number % 13 * 40; i++)
		value = value * 6364136223846793005 + 1442695040888963407;
	job->result = value;
	job->runs++;
	job->thread = pthread_self();
	context->jobs++;
	if (job->may_end)
		sem_wait(job->may_end);
}

static void start(struct fixture *f, unsigned int workers, work_function function, size_t capacity)
{
	size_t size = work_pool_memory(workers, capacity);
	void *memory;

	*f = (struct fixture){ .workers = workers };
	for (unsigned int i = 0; i <= WORK_POOL_WORKERS_MAX; i++)
		f->context_list[i] = &f->contexts[i];
	ck_assert_int_eq(arena_create(&f->arena, size), 0);
	memory = arena_take(&f->arena, size);
	ck_assert_ptr_nonnull(memory);
	ck_assert_int_eq(
		work_pool_start(&f->pool, workers, function, f->context_list, capacity, memory), 0);
}

static void end(struct fixture *f)
{
	work_pool_stop(&f->pool);
	arena_destroy(&f->arena);
}

static uint64_t jobs_done(const struct fixture *f)
{
	uint64_t jobs = 0;

	for (unsigned int i = 0; i <= WORK_POOL_WORKERS_MAX; i++)
		jobs += f->contexts[i].jobs;
	return jobs;
}

START_TEST(keeps_the_order)
{
	static struct job jobs[CAPACITY];
	uint64_t submitted = 0, collected = 0, random = 1;
	struct fixture f;
	pthread_t self = pthread_self();

	start(&f, worker_counts[_i], work, CAPACITY);
	while (collected < JOBS) {
		struct job *job;

		random = random * 6364136223846793005 + 1442695040888963407;
		while (submitted < JOBS && submitted - collected < CAPACITY && random >> 62 != 0) {
			jobs[submitted % CAPACITY] = (struct job){ .number = submitted };
			work_pool_submit(&f.pool, &jobs[submitted++ % CAPACITY]);
			random = random * 6364136223846793005 + 1442695040888963407;
		}
		ck_assert_uint_eq(work_pool_outstanding(&f.pool), submitted - collected);
		job = work_pool_collect(&f.pool, random >> 61 & 1);
		if (!job)
			continue;
		ck_assert_uint_eq(job->number, collected);
		ck_assert_uint_eq(job->runs, 1);
		ck_assert_int_eq(pthread_equal(job->thread, self) != 0, f.workers == 0);
		collected++;
	}
	ck_assert_ptr_null(work_pool_collect(&f.pool, true));
	ck_assert_uint_eq(work_pool_outstanding(&f.pool), 0);
	work_pool_stop(&f.pool);
	ck_assert_uint_eq(jobs_done(&f), JOBS);
	end(&f);
}
END_TEST

START_TEST(twin_gives_the_same)
{
	static struct job serial[1000], parallel[1000];
	struct fixture a, b;

	start(&a, 0, work, 1000);
	start(&b, worker_counts[_i], work, 1000);
	for (unsigned int i = 0; i < 1000; i++) {
		serial[i] = parallel[i] = (struct job){ .number = i };
		work_pool_submit(&a.pool, &serial[i]);
		work_pool_submit(&b.pool, &parallel[i]);
	}
	for (unsigned int i = 0; i < 1000; i++) {
		ck_assert_ptr_eq(work_pool_collect(&a.pool, false), &serial[i]);
		ck_assert_ptr_eq(work_pool_collect(&b.pool, true), &parallel[i]);
		ck_assert_uint_eq(serial[i].result, parallel[i].result);
	}
	end(&a);
	end(&b);
	/* Only the serial twin uses the owner's context. */
	ck_assert_uint_eq(a.contexts[0].jobs, 1000);
	ck_assert_uint_eq(b.contexts[0].jobs, b.workers ? 0 : 1000);
}
END_TEST

START_TEST(stop_finishes_what_was_submitted)
{
	for (unsigned int outstanding = 0; outstanding <= CAPACITY; outstanding++) {
		struct job jobs[CAPACITY] = { 0 };
		struct fixture f;

		start(&f, worker_counts[_i], work, CAPACITY);
		for (unsigned int i = 0; i < outstanding; i++) {
			jobs[i].number = 12 + 13 * i;
			work_pool_submit(&f.pool, &jobs[i]);
		}
		work_pool_stop(&f.pool);
		for (unsigned int i = 0; i < CAPACITY; i++)
			ck_assert_uint_eq(jobs[i].runs, i < outstanding);
		/* Once more does no harm. */
		end(&f);
	}
}
END_TEST

START_TEST(starts_again)
{
	struct job job = { 0 };
	struct work_pool never = { 0 };

	work_pool_stop(&never);
	for (unsigned int i = 0; i < 50; i++) {
		struct fixture f;

		start(&f, i % 4, work, 1);
		work_pool_submit(&f.pool, &job);
		ck_assert_ptr_eq(work_pool_collect(&f.pool, true), &job);
		end(&f);
	}
	ck_assert_uint_eq(job.runs, 50);
}
END_TEST

/* Nothing is collected before it is done, nor before an older job. */
START_TEST(waits_for_the_oldest)
{
	sem_t begun[2], may_end[2];
	struct job jobs[2];
	struct fixture f;

	start(&f, 2, work, 2);
	for (unsigned int i = 0; i < 2; i++) {
		ck_assert_int_eq(sem_init(&begun[i], 0, 0), 0);
		ck_assert_int_eq(sem_init(&may_end[i], 0, 0), 0);
		jobs[i] = (struct job){ .begun = &begun[i], .may_end = &may_end[i] };
		work_pool_submit(&f.pool, &jobs[i]);
	}
	sem_wait(&begun[0]);
	sem_wait(&begun[1]); /* both at once */
	ck_assert_ptr_null(work_pool_collect(&f.pool, false));
	sem_post(&may_end[1]);
	for (unsigned int i = 0; i < 100; i++)
		ck_assert_ptr_null(work_pool_collect(&f.pool, false));
	ck_assert_uint_eq(work_pool_outstanding(&f.pool), 2);
	sem_post(&may_end[0]);
	ck_assert_ptr_eq(work_pool_collect(&f.pool, true), &jobs[0]);
	ck_assert_ptr_eq(work_pool_collect(&f.pool, true), &jobs[1]);
	end(&f);
}
END_TEST

/* The owner takes the newest of those that wait, and leaves `enough`. */
START_TEST(owner_helps_with_the_newest)
{
	sem_t begun, may_end;
	struct job jobs[4];
	struct fixture f;

	start(&f, 1, work, 4);
	ck_assert(!work_pool_help(&f.pool, 0));
	ck_assert_int_eq(sem_init(&begun, 0, 0), 0);
	ck_assert_int_eq(sem_init(&may_end, 0, 0), 0);
	for (unsigned int i = 0; i < 4; i++) {
		jobs[i] = (struct job){ .number = i };
		if (i == 0)
			jobs[i] = (struct job){ .begun = &begun, .may_end = &may_end };
		work_pool_submit(&f.pool, &jobs[i]);
		if (i == 0)
			sem_wait(&begun); /* the worker has it */
	}
	ck_assert(!work_pool_help(&f.pool, 3));
	ck_assert(work_pool_help(&f.pool, 2));
	ck_assert_uint_eq(jobs[3].runs, 1);
	ck_assert(pthread_equal(jobs[3].thread, pthread_self()));
	ck_assert(!work_pool_help(&f.pool, 2));
	ck_assert(work_pool_help(&f.pool, 0));
	ck_assert_uint_eq(jobs[2].runs, 1);
	ck_assert_uint_eq(jobs[1].runs, 0);
	ck_assert_uint_eq(f.contexts[0].jobs, 2);
	/* The order is unchanged, and the worker runs the rest, each once. */
	ck_assert_ptr_null(work_pool_collect(&f.pool, false));
	sem_post(&may_end);
	for (unsigned int i = 0; i < 4; i++)
		ck_assert_ptr_eq(work_pool_collect(&f.pool, true), &jobs[i]);
	ck_assert(!work_pool_help(&f.pool, 0));
	work_pool_stop(&f.pool);
	ck_assert_uint_eq(f.contexts[1].jobs, 2);
	ck_assert_uint_eq(jobs_done(&f), 4);
	end(&f);
}
END_TEST

/* Helping and collecting in turn, with the ring going round. */
START_TEST(keeps_the_order_while_helping)
{
	static struct job jobs[CAPACITY];
	uint64_t submitted = 0;
	struct fixture f;

	start(&f, worker_counts[_i], work, CAPACITY);
	for (uint64_t collected = 0; collected < JOBS; collected++) {
		struct job *job;

		for (; submitted < JOBS && submitted - collected < CAPACITY; submitted++) {
			jobs[submitted % CAPACITY] = (struct job){ .number = submitted };
			work_pool_submit(&f.pool, &jobs[submitted % CAPACITY]);
		}
		work_pool_help(&f.pool, collected % CAPACITY);
		job = work_pool_collect(&f.pool, true);
		ck_assert_uint_eq(job->number, collected);
		ck_assert_uint_eq(job->runs, 1);
	}
	ck_assert(!work_pool_help(&f.pool, 0));
	work_pool_stop(&f.pool);
	ck_assert_uint_eq(jobs_done(&f), JOBS);
	end(&f);
}
END_TEST

static void look_at_signals(void *context, void *argument)
{
	struct job *job = argument;
	sigset_t blocked;

	(void)context;
	pthread_sigmask(SIG_SETMASK, NULL, &blocked);
	job->signals_blocked = sigismember(&blocked, SIGINT) == 1 &&
			       sigismember(&blocked, SIGTERM) == 1 &&
			       sigismember(&blocked, SIGALRM) == 1;
}

START_TEST(signals_are_for_the_owner)
{
	struct job job = { 0 };
	struct fixture f;

	start(&f, 1, look_at_signals, 1);
	work_pool_submit(&f.pool, &job);
	ck_assert_ptr_eq(work_pool_collect(&f.pool, true), &job);
	ck_assert(job.signals_blocked);
	end(&f);
	job.signals_blocked = true;
	look_at_signals(NULL, &job);
	ck_assert(!job.signals_blocked);
}
END_TEST

START_TEST(refuses_what_it_cannot_do)
{
	struct work_pool pool = { 0 };
	void *contexts[WORK_POOL_WORKERS_MAX + 2] = { 0 };

	ck_assert_int_eq(work_pool_start(&pool, WORK_POOL_WORKERS_MAX + 1, work, contexts, 1, NULL),
			 -EINVAL);
	ck_assert_int_eq(work_pool_start(&pool, 0, work, contexts, 0, NULL), -EINVAL);
	work_pool_stop(&pool);
	ck_assert_uint_eq(work_pool_workers(3), 3);
	ck_assert_uint_eq(work_pool_workers(WORK_POOL_WORKERS_MAX + 1), WORK_POOL_WORKERS_MAX);
	ck_assert_uint_eq(work_pool_workers(UINT32_MAX), WORK_POOL_WORKERS_MAX);
	ck_assert_uint_ge(work_pool_workers(0), 1);
	ck_assert_uint_le(work_pool_workers(0), WORK_POOL_WORKERS_MAX);
}
END_TEST

void test_cases(Suite *suite)
{
	TCase *tcase = test_case(suite, "work_pool");
	int counts = (int)ARRAY_SIZE(worker_counts);

	tcase_set_timeout(tcase, 300);
	tcase_add_loop_test(tcase, keeps_the_order, 0, counts);
	tcase_add_loop_test(tcase, twin_gives_the_same, 0, counts);
	tcase_add_loop_test(tcase, stop_finishes_what_was_submitted, 0, counts);
	tcase_add_test(tcase, starts_again);
	tcase_add_test(tcase, waits_for_the_oldest);
	tcase_add_test(tcase, owner_helps_with_the_newest);
	tcase_add_loop_test(tcase, keeps_the_order_while_helping, 0, counts);
	tcase_add_test(tcase, signals_are_for_the_owner);
	tcase_add_test(tcase, refuses_what_it_cannot_do);
}
