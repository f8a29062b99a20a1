/*
 * clock.h: time, and waiting for it. One of the three seams that tests may replace.
 *
 * Inside the program time is milliseconds of a monotonic clock that starts anywhere; wall time is
 * asked for only where the outside world wants a date (signatures, ages).
 */
#ifndef CORE_CLOCK_H
#define CORE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int64_t clock_now_ms(void);       /* monotonic */
int64_t clock_wall_seconds(void); /* since 1970, UTC */

/* Wait. Returns false at once when the run is cancelled before or meanwhile (core/cancel.h), else
 * true. */
bool clock_sleep_ms(int64_t ms);

/* "20150830T123600Z" and "2015-08-30T12:36:00Z"; `size` at least 17 and 21. */
void clock_format_basic(int64_t wall_seconds, char *buf, size_t size);
void clock_format_iso(int64_t wall_seconds, char *buf, size_t size);

/* An HTTP date (RFC 9110 §5.6.7, the IMF-fixdate form) → seconds since 1970. False if it is not
 * one. */
bool clock_parse_http_date(const char *text, int64_t *ret_wall_seconds);
/* "2026-11-23T13:19:44Z", with optional fraction and with "+00:00"-like offsets → seconds since
 * 1970. */
bool clock_parse_iso(const char *text, int64_t *ret_wall_seconds);
/* The same, with up to nine digits of a second → nanoseconds since 1970; 0 if it is not one that an
 * int64_t holds. */
int64_t clock_parse_iso_ns(const char *text);

/* The seam: NULL members keep the real thing. The table is borrowed until it is replaced; NULL puts
 * all back. */
struct clock_source {
    int64_t (*now_ms)(void *context);
    int64_t (*wall_seconds)(void *context);
    bool (*sleep_ms)(void *context, int64_t ms);
    void *context; /* borrowed */
};
void clock_replace(const struct clock_source *source);

#endif
