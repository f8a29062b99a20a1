/*
 * http_curl.h: what the parts of core/http share. It alone includes libcurl's header, and only
 * core/http*.c include it.
 *
 * http.c drives one exchange, http_options.c tells libcurl about it and is called back by it,
 * http_pool.c keeps the connections.
 */
#ifndef CORE_HTTP_CURL_H
#define CORE_HTTP_CURL_H

#include <curl/curl.h>
#include <pthread.h>

#include "core/crypto_trust.h"
#include "core/http.h"
#include "core/strvec.h"

struct worker {
    CURLM *multi;          /* owned */
    CURL *easy;            /* owned */
    struct strvec origins; /* that it has spoken to */
    struct worker *next;   /* owned; in the list of those that nobody uses */
};

struct http {
    pthread_mutex_t lock; /* of idle */
    struct worker *idle;  /* owned */
    CURLSH *share;        /* owned */
    pthread_mutex_t share_locks[CURL_LOCK_DATA_LAST];
    char *ca_file;              /* owned; NULL: the system's */
    const char *named_files[2]; /* that file, NULL */
    struct trust *trust;        /* owned */
    char *user_agent;           /* owned; may be NULL */
    bool http2;
    void (*observe)(void *context, const char *what, int status, int64_t ms, bool new_connection);
    void *context;                /* borrowed; for observe */
    int64_t max_timeout_ms;       /* 0: none */
    _Atomic(int64_t) deadline_ms; /* 0: none */
};

/* Why we ended it ourselves, when curl only sees a callback that failed. */
enum stop {
    STOP_NONE,
    STOP_CANCELLED,
    STOP_IDLE,
    STOP_BODY,    /* over its cap */
    STOP_HEADERS, /* over theirs */
    STOP_READER,  /* on_body had enough */
    STOP_RESENT   /* curl was about to send it a second time */
};

#define HTTP_TIMEOUT_MS      60000
#define HTTP_IDLE_TIMEOUT_MS 30000
#define HTTP_MAX_BODY        ((size_t)8 << 20)

struct exchange {
    const struct http_request *request; /* borrowed */
    struct strbuf origin;               /* scheme, host, port and socket */
    struct strbuf what;                 /* "GET example.com/path", for messages */
    bool plain;                         /* no TLS: no proxy either */
    int64_t timeout_ms, idle_timeout_ms;
    size_t max_body;
    struct strbuf body;
    size_t body_bytes, header_bytes;
    bool
        head_ended; /* the empty line behind the headers was seen: curl takes a cut head for fine */
    int times_sent;
    int64_t cancelled_ms; /* when we first saw that somebody asked us to stop; 0: nobody */
    enum stop stop;
    curl_off_t moved; /* bytes in and out when we last looked */
    int64_t moved_ms;
    struct curl_slist *headers; /* owned */
    struct trust *trust;        /* borrowed */
    struct error distrust;      /* why the trusted certificates cannot be had */
    char detail[CURL_ERROR_SIZE];
};

/* Everything that libcurl needs to know for this exchange. */
CURLcode http_set_options(CURL *easy, const struct http *http, struct exchange *exchange);

/*
 * A worker for this thread alone, best one that has spoken to this origin before; afterwards back.
 */
struct worker *http_take_worker(struct http *http, const char *origin);
void http_give_worker_back(struct http *http, struct worker *worker);

/* libcurl could not allocate or initialise anything: ends the process, as core/memory.h does. */
_Noreturn void http_no_memory(void);

/* `given_ms` unless it is 0. */
long http_or_default(int64_t given_ms, long default_ms);

#endif
