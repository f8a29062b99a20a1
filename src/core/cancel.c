#include "core/cancel.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

_Static_assert(ATOMIC_INT_LOCK_FREE == 2, "the handler needs an int without a lock");

static atomic_int first_signal;
static atomic_int wake_fd = -1; /* an eventfd: readable from the first signal on */
static _Thread_local int shield_depth;

/* Async-signal-safe: two lock-free atomics and write(). */
static void note(int signal_number)
{
    int none = 0;
    if (!atomic_compare_exchange_strong(&first_signal, &none, signal_number))
        return;
    int saved_errno = errno;
    int fd = atomic_load(&wake_fd);
    if (fd >= 0) {
        const uint64_t one = 1;
        ssize_t ignored = write(fd, &one, sizeof one);
        (void)ignored; /* it cannot fill up with one write */
    }
    errno = saved_errno;
}

void cancel_install(void)
{
    if (atomic_load(&wake_fd) < 0)
        atomic_store(&wake_fd, eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));

    struct sigaction action = {.sa_handler = note, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);

    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigemptyset(&ignore.sa_mask);
    sigaction(SIGPIPE, &ignore, NULL);
    sigaction(SIGXFSZ, &ignore, NULL); /* a file that may not grow is an error of write(), too */

    sigset_t ours; /* whoever started us may have had them blocked */
    sigemptyset(&ours);
    sigaddset(&ours, SIGINT);
    sigaddset(&ours, SIGTERM);
    pthread_sigmask(SIG_UNBLOCK, &ours, NULL);
}

void cancel_release(void)
{
    int fd = atomic_exchange(&wake_fd, -1);
    if (fd >= 0)
        close(fd);
}

int cancel_signal(void)
{
    return atomic_load(&first_signal);
}

int cancel_fd(void)
{
    return atomic_load(&wake_fd);
}

void cancel_shield_begin(void)
{
    shield_depth++;
}

void cancel_shield_end(void)
{
    if (shield_depth > 0)
        shield_depth--;
}

bool cancel_is_shielded(void)
{
    return shield_depth > 0;
}

bool cancel_requested(void)
{
    return !cancel_is_shielded() && cancel_signal() != 0;
}

void cancel_pretend(int signal)
{
    if (signal != 0) {
        note(signal);
        return;
    }
    atomic_store(&first_signal, 0);
    int fd = cancel_fd();
    uint64_t count;
    while (fd >= 0 && read(fd, &count, sizeof count) < 0 && errno == EINTR)
        ;
}
