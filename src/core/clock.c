#include "core/clock.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>

#include "core/cancel.h"

#define NS_PER_S INT64_C(1000000000)
#define SLICE_MS 100 /* how long a wait may go on unasked where there is no cancel_fd */

static _Atomic(const struct clock_source *) replaced;

static int64_t real_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool real_sleep_ms(int64_t ms)
{
    int64_t start = real_now_ms();
    for (;;) {
        if (cancel_requested())
            return false;
        int64_t left = ms - (real_now_ms() - start);
        if (left <= 0)
            return true;
        /* A shielded thread must not look at the fd: it is readable all the time by then. */
        struct pollfd wake = {.fd = cancel_signal() == 0 ? cancel_fd() : -1, .events = POLLIN};
        int64_t most = wake.fd >= 0 ? INT32_MAX : SLICE_MS;
        poll(&wake, 1, (int)(left < most ? left : most));
    }
}

int64_t clock_now_ms(void)
{
    const struct clock_source *source = atomic_load(&replaced);
    return source && source->now_ms ? source->now_ms(source->context) : real_now_ms();
}

int64_t clock_wall_seconds(void)
{
    const struct clock_source *source = atomic_load(&replaced);
    if (source && source->wall_seconds)
        return source->wall_seconds(source->context);
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec;
}

bool clock_sleep_ms(int64_t ms)
{
    const struct clock_source *source = atomic_load(&replaced);
    return source && source->sleep_ms ? source->sleep_ms(source->context, ms) : real_sleep_ms(ms);
}

void clock_replace(const struct clock_source *source)
{
    atomic_store(&replaced, source);
}

static bool to_parts(int64_t wall_seconds, struct tm *ret_parts)
{
    time_t seconds = (time_t)wall_seconds;
    return gmtime_r(&seconds, ret_parts) != NULL;
}

void clock_format_basic(int64_t wall_seconds, char *buf, size_t size)
{
    struct tm parts;
    if (size > 0 &&
        (!to_parts(wall_seconds, &parts) || strftime(buf, size, "%Y%m%dT%H%M%SZ", &parts) == 0))
        buf[0] = '\0';
}

void clock_format_iso(int64_t wall_seconds, char *buf, size_t size)
{
    struct tm parts;
    if (size > 0 &&
        (!to_parts(wall_seconds, &parts) || strftime(buf, size, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0))
        buf[0] = '\0';
}

/* Exactly `count` digits at *text, which is moved behind them. */
static bool take_digits(const char **text, int count, int *ret_number)
{
    int number = 0;
    for (int i = 0; i < count; i++, (*text)++) {
        if (**text < '0' || **text > '9')
            return false;
        number = number * 10 + (**text - '0');
    }
    *ret_number = number;
    return true;
}

static bool take(const char **text, const char *literal)
{
    size_t len = strlen(literal);
    if (strncmp(*text, literal, len) != 0)
        return false;
    *text += len;
    return true;
}

/* One of `count` names of three letters, strung together in `names`. */
static bool take_name(const char **text, const char *names, int count, int *ret_index)
{
    for (int i = 0; i < count; i++) {
        if (strncmp(*text, names + (size_t)i * 3, 3) == 0) {
            *text += 3;
            *ret_index = i;
            return true;
        }
    }
    return false;
}

static bool take_time(const char **text, struct tm *parts)
{
    return take_digits(text, 2, &parts->tm_hour) && take(text, ":") &&
           take_digits(text, 2, &parts->tm_min) && take(text, ":") &&
           take_digits(text, 2, &parts->tm_sec);
}

/* `parts` with tm_year a full year and tm_mon from 0 → seconds since 1970; false for a day that is
 * not in the calendar. Second 60 is a leap second: it counts as the next one. */
static bool to_seconds(struct tm *parts, int64_t *ret_wall_seconds)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year = parts->tm_year;
    int month = parts->tm_mon;
    if (month < 0 || month > 11 || parts->tm_hour > 23 || parts->tm_min > 59 || parts->tm_sec > 60)
        return false;
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    int last_day = days[month] + (month == 1 && is_leap ? 1 : 0);
    if (parts->tm_mday < 1 || parts->tm_mday > last_day)
        return false;
    parts->tm_year = year - 1900;
    *ret_wall_seconds = (int64_t)timegm(parts);
    return true;
}

bool clock_parse_http_date(const char *text, int64_t *ret_wall_seconds)
{
    struct tm parts = {0};
    int weekday;
    if (!text)
        return false;
    bool is_date = take_name(&text, "MonTueWedThuFriSatSun", 7, &weekday) && take(&text, ", ") &&
                   take_digits(&text, 2, &parts.tm_mday) && take(&text, " ") &&
                   take_name(&text, "JanFebMarAprMayJunJulAugSepOctNovDec", 12, &parts.tm_mon) &&
                   take(&text, " ") && take_digits(&text, 4, &parts.tm_year) && take(&text, " ") &&
                   take_time(&text, &parts) && take(&text, " GMT") && *text == '\0';
    return is_date && to_seconds(&parts, ret_wall_seconds);
}

/* "Z", "+01:00" or, as Lambda writes it, "+0100". */
static bool take_offset(const char **text, int *ret_seconds)
{
    if (take(text, "Z")) {
        *ret_seconds = 0;
        return true;
    }
    int sign = **text == '-' ? -1 : 1;
    int hours;
    int minutes;
    if (!take(text, "+") && !take(text, "-"))
        return false;
    if (!take_digits(text, 2, &hours))
        return false;
    take(text, ":");
    if (!take_digits(text, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *ret_seconds = sign * (hours * 3600 + minutes * 60);
    return true;
}

/* A fraction of a second, if there is one, is read over. */
static bool take_fraction(const char **text)
{
    int digit;
    if (!take(text, "."))
        return true;
    if (!take_digits(text, 1, &digit))
        return false;
    while (**text >= '0' && **text <= '9')
        (*text)++;
    return true;
}

bool clock_parse_iso(const char *text, int64_t *ret_wall_seconds)
{
    struct tm parts = {0};
    int offset;
    int64_t seconds;
    if (!text)
        return false;
    bool is_time = take_digits(&text, 4, &parts.tm_year) && take(&text, "-") &&
                   take_digits(&text, 2, &parts.tm_mon) && take(&text, "-") &&
                   take_digits(&text, 2, &parts.tm_mday) && take(&text, "T") &&
                   take_time(&text, &parts) && take_fraction(&text) &&
                   take_offset(&text, &offset) && *text == '\0';
    parts.tm_mon -= 1;
    if (!is_time || !to_seconds(&parts, &seconds))
        return false;
    *ret_wall_seconds = seconds - offset;
    return true;
}

int64_t clock_parse_iso_ns(const char *text)
{
    int64_t seconds;
    if (!text || !clock_parse_iso(text, &seconds) || seconds < 0 ||
        seconds >= INT64_MAX / NS_PER_S - 1)
        return 0;
    const char *digit = strchr(text, '.');
    int64_t ns = 0;
    for (int64_t unit = NS_PER_S / 10; digit && isdigit((unsigned char)*++digit) && unit > 0;
         unit /= 10)
        ns += unit * (*digit - '0');
    return seconds * NS_PER_S + ns;
}
