#include <check.h>
#include <stdlib.h>

#include "core/cleanup.h"
#include "core/clock.h"
#include "core/file.h"
#include "core/json.h"
#include "services/sigv4.h"

#define VECTORS "../shared/vectors/sigv4"
#define ID      "AKIDEXAMPLE"
#define SECRET  "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define AUGUST  1440938160 /* 2015-08-30T12:36:00Z, the time of AWS's own examples */
#define LAMBDA  "lambda.us-east-1.amazonaws.com"

Suite *sigv4_suite(void);

/*
 * The first case is the example of AWS's documentation, "get vanilla" and "empty query key" are of
 * AWS's published suite; the other signatures were made by botocore 1.43.11's SigV4Auth.
 */
static const struct {
    const char *what, *method, *path, *query;
    struct http_header headers[5];
    const char *body;
    size_t body_len;
    const char *token, *region, *service;
    int64_t time;
    bool keep_path;
    const char *signature;
} cases[] = {
    {.what = "the documentation's example",
     .query = "Action=ListUsers&Version=2010-05-08",
     .headers = {{"Host", "iam.amazonaws.com"},
                 {"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}},
     .service = "iam",
     .signature = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"},
    {.what = "get vanilla",
     .headers = {{"Host", "example.amazonaws.com"}},
     .service = "service",
     .signature = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {.what = "empty query key",
     .query = "Param1=value1",
     .headers = {{"Host", "example.amazonaws.com"}},
     .service = "service",
     .signature = "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"},
    {.what = "a plain path",
     .path = "/2015-03-31/functions/hello",
     .signature = "cd30e3325d2b8905809c3d66a452edf3325b2d10d020273bca62a8b08cc2bf72"},
    {.what = "an ARN in the path: its %3A is signed as %253A",
     .path = "/2017-03-31/tags/"
             "arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Ahello",
     .signature = "52c508e500dce5920ecf9b81fe6b978673c7d2e24f774a4ca5a0c3dc0fe72e7d"},
    {.what = "an escaped slash",
     .path = "/a%2Fb/c",
     .signature = "e9a788f2dc313658653aa2eb353fe0c0ae358691bd9bcf14f99042f0a34df656"},
    {.what = "an escaped space",
     .path = "/a%20b/",
     .signature = "49803c4016890505b3f60c3c2dc43d854803cec1f944f05a4a9e5767f6959a22"},
    {.what = "escaped Unicode",
     .path = "/%E1%88%B4/%C3%A9",
     .signature = "349f8952d223245e835dec885f5c654a6eac0e3a7dcc11ed055cd8cae2a6b751"},
    {.what = "a JSON body",
     .method = "PUT",
     .path = "/2015-03-31/functions/hello/code",
     .headers = {{"Host", LAMBDA}, {"Content-Type", "application/json"}},
     .body = "{\"ImageUri\":\"123456789012.dkr.ecr.us-east-1.amazonaws.com/hello@sha256:00\"}",
     .signature = "8119a8e1435387fcbc1934c956afd31df6339320f3f1a08ffefcadca98129a72"},
    {.what = "JSON 1.1 with a target",
     .method = "POST",
     .headers = {{"Host", "api.ecr.us-east-1.amazonaws.com"},
                 {"X-Amz-Target", "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken"},
                 {"Content-Type", "application/x-amz-json-1.1"}},
     .body = "{}",
     .service = "ecr",
     .signature = "527a2155e9afc2426cb4c659023df9c031e8103458f349819615ff25111f5de0"},
    {.what = "a form",
     .method = "POST",
     .headers = {{"Host", "sts.us-east-1.amazonaws.com"},
                 {"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}},
     .body = "Action=GetCallerIdentity&Version=2011-06-15",
     .service = "sts",
     .signature = "52a8540fea00e731072179f763577cbe2a45eac2c5d32fb4d785f3eefac88165"},
    {.what = "a session token",
     .path = "/2015-03-31/functions/hello",
     .token = "IQoJb3JpZ2luX2Vj+token/with==signs",
     .signature = "a40f6467bf65ecc4a1297caf97bd808924e27e5977464b2cd836801bfb0512af"},
    {.what = "a qualifier",
     .path = "/2015-03-31/functions/hello",
     .query = "Qualifier=%24LATEST",
     .signature = "aa580270d4545eb2d527d9ac28f74b3ee68ae463ea8fdf384dbf3f9cb1a72809"},
    {.what = "an escape in lower case, and what need not be escaped, are signed alike",
     .path = "/2015-03-31/functions/hello",
     .query = "%51ualifier=$LATEST",
     .signature = "aa580270d4545eb2d527d9ac28f74b3ee68ae463ea8fdf384dbf3f9cb1a72809"},
    {.what = "a header three times keeps its order",
     .headers = {{"Host", LAMBDA},
                 {"My-Header1", "value2"},
                 {"My-Header1", "value2"},
                 {"My-Header1", "value1"}},
     .signature = "0df97008078ff2ab5f544572b08e45d9c7d4635e5f8f1caf53eec035dc7c47b4"},
    {.what = "white space in a header",
     .headers = {{"Host", LAMBDA}, {"My-Header", "  a   b \t c  "}},
     .signature = "9cff180bb4a545636690c2dc747ad67aa18dfb66f5141cb2b84ed4420feadf24"},
    {.what = "a folded header",
     .headers = {{"Host", LAMBDA}, {"My-Header", "a\n  b\r\n\t c\n"}},
     .signature = "9cff180bb4a545636690c2dc747ad67aa18dfb66f5141cb2b84ed4420feadf24"},
    {.what = "parameters sorted by name, then value",
     .query = "b=2&a=3&b=1&a-b=4&aB=5",
     .signature = "6931b2de1b96ab41b0f084469e7fa4c444290c6ab0e648a68deda72e8835b13c"},
    {.what = "dots and double slashes",
     .path = "/a/./b/../c//d/",
     .signature = "9f27a07652c933faf4b4c91555178b16ada4848f8ad4dae9a64581902c937fa0"},
    {.what = "another region and day",
     .path = "/2015-03-31/functions/hello",
     .region = "eu-west-1",
     .time = 1795440000,
     .signature = "319b534eb894c07b3232d35dc98cb483fbc38ad2cde476b15f6f410d968817b4"},
    {.what = "a parameter twice",
     .method = "DELETE",
     .path = "/2017-03-31/tags/arn",
     .query = "tagKeys=lambda-fastdeploy%3Atimes&tagKeys=lambda-fastdeploy%3aclaim",
     .signature = "2ffc920601b08a4d7f62eef163c495b9e0b0186ad53dd197a66170d50244ac30"},
    {.what = "headers that begin alike",
     .headers = {{"Host", LAMBDA},
                 {"My-Header1", "1"},
                 {"My-Header", "2"},
                 {"My", "3"},
                 {"My-Header-A", "4"}},
     .signature = "abcec929108f3b090640460680579ac547f75b75a8e6b4824185f9c1c2d729c3"},
    {.what = "a path that is kept",
     .path = "/a//b/../%7Ec%20d",
     .service = "s3",
     .keep_path = true,
     .signature = "8de97689d69715b388eb7545cf243b999cede222b5112197752180e4afcbeb1d"},
    {.what = "a body with a zero byte",
     .method = "POST",
     .path = "/x",
     .body = "a\0b",
     .body_len = 3,
     .signature = "c876c58ea339656fe14f355ed35419d4d4822bfccd62e0f30fefd1c179b76c43"},
    {.what = "a tilde, and a plus that stays one",
     .path = "/a~b",
     .query = "x=a~b%2Bc",
     .signature = "a1821f2b58c08ed309452b1183585e709b12ef07ee35133e09e747c7f832844d"},
};

static const char *or_else(const char *text, const char *fallback)
{
    return text ? text : fallback;
}

START_TEST(signs)
{
    static const struct http_header host[] = {{"Host", LAMBDA}};
    const struct http_header *headers = cases[_i].headers[0].name ? cases[_i].headers : host;
    size_t count = 0;
    while (count < (headers == host ? 1 : 5) && headers[count].name)
        count++;
    const char *body = cases[_i].body;
    const struct sigv4_request request = {
        .method = or_else(cases[_i].method, "GET"),
        .path = or_else(cases[_i].path, "/"),
        .query = cases[_i].query,
        .headers = headers,
        .header_count = count,
        .body = body,
        .body_len = cases[_i].body_len ? cases[_i].body_len : strlen(or_else(body, "")),
    };
    const struct sigv4_signer signer = {
        .access_key_id = ID,
        .secret_access_key = SECRET,
        .session_token = cases[_i].token,
        .region = or_else(cases[_i].region, "us-east-1"),
        .service = or_else(cases[_i].service, "lambda"),
        .wall_seconds = cases[_i].time ? cases[_i].time : AUGUST,
        .keep_path = cases[_i].keep_path,
    };
    CLEANUP(sigv4) struct sigv4 signature = SIGV4_INIT;
    sigv4_sign(&request, &signer, &signature);
    ck_assert_msg(strcmp(signature.signature, cases[_i].signature) == 0, "%s: signed\n%s",
                  cases[_i].what, signature.canonical_request.buf);
}
END_TEST

START_TEST(writes_the_authorization_header)
{
    static const struct http_header headers[] = {
        {"Host", "iam.amazonaws.com"},
        {"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}};
    const struct sigv4_request request = {.method = "GET",
                                          .path = "/",
                                          .query = "Action=ListUsers&Version=2010-05-08",
                                          .headers = headers,
                                          .header_count = 2};
    const struct sigv4_signer signer = {.access_key_id = ID,
                                        .secret_access_key = SECRET,
                                        .region = "us-east-1",
                                        .service = "iam",
                                        .wall_seconds = AUGUST};
    CLEANUP(sigv4) struct sigv4 signature = SIGV4_INIT;
    for (int i = 0; i < 2; i++) { /* used twice, it holds the second signature alone */
        sigv4_sign(&request, &signer, &signature);
        ck_assert_str_eq(
            signature.authorization.buf,
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, "
            "SignedHeaders=content-type;host;x-amz-date, "
            "Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7");
        ck_assert_str_eq(signature.date, "20150830T123600Z");
    }
}
END_TEST

/* ---- AWS's published suite, where it is at hand ---- */

static const char *const vectors[] = {
    "get-header-key-duplicate",
    "get-header-value-multiline",
    "get-header-value-order",
    "get-header-value-trim",
    "get-relative-normalized",
    "get-relative-relative-normalized",
    "get-relative-relative-unnormalized",
    "get-relative-unnormalized",
    "get-slash-dot-slash-normalized",
    "get-slash-dot-slash-unnormalized",
    "get-slash-normalized",
    "get-slash-pointless-dot-normalized",
    "get-slash-pointless-dot-unnormalized",
    "get-slash-unnormalized",
    "get-slashes-normalized",
    "get-slashes-unnormalized",
    "get-space-normalized",
    "get-space-unnormalized",
    "get-unreserved",
    "get-utf8",
    "get-vanilla",
    "get-vanilla-empty-query-key",
    "get-vanilla-query",
    "get-vanilla-query-order-encoded",
    "get-vanilla-query-order-key-case",
    "get-vanilla-query-unreserved",
    "get-vanilla-utf8-query",
    "get-vanilla-with-session-token",
    "post-header-key-case",
    "post-header-key-sort",
    "post-header-value-case",
    "post-sts-header-after",
    "post-sts-header-before",
    "post-vanilla",
    "post-vanilla-empty-query-value",
    "post-vanilla-query",
    "post-x-www-form-urlencoded",
    "post-x-www-form-urlencoded-parameters",
};

static void read_vector(const char *name, const char *file, struct strbuf *ret_text)
{
    CLEANUP(strbuf) struct strbuf path = STRBUF_INIT(STRBUF_NO_CAP);
    struct error err = ERROR_INIT;
    strbuf_addf(&path, "%s/%s/%s", VECTORS, name, file);
    ck_assert_msg(file_read(path.buf, ret_text, &err) == 0, "%s", err.msg);
}

struct parsed { /* a request as it stands in a vector's request.txt; all borrowed from its text */
    struct http_header headers[16];
    size_t header_count;
    const char *method, *path, *query, *body;
};

/* "METHOD target HTTP/1.1", headers (some folded), an empty line, the body. */
static void parse_request(char *text, struct parsed *ret_parsed)
{
    char *line_end = strchr(text, '\n');
    char *head = line_end ? line_end + 1 : strchr(text, '\0');
    char *version = strstr(text, " HTTP/1.1");
    ck_assert_ptr_nonnull(version);
    *version = '\0';
    char *path = strchr(text, ' ');
    ck_assert_ptr_nonnull(path);
    *path++ = '\0';
    ret_parsed->method = text;
    ret_parsed->path = path;
    char *query = strchr(path, '?');
    if (query)
        *query++ = '\0';
    ret_parsed->query = query;
    ret_parsed->body = "";
    while (*head && *head != '\n') {
        char *end = strchr(head, '\n');
        while (end && (end[1] == ' ' || end[1] == '\t'))
            end = strchr(end + 1, '\n');
        char *next = end ? end + 1 : strchr(head, '\0');
        if (end)
            *end = '\0';
        char *colon = strchr(head, ':');
        ck_assert_ptr_nonnull(colon);
        *colon = '\0';
        ret_parsed->headers[ret_parsed->header_count++] =
            (struct http_header){.name = head, .value = colon + 1};
        head = next;
    }
    if (*head == '\n')
        ret_parsed->body = head + 1;
}

START_TEST(agrees_with_the_published_suite)
{
    const char *name = vectors[_i];
    if (!folder_exists(VECTORS))
        return;
    CLEANUP(strbuf) struct strbuf context_text = STRBUF_INIT(65536);
    CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(65536);
    CLEANUP(strbuf) struct strbuf canonical = STRBUF_INIT(65536);
    CLEANUP(strbuf) struct strbuf to_sign = STRBUF_INIT(65536);
    CLEANUP(strbuf) struct strbuf expected = STRBUF_INIT(65536);
    CLEANUP(json) struct json *context = NULL;
    read_vector(name, "context.json", &context_text);
    read_vector(name, "request.txt", &text);
    read_vector(name, "header-canonical-request.txt", &canonical);
    read_vector(name, "header-string-to-sign.txt", &to_sign);
    read_vector(name, "header-signature.txt", &expected);
    ck_assert_int_eq(json_parse(context_text.buf, context_text.len, &context, NULL), 0);

    struct parsed parsed = {.header_count = 0};
    parse_request(text.buf, &parsed);
    char hash[65];
    if (json_get_bool(context, "sign_body", false)) {
        const char *at = strstr(canonical.buf, "x-amz-content-sha256:");
        ck_assert_ptr_nonnull(at);
        snprintf(hash, sizeof hash, "%.64s", at + strlen("x-amz-content-sha256:"));
        parsed.headers[parsed.header_count++] =
            (struct http_header){.name = "x-amz-content-sha256", .value = hash};
    }
    const struct sigv4_request request = {.method = parsed.method,
                                          .path = parsed.path,
                                          .query = parsed.query,
                                          .headers = parsed.headers,
                                          .header_count = parsed.header_count,
                                          .body = parsed.body,
                                          .body_len = strlen(parsed.body)};
    struct sigv4_signer signer = {
        .access_key_id = json_get_string(context, "credentials.access_key_id"),
        .secret_access_key = json_get_string(context, "credentials.secret_access_key"),
        .session_token = json_get_string(context, "credentials.token"),
        .region = json_get_string(context, "region"),
        .service = json_get_string(context, "service"),
        .keep_path = !json_get_bool(context, "normalize", true),
        .token_after_signing = json_get_bool(context, "omit_session_token", false),
    };
    ck_assert(clock_parse_iso(json_get_string(context, "timestamp"), &signer.wall_seconds));
    CLEANUP(sigv4) struct sigv4 signature = SIGV4_INIT;
    sigv4_sign(&request, &signer, &signature);
    ck_assert_str_eq(signature.canonical_request.buf, canonical.buf);
    ck_assert_str_eq(signature.string_to_sign.buf, to_sign.buf);
    ck_assert_str_eq(signature.signature, expected.buf);
}
END_TEST

Suite *sigv4_suite(void)
{
    Suite *suite = suite_create("sigv4");
    TCase *tcase = tcase_create("all");
    tcase_add_loop_test(tcase, signs, 0, sizeof cases / sizeof *cases);
    tcase_add_test(tcase, writes_the_authorization_header);
    tcase_add_loop_test(tcase, agrees_with_the_published_suite, 0,
                        sizeof vectors / sizeof *vectors);
    suite_add_tcase(suite, tcase);
    return suite;
}
