"""States of functions, and updates that fail."""

import time

from .. import functions
from .case import ACCOUNT, CloudCase, REGION


class States(CloudCase):
    def change(self, **fields):
        answer = self.order("POST", "/functions/hello", fields)
        self.assertEqual(answer.status, 200, answer.body)

    def shown(self):
        return self.lambda_call("GET", "/hello").json()["Configuration"]

    def test_inactive_rejects_one_invocation_and_wakes(self):
        self.cloud.change_settings({"create_ms": 100})
        self.make_function()
        self.change(state="Inactive")
        self.assert_error(
            self.lambda_call("POST", "/hello/invocations", {}),
            409,
            "ResourceConflictException",
            "Inactive",
        )
        self.assert_error(
            self.lambda_call("POST", "/hello/invocations", {}),
            409,
            "ResourceConflictException",
            "Pending",
        )
        time.sleep(0.15)
        self.assertEqual(self.lambda_call("POST", "/hello/invocations", {}).status, 200)

    def test_time_that_waking_takes(self):
        self.cloud.change_settings({"create_ms": 60000, "wake_ms": 0})
        self.make_function()
        self.order("POST", "/settings/hello", {"wake_ms": 300})
        self.change(state="Inactive")
        invoke = "/hello/invocations"
        self.assertEqual(self.lambda_call("POST", invoke, {}).status, 409)
        self.assertEqual(self.lambda_call("POST", invoke, {}).status, 409)
        time.sleep(0.35)
        self.assertEqual(self.lambda_call("POST", invoke, {}).status, 200)
        for value, status in ((None, 200), (-1, 400), ("1", 400), (True, 400)):
            answer = self.order("POST", "/settings", {"wake_ms": value})
            self.assertEqual(answer.status, status, value)

    def test_inactive_version(self):
        self.cloud.change_settings({"wake_ms": 400})
        self.make_function(alias="live")
        function = self.cloud.functions[(ACCOUNT, REGION, "hello")]
        functions.mint(function, None, 0)
        latest, before = self.shown()["RevisionId"], self.version("1")
        generation = function.versions["1"].generation
        self.change(state="Inactive", version="1")
        idle = self.version("1")
        self.assertEqual((idle["State"], idle["StateReasonCode"]), ("Inactive", "Idle"))
        self.assertNotEqual(idle["RevisionId"], before["RevisionId"])
        self.assertNotEqual(function.versions["1"].generation, generation)
        self.assertEqual(self.version("1"), idle)  # to look at it does not wake it
        self.assert_error(
            self.lambda_call("POST", "/hello/invocations?Qualifier=live", {}),
            409,
            "ResourceConflictException",
            "following state: Inactive",
        )
        waking = self.version("1")
        self.assertEqual((waking["State"], waking["StateReasonCode"]), ("Pending", "Restoring"))
        for qualifier in ("live", "1"):
            self.assert_error(
                self.lambda_call("POST", f"/hello/invocations?Qualifier={qualifier}", {}),
                409,
                "ResourceConflictException",
                "The operation cannot be performed at this time. The function is currently in the"
                " following state: Pending",
            )
        self.assertEqual(self.ask_alias().status, 502)
        self.assertEqual((self.shown()["RevisionId"], self.pools.ran), (latest, []))
        for others in ("?Qualifier=2", ""):
            answer = self.lambda_call("POST", "/hello/invocations" + others, {})
            self.assertEqual(answer.status, 200, answer.body)
        time.sleep(0.45)
        self.assertEqual(self.version("1")["State"], "Active")
        self.assertEqual(self.ask_alias().status, 200)

    def version(self, number):
        return self.lambda_call("GET", f"/hello/configuration?Qualifier={number}").json()

    def ask_alias(self):
        return self.send("GET", f"live--hello.lambda-url.{REGION}.on.aws", "/")

    def test_only_the_state_of_a_version_changes(self):
        self.make_function(alias="live")
        for fields, status in (
            ({"version": "1"}, 400),
            ({"version": "1", "state": "Inactive", "environment": {"XY": "z"}}, 400),
            ({"version": "1", "state": "Inactive", "tags": {"a": "b"}}, 400),
            ({"version": "7", "state": "Inactive"}, 404),
        ):
            answer = self.order("POST", "/functions/hello", fields)
            self.assertEqual(answer.status, status, answer.body)
        self.assertEqual((self.version("1")["State"], self.shown()["State"]), ("Active", "Active"))
        self.assertNotIn("Tags", self.lambda_call("GET", "/hello").json())
        self.change(state="Inactive", version="1", alias="live")  # the version is the alias's then
        self.assertEqual(
            (self.version("1")["State"], self.shown()["State"]), ("Active", "Inactive")
        )
        self.change(state="Active", version="$LATEST")
        self.assertEqual(self.shown()["State"], "Active")

    def test_inactive_can_be_updated(self):
        _, digest = self.make_function()
        self.change(state="Inactive")
        self.assertEqual(
            self.lambda_call("PUT", "/hello/code", {"ImageUri": self.uri(digest)}).status, 200
        )
        self.assertEqual(self.shown()["State"], "Active")

    def test_update_that_fails(self):
        repository, digest = self.make_function()
        wish = {
            "service": "lambda",
            "operation": "UpdateFunctionCode",
            "fault": "update-failed",
            "arg": {"reason_code": "ImageAccessDenied", "reason": "no"},
        }
        self.assertEqual(self.order("POST", "/faults", wish).status, 200)
        second = self.make_image(repository, "two")
        self.assertEqual(
            self.lambda_call("PUT", "/hello/code", {"ImageUri": self.uri(second)}).status, 200
        )
        shown = self.shown()
        self.assertEqual(
            (
                shown["LastUpdateStatus"],
                shown["LastUpdateStatusReasonCode"],
                shown["LastUpdateStatusReason"],
                shown["State"],
            ),
            ("Failed", "ImageAccessDenied", "no", "Active"),
        )
        self.lambda_call("POST", "/hello/invocations", {})
        self.assertEqual(self.pools.ran[-1][0], digest)
        refused = self.lambda_call("PUT", "/hello/configuration", {"Timeout": 5})
        self.assert_error(refused, 400, "InvalidParameterValueException", "ImageAccessDenied")
        self.assertEqual(
            self.lambda_call("PUT", "/hello/code", {"ImageUri": self.uri(second)}).status, 200
        )
        self.assertEqual(self.shown()["LastUpdateStatus"], "Successful")
        self.lambda_call("POST", "/hello/invocations", {})
        self.assertEqual(self.pools.ran[-1][0], second)

    def test_old_configuration_serves_while_the_new_one_is_on_its_way(self):
        self.make_function(timeout=3)
        self.cloud.change_settings({"update_ms": 150})
        self.lambda_call("PUT", "/hello/configuration", {"Timeout": 9})
        self.lambda_call("POST", "/hello/invocations", {})
        self.assertEqual((self.shown()["Timeout"], self.pools.settings["Timeout"]), (9, 3))
        time.sleep(0.2)
        self.lambda_call("POST", "/hello/invocations", {})
        self.assertEqual(self.pools.settings["Timeout"], 9)

    def test_image_that_is_gone_refuses_a_configuration_change(self):
        _, digest = self.make_function()
        self.ecr_call(
            "BatchDeleteImage", {"repositoryName": "app", "imageIds": [{"imageDigest": digest}]}
        )
        answer = self.lambda_call("PUT", "/hello/configuration", {"Timeout": 5})
        self.assert_error(answer, 400, "InvalidParameterValueException", "does not exist")

    def test_somebody_else_s_change_moves_the_revision(self):
        self.make_function()
        before = self.shown()["RevisionId"]
        self.change(environment={"XY": "z"})
        self.assertNotEqual(self.shown()["RevisionId"], before)
        self.change(last_update_status="Failed", reason_code="InvalidImage", reason="r")
        self.assertEqual(self.shown()["LastUpdateStatusReasonCode"], "InvalidImage")

    def test_update_in_progress_by_somebody_else(self):
        self.make_function()
        self.change(in_progress_ms=100, configuration={"Timeout": 60})
        self.assert_error(
            self.lambda_call("PUT", "/hello/configuration", {"Timeout": 5}),
            409,
            "ResourceConflictException",
        )
        time.sleep(0.15)
        self.assertEqual(
            self.lambda_call("PUT", "/hello/configuration", {"Timeout": 5}).status, 200
        )
