/* Dates of HTTP and of ISO 8601: what is read and written again is the same moment. */
#include "core/clock.h"
#include "tests/fuzz/fuzz.h"

#define YEAR_1000_S  (-30610224000)
#define YEAR_10000_S 253402300800

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_FREE char *text = fuzz_text(data, size);
    int64_t seconds = -1, again = -1;
    char iso[40];
    bool is_http = clock_parse_http_date(text, &seconds);
    if (!is_http && !clock_parse_iso(text, &seconds))
        return 0;
    if (seconds < YEAR_1000_S || seconds >= YEAR_10000_S)
        return 0; /* not written with four digits */
    clock_format_iso(seconds, iso, sizeof iso);
    EXPECT(clock_parse_iso(iso, &again) && again == seconds);
    return 0;
}
