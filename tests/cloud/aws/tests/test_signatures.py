"""Signatures, good and bad."""

import datetime
from unittest import mock
from urllib.parse import quote

from botocore.auth import SigV4Auth
from botocore.credentials import Credentials

from ..iam import Principal
from ..storage import digest_of
from .case import ACCOUNT, CloudCase, FUNCTION_ARN, KEY, LAMBDA


class Signatures(CloudCase):
    def test_good_signature(self):
        self.make_function()
        self.assertEqual(self.lambda_call("GET", "/hello").status, 200)

    def test_arn_in_the_path_is_encoded_twice(self):
        self.make_function()
        path = "/2015-03-31/functions/" + quote(FUNCTION_ARN, safe="")
        self.assertIn("%3A", path)
        self.assertEqual(self.signed("GET", LAMBDA, path).status, 200)

    def test_arn_in_the_path_encoded_once_is_refused(self):
        """As a signer does that takes the path on the wire for the canonical one."""
        self.make_function()
        path = "/2015-03-31/functions/" + quote(FUNCTION_ARN, safe="")
        with mock.patch.object(SigV4Auth, "_normalize_url_path", lambda _self, path: path):
            headers = self.sign("GET", LAMBDA, path)
        self.assert_error(
            self.send("GET", LAMBDA, path, headers),
            403,
            "InvalidSignatureException",
            "does not match",
        )

    def test_query_is_part_of_the_signature(self):
        self.make_function(alias="live")
        headers = self.sign("GET", LAMBDA, "/2015-03-31/functions/hello?Qualifier=live")
        good = self.send("GET", LAMBDA, "/2015-03-31/functions/hello?Qualifier=live", headers)
        self.assertEqual(good.status, 200)
        bad = self.send("GET", LAMBDA, "/2015-03-31/functions/hello?Qualifier=1", headers)
        self.assert_error(bad, 403, "InvalidSignatureException")

    def test_unencoded_query_value_is_not_what_aws_signs(self):
        self.make_function()
        target = "/2015-03-31/functions/hello?Qualifier=$LATEST"
        headers = self.sign("GET", LAMBDA, target)  # signs "$" as it stands
        self.assert_error(
            self.send("GET", LAMBDA, target, headers), 403, "InvalidSignatureException"
        )
        encoded = target.replace("$", "%24")
        self.assertEqual(self.signed("GET", LAMBDA, encoded).status, 200)

    def test_wrong_secret(self):
        wrong = Credentials(KEY.access_key, "x" * 40)
        self.assert_error(
            self.lambda_call("GET", "/hello", key=wrong),
            403,
            "InvalidSignatureException",
            "does not match",
        )

    def test_unknown_key(self):
        unknown = Credentials("AKIDNOBODY0000000001", "x" * 40)
        answer = self.lambda_call("GET", "/hello", key=unknown)
        self.assert_error(
            answer,
            403,
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        )
        answer = self.ecr_call("DescribeRepositories", {}, key=unknown)
        self.assert_error(answer, 400, '"__type":"UnrecognizedClientException"')
        self.assert_error(
            self.sts_call("GetCallerIdentity", key=unknown),
            403,
            "<Code>InvalidClientTokenId</Code>",
        )

    def test_tampered_body(self):
        path = "/2015-03-31/functions/hello/code"
        headers = self.sign("PUT", LAMBDA, path, b'{"ImageUri":"a"}')
        self.assert_error(
            self.send("PUT", LAMBDA, path, headers, b'{"ImageUri":"b"}'),
            403,
            "InvalidSignatureException",
        )

    def test_payload_hash_that_is_signed_but_wrong(self):
        path, said = "/2015-03-31/functions/hello/code", digest_of(b"other")[7:]
        headers = self.sign("PUT", LAMBDA, path, b"{}", {"X-Amz-Content-SHA256": said})
        self.assert_error(
            self.send("PUT", LAMBDA, path, headers, b"{}"), 403, "InvalidSignatureException"
        )

    def test_signed_payload_hash(self):
        self.make_function()
        headers = {"X-Amz-Content-SHA256": digest_of(b"")[7:]}
        self.assertEqual(self.lambda_call("GET", "/hello", headers=headers).status, 200)

    def test_clock_off_by_an_hour(self):
        for offset, words in ((3600, "Signature expired"), (-3600, "Signature not yet current")):
            with self.subTest(offset):
                self.cloud.change_settings({"clock_offset_s": offset})
                self.assert_error(
                    self.lambda_call("GET", "/hello"), 403, "InvalidSignatureException", words
                )
                self.assert_error(
                    self.sts_call("GetCallerIdentity"),
                    403,
                    "<Code>SignatureDoesNotMatch</Code>",
                    words,
                )

    def test_clock_off_by_ten_minutes_is_good(self):
        for offset in (600, -600):
            self.cloud.change_settings({"clock_offset_s": offset})
            self.assertEqual(self.sts_call("GetCallerIdentity").status, 200)

    def test_date_header_follows_the_cloud_s_clock(self):
        self.cloud.change_settings({"clock_offset_s": -86400 * 400})
        year = (datetime.datetime.now() - datetime.timedelta(days=400)).year
        self.assertIn(str(year), self.lambda_call("GET", "/hello").headers["Date"])

    def test_scope(self):
        self.assert_error(
            self.lambda_call("GET", "/hello", region="eu-west-1"),
            403,
            "InvalidSignatureException",
            "valid region",
        )
        self.assert_error(
            self.lambda_call("GET", "/hello", service="ecr"),
            403,
            "InvalidSignatureException",
            "correct service: 'lambda'",
        )

    def test_incomplete(self):
        headers = self.sign("GET", LAMBDA, "/2015-03-31/functions/hello")
        cases = (
            ({"Authorization": "Basic QVdTOng="}, "IncompleteSignatureException"),
            (
                {"Authorization": headers["Authorization"].partition(", Signature")[0]},
                "IncompleteSignatureException",
            ),
            (
                {"Authorization": headers["Authorization"].replace("/aws4_request", "")},
                "IncompleteSignatureException",
            ),
            ({"X-Amz-Date": "yesterday"}, "IncompleteSignatureException"),
        )
        for change, code in cases:
            with self.subTest(change):
                answer = self.send(
                    "GET", LAMBDA, "/2015-03-31/functions/hello", {**headers, **change}
                )
                self.assert_error(answer, 403, code)

    def test_missing(self):
        answer = self.send("GET", LAMBDA, "/2015-03-31/functions/hello")
        self.assert_error(answer, 403, "MissingAuthenticationTokenException")
        self.assert_error(
            self.sts_call("GetCallerIdentity", signed=False),
            403,
            "<Code>MissingAuthenticationToken</Code>",
        )

    def test_amz_headers_must_be_signed(self):
        headers = self.sign("GET", LAMBDA, "/2015-03-31/functions/hello")
        headers["X-Amz-Log-Type"] = "Tail"
        answer = self.send("GET", LAMBDA, "/2015-03-31/functions/hello", headers)
        self.assert_error(answer, 403, "InvalidSignatureException", "x-amz-log-type")

    def test_session_token(self):
        self.order("POST", "/roles", {"arn": f"arn:aws:iam::{ACCOUNT}:role/deploy"})
        key = self.cloud.add_session(Principal(ACCOUNT, "arn", "id"), 100)
        good = Credentials(key.id, key.secret, key.token)
        self.assertEqual(self.sts_call("GetCallerIdentity", key=good).status, 200)
        answer = self.lambda_call("GET", "/x", key=Credentials(key.id, key.secret))
        self.assert_error(answer, 403, "UnrecognizedClientException")
        answer = self.lambda_call("GET", "/x", key=Credentials(key.id, key.secret, "other"))
        self.assert_error(answer, 403, "UnrecognizedClientException")
        key.expires = self.cloud.clock.now() - 1
        self.assert_error(self.lambda_call("GET", "/x", key=good), 403, "ExpiredTokenException")
        self.assert_error(
            self.ecr_call("DescribeRepositories", {}, key=good), 400, "ExpiredTokenException"
        )
        self.assert_error(
            self.sts_call("GetCallerIdentity", key=good), 403, "<Code>ExpiredToken</Code>"
        )

    def test_a_folded_header_and_spaces_are_trimmed(self):
        self.make_function()
        headers = self.sign(
            "GET", LAMBDA, "/2015-03-31/functions/hello", headers={"X-Amz-Note": "  a   b "}
        )
        self.assertEqual(
            self.send("GET", LAMBDA, "/2015-03-31/functions/hello", headers).status, 200
        )
