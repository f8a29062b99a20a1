/* Single values: what each input takes, and the words with which it refuses the rest. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/memory.h"
#include "core/text.h"
#include "model/support_inputs.h"

Suite *inputs_values_suite(void);

#define COUNT(table) ((int)(sizeof(table) / sizeof *(table)))
#define ECR          "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
#define A16          "aaaaaaaaaaaaaaaa"
#define A64          A16 A16 A16 A16
#define A128         A64 A64
#define A256         A128 A128
#define ROLE         "arn:aws:iam::123456789012:role/"

static const char *const taken[] = {
    "--dry-run=TRUE",
    "--dry-run=False",
    "--deadline=1s",
    "--deadline=7d",
    "--deadline=45",
    "--aws-region=us-gov-west-1",
    "--aws-region=us-isob-east-1",
    "--aws-region=ap-southeast-12",
    "--role-to-assume=" ROLE "deploy",
    "--role-to-assume=" ROLE "team/ci/deploy+=,.@-_",
    "--role-to-assume=arn:aws-us-gov:iam::123456789012:role/x",
    "--role-to-assume=" ROLE A64,
    "--role-session-name=me@example.com",
    "--role-duration=15m",
    "--role-duration=12h",
    "--role-external-id=a:/b",
    "--allowed-account-ids=123456789012",
    "--allowed-account-ids=123456789012,210987654321",
    "--allowed-account-ids=,\n123456789012\r\n 210987654321 ,",
    "--base-repository=team/sub-x/my.app_1",
    "--base-repository=" ECR "/deps",
    "--base-repository=123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/a/b",
    "--base-repository=123456789012.dkr.ecr.eu-isoe-west-1.cloud.adc-e.uk/deps",
    "--base-repository=123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com/deps",
    "--base-tag=_.-",
    "--base-tag=" A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", /* 111 */
    "--base-max-age=30d",
    "--base-max-age=1d12h30m15s",
    "--base-check=set -e\npython -c 'import x'\n\tdone",
    "--rebuild-base=never",
    "--repository=ab",
    "--repository=" A256,
    "--file=docker/Dockerfile für Lambda",
    "--target=builder-2",
    "--target=0",
    "--build-args=A=",
    "--build-args=A=1\n\n  B= no",
    "--platform=linux/arm64",
    "--image-tag=v1.0.0",
    "--image-tag=src-main",
    "--image-tag=src-0123456789abcdeg",
    "--image-tag=src-0123456789abcdef-1",
    "--image-tag=keep-0123456789abc",
    "--image-tag=" A128,
    "--cache=gha",
    "--cache= gha , registry",
    "--compression=zstd",
    "--compression-level=9",
    "--builder=my.builder_1",
    "--builder=tcp://10.0.0.1:1234",
    "--builder=unix:///run/buildkit.sock",
    "--builder=docker-container://buildkitd",
    "--builder=kube-pod://buildkit-0?namespace=ci",
    "--function-name=arn:aws:lambda:us-east-1:123456789012:function:hello_world-1",
    "--function-name=" A64,
    "--alias=live",
    "--alias=1a",
    "--alias=-",
    "--alias=" A128,
    "--create-with-role=" ROLE "x",
    "--environment=AB=",
    "--environment=KEY=a=b",
    "--environment-mode=merge",
    "--memory-size=128",
    "--memory-size=10240",
    "--timeout=1",
    "--timeout=900",
    "--ephemeral-storage=512",
    "--description=" A256,
    "--description=zwei\nZeilen",
    "--health-url=https://abc.execute-api.us-east-1.amazonaws.com/prod",
    "--health-url=https://host:8443/?x=1",
    "--health-url=https://host/a@b",
    "--health-url=http://localhost:9000",
    "--health-url=http://127.0.0.1/x",
    "--health-url=http://[::1]:80/",
    "--health-path=/a/b?c=%20&d",
    "--health-headers=X-Api-Key: s3cret\n\nAccept:*/*",
    "--health-headers=X-Empty:",
    "--health-payload={\"a\":[1,2]}",
    "--health-payload=\"text\"",
    "--cold-start-wait=0",
    "--cold-start-wait=.5",
    "--health-retries=0",
    "--refresh-interval=0.25",
    "--storage-tests=always",
    "--storage-marker=[prüfe-s3]",
    "--on-failure=keep",
    "--traffic=all-at-once",
    "--baseline=32m",
    "--minute-price=0",
};

START_TEST(takes)
{
    CLEANUP(inputs) struct inputs inputs = INPUTS(taken[_i]);
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(taken[_i] + 2, "="), taken[_i] + 2);
    ck_assert(inputs_given(&inputs, name));
}
END_TEST

static const struct {
    const char *argument, *message;
} refused[] = {
    {"--dry-run=yes", "dry-run: 'yes' is neither true nor false"},
    {"--dry-run=1", "dry-run: '1' is neither"},
    {"--deadline=0", "deadline: '0' is not from 1 to 604800 seconds"},
    {"--deadline=8d", "deadline: '8d' is not from"},
    {"--deadline=5min", "deadline: '5min' is not a duration; write it as 90s, 60m, 1h30m, 30d"},
    {"--aws-region=us-east", "aws-region: 'us-east' is no AWS region; give one such as us-east-1"},
    {"--aws-region=us-east-1.evil", "aws-region: 'us-east-1.evil' is no"},
    {"--aws-region=US-EAST-1", "aws-region: 'US-EAST-1' is no"},
    {"--aws-region=us--east-1", "aws-region: 'us--east-1' is no"},
    {"--aws-region=us-east-123", "aws-region: 'us-east-123' is no"},
    {"--aws-region=us-1", "aws-region: 'us-1' is no"},
    {"--aws-region=us-east-", "aws-region: 'us-east-' is no"},
    {"--aws-region=-east-1", "aws-region: '-east-1' is no"},
    {"--role-to-assume=deploy", "role-to-assume: 'deploy' is no role's ARN; give one such as"},
    {"--role-to-assume=" ROLE, "role-to-assume: '" ROLE "' is no role's ARN"},
    {"--role-to-assume=" ROLE "a/", "role-to-assume: '" ROLE "a/' is no"},
    {"--role-to-assume=" ROLE "a b", "role-to-assume: '" ROLE "a b' is no"},
    {"--role-to-assume=" ROLE "a b/c", "role-to-assume: '" ROLE "a b/c' is no"},
    {"--role-to-assume=" ROLE A64 "a", "role-to-assume: '"},
    {"--role-to-assume=arn:aws:iam::12345678901:role/x", "role-to-assume: '"},
    {"--role-to-assume=arn:aws:iam::123456789012:user/x", "role-to-assume: '"},
    {"--role-to-assume=arn:gcp:iam::123456789012:role/x", "role-to-assume: '"},
    {"--create-with-role=deploy", "create-with-role: 'deploy' is no role's ARN"},
    {"--role-session-name=a", "role-session-name: 'a' is not 2 to 64"},
    {"--role-session-name=a b", "role-session-name: 'a b' is not"},
    {"--role-duration=14m", "role-duration: '14m' is not from 900 to 43200 seconds"},
    {"--role-duration=13h", "role-duration: '13h' is not"},
    {"--role-external-id=s3cret key", "role-external-id: the value is not 2 to 1224"},
    {"--audience=a b", "audience: the value holds a space"},
    {"--aws-access-key-id=AKIA KEY", "aws-access-key-id: the value holds a space"},
    {"--aws-secret-access-key=s3cret\xc3\xa9", "aws-secret-access-key: the value holds"},
    {"--allowed-account-ids=12345678901", "allowed-account-ids: '12345678901' is no account id"},
    {"--allowed-account-ids=1234567890123", "allowed-account-ids: '1234567890123' is no"},
    {"--allowed-account-ids=123456789012;210987654321", "allowed-account-ids: '123456789012;"},
    {"--allowed-account-ids=,", "allowed-account-ids: ',' holds nothing"},
    {"--base-file=a\x7f", "base-file: the value holds a control character"},
    {"--base-file=a\nb", "base-file: the value holds a line break"},
    {"--base-repository=UPPER", "base-repository: 'UPPER' is neither a repository's name"},
    {"--base-repository=" ECR "/deps:3.12", "base-repository: '"},
    {"--base-repository=" ECR "/deps@sha256:abc", "base-repository: '"},
    {"--base-repository=" ECR, "base-repository: '"},
    {"--base-repository=" ECR "/", "base-repository: '"},
    {"--base-repository=https://" ECR "/deps", "base-repository: '"},
    {"--base-repository=1234.dkr.ecr.eu-west-1.amazonaws.com/deps", "base-repository: '"},
    {"--base-repository=123456789012.dkr.ecr.evil.com/deps", "base-repository: '"},
    {"--base-repository=123456789012.dkr.ecr.evil..com/deps", "base-repository: '"},
    {"--base-repository=123456789012.dkr.ecr.eu-west-1.a..b/deps", "base-repository: '"},
    {"--base-repository=123456789012.dkr.ecr.eu-west-1/deps", "base-repository: '"},
    {"--base-repository=123456789012.dkr.ecr.eu-west-1.x:80/deps", "base-repository: '"},
    {"--base-repository=public.ecr.aws/lambda/python", "base-repository: '"},
    {"--base-tag=-x", "base-tag: '-x' is no tag: 1 to 111"},
    {"--base-tag=.x", "base-tag: '.x' is no tag"},
    {"--base-tag=a/b", "base-tag: 'a/b' is no tag"},
    {"--base-tag=buildcache", "base-tag: 'buildcache' is a tag that the program gives itself"},
    {"--base-tag=" A64 A16 A16 A16, "base-tag: '"},
    {"--base-build-args=A", "base-build-args:1: there is no '=' in the line; write one KEY=VALUE"},
    {"--base-max-age=1.5h", "base-max-age: '1.5h' is not a duration"},
    {"--base-check=a\x01", "base-check: the value holds a control character"},
    {"--rebuild-base=yes",
     "rebuild-base: 'yes' is none of its choices; give auto, always or never"},
    {"--repository=a", "repository: 'a' is no ECR repository's name: 2 to 256"},
    {"--repository=a--b", "repository: 'a--b' is no"},
    {"--repository=a/", "repository: 'a/' is no"},
    {"--repository=/a", "repository: '/a' is no"},
    {"--repository=a//b", "repository: 'a//b' is no"},
    {"--repository=A-b", "repository: 'A-b' is no"},
    {"--repository=" A256 "a", "repository: '"},
    {"--repository=" ECR "/a",
     "repository: '123456789012.dkr.ecr.eu-west-1.amazonaws.com/a' is no"},
    {"--cache-repository=A", "cache-repository: 'A' is no"},
    {"--target=a b", "target: 'a b' is no stage's name"},
    {"--build-args=A=1\nB", "build-args:2: there is no '='"},
    {"--build-args=A=1\n\n1B=2", "build-args:3: the value before '=' is no build argument's name"},
    {"--build-args=A=1\r\nB=2\r\nA=3",
     "build-args:3: the same key as in line 1; give each key once"},
    {"--build-args=A=1\nAB=2\nA=3", "build-args:3: the same key as in line 1"},
    {"--build-args==x", "build-args:1: the value before '='"},
    {"--secrets=id", "secrets:1: there is no '='"},
    {"--secrets=a,src=/etc/passwd=x", "secrets:1: the value before '=' is no secret's id"},
    {"--secrets=../a=x", "secrets:1: the value before '='"},
    {"--platform=linux/386", "platform: 'linux/386' is none of its choices; give linux/amd64 or"},
    {"--image-tag=a:b", "image-tag: 'a:b' is no tag: 1 to 128"},
    {"--image-tag=src-0123456789abcdef", "image-tag: 'src-0123456789abcdef' is a tag that"},
    {"--image-tag=keep-0123456789ab", "image-tag: 'keep-0123456789ab' is a tag that"},
    {"--image-tag=" A128 "a", "image-tag: '"},
    {"--cache=local", "cache: 'local' is no cache; give registry, gha or registry,gha"},
    {"--cache=,", "cache: ',' names no cache"},
    {"--compression=lz4", "compression: 'lz4' is none of its choices; give auto, zstd or gzip"},
    {"--compression-level=23", "compression-level: '23' is not a whole number from 0 to 22"},
    {"--compression-level=-1", "compression-level: '-1' is not"},
    {"--compression-level=3.5", "compression-level: '3.5' is not"},
    {"--builder=ssh://host", "builder: the value is neither auto, nor a builder's name"},
    {"--builder=tcp://", "builder: the value is neither"},
    {"--builder=tcp://a b", "builder: the value is neither"},
    {"--builder=-x", "builder: the value is neither"},
    {"--function-name=a b", "function-name: 'a b' is no function's name"},
    {"--function-name=" A64 "a", "function-name: '"},
    {"--function-name=a\nb", "function-name: several functions are not supported yet"},
    {"--function-name=a:live", "function-name: 'a:live' names an alias or a region, which is not "
                               "supported yet"},
    {"--function-name=a:live@us-east-1", "function-name: 'a:live@us-east-1' names an alias"},
    {"--function-name=a@us-east-1", "function-name: 'a@us-east-1' names an alias or a region"},
    {"--function-name=:live", "function-name: ':live' is no function's name"},
    {"--function-name=123456789012:function:a",
     "function-name: '123456789012:function:a' is a part"},
    {"--function-name=arn:aws:lambda:us-east-1:123456789012:function:a:live", "function-name: '"},
    {"--function-name=arn:aws:lambda:us-east-1:123456789012:function:", "function-name: '"},
    {"--function-name=arn:aws:lambda:us-east-1:12345678901:function:a", "function-name: '"},
    {"--function-name=arn:aws:lambda:evil:123456789012:function:a", "function-name: '"},
    {"--function-name=arn:aws:s3:::bucket", "function-name: 'arn:aws:s3:::bucket' is no"},
    {"--alias=1", "alias: '1' is a number, which Lambda takes for a version; give a name"},
    {"--alias=$LATEST", "alias: '$LATEST' is no alias's name"},
    {"--alias=grün", "alias: 'grün' is no alias's name"},
    {"--alias=" A128 "a", "alias: 'aaaa"},
    {"--environment=A=1", "environment:1: the key is no variable's name that Lambda"},
    {"--environment=_AB=1", "environment:1: the key is no variable's name"},
    {"--environment=A-B=1", "environment:1: the key is no variable's name"},
    {"--environment=KEY =1", "environment:1: the key is no variable's name"},
    {"--environment=KEY=1\nAWS_REGION=x", "environment:2: AWS_REGION is reserved: Lambda sets it"},
    {"--environment=LAMBDA_TASK_ROOT=/", "environment:1: LAMBDA_TASK_ROOT is reserved"},
    {"--environment=KEY=a\vb", "environment:1: the value holds a control character"},
    {"--environment-mode=append",
     "environment-mode: 'append' is none of its choices; give merge or "
     "replace"},
    {"--memory-size=127", "memory-size: '127' is not a whole number from 128 to 10240"},
    {"--memory-size=10241", "memory-size: '10241' is not"},
    {"--memory-size=1 GB", "memory-size: '1 GB' is not"},
    {"--timeout=0", "timeout: '0' is not a whole number from 1 to 900"},
    {"--timeout=901", "timeout: '901' is not"},
    {"--timeout=99999999999999999999", "timeout: '99999999999999999999' is not"},
    {"--ephemeral-storage=511", "ephemeral-storage: '511' is not a whole number from 512 to 10240"},
    {"--description=" A256 "a", "description: the value has 257 characters; Lambda takes 256"},
    {"--health-url=abc.example",
     "health-url: the value is no URL; give one that begins with https"},
    {"--health-url=ftp://x", "health-url: the value is no URL"},
    {"--health-url=http://example.com", "health-url: the value is plain http"},
    {"--health-url=http://127.0.0.1.evil.example", "health-url: the value is plain http"},
    {"--health-url=http://localhost.evil.example", "health-url: the value is plain http"},
    {"--health-url=https://user:s3cret@host/", "health-url: the value holds user info"},
    {"--health-url=https://s3cret@host", "health-url: the value holds user info"},
    {"--health-url=https://", "health-url: the value has no valid host"},
    {"--health-url=https:///x", "health-url: the value has no valid host"},
    {"--health-url=https://:80/x", "health-url: the value has no valid host"},
    {"--health-url=https://host:", "health-url: the value has no valid host"},
    {"--health-url=https://host:80x/", "health-url: the value has no valid host"},
    {"--health-url=https://.host/", "health-url: the value has no valid host"},
    {"--health-url=https://-host/", "health-url: the value has no valid host"},
    {"--health-url=https://ho..st/", "health-url: the value has no valid host"},
    {"--health-url=https://[]/", "health-url: the value has no valid host"},
    {"--health-url=https://[x]/", "health-url: the value has no valid host"},
    {"--health-url=https://host:1234567/", "health-url: the value has no valid host"},
    {"--health-url=https://?x", "health-url: the value has no valid host"},
    {"--health-url=https://[::1/", "health-url: the value has no valid host"},
    {"--health-url=https://[::1]x1/", "health-url: the value has no valid host"},
    {"--health-url=https://[::1]x/", "health-url: the value has no valid host"},
    {"--health-url=https://a b/", "health-url: the value holds a character"},
    {"--health-url=https://a/#x", "health-url: the value holds a character"},
    {"--health-url=https://a\\b/", "health-url: the value holds a character"},
    {"--health-url=https://ho\xc3\xa9st/", "health-url: the value holds a character"},
    {"--health-path=health", "health-path: 'health' is no path: it begins with '/'"},
    {"--health-path=/a b", "health-path: '/a b' is no path"},
    {"--health-path=/a#b", "health-path: '/a#b' is no path"},
    {"--health-headers=X-Key", "health-headers:1: the line is no header; write one 'Name: value'"},
    {"--health-headers=A: 1\nX Key: s3cret", "health-headers:2: the line is no header"},
    {"--health-headers=: x", "health-headers:1: the line is no header"},
    {"--health-headers=A: b\rInjected: c", "health-headers:1: the value holds a control character"},
    {"--health-headers=content-length: 5", "health-headers:1: the header Content-Length is set by"},
    {"--health-payload={a:1}", "health-payload: the value is not JSON: "},
    {"--health-payload={\"a\":1} x", "health-payload: the value is not JSON"},
    {"--cold-start-wait=901", "cold-start-wait: '901' is not a number from 0 to 900"},
    {"--cold-start-wait=10s", "cold-start-wait: '10s' is not a number"},
    {"--health-retries=101", "health-retries: '101' is not a whole number from 0 to 100"},
    {"--health-interval=-1", "health-interval: '-1' is not a number"},
    {"--refresh-interval=1e3", "refresh-interval: '1e3' is not a number"},
    {"--storage-tests=true", "storage-tests: 'true' is none of its choices"},
    {"--storage-marker=a\nb", "storage-marker: the value holds a line break"},
    {"--on-failure=ignore", "on-failure: 'ignore' is none of its choices; give rollback or keep"},
    {"--minute-price=-0.1", "minute-price: '-0.1' is not a number from 0 to 1000"},
    {"--storage-price=nan", "storage-price: 'nan' is not a number"},
    {"--baseline=half an hour", "baseline: 'half an hour' is not a duration"},
    {"--checks=GET /x", "checks:1:7: expected ' -> STATUS'"},
    {"--alias=\xff", "alias: the value is not valid UTF-8"},
};

START_TEST(refuses)
{
    const char *const arguments[] = {refused[_i].argument, NULL};
    must_refuse(arguments, refused[_i].message);
}
END_TEST

/* Whatever is wrong around it, the secret itself is not in the message. */
static const char *const secretive[] = {
    "--aws-secret-access-key=hunter2 hunter2",
    "--aws-access-key-id=hunter2\n",
    "--aws-session-token=hunter2",
    "--role-external-id=hunter2 ",
    "--role-external-id=hunter2|",
    "--secrets=key=a\nhunter2",
    "--secrets=key=a\nhunter2==",
    "--secrets=hunter2/x=1",
    "--environment=PEM=-----BEGIN\nhunter2",
    "--environment=PEM=-----BEGIN\nhunter2/+==",
    "--environment=PEM=a\nPEM=hunter2",
    "--environment=AWS_REGION=hunter2",
    "--build-args=TOKEN hunter2=1",
    "--build-args=hunter2",
    "--health-headers=hunter2",
    "--health-headers=X: y\nX hunter2: y",
    "--health-headers=Content-Length: hunter2",
    "--health-url=https://user:hunter2@host",
    "--health-url=http://host/hunter2",
    "--health-url=hunter2",
    "--health-payload={\"password\": \"hunter2\" x}",
    "--function-configuration={\"Environment\":{\"Variables\":{\"AWS_REGION\":\"hunter2\"}}}",
    "--function-configuration=hunter2",
    "--builder=tcp://user:hunter2@host x",
};

START_TEST(never_shows_a_secret)
{
    const char *const arguments[] = {secretive[_i], NULL};
    struct inputs inputs;
    struct error err = ERROR_INIT;
    if (read_arguments(arguments, &inputs, &err) == 0) {
        inputs_release(&inputs); /* a good value has no message at all */
        return;
    }
    ck_assert_msg(!strstr(err.msg, "hunter2"), "%s", err.msg);
}
END_TEST

Suite *inputs_values_suite(void)
{
    Suite *suite = suite_create("inputs_values");
    TCase *tcase = tcase_create("inputs_values");
    tcase_add_loop_test(tcase, takes, 0, COUNT(taken));
    tcase_add_loop_test(tcase, refuses, 0, COUNT(refused));
    tcase_add_loop_test(tcase, never_shows_a_secret, 0, COUNT(secretive));
    suite_add_tcase(suite, tcase);
    return suite;
}
