/*
 * least.c: what libcurl and OpenSSL themselves take for a request to each of the URLs in the
 * arguments, linked as the program is. The peer of its processor time.
 *
 * One thread, one connection each, the answers thrown away. Exit 1: a URL did not answer.
 */
#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>

static size_t throw_away(char *bytes, size_t size, size_t count, void *context)
{
    (void)bytes;
    (void)context;
    return size * count;
}

static bool ask(CURL *easy, const char *url)
{
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_CAPATH, "/etc/ssl/certs");
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, throw_away);
    CURLcode rc = curl_easy_perform(easy);
    if (rc != CURLE_OK)
        fprintf(stderr, "least: %s: %s\n", url, curl_easy_strerror(rc));
    return rc == CURLE_OK;
}

int main(int argc, char **argv)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
    CURL *easy = curl_easy_init();
    bool good = easy != NULL;
    for (int i = 1; i < argc && good; i++)
        good = ask(easy, argv[i]);
    curl_easy_cleanup(easy);
    curl_global_cleanup();
    return good ? 0 : 1;
}
