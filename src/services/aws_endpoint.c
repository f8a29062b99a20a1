#include "services/aws.h"

#include <strings.h>

#include "core/cleanup.h"
#include "core/environ.h"
#include "core/text.h"

/* By the region's prefix, the first that fits. Source: botocore's partitions.json. */
static const struct {
    const char *prefix, *partition, *dns_suffix;
} partitions[] = {
    {"cn-", "aws-cn", "amazonaws.com.cn"},       {"us-gov-", "aws-us-gov", "amazonaws.com"},
    {"eusc-", "aws-eusc", "amazonaws.eu"},       {"us-isob-", "aws-iso-b", "sc2s.sgov.gov"},
    {"us-isof-", "aws-iso-f", "csp.hci.ic.gov"}, {"eu-isoe-", "aws-iso-e", "cloud.adc-e.uk"},
    {"us-iso-", "aws-iso", "c2s.ic.gov"},        {"", "aws", "amazonaws.com"},
};

static size_t partition_of(const char *region)
{
    size_t i = 0;
    while (!text_starts_with(region, partitions[i].prefix))
        i++;
    return i;
}

const char *aws_dns_suffix(const char *region)
{
    return partitions[partition_of(region)].dns_suffix;
}

const char *aws_partition(const char *region)
{
    return partitions[partition_of(region)].partition;
}

/* A URL of a scheme, a host, perhaps a port and a path: nothing else belongs into an endpoint. */
static int check_endpoint(const char *variable, const char *url, struct error *err)
{
    const char *host = text_starts_with(url, "https://")  ? url + strlen("https://")
                       : text_starts_with(url, "http://") ? url + strlen("http://")
                                                          : NULL;
    if (!host)
        return error_set(err, ERROR_INPUT, "%s: not a URL that begins with https:// or http://",
                         variable);
    if (*host == '\0' || *host == '/' || *host == ':')
        return error_set(err, ERROR_INPUT, "%s: the URL has no host", variable);
    for (const char *c = host; *c; c++)
        if (*c <= ' ' || *c > '~' || strchr("@?#\"<>\\", *c))
            return error_set(
                err, ERROR_INPUT,
                "%s: an endpoint is a scheme, a host, a port and a path, without user, "
                "query or fragment",
                variable);
    return 0;
}

int aws_endpoint(const struct aws *aws, const struct aws_service *service, struct strbuf *out,
                 struct error *err)
{
    char variable[64];
    snprintf(variable, sizeof variable, "AWS_ENDPOINT_URL_%s", service->endpoint_variable);
    const char *url = environ_get(aws->environ, variable);
    if (!url) {
        snprintf(variable, sizeof variable, "AWS_ENDPOINT_URL");
        url = environ_get(aws->environ, variable);
    }
    const char *fips = environ_get(aws->environ, "AWS_USE_FIPS_ENDPOINT");
    if (!url && fips && strcasecmp(fips, "true") == 0)
        return error_set(err, ERROR_INPUT,
                         "AWS_USE_FIPS_ENDPOINT is true: this program does not choose such "
                         "endpoints by itself; give the one to be used as AWS_ENDPOINT_URL_%s",
                         service->endpoint_variable);
    if (!url) {
        strbuf_addf(out, "https://%s.%s.%s", service->endpoint_name, aws->region,
                    aws_dns_suffix(aws->region));
        return 0;
    }
    if (check_endpoint(variable, url, err) < 0)
        return -1;
    size_t len = strlen(url);
    while (url[len - 1] == '/')
        len--;
    strbuf_add(out, url, len);
    return 0;
}
