"""OIDC, roles, sessions."""

import base64
import json
import time

from botocore.credentials import Credentials

from .case import ACCOUNT, CloudCase


class Tokens(CloudCase):
    ROLE = f"arn:aws:iam::{ACCOUNT}:role/deploy"
    SUB = "token.actions.githubusercontent.com:sub"

    def token(self, audience="sts.amazonaws.com"):
        where = self.order("GET", "/oidc").json()
        host, _, target = where["request_url"].partition("://")[2].partition("/")
        return self.send(
            "GET",
            host,
            f"/{target}&audience={audience}",
            {"Authorization": f"Bearer {where['request_token']}"},
        )

    def assume(self, token, **more):
        return self.sts_call(
            "AssumeRoleWithWebIdentity",
            signed=False,
            RoleArn=self.ROLE,
            RoleSessionName="run",
            WebIdentityToken=token,
            **more,
        )

    def trust(self, **conditions):
        provider = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"
        statement = {
            "Effect": "Allow",
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Principal": {"Federated": provider},
        }
        answer = self.order(
            "POST",
            "/roles",
            {"arn": self.ROLE, "trust": {"Statement": [{**statement, "Condition": conditions}]}},
        )
        self.assertEqual(answer.status, 200, answer.body)

    def test_web_identity(self):
        self.trust(StringLike={self.SUB: "repo:org/repo:*"})
        token = self.token().json()["value"]
        answer = self.assume(token)
        self.assertEqual(answer.status, 200, answer.body)
        self.assertIn(
            b"<SubjectFromWebIdentityToken>repo:org/repo:ref:refs/heads/main<", answer.body
        )
        self.order("POST", "/oidc", {"claims": {"sub": "repo:other/repo:ref:refs/heads/main"}})
        self.assert_error(
            self.assume(self.token().json()["value"]),
            403,
            "<Code>AccessDenied</Code>",
            "Not authorized to perform sts:AssumeRoleWithWebIdentity",
        )

    def test_subjects(self):
        """Made of the other claims as GitHub makes them, with the ids of a repository that has them."""
        ids = {"repository_owner_id": "123456", "repository_id": "456789"}
        for claims, subject in (
            ({}, "repo:org/repo:ref:refs/heads/main"),
            (ids, "repo:org@123456/repo@456789:ref:refs/heads/main"),
            ({**ids, "ref": "refs/tags/v1"}, "repo:org@123456/repo@456789:ref:refs/tags/v1"),
            (
                {**ids, "event_name": "pull_request", "ref": "refs/pull/7/merge"},
                "repo:org@123456/repo@456789:pull_request",
            ),
            ({"environment": "production"}, "repo:org/repo:environment:production"),
            ({**ids, "sub": "x"}, "x"),
        ):
            with self.subTest(subject):
                self.order("POST", "/oidc", {"claims": claims})
                part = self.token().json()["value"].split(".")[1]
                told = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
                self.assertEqual(told["sub"], subject)

    def test_unknown_role_is_the_same_refusal(self):
        self.assert_error(
            self.assume(self.token().json()["value"]), 403, "<Code>AccessDenied</Code>"
        )

    def test_bad_tokens(self):
        self.trust()
        good = self.token().json()["value"]
        head, claims, signature = good.split(".")
        forged = (
            base64.urlsafe_b64encode(
                json.dumps(
                    {
                        "iss": "https://token.actions.githubusercontent.com",
                        "aud": "sts.amazonaws.com",
                        "sub": "x",
                        "exp": 9e9,
                    }
                ).encode()
            )
            .decode()
            .rstrip("=")
        )
        self.assert_error(
            self.assume(f"{head}.{forged}.{signature}"),
            400,
            "<Code>InvalidIdentityToken</Code>",
            "signature",
        )
        self.assert_error(self.assume("abcde"), 400, "<Code>InvalidIdentityToken</Code>")
        self.assert_error(
            self.assume(self.token("other").json()["value"]),
            400,
            "InvalidIdentityToken",
            "Incorrect token audience",
        )
        self.cloud.change_settings({"clock_offset_s": 301})
        self.assert_error(
            self.assume(good), 400, "<Code>ExpiredTokenException</Code>", "Token expired"
        )

    def test_issuer(self):
        self.order("POST", "/oidc", {"fail_times": 2})
        self.assertEqual([self.token().status for _ in range(3)], [500, 500, 200])
        where = self.order("GET", "/oidc").json()
        host, _, target = where["request_url"].partition("://")[2].partition("/")
        self.assertEqual(
            self.send("GET", host, "/" + target, {"Authorization": "Bearer x"}).status, 401
        )
        keys = self.send("GET", host, "/.well-known/jwks").json()["keys"]
        self.assertEqual(keys[0]["alg"], "RS256")
        log = json.dumps(self.order("GET", "/requests").json())
        self.assertNotIn(where["request_token"], log)

    def test_assume_role_and_its_end(self):
        self.order("POST", "/roles", {"arn": self.ROLE, "external_id": "xyz"})
        refused = self.sts_call("AssumeRole", RoleArn=self.ROLE, RoleSessionName="run")
        self.assert_error(
            refused, 403, "<Code>AccessDenied</Code>", f"sts:AssumeRole on resource: {self.ROLE}"
        )
        self.cloud.change_settings({"token_seconds": 1})
        made = self.client("sts").assume_role(
            RoleArn=self.ROLE, RoleSessionName="run", ExternalId="xyz"
        )
        credentials = made["Credentials"]
        key = Credentials(
            credentials["AccessKeyId"], credentials["SecretAccessKey"], credentials["SessionToken"]
        )
        said = self.client("sts", key).get_caller_identity()
        self.assertEqual(said["Arn"], f"arn:aws:sts::{ACCOUNT}:assumed-role/deploy/run")
        time.sleep(1.1)
        self.assert_error(
            self.sts_call("GetCallerIdentity", key=key), 403, "<Code>ExpiredToken</Code>"
        )

    def test_token_is_not_logged(self):
        self.trust()
        token = self.token().json()["value"]
        self.assume(token)
        self.assertNotIn(token[:40], json.dumps(self.order("GET", "/requests").json()))
