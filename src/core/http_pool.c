/*
 * Why a pool: libcurl's documentation of CURLSHOPT_SHARE calls one connection cache in several
 * threads at once unsupported, and reports of crashes bear it out (curl issues 3391, 4544). So each
 * thread borrows a worker, a multi handle with one easy handle and a connection cache of their own,
 * and takes one that has spoken to the same server before, if there is one. DNS answers and TLS
 * sessions are shared, which is documented to be safe with locks.
 */
#include "core/http_curl.h"

#include <stdlib.h>

#include "core/memory.h"

#define KEPT_CONNECTIONS 16L /* in each worker */

static void lock_share(CURL *easy, curl_lock_data data, curl_lock_access access, void *context)
{
    struct http *http = context;
    (void)easy;
    (void)access;
    pthread_mutex_lock(&http->share_locks[data]);
}

static void unlock_share(CURL *easy, curl_lock_data data, void *context)
{
    struct http *http = context;
    (void)easy;
    pthread_mutex_unlock(&http->share_locks[data]);
}

/* Where distributions keep their certificates: a static binary does not know whose it runs on. */
static const char *const system_files[] = {
    "/etc/ssl/certs/ca-certificates.crt",                /* Debian, Alpine, Arch */
    "/etc/pki/tls/certs/ca-bundle.crt",                  /* Fedora, Amazon Linux */
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", /* Fedora, behind the names above */
    "/etc/ssl/ca-bundle.pem",                            /* SUSE */
    "/etc/ssl/cert.pem",
    NULL,
};
static const char *const system_directories[] = {"/etc/ssl/certs" /* the action's image */, NULL};
static const char *const no_directories[] = {NULL};

_Noreturn void http_no_memory(void)
{
    fputs("lambda-fastdeploy: libcurl could not be set up\n", stderr);
    abort();
}

struct http *http_new(const struct http_options *options)
{
    struct http *http = memory_new(sizeof *http);
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !(http->share = curl_share_init()))
        http_no_memory();
    pthread_mutex_init(&http->lock, NULL);
    for (size_t i = 0; i < CURL_LOCK_DATA_LAST; i++)
        pthread_mutex_init(&http->share_locks[i], NULL);
    curl_share_setopt(http->share, CURLSHOPT_USERDATA, http);
    curl_share_setopt(http->share, CURLSHOPT_LOCKFUNC, lock_share);
    curl_share_setopt(http->share, CURLSHOPT_UNLOCKFUNC, unlock_share);
    curl_share_setopt(http->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
    curl_share_setopt(http->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    http->ca_file = memory_copy_string(options->ca_file);
    http->named_files[0] = http->ca_file;
    http->trust = http->ca_file ? trust_new(http->named_files, no_directories)
                                : trust_new(system_files, system_directories);
    http->max_timeout_ms = options->max_timeout_ms;
    http->user_agent = memory_copy_string(options->user_agent);
    http->observe = options->observe;
    http->context = options->context;
    http->http2 = curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_HTTP2;
    return http;
}

static void worker_free(struct worker *worker)
{
    curl_easy_cleanup(worker->easy);
    curl_multi_cleanup(worker->multi);
    strvec_release(&worker->origins);
    free(worker);
}

void http_free(struct http *http)
{
    if (!http)
        return;
    while (http->idle) {
        struct worker *worker = http->idle;
        http->idle = worker->next;
        worker_free(worker);
    }
    curl_share_cleanup(http->share);
    for (size_t i = 0; i < CURL_LOCK_DATA_LAST; i++)
        pthread_mutex_destroy(&http->share_locks[i]);
    pthread_mutex_destroy(&http->lock);
    trust_free(http->trust);
    free(http->ca_file);
    free(http->user_agent);
    free(http);
    curl_global_cleanup();
}

/* An idle worker that knows this server, else any idle one, else a new one. */
struct worker *http_take_worker(struct http *http, const char *origin)
{
    pthread_mutex_lock(&http->lock);
    struct worker **place = &http->idle;
    while (*place && !strvec_contains(&(*place)->origins, origin))
        place = &(*place)->next;
    if (!*place)
        place = &http->idle;
    struct worker *worker = *place;
    if (worker)
        *place = worker->next;
    pthread_mutex_unlock(&http->lock);
    if (!worker) {
        worker = memory_new(sizeof *worker);
        worker->easy = curl_easy_init();
        worker->multi = curl_multi_init();
        if (!worker->easy || !worker->multi)
            http_no_memory();
        curl_multi_setopt(worker->multi, CURLMOPT_MAXCONNECTS, KEPT_CONNECTIONS);
    }
    if (!strvec_contains(&worker->origins, origin))
        strvec_push(&worker->origins, origin);
    return worker;
}

void http_give_worker_back(struct http *http, struct worker *worker)
{
    curl_easy_reset(worker->easy);
    pthread_mutex_lock(&http->lock);
    worker->next = http->idle;
    http->idle = worker;
    pthread_mutex_unlock(&http->lock);
}
