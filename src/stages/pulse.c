#include "stages/pulse.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <time.h>

#include "core/cleanup.h"
#include "core/clock.h"
#include "core/log.h"
#include "model/pulse_text.h"

#define LOG_SECONDS  10
#define LIVE_SECONDS 1
#define COUNT_MS     500

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* all below */
static pthread_cond_t ended = PTHREAD_COND_INITIALIZER;
static struct pulse_state state;
static int64_t began_ms, counted_ms;
static bool is_over;
static pthread_t thread;
static bool has_thread;

/* With the lock held. */
static void say(void)
{
    CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(STRBUF_NO_CAP);
    state.so_far_ms = clock_now_ms() - began_ms;
    pulse_add_text(&state, &text);
    if (log_has_live())
        log_live("%s", text.buf);
    else
        log_info("%s", text.buf);
}

static void *beat(void *context)
{
    (void)context;
    struct timespec next;
    pthread_mutex_lock(&lock);
    clock_gettime(CLOCK_REALTIME, &next);
    while (!is_over) {
        next.tv_sec += log_has_live() ? LIVE_SECONDS : LOG_SECONDS;
        int rc = 0;
        while (!is_over && rc == 0)
            rc = pthread_cond_timedwait(&ended, &lock, &next);
        if (!is_over)
            say();
    }
    pthread_mutex_unlock(&lock);
    return NULL;
}

void pulse_begin(const char *title, int64_t expected_ms)
{
    pthread_mutex_lock(&lock);
    state = (struct pulse_state){.title = title, .expected_ms = expected_ms};
    began_ms = clock_now_ms();
    counted_ms = 0;
    is_over = false;
    pthread_mutex_unlock(&lock);
    sigset_t all, before; /* signals are for the threads that look after them */
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    has_thread = pthread_create(&thread, NULL, beat, NULL) == 0; /* without it there is no pulse */
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void pulse_count(size_t steps_done, size_t steps_all, int64_t bytes_done, int64_t bytes_all)
{
    pthread_mutex_lock(&lock);
    state.steps_done = steps_done;
    state.steps_all = steps_all;
    state.bytes_done = bytes_done;
    state.bytes_all = bytes_all;
    counted_ms = clock_now_ms();
    pthread_mutex_unlock(&lock);
}

bool pulse_wants_count(void)
{
    pthread_mutex_lock(&lock);
    bool wants = clock_now_ms() - counted_ms >= COUNT_MS;
    pthread_mutex_unlock(&lock);
    return wants;
}

void pulse_end(void)
{
    pthread_mutex_lock(&lock);
    is_over = true;
    pthread_cond_signal(&ended);
    pthread_mutex_unlock(&lock);
    if (has_thread)
        pthread_join(thread, NULL);
    has_thread = false;
    log_live_end();
}
