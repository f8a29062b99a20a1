/*
 * banned.h: functions that this project does not use, as compile errors. The Makefile includes it
 * before everything. Each has a better way: strbuf for text, process_run for programs,
 * text_to_int64 (core/text.h) for numbers.
 */
#ifndef CORE_BANNED_H
#define CORE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#undef strcpy
#undef strcat
#undef strncpy
#undef strncat
#undef sprintf
#undef vsprintf
#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf gets strtok system popen atoi    \
    atol atoll gmtime localtime ctime asctime mktemp tmpnam

#endif
