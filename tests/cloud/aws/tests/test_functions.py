"""Lambda's control API."""

import json
import time
from urllib.parse import quote

from .. import functions
from .case import ACCOUNT, CloudCase, FUNCTION_ARN, LAMBDA, OTHER_KEY, REGION


class Functions(CloudCase):
    def create(self, digest, **more):
        value = {
            "FunctionName": "hello",
            "Role": f"arn:aws:iam::{ACCOUNT}:role/lambda",
            "PackageType": "Image",
            "Code": {"ImageUri": self.uri(digest)},
            **more,
        }
        return self.lambda_call("POST", "", value)

    def revision(self):
        return self.lambda_call("GET", "/hello").json()["Configuration"]["RevisionId"]

    def test_life_of_a_function(self):
        self.cloud.change_settings({"create_ms": 150, "update_ms": 150, "publish_ms": 150})
        repository = self.make_repository()
        digest = self.make_image(repository)
        made = self.create(digest, MemorySize=1024, Timeout=30)
        self.assertEqual(made.status, 201, made.body)
        body = made.json()
        self.assertEqual((body["State"], body["StateReasonCode"]), ("Pending", "Creating"))
        self.assertEqual((body["CodeSha256"], body["CodeSize"]), (digest[7:], 0))
        self.assertRegex(body["LastModified"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$")
        for method, path, value in (
            ("PUT", "/hello/code", {"ImageUri": self.uri(digest)}),
            ("PUT", "/hello/configuration", {"Timeout": 3}),
            ("POST", "/hello/versions", {}),
            ("POST", "/hello/invocations", {}),
        ):
            answer = self.lambda_call(method, path, value)
            self.assert_error(answer, 409, "ResourceConflictException", "following state: Pending")
        time.sleep(0.2)
        active = self.lambda_call("GET", "/hello").json()
        self.assertEqual(
            (active["Configuration"]["State"], active["Configuration"]["LastUpdateStatus"]),
            ("Active", "Successful"),
        )
        self.assertNotEqual(active["Configuration"]["RevisionId"], body["RevisionId"])
        self.assertEqual(active["Code"]["ResolvedImageUri"], self.uri(digest))
        second = self.make_image(repository, "two")
        changed = self.lambda_call(
            "PUT", "/hello/code", {"ImageUri": self.uri(second), "Architectures": ["x86_64"]}
        ).json()
        self.assertEqual(
            (changed["LastUpdateStatus"], changed["CodeSha256"]), ("InProgress", second[7:])
        )
        self.assert_error(
            self.lambda_call("PUT", "/hello/configuration", {"Timeout": 9}),
            409,
            "ResourceConflictException",
            "An update is in progress",
        )
        self.assert_error(
            self.lambda_call("POST", "/hello/versions", {}),
            409,
            "ResourceConflictException",
            FUNCTION_ARN,
        )
        self.assertEqual(self.lambda_call("POST", "/hello/invocations", {}).status, 200)
        self.assertEqual(
            self.pools.ran[-1][0], digest
        )  # the old code serves while the new one is on its way
        time.sleep(0.2)
        settled = self.lambda_call("GET", "/hello/configuration").json()
        self.assertEqual(settled["LastUpdateStatus"], "Successful")
        self.assertNotEqual(settled["RevisionId"], changed["RevisionId"])
        self.lambda_call("POST", "/hello/invocations", {})
        self.assertEqual(self.pools.ran[-1][0], second)
        published = self.lambda_call("POST", "/hello/versions", {})
        self.assertEqual(
            (published.status, published.json()["Version"], published.json()["State"]),
            (201, "1", "Pending"),
        )
        self.assert_error(
            self.lambda_call("POST", "/hello/invocations?Qualifier=1", {}),
            409,
            "ResourceConflictException",
        )
        time.sleep(0.2)
        self.assertEqual(
            self.lambda_call("GET", "/hello?Qualifier=1").json()["Configuration"]["State"], "Active"
        )

    def test_create_twice(self):
        _, digest = self.make_function()
        self.assert_error(
            self.create(digest), 409, "ResourceConflictException", "Function already exist: hello"
        )

    def test_made_and_not_found_yet(self):
        self.order("POST", "/settings/hello", {"visible_ms": 400})
        digest = self.make_image(self.make_repository())
        self.assertEqual(self.create(digest, Publish=True).json()["Version"], "1")
        for path in ("/hello", "/hello?Qualifier=1"):
            answer = self.lambda_call("GET", path)
            words = f'"Function not found: {FUNCTION_ARN}"'
            self.assert_error(answer, 404, "ResourceNotFoundException", words)
        self.assert_error(self.create(digest), 409, "ResourceConflictException", "already exist")
        self.assertEqual(self.lambda_call("GET", "/hello/configuration").status, 200)
        time.sleep(0.45)
        for path in ("/hello", "/hello?Qualifier=1"):
            self.assertEqual(self.lambda_call("GET", path).status, 200)

    def test_published_and_not_found_yet(self):
        _, digest = self.make_function()
        self.cloud.change_settings({"visible_ms": 400})
        code = {"ImageUri": self.uri(digest), "Publish": True}
        made = [
            self.lambda_call("POST", "/hello/versions", {}).json()["Version"],
            self.lambda_call("PUT", "/hello/code", code).json()["Version"],
        ]
        self.assertEqual(made, ["1", "2"])
        for number in made:
            answer = self.lambda_call("GET", f"/hello?Qualifier={number}")
            words = f'"Function not found: {FUNCTION_ARN}:{number}"'
            self.assert_error(answer, 404, "ResourceNotFoundException", words)
        self.assertEqual(self.lambda_call("GET", "/hello").status, 200)
        time.sleep(0.45)
        self.assertEqual(self.lambda_call("POST", "/hello/versions", {}).json()["Version"], "2")
        for number in made:  # the second was there already: nothing is minted, nothing is hidden
            answer = self.lambda_call("GET", f"/hello?Qualifier={number}")
            self.assertEqual(answer.status, 200, answer.body)

    def test_not_found(self):
        answer = self.lambda_call("GET", "/nobody")
        self.assert_error(
            answer,
            404,
            "ResourceNotFoundException",
            f"Function not found: {FUNCTION_ARN.replace('hello', 'nobody')}",
        )
        self.assertEqual(answer.json()["Type"], "User")
        self.make_function()
        self.assert_error(
            self.lambda_call("GET", "/hello?Qualifier=7"),
            404,
            "ResourceNotFoundException",
            "hello:7",
        )
        self.assert_error(
            self.lambda_call("GET", "/hello/aliases/live"),
            404,
            "ResourceNotFoundException",
            "Cannot find alias arn",
        )

    def test_names(self):
        self.make_function(alias="live")
        for name in ("hello", f"{ACCOUNT}:function:hello", "function:hello", FUNCTION_ARN):
            answer = self.lambda_call("GET", "/" + quote(name, safe=""))
            self.assertEqual(answer.json()["Configuration"]["FunctionArn"], FUNCTION_ARN, name)
        for name in ("hello:live", FUNCTION_ARN + ":live"):
            answer = self.lambda_call("GET", "/" + quote(name, safe=""))
            self.assertEqual(
                answer.json()["Configuration"]["FunctionArn"], FUNCTION_ARN + ":live", name
            )
            self.assertEqual(answer.json()["Configuration"]["Version"], "1")
        other = FUNCTION_ARN.replace(REGION, "eu-west-1")
        self.assert_error(
            self.lambda_call("GET", "/" + quote(other, safe="")),
            404,
            "ResourceNotFoundException",
            "not reachable in this region",
        )

    def test_revision(self):
        _, digest = self.make_function()
        old = self.revision()
        self.assertEqual(
            self.lambda_call(
                "PUT", "/hello/configuration", {"Timeout": 9, "RevisionId": old}
            ).status,
            200,
        )
        for method, path, value in (
            ("PUT", "/hello/configuration", {"Timeout": 10}),
            ("PUT", "/hello/code", {"ImageUri": self.uri(digest)}),
            ("POST", "/hello/versions", {}),
        ):
            answer = self.lambda_call(method, path, {**value, "RevisionId": old})
            self.assert_error(answer, 412, "PreconditionFailedException", "latest Revision Id")
        self.assertEqual(self.lambda_call("GET", "/hello").json()["Configuration"]["Timeout"], 9)

    def test_rate(self):
        self.make_function()
        self.cloud.change_settings({"control_rate": 15})
        answers = [self.lambda_call("GET", "/hello/configuration") for _ in range(15)]
        self.assertEqual({answer.status for answer in answers}, {200})
        self.assert_error(
            self.lambda_call("GET", "/hello/configuration"),
            429,
            "TooManyRequestsException",
            "Rate exceeded",
        )
        self.assertEqual(self.lambda_call("GET", "/hello").status, 200)
        self.assertEqual(self.lambda_call("POST", "/hello/invocations", {}).status, 200)
        time.sleep(1.05)
        self.assertEqual(self.lambda_call("GET", "/hello/configuration").status, 200)

    def test_rate_of_get_function(self):
        self.make_function()
        self.assertEqual(self.order("GET", "/settings").json()["get_function_rate"], 100)
        self.cloud.change_settings({"control_rate": 2, "get_function_rate": 5})
        answers = [self.lambda_call("GET", "/hello") for _ in range(5)]
        self.assertEqual({answer.status for answer in answers}, {200})
        self.assert_error(
            self.lambda_call("GET", "/hello"), 429, "TooManyRequestsException", "Rate exceeded"
        )
        elsewhere = self.signed(
            "GET",
            LAMBDA.replace(REGION, "eu-west-1"),
            "/2015-03-31/functions/hello",
            region="eu-west-1",
        )
        self.assertEqual(elsewhere.status, 404)
        self.assertEqual(self.lambda_call("GET", "/hello", key=OTHER_KEY).status, 404)
        answers = [self.lambda_call("GET", "/hello/configuration") for _ in range(3)]
        self.assertEqual([answer.status for answer in answers], [200, 200, 429])
        self.assertEqual(self.lambda_call("POST", "/hello/invocations", {}).status, 200)
        time.sleep(1.05)
        self.assertEqual(self.lambda_call("GET", "/hello").status, 200)

    def test_dry_run_changes_nothing(self):
        repository, digest = self.make_function()
        before = self.lambda_call("GET", "/hello").json()
        other = self.make_image(repository, "two")
        answer = self.lambda_call(
            "PUT", "/hello/code", {"ImageUri": self.uri(other), "DryRun": True}
        )
        self.assertEqual(answer.status, 200, answer.body)
        self.assertEqual(self.lambda_call("GET", "/hello").json(), before)
        answer = self.lambda_call(
            "PUT", "/hello/code", {"ImageUri": self.uri("sha256:" + "0" * 64), "DryRun": True}
        )
        self.assert_error(answer, 400, "InvalidParameterValueException", "does not exist")

    def test_architecture_is_the_documented_default_when_left_out(self):
        _, digest = self.make_function(architecture="arm64")
        self.lambda_call("PUT", "/hello/code", {"ImageUri": self.uri(digest)})
        self.assertEqual(
            self.lambda_call("GET", "/hello").json()["Configuration"]["Architectures"], ["x86_64"]
        )

    def test_publish(self):
        _, digest = self.make_function()
        wrong = self.lambda_call("POST", "/hello/versions", {"CodeSha256": "0" * 64})
        self.assert_error(wrong, 400, "InvalidParameterValueException", "CodeSHA256")
        first = self.lambda_call(
            "POST", "/hello/versions", {"CodeSha256": digest[7:], "Description": "one"}
        ).json()
        self.assertEqual((first["Version"], first["Description"]), ("1", "one"))
        self.assertEqual(self.lambda_call("POST", "/hello/versions", {}).json()["Version"], "1")
        self.lambda_call(
            "PUT", "/hello/code", {"ImageUri": self.uri(digest)}
        )  # the same code is a change, too
        self.assertEqual(self.lambda_call("POST", "/hello/versions", {}).json()["Version"], "2")
        self.assertEqual(self.lambda_call("DELETE", "/hello?Qualifier=2").status, 204)
        self.lambda_call("PUT", "/hello/configuration", {"Timeout": 5})
        self.assertEqual(self.lambda_call("POST", "/hello/versions", {}).json()["Version"], "3")
        versions = self.lambda_call("GET", "/hello/versions").json()["Versions"]
        self.assertEqual([each["Version"] for each in versions], ["$LATEST", "1", "3"])
        self.assertEqual(versions[1]["FunctionArn"], FUNCTION_ARN + ":1")

    def test_versions_are_frozen(self):
        self.make_function(environment={"COLOUR": "red"})
        self.lambda_call("POST", "/hello/versions", {})
        self.lambda_call(
            "PUT", "/hello/configuration", {"Environment": {"Variables": {"COLOUR": "blue"}}}
        )
        old = self.lambda_call("GET", "/hello/configuration?Qualifier=1").json()
        new = self.lambda_call("GET", "/hello/configuration").json()
        self.assertEqual(old["Environment"]["Variables"], {"COLOUR": "red"})
        self.assertEqual(new["Environment"]["Variables"], {"COLOUR": "blue"})

    def test_update_code_and_publish(self):
        repository, _ = self.make_function()
        second = self.make_image(repository, "two")
        answer = self.lambda_call(
            "PUT", "/hello/code", {"ImageUri": self.uri(second), "Publish": True}
        ).json()
        self.assertEqual((answer["Version"], answer["CodeSha256"]), ("1", second[7:]))
        self.assertEqual(
            self.lambda_call("GET", "/hello?Qualifier=1").json()["Code"]["ResolvedImageUri"],
            self.uri(second),
        )

    def test_aliases(self):
        self.make_function()
        missing = self.lambda_call(
            "POST", "/hello/aliases", {"Name": "live", "FunctionVersion": "1"}
        )
        self.assert_error(
            missing, 404, "ResourceNotFoundException", "Function not found: " + FUNCTION_ARN + ":1"
        )
        self.lambda_call("POST", "/hello/versions", {})
        self.lambda_call("PUT", "/hello/configuration", {"Timeout": 5})
        self.lambda_call("POST", "/hello/versions", {})
        made = self.lambda_call(
            "POST", "/hello/aliases", {"Name": "live", "FunctionVersion": "1", "Description": "d"}
        )
        self.assertEqual(made.status, 201)
        self.assert_error(
            self.lambda_call("POST", "/hello/aliases", {"Name": "live", "FunctionVersion": "1"}),
            409,
            "ResourceConflictException",
        )
        routing = {"AdditionalVersionWeights": {"2": 0.1}}
        self.assertEqual(
            self.lambda_call("PUT", "/hello/aliases/live", {"RoutingConfig": routing}).json()[
                "RoutingConfig"
            ],
            routing,
        )
        kept = self.lambda_call("PUT", "/hello/aliases/live", {"Description": "e"}).json()
        self.assertEqual(
            (kept["RoutingConfig"], kept["FunctionVersion"], kept["Description"]),
            (routing, "1", "e"),
        )
        clash = self.lambda_call("PUT", "/hello/aliases/live", {"FunctionVersion": "2"})
        self.assert_error(clash, 400, "InvalidParameterValueException")
        moved = self.lambda_call(
            "PUT",
            "/hello/aliases/live",
            {"FunctionVersion": "2", "RoutingConfig": {"AdditionalVersionWeights": {}}},
        ).json()
        self.assertEqual(
            (moved["FunctionVersion"], "RoutingConfig" in moved, moved["Description"]),
            ("2", False, "e"),
        )
        stale = self.lambda_call(
            "PUT",
            "/hello/aliases/live",
            {"FunctionVersion": "1", "RevisionId": made.json()["RevisionId"]},
        )
        self.assert_error(stale, 412, "PreconditionFailedException")
        gone = self.lambda_call("PUT", "/hello/aliases/live", {"FunctionVersion": "9"})
        self.assert_error(gone, 404, "ResourceNotFoundException")
        used = self.lambda_call("DELETE", "/hello?Qualifier=2")
        self.assert_error(used, 409, "ResourceConflictException", "[live]")
        latest = self.lambda_call(
            "PUT", "/hello/aliases/live", {"FunctionVersion": "$LATEST", "RoutingConfig": routing}
        )
        self.assert_error(latest, 400, "InvalidParameterValueException", "$LATEST is not supported")
        url = self.signed("GET", LAMBDA, "/2021-10-31/functions/hello/url?Qualifier=live").json()
        self.assertEqual(url["FunctionUrl"], "https://live--hello.lambda-url.us-east-1.on.aws/")

    def test_weights_choose(self):
        self.make_function()
        function = self.cloud.functions[(ACCOUNT, REGION, "hello")]
        for _ in "12":
            functions.mint(function, None, 0)
        function.aliases["live"] = functions.Alias("live", "1", weights={"2": 0.25})
        self.assertEqual(functions.pick(function, "live", 0.1).number, "2")
        self.assertEqual(functions.pick(function, "live", 0.3).number, "1")
        self.assertEqual(functions.pick(function, "live").number, "1")

    def test_tags(self):
        self.make_function()
        target = "/2017-03-31/tags/" + quote(FUNCTION_ARN, safe="")

        def put(tags):
            return self.signed("POST", LAMBDA, target, json.dumps({"Tags": tags}).encode())

        revision = self.revision()
        self.assertEqual(
            put({"lambda-fastdeploy:claim": "org/repo deploy.yml main 12", "a": "b"}).status, 204
        )
        self.assertEqual(self.revision(), revision)
        self.assertEqual(self.signed("DELETE", LAMBDA, target + "?tagKeys=a").status, 204)
        self.assertEqual(
            self.signed("GET", LAMBDA, target).json()["Tags"],
            {"lambda-fastdeploy:claim": "org/repo deploy.yml main 12"},
        )
        self.assertEqual(
            self.lambda_call("GET", "/hello").json()["Tags"],
            {"lambda-fastdeploy:claim": "org/repo deploy.yml main 12"},
        )
        for bad in (
            {"x": "y" * 257},
            {"k" * 129: ""},
            {"aws:x": "y"},
            {"x": "a;b"},
            {f"k{number}": "" for number in range(51)},
        ):
            self.assert_error(put(bad), 400, "InvalidParameterValueException")

    def test_environment(self):
        self.make_function(environment={"AB": "1"})
        reserved = self.lambda_call(
            "PUT", "/hello/configuration", {"Environment": {"Variables": {"AWS_REGION": "x"}}}
        )
        self.assert_error(reserved, 400, "InvalidParameterValueException", "AWS_REGION")
        large = self.lambda_call(
            "PUT", "/hello/configuration", {"Environment": {"Variables": {"AB": "x" * 4100}}}
        )
        self.assert_error(large, 400, "InvalidParameterValueException", "4KB")
        self.lambda_call("PUT", "/hello/configuration", {"Timeout": 4})
        self.assertEqual(
            self.lambda_call("GET", "/hello/configuration").json()["Environment"],
            {"Variables": {"AB": "1"}},
        )
        self.lambda_call("PUT", "/hello/configuration", {"Environment": {"Variables": {"CD": "2"}}})
        self.assertEqual(
            self.lambda_call("GET", "/hello/configuration").json()["Environment"],
            {"Variables": {"CD": "2"}},
        )
        self.order("POST", "/functions/hello", {"environment_hidden": True})
        self.assertIn(
            "Error", self.lambda_call("GET", "/hello/configuration").json()["Environment"]
        )
        self.lambda_call("PUT", "/hello/configuration", {"Environment": {"Variables": {}}})
        self.assertNotIn("Environment", self.lambda_call("GET", "/hello/configuration").json())

    def test_zip_and_image_are_kept_apart(self):
        _, digest = self.make_function()
        handler = self.lambda_call("PUT", "/hello/configuration", {"Handler": "app.handler"})
        self.assert_error(handler, 400, "InvalidParameterValueException", "PackageType is Image")
        self.order("POST", "/functions", {"name": "old", "package": "Zip"})
        image = self.lambda_call("PUT", "/old/code", {"ImageUri": self.uri(digest)})
        self.assert_error(image, 400, "InvalidParameterValueException", "packageType Zip")
        self.assertEqual(
            self.lambda_call("GET", "/old").json()["Configuration"]["PackageType"], "Zip"
        )

    def test_delete(self):
        self.make_function()
        self.assertEqual(self.lambda_call("DELETE", "/hello").status, 204)
        self.assertEqual(self.lambda_call("GET", "/hello").status, 404)
