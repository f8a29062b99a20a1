"""Aliases with provisioned concurrency: the way from one version to the next."""

import time

from .. import functions
from .case import ACCOUNT, CloudCase, REGION


class Transitions(CloudCase):
    def setUp(self):
        super().setUp()
        _, self.digest = self.make_function(alias="live")
        function = self.cloud.functions[(ACCOUNT, REGION, "hello")]
        for _ in "23":
            functions.mint(function, None, 0)

    def last(self, milliseconds):
        self.cloud.change_settings({"alias_transition_ms": milliseconds})

    def move(self, version, **more):
        answer = self.lambda_call(
            "PUT", "/hello/aliases/live", {"FunctionVersion": version, **more}
        )
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json()

    def shown(self):
        """(version, weights, RevisionId), as GetAlias shows them."""
        body = self.lambda_call("GET", "/hello/aliases/live").json()
        weights = body.get("RoutingConfig", {}).get("AdditionalVersionWeights")
        return body["FunctionVersion"], weights, body["RevisionId"]

    def runs(self):
        answer = self.lambda_call("POST", "/hello/invocations?Qualifier=live", {})
        self.assertEqual(answer.status, 200, answer.body)
        return answer.headers["X-Amz-Executed-Version"]

    def test_a_move_takes_its_time(self):
        self.last(600)
        moved = self.move("2")
        self.assertEqual((moved["FunctionVersion"], "RoutingConfig" in moved), ("2", False))
        version, weights, between = self.shown()
        self.assertEqual((version, weights), ("2", {"1": 1.0}))
        self.assertNotEqual(between, moved["RevisionId"])
        self.assertEqual(self.shown(), (version, weights, between))
        self.assertEqual({self.runs() for _ in range(5)}, {"1"})
        state = self.order("GET", "/state").json()["functions"]["hello"]["aliases"]["live"]
        self.assertEqual(state["weights"], {"1": 1.0})
        listed = self.lambda_call("GET", "/hello/aliases").json()["Aliases"][0]
        self.assertEqual(listed["RevisionId"], between)
        used = self.lambda_call("DELETE", "/hello?Qualifier=1")
        self.assert_error(used, 409, "ResourceConflictException", "[live]")
        time.sleep(0.65)
        version, weights, after = self.shown()
        self.assertEqual((version, weights), ("2", None))
        self.assertNotIn(after, (between, moved["RevisionId"]))
        self.assertEqual((self.shown()[2], self.runs()), (after, "2"))
        self.assertEqual(self.lambda_call("DELETE", "/hello?Qualifier=1").status, 204)

    def test_its_end_is_seen_by_whoever_looks_first(self):
        self.last(100)
        for look in (
            lambda: self.assertEqual(self.runs(), "2"),
            lambda: self.assertEqual(
                self.order("GET", "/state").json()["functions"]["hello"]["aliases"]["live"][
                    "weights"
                ],
                {},
            ),
            lambda: self.assertEqual(self.lambda_call("DELETE", "/hello?Qualifier=1").status, 204),
        ):
            self.move("1")
            time.sleep(0.12)
            self.move("2")
            time.sleep(0.12)
            look()

    def test_an_update_after_its_end_meets_another_revision(self):
        self.last(300)
        self.move("2")
        between = self.shown()[2]
        time.sleep(0.35)
        late = {"FunctionVersion": "3", "RevisionId": between}
        answer = self.lambda_call("PUT", "/hello/aliases/live", late)
        self.assert_error(answer, 412, "PreconditionFailedException")
        self.move("3")
        self.assertEqual(self.runs(), "2")

    def test_function_url(self):
        self.last(60000)
        self.move("2")
        answer = self.send("GET", f"live--hello.lambda-url.{REGION}.on.aws", "/")
        self.assertEqual(answer.status, 200, answer.body)
        group = self.cloud.log_groups[(ACCOUNT, REGION, "/aws/lambda/hello")]
        self.assertEqual([stream.split("/")[-1][:3] for stream in group], ["[1]"])

    def test_the_next_move_starts_from_what_serves(self):
        self.last(60000)
        first = self.move("2")
        between = self.shown()[2]
        stale = {"FunctionVersion": "3", "RevisionId": first["RevisionId"]}
        stale = self.lambda_call("PUT", "/hello/aliases/live", stale)
        self.assert_error(stale, 412, "PreconditionFailedException")
        second = self.move("3", RevisionId=between)
        self.assertNotIn("RoutingConfig", second)
        version, weights, revision = self.shown()
        self.assertEqual((version, weights, self.runs()), ("3", {"1": 1.0}, "1"))
        self.assertNotIn(revision, (between, second["RevisionId"]))
        back = self.move("1", RevisionId=revision)  # what serves already: nothing is on its way
        self.assertEqual(self.shown(), ("1", None, back["RevisionId"]))
        self.assertEqual(self.runs(), "1")

    def test_what_does_not_move_it(self):
        self.last(60000)
        same = self.move("1")
        self.assertEqual(self.shown(), ("1", None, same["RevisionId"]))
        self.move("2")
        answer = self.lambda_call("PUT", "/hello/aliases/live", {"Description": "d"}).json()
        self.assertEqual(self.shown(), ("2", {"1": 1.0}, answer["RevisionId"]))
        self.move("2", RoutingConfig={"AdditionalVersionWeights": {}})
        self.assertEqual(self.shown()[:2], ("2", {"1": 1.0}))
        self.last(0)
        moved = self.move("3")
        self.assertEqual(self.shown(), ("3", None, moved["RevisionId"]))
        self.last(60000)
        moved = self.move("$LATEST")
        self.assertEqual(self.shown(), ("$LATEST", None, moved["RevisionId"]))

    def test_weights_of_the_caller_are_refused(self):
        self.last(100)
        before = self.shown()
        for version in ("1", "2"):
            routing = {"RoutingConfig": {"AdditionalVersionWeights": {"3": 0.1}}}
            answer = self.lambda_call(
                "PUT", "/hello/aliases/live", {"FunctionVersion": version, **routing}
            )
            self.assert_error(
                answer,
                400,
                "InvalidParameterValueException",
                "Invalid alias configuration for Provisioned Concurrency",
            )
        self.assertEqual(self.shown(), before)
        self.last(0)
        self.move("2", RoutingConfig={"AdditionalVersionWeights": {"1": 0.1}})
        self.assertEqual(self.shown()[1], {"1": 0.1})

    def test_of_one_function(self):
        other = {"name": "other", "image": f"app@{self.digest}", "alias": "live"}
        self.assertEqual(self.order("POST", "/functions", other).status, 200)
        functions.mint(self.cloud.functions[(ACCOUNT, REGION, "other")], None, 0)
        answer = self.order("POST", "/settings/hello", {"alias_transition_ms": 60000})
        self.assertEqual(answer.status, 200, answer.body)
        self.move("2")
        self.assertEqual(self.shown()[1], {"1": 1.0})
        self.lambda_call("PUT", "/other/aliases/live", {"FunctionVersion": "2"})
        other = self.lambda_call("GET", "/other/aliases/live").json()
        self.assertNotIn("RoutingConfig", other)
