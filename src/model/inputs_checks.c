/* Judges of single values. What is not ASCII is refused wherever a rule is of ASCII characters. */
#include <stdio.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/json.h"
#include "core/memory.h"
#include "core/text.h"
#include "model/checks.h"
#include "model/inputs_parts.h"

#define ACCOUNT_DIGITS  12
#define FUNCTION_MAX    64
#define ALIAS_MAX       128
#define DESCRIPTION_MAX 256
#define REPOSITORY_MIN  2
#define REPOSITORY_MAX  256
#define TAG_MAX         128
#define IDENTITY_DIGITS 16 /* of a tag such as src-0123456789abcdef */
#define KEEP_DIGITS     12
#define BASE_TAG_MAX    (TAG_MAX - 1 - IDENTITY_DIGITS) /* room for -<identity> */
#define CACHE_TAG       "buildcache"

static bool is_letter(char c)
{
    return text_is_lower(c) || (c >= 'A' && c <= 'Z');
}

/* Letters, digits and the characters of `others`, from `min` to `max` of them. */
static bool is_made_of(const char *text, const char *others, size_t min, size_t max)
{
    size_t len = 0;
    for (; text[len]; len++)
        if (!is_letter(text[len]) && !text_is_digit(text[len]) && !strchr(others, text[len]))
            return false;
    return len >= min && len <= max;
}

/* Stops at the text's end, too. */
static bool has_digits_only(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!text_is_digit(text[i]))
            return false;
    return len > 0;
}

/* us-east-1, us-gov-west-1, ap-southeast-7: words of small letters, then a number. It becomes a
 * part of host names. */
static bool is_region(const char *text, size_t len)
{
    size_t words = 0, start = 0;
    for (size_t i = 0; i <= len; i++) {
        if (i < len && text[i] != '-')
            continue;
        if (i == len)
            return words >= 2 && i - start <= 2 && has_digits_only(text + start, i - start);
        for (size_t c = start; c < i; c++)
            if (!text_is_lower(text[c]))
                return false;
        if (i == start)
            return false;
        words++;
        start = i + 1;
    }
    return false;
}

int input_check_region(const char *name, const char *text, struct error *err)
{
    if (is_region(text, strlen(text)))
        return 0;
    return input_refuse(err, name, text, "is no AWS region; give one such as us-east-1");
}

/* The partition's part of an ARN, and what is behind it: "arn:aws-us-gov:". */
static const char *skip_partition(const char *text)
{
    if (!text_starts_with(text, "arn:aws"))
        return NULL;
    text += strlen("arn:aws");
    while (text_is_lower(*text) || *text == '-')
        text++;
    return *text == ':' ? text + 1 : NULL;
}

/* docs.aws.amazon.com/IAM "Role": path of printable characters, name of [\w+=,.@-]{1,64}. */
int input_check_role_arn(const char *name, const char *text, struct error *err)
{
    const char *rest = skip_partition(text);
    if (rest && text_starts_with(rest, "iam::") &&
        has_digits_only(rest + strlen("iam::"), ACCOUNT_DIGITS)) {
        rest += strlen("iam::") + ACCOUNT_DIGITS;
        const char *slash = strrchr(rest, '/');
        if (text_starts_with(rest, ":role/") && is_made_of(rest, "_+=,.@-/:", 1, 600) &&
            is_made_of(slash + 1, "_+=,.@-", 1, 64))
            return 0;
    }
    return input_refuse(err, name, text,
                        "is no role's ARN; give one such as arn:aws:iam::123456789012:role/deploy");
}

/* STS AssumeRole, RoleSessionName. */
int input_check_session_name(const char *name, const char *text, struct error *err)
{
    if (is_made_of(text, "_+=,.@-", 2, 64))
        return 0;
    return input_refuse(err, name, text, "is not 2 to 64 letters, digits or _+=,.@-");
}

/* STS AssumeRole, ExternalId. Some take it for a secret: it is not shown. */
int input_check_external_id(const char *name, const char *text, struct error *err)
{
    if (is_made_of(text, "_+=,.@:/-", 2, 1224))
        return 0;
    return input_refuse(err, name, NULL, "is not 2 to 1224 letters, digits or _+=,.@:/-");
}

int input_check_visible(const char *name, const char *text, struct error *err)
{
    for (; *text; text++)
        if ((unsigned char)*text <= ' ' || (unsigned char)*text >= 0x7f)
            return input_refuse(err, name, NULL,
                                "holds a space or a character that is not ASCII; give it as AWS "
                                "shows it, in one piece");
    return 0;
}

int input_check_account(const char *name, const char *text, struct error *err)
{
    if (strlen(text) == ACCOUNT_DIGITS && has_digits_only(text, ACCOUNT_DIGITS))
        return 0;
    return input_refuse(err, name, text, "is no account id; give 12 digits (quoted in YAML)");
}

/* ECR CreateRepository, repositoryName: words of small letters and digits, joined by single . _ -
 * in parts that are joined by slashes. */
bool input_is_repository(const char *text)
{
    bool in_word = false;
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++) {
        bool is_word = text_is_lower(text[i]) || text_is_digit(text[i]);
        if (!is_word && (!in_word || !strchr("._-/", text[i])))
            return false;
        in_word = is_word;
    }
    return in_word && len >= REPOSITORY_MIN && len <= REPOSITORY_MAX;
}

#define REPOSITORY_RULE                                                                            \
    "2 to 256 small letters and digits, joined by single . _ - or /, such as team/my-app"

/* A registry's address would pass as a name, too. */
static bool is_address(const char *text)
{
    return strstr(text, ".dkr.ecr") || text_starts_with(text, "public.ecr.aws");
}

int input_check_repository(const char *name, const char *text, struct error *err)
{
    if (input_is_repository(text) && !is_address(text))
        return 0;
    return input_refuse(err, name, text, "is no ECR repository's name: %s", REPOSITORY_RULE);
}

/* What follows the account id in a private registry's host: ".dkr.ecr.REGION.SUFFIX". */
static bool is_registry_rest(const char *text, size_t len)
{
    const char *end = text + len;
    if (text_starts_with(text, ".dkr.ecr."))
        text += strlen(".dkr.ecr.");
    else if (text_starts_with(text, ".dkr.ecr-fips."))
        text += strlen(".dkr.ecr-fips.");
    else
        return false;
    const char *suffix = text + strcspn(text, "./");
    if (*suffix != '.' || !is_region(text, (size_t)(suffix - text)))
        return false;
    for (const char *p = suffix; p < end; p++)
        if (!text_is_lower(*p) && !text_is_digit(*p) && *p != '-' &&
            !(*p == '.' && text_is_lower(p[1])))
            return false;
    return true;
}

/* 123456789012.dkr.ecr.eu-west-1.amazonaws.com/name, with any partition's suffix. */
static bool is_repository_uri(const char *text)
{
    const char *slash = strchr(text, '/');
    return slash && has_digits_only(text, ACCOUNT_DIGITS) &&
           is_registry_rest(text + ACCOUNT_DIGITS, (size_t)(slash - text) - ACCOUNT_DIGITS) &&
           input_is_repository(slash + 1);
}

int input_check_base_repository(const char *name, const char *text, struct error *err)
{
    if (is_address(text) ? is_repository_uri(text) : input_is_repository(text))
        return 0;
    return input_refuse(err, name, text,
                        "is neither a repository's name (%s) nor an ECR URI without a tag, such as "
                        "123456789012.dkr.ecr.eu-west-1.amazonaws.com/name",
                        REPOSITORY_RULE);
}

/* OCI distribution specification: [a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}. */
static bool is_tag(const char *text, size_t max)
{
    return is_made_of(text, "._-", 1, max) && *text != '.' && *text != '-';
}

static bool is_prefix_and_hex(const char *text, const char *prefix, size_t digits)
{
    if (!text_starts_with(text, prefix))
        return false;
    text += strlen(prefix);
    return strlen(text) == digits && strspn(text, "0123456789abcdef") == digits;
}

/* The tags that the program gives itself, with a meaning: an image that bears one is trusted. */
static bool is_reserved_tag(const char *text)
{
    return strcmp(text, CACHE_TAG) == 0 || is_prefix_and_hex(text, "src-", IDENTITY_DIGITS) ||
           is_prefix_and_hex(text, "keep-", KEEP_DIGITS);
}

static int check_tag(const char *name, const char *text, size_t max, struct error *err)
{
    if (!is_tag(text, max))
        return input_refuse(err, name, text,
                            "is no tag: 1 to %zu letters, digits and . _ -, not begun by . or -",
                            max);
    if (is_reserved_tag(text))
        return input_refuse(err, name, text,
                            "is a tag that the program gives itself; take another");
    return 0;
}

int input_check_base_tag(const char *name, const char *text, struct error *err)
{
    return check_tag(name, text, BASE_TAG_MAX, err);
}

int input_check_image_tag(const char *name, const char *text, struct error *err)
{
    return check_tag(name, text, TAG_MAX, err);
}

int input_check_argument(const char *name, const char *text, struct error *err)
{
    if (is_made_of(text, "_.-", 1, 256) && (is_letter(*text) || *text == '_'))
        return 0;
    return input_refuse(err, name, NULL,
                        "before '=' is no build argument's name: letters, digits and _ . -, begun "
                        "by a letter or _, no spaces around '='");
}

int input_check_secret_id(const char *name, const char *text, struct error *err)
{
    if (is_made_of(text, "_.-", 1, 128) && *text != '.' && *text != '-')
        return 0;
    return input_refuse(err, name, NULL,
                        "before '=' is no secret's id: 1 to 128 letters, digits and _ . -, no "
                        "spaces around '='");
}

/* docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html, "Defined runtime environment
 * variables": the reserved ones. Those that begin with _ are no legal key anyway. */
static const char *const reserved_variables[] = {
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_MAX_CONCURRENCY",
    "AWS_LAMBDA_METADATA_API",
    "AWS_LAMBDA_METADATA_TOKEN",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
};

/* Lambda's EnvironmentVariableName: [a-zA-Z]([a-zA-Z0-9_])+, so at least two characters. */
int input_check_variable(const char *name, const char *text, struct error *err)
{
    if (!is_made_of(text, "_", 2, LAMBDA_ENVIRONMENT_MAX_BYTES) || !is_letter(*text))
        return error_set(err, ERROR_INPUT,
                         "%s: the key is no variable's name that Lambda takes: two or more "
                         "letters, digits and _, begun by a letter, no spaces around it",
                         name);
    for (size_t i = 0; i < sizeof reserved_variables / sizeof *reserved_variables; i++)
        if (strcmp(text, reserved_variables[i]) == 0)
            return error_set(err, ERROR_INPUT,
                             "%s: %s is reserved: Lambda sets it itself; leave it out", name, text);
    return 0;
}

int input_check_target(const char *name, const char *text, struct error *err)
{
    if (is_made_of(text, "_.-", 1, 128))
        return 0;
    return input_refuse(err, name, text, "is no stage's name: letters, digits and _ . -");
}

int input_check_builder(const char *name, const char *text, struct error *err)
{
    static const char *const schemes[] = {"tcp://", "unix://", "docker-container://",
                                          "kube-pod://"};
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (text_starts_with(text, schemes[i]) && text[strlen(schemes[i])] &&
            !strpbrk(text, " ,\"'"))
            return 0;
    if (is_made_of(text, "._-", 1, 128) && (is_letter(*text) || text_is_digit(*text)))
        return 0;
    return input_refuse(err, name, NULL,
                        "is neither auto, nor a builder's name (letters, digits, . _ -), nor an "
                        "endpoint (tcp://, unix://, docker-container://, kube-pod://)");
}

/* arn:aws:lambda:REGION:ACCOUNT:function:NAME, returns NAME and what is behind it. */
static const char *name_in_arn(const char *text)
{
    const char *rest = skip_partition(text);
    if (!rest || !text_starts_with(rest, "lambda:"))
        return NULL;
    rest += strlen("lambda:");
    size_t region_len = strcspn(rest, ":");
    if (!is_region(rest, region_len) || rest[region_len] != ':')
        return NULL;
    rest += region_len + 1;
    if (strcspn(rest, ":") != ACCOUNT_DIGITS || !has_digits_only(rest, ACCOUNT_DIGITS))
        return NULL;
    rest += ACCOUNT_DIGITS;
    return text_starts_with(rest, ":function:") ? rest + strlen(":function:") : NULL;
}

int input_check_function(const char *name, const char *text, struct error *err)
{
    if (strpbrk(text, "\r\n"))
        return error_set(err, ERROR_INPUT,
                         "%s: several functions are not supported yet; give one name or ARN", name);
    const char *bare = text_starts_with(text, "arn:") ? name_in_arn(text) : text;
    if (bare && is_made_of(bare, "_-", 1, FUNCTION_MAX))
        return 0;
    size_t len = bare ? strcspn(bare, ":@") : 0;
    if (len > 0 && bare[len] == ':' && has_digits_only(bare, len))
        return input_refuse(err, name, text,
                            "is a part of an ARN; give the name alone or the whole ARN");
    if (len > 0 && bare[len])
        return input_refuse(err, name, text,
                            "names an alias or a region, which is not supported yet; give the name "
                            "alone, and alias and aws-region beside it");
    return input_refuse(
        err, name, text,
        "is no function's name (1 to 64 letters, digits, - and _) and no function's "
        "ARN");
}

/* Lambda's Alias: (?!^[0-9]+$)([a-zA-Z0-9-_]+), at most 128. */
int input_check_alias(const char *name, const char *text, struct error *err)
{
    if (!is_made_of(text, "-_", 1, ALIAS_MAX))
        return input_refuse(err, name, text,
                            "is no alias's name: 1 to 128 letters, digits, - and _, such as live");
    if (has_digits_only(text, strlen(text)))
        return input_refuse(err, name, text,
                            "is a number, which Lambda takes for a version; give a name such as "
                            "live");
    return 0;
}

int input_check_description(const char *name, const char *text, struct error *err)
{
    size_t characters = 0;
    for (const char *p = text; *p; p++)
        characters += ((unsigned char)*p & 0xC0) != 0x80;
    if (characters <= DESCRIPTION_MAX)
        return 0;
    return input_refuse(err, name, NULL, "has %zu characters; Lambda takes %d", characters,
                        DESCRIPTION_MAX);
}

int input_check_json(const char *name, const char *text, struct error *err)
{
    CLEANUP(json) struct json *json = NULL;
    struct error why = ERROR_INIT;
    if (json_parse(text, strlen(text), &json, &why) == 0)
        return 0;
    return input_refuse(err, name, NULL, "is not JSON: %s", why.msg);
}

int input_check_checks(const char *name, const char *text, struct error *err)
{
    struct checks checks;
    if (checks_parse(name, text, &checks, err) < 0)
        return -1;
    checks_release(&checks);
    return 0;
}
