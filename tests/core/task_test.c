#include <check.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "core/cancel.h"
#include "core/task.h"

Suite *task_suite(void);

struct job {
    int runs;
    pthread_t thread;
};

static void note(void *context)
{
    struct job *job = context;
    job->runs++;
    job->thread = pthread_self();
}

START_TEST(all_run_once)
{
    struct job jobs[20] = {0};
    struct task tasks[20];
    size_t count = (size_t)_i;
    for (size_t i = 0; i < count; i++)
        tasks[i] = (struct task)TASK(note, &jobs[i]);
    task_run_all(tasks, count);
    for (size_t i = 0; i < 20; i++)
        ck_assert_int_eq(jobs[i].runs, i < count ? 1 : 0);
    if (count > 0)
        ck_assert(pthread_equal(jobs[count - 1].thread, pthread_self()));
    for (size_t i = 0; i + 1 < count; i++)
        ck_assert(!pthread_equal(jobs[i].thread, pthread_self()));
}
END_TEST

static void ask(void *context)
{
    *(bool *)context = cancel_requested();
}

/* What puts things back in threads is no more cut short there than in the one that began it. */
START_TEST(a_shield_is_handed_on)
{
    bool asked[3] = {false};
    struct task tasks[3] = {TASK(ask, &asked[0]), TASK(ask, &asked[1]), TASK(ask, &asked[2])};
    cancel_pretend(SIGINT);
    task_run_all(tasks, 3);
    for (size_t i = 0; i < 3; i++)
        ck_assert(asked[i]);
    cancel_shield_begin();
    task_run_all(tasks, 3);
    cancel_shield_end();
    for (size_t i = 0; i < 3; i++)
        ck_assert(!asked[i]);
    ck_assert(cancel_requested());
    cancel_pretend(0);
}
END_TEST

/* Each waits until all have come: one after the other they would wait for ever. */
static pthread_barrier_t barrier;

static void meet(void *context)
{
    (void)context;
    pthread_barrier_wait(&barrier);
}

START_TEST(they_run_at_once)
{
    struct task tasks[6];
    pthread_barrier_init(&barrier, NULL, 6);
    for (size_t i = 0; i < 6; i++)
        tasks[i] = (struct task)TASK(meet, NULL);
    task_run_all(tasks, 6);
    pthread_barrier_destroy(&barrier);
}
END_TEST

static atomic_int gate;

static void wait_for_gate(void *context)
{
    while (!atomic_load(&gate))
        usleep(1000);
    note(context);
}

START_TEST(start_does_not_wait)
{
    struct job job = {0};
    struct task task = TASK(wait_for_gate, &job);
    atomic_store(&gate, 0);
    task_start(&task);
    atomic_store(&gate, 1);
    task_join(&task);
    ck_assert_int_eq(job.runs, 1);
    ck_assert(!task.threaded);
    task_join(&task);
    struct task never_started = TASK(note, &job);
    task_join(&never_started);
    ck_assert_int_eq(job.runs, 1);
}
END_TEST

/* No thread to be had (no room for so large a stack): the job runs here. */
START_TEST(without_threads)
{
    struct job job = {0};
    struct task task = TASK(note, &job);
    pthread_attr_t before, huge;
    ck_assert_int_eq(pthread_getattr_default_np(&before), 0);
    pthread_attr_init(&huge);
    pthread_attr_setstacksize(&huge, (size_t)1 << 50);
    ck_assert_int_eq(pthread_setattr_default_np(&huge), 0);
    task_start(&task);
    ck_assert_int_eq(pthread_setattr_default_np(&before), 0);
    ck_assert_int_eq(job.runs, 1);
    ck_assert(pthread_equal(job.thread, pthread_self()));
    task_join(&task);
    pthread_attr_destroy(&huge);
    pthread_attr_destroy(&before);
}
END_TEST

START_TEST(processors)
{
    ck_assert_uint_ge(task_processors(), 1);
    ck_assert_uint_le(task_processors(), (size_t)sysconf(_SC_NPROCESSORS_CONF));
}
END_TEST

Suite *task_suite(void)
{
    Suite *suite = suite_create("task");
    TCase *tc = tcase_create("task");
    tcase_add_loop_test(tc, all_run_once, 0, 20);
    tcase_add_test(tc, a_shield_is_handed_on);
    tcase_add_test(tc, they_run_at_once);
    tcase_add_test(tc, start_does_not_wait);
    tcase_add_test(tc, without_threads);
    tcase_add_test(tc, processors);
    suite_add_tcase(suite, tc);
    return suite;
}
