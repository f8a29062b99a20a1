#include "stages/pulse.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <time.h>

#include "core/cleanup.h"
#include "core/clock.h"
#include "core/log.h"
#include "model/pulse_text.h"

#define LOG_MS   10000
#define LIVE_MS  1000
#define LOOK_MS  250 /* how often it is looked whether a line is due */
#define COUNT_MS 500

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* all below, but for the last two */
static pthread_cond_t released = PTHREAD_COND_INITIALIZER;
static struct pulse_state state; /* no title: no stage goes on */
static int64_t began_ms, said_ms, counted_ms;
static bool is_released;
static pthread_t
    thread; /* one for all stages: to make one for each would cost more than most stages do */
static bool has_thread;

/* With the lock held. */
static void say_when_due(void)
{
    CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(STRBUF_NO_CAP);
    int64_t now_ms = clock_now_ms();
    if (!state.title || now_ms - said_ms < (log_has_live() ? LIVE_MS : LOG_MS))
        return;
    said_ms = now_ms;
    state.so_far_ms = now_ms - began_ms;
    pulse_add_text(&state, &text);
    if (log_has_live())
        log_live("%s", text.buf);
    else
        log_info("%s", text.buf);
}

static void *beat(void *context)
{
    (void)context;
    pthread_mutex_lock(&lock);
    while (!is_released) {
        struct timespec next;
        clock_gettime(CLOCK_REALTIME, &next);
        next.tv_nsec += LOOK_MS * 1000000L;
        next.tv_sec += next.tv_nsec / 1000000000L;
        next.tv_nsec %= 1000000000L;
        if (pthread_cond_timedwait(&released, &lock, &next) != 0)
            say_when_due();
    }
    pthread_mutex_unlock(&lock);
    return NULL;
}

static void start(void)
{
    sigset_t all, before; /* signals are for the threads that look after them */
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    is_released = false;
    has_thread = pthread_create(&thread, NULL, beat, NULL) == 0; /* without it there is no pulse */
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void pulse_begin(const char *title, int64_t expected_ms)
{
    pthread_mutex_lock(&lock);
    state = (struct pulse_state){.title = title, .expected_ms = expected_ms};
    began_ms = said_ms = clock_now_ms();
    counted_ms = 0;
    pthread_mutex_unlock(&lock);
    if (!has_thread)
        start();
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
    state.title = NULL;
    pthread_mutex_unlock(&lock);
    log_live_end();
}

void pulse_release(void)
{
    if (!has_thread)
        return;
    pthread_mutex_lock(&lock);
    is_released = true;
    pthread_cond_signal(&released);
    pthread_mutex_unlock(&lock);
    pthread_join(thread, NULL);
    has_thread = false;
}
