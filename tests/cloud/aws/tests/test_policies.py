"""Policies."""

import unittest

from botocore.credentials import Credentials

from .. import iam
from ..errors import ControlError
from ..iam import Policy, Principal
from .case import ACCOUNT, CloudCase, FUNCTION_ARN


def cond(operator, key, value):
    return {
        "Effect": "Allow",
        "Action": "*",
        "Resource": "*",
        "Condition": {operator: {key: value}},
    }


class Policies(CloudCase):
    def test_decisions(self):
        rows = (
            (
                {"Effect": "Allow", "Action": "lambda:*", "Resource": "*"},
                "lambda:GetFunction",
                "r",
                {},
                "Allow",
            ),
            (
                {"Effect": "Allow", "Action": "LAMBDA:get*", "Resource": "*"},
                "lambda:GetFunction",
                "r",
                {},
                "Allow",
            ),
            (
                {"Effect": "Allow", "Action": "lambda:Get?unction", "Resource": "*"},
                "lambda:GetFunction",
                "r",
                {},
                "Allow",
            ),
            (
                {"Effect": "Allow", "Action": "lambda:Get", "Resource": "*"},
                "lambda:GetFunction",
                "r",
                {},
                None,
            ),
            (
                {"Effect": "Allow", "Action": "*", "Resource": "arn:*:function:a"},
                "x:y",
                "arn:1:function:a",
                {},
                "Allow",
            ),
            (
                {"Effect": "Allow", "Action": "*", "Resource": "arn:*:function:a"},
                "x:y",
                "arn:1:function:ab",
                {},
                None,
            ),
            (
                {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"},
                "iam:PassRole",
                "r",
                {},
                None,
            ),
            (
                {"Effect": "Allow", "Action": "*", "NotResource": "secret"},
                "x:y",
                "secret",
                {},
                None,
            ),
            ({"Effect": "Deny", "Action": "*", "Resource": "*"}, "x:y", "r", {}, "Deny"),
            (cond("StringEquals", "k", ["a", "b"]), "x:y", "r", {"K": "b"}, "Allow"),
            (cond("StringEquals", "k", "a*"), "x:y", "r", {"k": "ab"}, None),
            (cond("StringLike", "k", "a*"), "x:y", "r", {"k": "ab"}, "Allow"),
            (cond("StringLike", "k", "a*"), "x:y", "r", {}, None),
            (cond("StringNotEquals", "k", "a"), "x:y", "r", {}, "Allow"),
            (cond("StringNotLike", "k", "a*"), "x:y", "r", {"k": "ab"}, None),
            (cond("StringEqualsIfExists", "k", "a"), "x:y", "r", {}, "Allow"),
        )
        for statement, action, resource, context, verdict in rows:
            with self.subTest(statement=statement, context=context):
                self.assertEqual(
                    Policy({"Statement": statement}).decide(action, resource, context), verdict
                )
        both = {"Statement": [rows[0][0], rows[8][0]]}
        self.assertEqual(Policy(both).decide("lambda:GetFunction", "r"), "Deny")

    def test_documents_that_are_not_understood_are_refused(self):
        good = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        for bad in (
            [],
            {"Statement": {**good, "Condition": {"NumericLessThan": {"a": 1}}}},
            {"Statement": {**good, "Principal": "*"}},
            {"Statement": {"Effect": "Allow", "Action": "*"}},
            {"Statement": {**good, "Effect": "allow"}},
            {"Statement": {**good, "Resources": "*"}},
        ):
            with self.subTest(bad), self.assertRaises(ControlError):
                Policy(bad)
        self.assertEqual(
            self.order(
                "POST", "/keys", {"id": "x", "secret": "y", "policy": {"Statement": {}}}
            ).status,
            400,
        )

    def test_denied_in_aws_s_words(self):
        self.make_function()
        role = f"arn:aws:iam::{ACCOUNT}:role/deploy"
        policy = {
            "Statement": [{"Effect": "Allow", "Action": "lambda:Get*", "Resource": FUNCTION_ARN}]
        }
        self.order("POST", "/roles", {"arn": role, "policy": policy})
        made = self.client("sts").assume_role(RoleArn=role, RoleSessionName="run-1")["Credentials"]
        key = Credentials(made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])
        self.assertEqual(self.lambda_call("GET", "/hello", key=key).status, 200)
        answer = self.lambda_call("PUT", "/hello/code", {"ImageUri": "x"}, key=key)
        words = (
            f"User: arn:aws:sts::{ACCOUNT}:assumed-role/deploy/run-1 is not authorized to perform:"
            f" lambda:UpdateFunctionCode on resource: {FUNCTION_ARN} because no identity-based"
            " policy allows the lambda:UpdateFunctionCode action"
        )
        self.assert_error(answer, 403, "AccessDeniedException", words)
        answer = self.ecr_call("DescribeRepositories", {}, key=key)
        self.assert_error(answer, 400, "AccessDeniedException", "ecr:DescribeRepositories")
        self.assertNotIn("Tags", self.lambda_call("GET", "/hello", key=key).json())

    def test_pass_role(self):
        self.make_function()
        policy = {"Statement": {"Effect": "Allow", "Action": "lambda:*", "Resource": "*"}}
        self.order("POST", "/keys", {"id": "AKIDNOPASS", "secret": "s", "policy": policy})
        value = {"Role": f"arn:aws:iam::{ACCOUNT}:role/admin"}
        answer = self.lambda_call(
            "PUT", "/hello/configuration", value, key=Credentials("AKIDNOPASS", "s")
        )
        self.assert_error(
            answer,
            403,
            "AccessDeniedException",
            "iam:PassRole on resource: arn:aws:iam::123456789012:role/admin",
        )

    def test_explicit_deny(self):
        self.make_function()
        allow = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        deny = {"Effect": "Deny", "Action": "lambda:InvokeFunction", "Resource": "*"}
        self.order(
            "POST",
            "/keys",
            {"id": "AKIDDENIED", "secret": "s", "policy": {"Statement": [allow, deny]}},
        )
        answer = self.lambda_call(
            "POST", "/hello/invocations", {}, key=Credentials("AKIDDENIED", "s")
        )
        self.assert_error(
            answer,
            403,
            "AccessDeniedException",
            "with an explicit deny in an identity-based policy",
        )


class AuthorizeTest(unittest.TestCase):
    def test_two_accounts(self):
        caller = Principal("1", "arn:aws:iam::1:user/a", "A")
        policy = Policy(
            {
                "Statement": {
                    "Effect": "Allow",
                    "Principal": {"AWS": "arn:aws:iam::1:root"},
                    "Action": "ecr:*",
                }
            },
            resource_based=True,
        )
        iam.authorize(caller, "ecr:BatchGetImage", "r", resource_policy=policy, owner="2")
        self.assertFalse(iam.may(caller, "ecr:BatchGetImage", "r", owner="2"))
        poor = Principal("1", "arn:aws:iam::1:user/b", "B", Policy({"Statement": []}))
        self.assertFalse(iam.may(poor, "ecr:BatchGetImage", "r", resource_policy=policy, owner="2"))
        self.assertTrue(iam.may(poor, "ecr:BatchGetImage", "r", resource_policy=policy, owner="1"))
