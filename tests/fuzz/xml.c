/* STS's XML, and the errors of AWS in XML, JSON or anything a proxy says instead. */
#include "services/xml.h"
#include "services/aws_errors.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const elements[] = {"Code", "Message", "SessionToken", "Expiration"};
    CLEANUP_FREE char *text = fuzz_text(data, size);
    for (size_t i = 0; i < sizeof elements / sizeof *elements; i++) {
        CLEANUP(strbuf) struct strbuf found = STRBUF_INIT(256);
        bool there = xml_add_text(text, size, elements[i], &found);
        EXPECT(there || found.len == 0);
        EXPECT(found.len <= 256);
    }
    CLEANUP(strbuf) struct strbuf root = STRBUF_INIT(256);
    (void)xml_add_root(text, size, &root);

    struct http_response response = HTTP_RESPONSE_INIT;
    struct aws_fault fault;
    http_response_fill(&response, 400 + (size > 0 ? data[0] % 120 : 0), text, size);
    if (size > 2 && data[1] % 4 == 0)
        http_response_add_header(&response, "x-amzn-errortype", text);
    aws_fault_decode(&response, &fault);
    EXPECT(fault.message[0] && strlen(fault.name) < sizeof fault.name);
    EXPECT(!strpbrk(fault.name, " \r\n:#<>"));
    http_response_release(&response);
    return 0;
}
