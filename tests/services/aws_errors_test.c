#include <check.h>
#include <stdlib.h>

#include "services/aws_errors.h"

Suite *aws_errors_suite(void);

#define HTML_502                                                                                   \
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad "      \
    "Gateway</h1></center>\r\n</body>\r\n</html>\r\n"
#define STS_ERROR(code, message)                                                                   \
    "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n  <Error>\n    "         \
    "<Type>Sender</Type>\n    <Code>" code "</Code>\n    <Message>" message                        \
    "</Message>\n  </Error>\n  <RequestId>01234567-89ab-cdef-0123-456789abcdef</RequestId>\n"      \
    "</ErrorResponse>\n"

static const struct {
    int status;
    const char *type; /* X-Amzn-ErrorType */
    const char *body;
    enum error_kind kind;
    enum retry_class retry;
    enum aws_remedy remedy;
    const char *name, *message;
} cases[] = {
    /* Lambda */
    {404, "ResourceNotFoundException",
     "{\"Type\":\"User\",\"Message\":\"Function not found: "
     "arn:aws:lambda:us-east-1:123456789012:function:x\"}",
     ERROR_NOT_FOUND, RETRY_NEVER, AWS_REMEDY_NONE, "ResourceNotFoundException",
     "Function not found: arn:aws:lambda:us-east-1:123456789012:function:x"},
    {409, "ResourceConflictException",
     "{\"Type\":\"User\",\"message\":\"The operation cannot be performed at this time. An update "
     "is "
     "in progress\"}",
     ERROR_CONFLICT, RETRY_NEVER, AWS_REMEDY_NONE, "ResourceConflictException",
     "The operation cannot be performed at this time. An update is in progress"},
    {412, "PreconditionFailedException:http://internal.amazon.com/coral/com.amazonaws.lambda/",
     "{\"Type\":\"User\",\"message\":\"The RevisionId provided is not the latest one\"}",
     ERROR_PRECONDITION, RETRY_NEVER, AWS_REMEDY_NONE, "PreconditionFailedException",
     "The RevisionId provided is not the latest one"},
    {429, "TooManyRequestsException",
     "{\"Reason\":\"CallerRateLimitExceeded\",\"Type\":\"User\",\"message\":\"Rate exceeded\"}",
     ERROR_THROTTLED, RETRY_THROTTLED, AWS_REMEDY_NONE, "TooManyRequestsException",
     "Rate exceeded"},
    {429, NULL, "", ERROR_THROTTLED, RETRY_THROTTLED, AWS_REMEDY_NONE, "",
     "no explanation was given"},
    {400, "InvalidParameterValueException",
     "{\"Type\":\"User\",\"message\":\"The image manifest, config or layer media type for the "
     "source "
     "image is not supported.\"}",
     ERROR_REFUSED, RETRY_NEVER, AWS_REMEDY_NONE, "InvalidParameterValueException",
     "The image manifest, config or layer media type for the source image is not supported."},
    {400, "InvalidParameterValueException",
     "{\"message\":\"Your request has been throttled by EC2, please make sure you have enough API "
     "rate limit.\"}",
     ERROR_THROTTLED, RETRY_THROTTLED, AWS_REMEDY_NONE, "InvalidParameterValueException",
     "Your request has been throttled by EC2, please make sure you have enough API rate limit."},
    {502, "EC2ThrottledException", "{\"Message\":\"throttled\"}", ERROR_THROTTLED, RETRY_THROTTLED,
     AWS_REMEDY_NONE, "EC2ThrottledException", "throttled"},
    {500, "ServiceException", "{\"Type\":\"Service\",\"Message\":\"An error occurred\"}",
     ERROR_SERVER, RETRY_TRANSIENT, AWS_REMEDY_NONE, "ServiceException", "An error occurred"},
    {403, "AccessDeniedException",
     "{\"Message\":\"User: arn:aws:iam::123456789012:user/x is not authorized to perform: "
     "lambda:GetFunction on resource: y\"}",
     ERROR_DENIED, RETRY_NEVER, AWS_REMEDY_NONE, "AccessDeniedException",
     "User: arn:aws:iam::123456789012:user/x is not authorized to perform: lambda:GetFunction on "
     "resource: y"},
    {403, NULL,
     "<AccessDeniedException>\n  <Message>Unable to determine service/operation name to "
     "be authorized</Message>\n</AccessDeniedException>\n",
     ERROR_DENIED, RETRY_NEVER, AWS_REMEDY_NONE, "AccessDeniedException",
     "Unable to determine service/operation name to be authorized"},
    {403, "ExpiredTokenException",
     "{\"message\":\"The security token included in the request is expired\"}", ERROR_UNAUTHORIZED,
     RETRY_NEVER, AWS_REMEDY_NEW_CREDENTIALS, "ExpiredTokenException",
     "The security token included in the request is expired"},
    {403, "UnrecognizedClientException",
     "{\"message\":\"The security token included in the request is invalid.\"}", ERROR_UNAUTHORIZED,
     RETRY_NEVER, AWS_REMEDY_NONE, "UnrecognizedClientException",
     "The security token included in the request is invalid."},
    {403, "InvalidSignatureException",
     "{\"message\":\"Signature expired: 20261123T130000Z is now earlier than 20261123T131500Z\"}",
     ERROR_UNAUTHORIZED, RETRY_NEVER, AWS_REMEDY_CLOCK_IF_OFF, "InvalidSignatureException",
     "Signature expired: 20261123T130000Z is now earlier than 20261123T131500Z"},
    {403, "RequestTimeTooSkewed", "{}", ERROR_UNAUTHORIZED, RETRY_NEVER, AWS_REMEDY_CLOCK,
     "RequestTimeTooSkewed", "no explanation was given"},
    {400, "RequestExpired", "{}", ERROR_UNAUTHORIZED, RETRY_NEVER, AWS_REMEDY_CLOCK,
     "RequestExpired", "no explanation was given"},
    {400, "RequestInTheFuture", "{}", ERROR_UNAUTHORIZED, RETRY_NEVER, AWS_REMEDY_CLOCK,
     "RequestInTheFuture", "no explanation was given"},
    {502, "KMSAccessDeniedException", "{\"Message\":\"no key\"}", ERROR_REFUSED, RETRY_NEVER,
     AWS_REMEDY_NONE, "KMSAccessDeniedException", "no key"},

    {404, "UnknownOperationException", "{}", ERROR_REFUSED, RETRY_NEVER, AWS_REMEDY_NONE,
     "UnknownOperationException", "no explanation was given"},
    {404, "ProvisionedConcurrencyConfigNotFoundException", "{}", ERROR_NOT_FOUND, RETRY_NEVER,
     AWS_REMEDY_NONE, "ProvisionedConcurrencyConfigNotFoundException", "no explanation was given"},
    {404, NULL, "<html><title>404 Not Found</title>", ERROR_REFUSED, RETRY_NEVER, AWS_REMEDY_NONE,
     "", "a web page instead of an answer from AWS (a proxy's?): \"404 Not Found\""},
    {400, "LayersNotFoundException", "{}", ERROR_REFUSED, RETRY_NEVER, AWS_REMEDY_NONE,
     "LayersNotFoundException", "no explanation was given"},

    /* ECR: the name decides, the status is 400 */
    {400, NULL,
     "{\"__type\":\"RepositoryNotFoundException\",\"message\":\"The repository with name 'x' does "
     "not exist in the registry with id '123456789012'\"}",
     ERROR_NOT_FOUND, RETRY_NEVER, AWS_REMEDY_NONE, "RepositoryNotFoundException",
     "The repository with name 'x' does not exist in the registry with id '123456789012'"},
    {400, NULL,
     "{\"__type\":\"com.amazonaws.ecr#ImageTagAlreadyExistsException\",\"message\":\"m\"}",
     ERROR_CONFLICT, RETRY_NEVER, AWS_REMEDY_NONE, "ImageTagAlreadyExistsException", "m"},
    {400, NULL, "{\"__type\":\"ImageAlreadyExistsException\",\"message\":\"m\"}", ERROR_CONFLICT,
     RETRY_NEVER, AWS_REMEDY_NONE, "ImageAlreadyExistsException", "m"},
    {400, NULL, "{\"__type\":\"RepositoryAlreadyExistsException\",\"message\":\"m\"}",
     ERROR_CONFLICT, RETRY_NEVER, AWS_REMEDY_NONE, "RepositoryAlreadyExistsException", "m"},
    {400, NULL,
     "{\"__type\":\"com.amazon.coral.service#ExpiredTokenException\",\"message\":\"expired\"}",
     ERROR_UNAUTHORIZED, RETRY_NEVER, AWS_REMEDY_NEW_CREDENTIALS, "ExpiredTokenException",
     "expired"},
    {400, NULL, "{\"__type\":\"AccessDeniedException\",\"Message\":\"no\"}", ERROR_DENIED,
     RETRY_NEVER, AWS_REMEDY_NONE, "AccessDeniedException", "no"},
    {400, NULL, "{\"__type\":\"ThrottlingException\",\"message\":\"Rate exceeded\"}",
     ERROR_THROTTLED, RETRY_THROTTLED, AWS_REMEDY_NONE, "ThrottlingException", "Rate exceeded"},
    {400, NULL, "{\"__type\":\"LimitExceededException\",\"message\":\"m\"}", ERROR_THROTTLED,
     RETRY_THROTTLED, AWS_REMEDY_NONE, "LimitExceededException", "m"},
    {400, NULL, "{\"__type\":\"InvalidParameterException\",\"message\":\"m\"}", ERROR_REFUSED,
     RETRY_NEVER, AWS_REMEDY_NONE, "InvalidParameterException", "m"},
    {500, NULL, "{\"__type\":\"ServerException\"}", ERROR_SERVER, RETRY_TRANSIENT, AWS_REMEDY_NONE,
     "ServerException", "no explanation was given"},
    {400, NULL, "{\"__type\":\"InternalFailure\"}", ERROR_SERVER, RETRY_TRANSIENT, AWS_REMEDY_NONE,
     "InternalFailure", "no explanation was given"},

    /* STS */
    {403, NULL,
     STS_ERROR("AccessDenied", "User: arn:aws:iam::1:user/x is not authorized to perform: "
                               "sts:AssumeRole on resource: &quot;r&quot;"),
     ERROR_DENIED, RETRY_NEVER, AWS_REMEDY_NONE, "AccessDenied",
     "User: arn:aws:iam::1:user/x is not authorized to perform: sts:AssumeRole on resource: \"r\""},
    {403, NULL, STS_ERROR("InvalidClientTokenId", "The security token is invalid."),
     ERROR_UNAUTHORIZED, RETRY_NEVER, AWS_REMEDY_NONE, "InvalidClientTokenId",
     "The security token is invalid."},
    {403, NULL, STS_ERROR("SignatureDoesNotMatch", "m"), ERROR_UNAUTHORIZED, RETRY_NEVER,
     AWS_REMEDY_CLOCK_IF_OFF, "SignatureDoesNotMatch", "m"},
    {400, NULL, STS_ERROR("ExpiredToken", "m"), ERROR_UNAUTHORIZED, RETRY_NEVER,
     AWS_REMEDY_NEW_CREDENTIALS, "ExpiredToken", "m"},
    {400, NULL, STS_ERROR("Throttling", "Rate exceeded"), ERROR_THROTTLED, RETRY_THROTTLED,
     AWS_REMEDY_NONE, "Throttling", "Rate exceeded"},
    {400, NULL, STS_ERROR("IDPCommunicationError", "m"), ERROR_SERVER, RETRY_TRANSIENT,
     AWS_REMEDY_NONE, "IDPCommunicationError", "m"},
    {400, NULL,
     STS_ERROR("InvalidIdentityToken", "Couldn't retrieve verification key from your identity "
                                       "provider,  please reference AssumeRoleWithWebIdentity"),
     ERROR_SERVER, RETRY_TRANSIENT, AWS_REMEDY_NONE, "InvalidIdentityToken",
     "Couldn't retrieve verification key from your identity provider,  please reference "
     "AssumeRoleWithWebIdentity"},
    {400, NULL, STS_ERROR("InvalidIdentityToken", "Incorrect token audience"), ERROR_UNAUTHORIZED,
     RETRY_NEVER, AWS_REMEDY_NONE, "InvalidIdentityToken", "Incorrect token audience"},

    /* neither */
    {502, NULL, HTML_502, ERROR_SERVER, RETRY_TRANSIENT, AWS_REMEDY_NONE, "",
     "a web page instead of an answer from AWS (a proxy's?): \"502 Bad Gateway\""},
    {503, NULL, "upstream connect error", ERROR_SERVER, RETRY_TRANSIENT, AWS_REMEDY_NONE, "",
     "not an answer from AWS (a proxy's?): \"upstream connect error\""},
    {504, NULL, "", ERROR_SERVER, RETRY_TRANSIENT, AWS_REMEDY_NONE, "", "no explanation was given"},
    {501, NULL, "", ERROR_SERVER, RETRY_NEVER, AWS_REMEDY_NONE, "", "no explanation was given"},
    {408, NULL, " \r\n", ERROR_SERVER, RETRY_TRANSIENT, AWS_REMEDY_NONE, "",
     "no explanation was given"},
    {401, NULL, "{}", ERROR_UNAUTHORIZED, RETRY_NEVER, AWS_REMEDY_NONE, "",
     "no explanation was given"},
    {403, NULL, "{\"message\":null,\"Message\":\"Forbidden\"}", ERROR_DENIED, RETRY_NEVER,
     AWS_REMEDY_NONE, "", "Forbidden"},
    {404, NULL, "{\"message\":\"  \"}", ERROR_REFUSED, RETRY_NEVER, AWS_REMEDY_NONE, "",
     "no explanation was given"},
    {407, NULL, "<HTML><title></title>", ERROR_REFUSED, RETRY_NEVER, AWS_REMEDY_NONE, "",
     "not an answer from AWS (a proxy's?): \"<HTML><title></title>\""},
    {301, NULL, "{}", ERROR_PROTOCOL, RETRY_NEVER, AWS_REMEDY_NONE, "", "no explanation was given"},
    {400, "bad name!", "{\"__type\":\"x y\",\"code\":\"GoodName\",\"message\":\"m\"}",
     ERROR_REFUSED, RETRY_NEVER, AWS_REMEDY_NONE, "", "m"},
    {400, NULL, "{\"code\":\"SlowDown\",\"message\":\"m\"}", ERROR_THROTTLED, RETRY_THROTTLED,
     AWS_REMEDY_NONE, "SlowDown", "m"},
    {400, NULL,
     "{\"__type\":\"aws#MuchTooLong"
     "0123456789012345678901234567890123456789012345678901234567"
     "890123456789\",\"message\":\"m\"}",
     ERROR_REFUSED, RETRY_NEVER, AWS_REMEDY_NONE, "", "m"},
};

START_TEST(decodes)
{
    struct http_response response = HTTP_RESPONSE_INIT;
    struct aws_fault fault;
    http_response_fill(&response, cases[_i].status, cases[_i].body, strlen(cases[_i].body));
    if (cases[_i].type)
        http_response_add_header(&response, "X-Amzn-ErrorType", cases[_i].type);
    aws_fault_decode(&response, &fault);
    ck_assert_str_eq(fault.name, cases[_i].name);
    ck_assert_str_eq(fault.message, cases[_i].message);
    ck_assert_int_eq(fault.kind, cases[_i].kind);
    ck_assert_int_eq(fault.retry, cases[_i].retry);
    ck_assert_int_eq(fault.remedy, cases[_i].remedy);
    http_response_release(&response);
}
END_TEST

START_TEST(cuts_what_is_long)
{
    static char body[20000];
    struct http_response response = HTTP_RESPONSE_INIT;
    struct aws_fault fault;
    memset(body, 'x', sizeof body);
    http_response_fill(&response, 500, body, sizeof body);
    aws_fault_decode(&response, &fault);
    ck_assert_uint_lt(strlen(fault.message), 300);
    http_response_release(&response);

    memcpy(body, "{\"message\":\"", 12);
    memcpy(body + sizeof body - 2, "\"}", 2);
    http_response_fill(&response, 500, body, sizeof body);
    aws_fault_decode(&response, &fault);
    ck_assert_uint_eq(strlen(fault.message), sizeof fault.message - 1);
    http_response_release(&response);
}
END_TEST

Suite *aws_errors_suite(void)
{
    Suite *suite = suite_create("aws_errors");
    TCase *tcase = tcase_create("all");
    tcase_add_loop_test(tcase, decodes, 0, sizeof cases / sizeof *cases);
    tcase_add_test(tcase, cuts_what_is_long);
    suite_add_tcase(suite, tcase);
    return suite;
}
