"""Bad versions are undone, good ones are not: each kind of bad one, with an alias and without."""

import json
import signal

from . import case, cloud, events
from .serving import FunctionCase

PAYLOAD = '{"question":"ping"}'
EXPECTS_2 = 'GET /items/42 -> 200 "\\"version\\":\\"2\\""'


class BadVersions(FunctionCase):
    """The old version answers afterwards, exit 1; the next run deploys the fix."""

    base_stands = True

    def undone(self, alias=None, behaviour=None, says=(), change=None, event=None, **inputs):
        project, seeded = self.serve(alias)
        if change:
            change(project)
        project.behave(**{"version": "bad", **(behaviour or {})}).commit("Break it")
        run = self.deploy(project, event, **inputs)
        self.assertPutBack(run, seeded)
        self.assertError(run, *says)
        if alias:
            self.assertEqual(self.alias_target(), "1")
        return project, run

    def fixed(self, project, **inputs):
        project.behave(version="2").commit("Mend it")
        run = self.deploy(project, inputs.pop("event", None), **inputs)
        self.assertExit(run, 0)
        self.assertOutputs(run, deployed="true", rolled_back="false")
        self.serves("2")

    def both(self, alias=None, says=(), **more):
        behaviour, event, change = (more.pop(name, None) for name in ("behaviour", "event", "change"))
        project, run = self.undone(alias, behaviour, says, change, event, **more)
        if change:
            change(project, undo=True)
        self.fixed(project, event=event, **more)
        return run

    def test_broken_at_import(self):
        self.both(behaviour={"start": "crash"}, says=("502",))

    @case.slow
    def test_broken_at_import_alias(self):
        run = self.both("live", behaviour={"start": "crash"}, says=("Runtime",))
        self.assertIn("cannot import what it needs", run.summary)

    def test_broken_at_the_health_path(self):
        self.both(behaviour={"health": "500", "health_text": "no database"}, says=("500", "no database"))

    @case.slow
    def test_broken_at_the_health_path_alias(self):
        self.both("live", behaviour={"health": "500", "health_text": "no database"}, says=("500", "not moved"))

    def test_slow(self):
        """Slower than the function's own time limit, each time."""
        self.both(behaviour={"first_ms": 60000}, says=("502",))

    @case.slow
    def test_slow_alias(self):
        self.both("live", behaviour={"first_ms": 60000}, says=("timed out",))

    def other_machine(self, project, undo=False):
        """A program for another processor: byte 18 of an ELF file is the machine."""
        path = project.path("function")
        data = bytearray(path.read_bytes())
        data[18] = 62 if undo else 183
        path.write_bytes(data)

    def test_wrong_architecture(self):
        self.both(change=self.other_machine, says=("502",))

    @case.slow
    def test_wrong_architecture_alias(self):
        self.both("live", change=self.other_machine)

    def test_refusing_a_check(self):
        self.both(checks=EXPECTS_2, says=("checks:1", "GET /items/42"))

    @case.slow
    def test_refusing_a_check_alias(self):
        self.both("live", checks=EXPECTS_2, says=("checks:1", "GET /items/42"))

    def test_function_error_at_200(self):
        self.both(behaviour={"fail": "no table"}, health_url=None, health_payload=PAYLOAD,
                  says=("no table", "Unhandled"))

    @case.slow
    def test_function_error_at_200_alias(self):
        self.both("live", behaviour={"fail": "no table"}, health_url=None, health_payload=PAYLOAD,
                  says=("no table", "Unhandled"))

    def test_answer_without_what_is_expected(self):
        self.both(behaviour={"version": "bad"}, health_payload=PAYLOAD, health_expect='"version":"2"', health_url=None,
                  says=("does not hold",))

    def test_failing_storage_test(self):
        run = self.both(event=events.push("Ship [test-s3]"), storage_checks=EXPECTS_2, says=("storage-checks:1",))
        self.assertOutputs(run, storage_tests="run")

    @case.slow
    def test_failing_storage_test_alias(self):
        self.both("live", event=events.push("Ship [test-s3]"), storage_checks=EXPECTS_2, says=("storage-checks:1",))


class GoodVersions(FunctionCase):
    base_stands = True

    def test_slow_at_its_first_call_only(self):
        """8 s, by the defaults: cold-start-wait is 10."""
        project, _ = self.serve(timeout=20)
        project.behave(version="2", first_ms=8000).commit("Think first")
        run = self.deploy(project, cold_start_wait=None, health_retries=None, health_interval=None)
        self.assertExit(run, 0)
        self.serves("2")

    def test_new_alias_is_made(self):
        project, _ = self.serve()
        self.alias = "live"
        run = self.deploy(project)
        self.assertExit(run, 0)
        self.assertOutputs(run, function_version="1", previous_version="")
        self.serves("1")

    def test_new_alias_is_removed_when_its_check_fails(self):
        project, seeded = self.serve()
        self.alias = "live"
        run = self.deploy(project, checks=EXPECTS_2)
        self.assertExit(run, 1)
        self.assertOutputs(run, rolled_back="true")
        self.assertIsNone(self.alias_target())
        self.assertEqual(self.cloud.digest_of(self.name), seeded)

    def test_nothing_to_check_with(self):
        project, _ = self.serve()
        run = self.deploy(project, health_url=None)
        self.assertExit(run, 0)
        self.assertOutputs(run, health="not-checked", deployed="true")
        self.assertTrue(any("health-url" in line for line in run.log.warnings), run.log.warnings)

    def test_warm_up_calls(self):
        project, _ = self.serve()
        mark = self.mark()
        self.assertExit(self.deploy(project, refresh_invocations="4", refresh_interval="0"), 0)
        asked = [request for request in self.since(mark) if request["service"] == "url"]
        self.assertGreaterEqual(len(asked), 5, "one check and four calls")

    def test_weights_of_the_alias_are_cleared_and_come_back(self):
        project, _ = self.serve("live")
        self.assertExit(self.deploy(project), 0)
        routed = {"FunctionVersion": "1", "RoutingConfig": {"AdditionalVersionWeights": {"2": 0.5}}}
        self.route(routed)
        project.behave(version="bad").commit()
        run = self.deploy(project, checks=EXPECTS_2)
        self.assertExit(run, 1)
        self.assertEqual(self.weights(), {"2": 0.5})
        project.behave(version="2").commit()
        self.assertExit(self.deploy(project), 0)
        self.assertEqual(self.weights(), {})
        self.serves("2")

    def test_weights_alone_come_back(self):
        """Nothing is new but that the weights are cleared: the alias names the same version before and after."""
        project, _ = self.serve("live")
        self.assertExit(self.deploy(project), 0)
        self.route({"FunctionVersion": "2", "RoutingConfig": {"AdditionalVersionWeights": {"1": 0.01}}})
        run = self.deploy(project, checks="GET /items/7 -> 200")
        self.assertExit(run, 1)
        self.assertOutputs(run, rolled_back="true", image_built="reused")
        self.assertEqual((self.alias_target(), self.weights()), ("2", {"1": 0.01}))

    def route(self, body):
        def routed():
            answer = self.cloud.call("lambda", "PUT", f"/2015-03-31/functions/{self.name}/aliases/live",
                                     json.dumps(body).encode(), {"Content-Type": "application/json"})
            return answer.status == 200
        self.until(routed, "the right to change the alias")

    def weights(self):
        return self.alias_state()["weights"]


class Unhealthy(FunctionCase):
    base_stands = True

    def test_what_was_there_before_does_not_answer_either(self):
        """Put back whole, and still a person must look: where, is said."""
        project, seeded = self.serve(environment={"FIXTURE_HEALTH": "500"})
        project.behave(version="bad").commit("Break it further")
        run = self.deploy(project)
        self.assertExit(run, 3)
        self.assertEqual(self.cloud.digest_of(self.name), seeded)
        for text in (run.summary, run.text):
            self.assertIn(f"aws logs tail --region us-east-1 --since 30m /aws/lambda/{self.name}", text)


class CancelledCreation(FunctionCase):
    base_stands = True

    def test_cancelled_while_it_is_created(self):
        """It is there all the same, and the report says so."""
        self.cloud.fault("lambda", "CreateFunction", "slow", 1000, resource=self.name)
        step = self.step(self.project()).start()
        self.until(lambda: self.cloud.function(self.name) is not None, "the function")
        step.signal(signal.SIGINT)
        run = self.finish(step)
        self.assertExit(run, 130)
        self.assertIsNotNone(self.cloud.function(self.name))
        self.assertIn("created by this run", run.summary)
        self.assertNotIn("Nothing that serves users was changed", run.summary)


class Created(FunctionCase):
    base_stands = True

    def test_created_and_bad(self):
        """There is nothing before it: it stays, and that is said."""
        project = self.project(health="500")
        run = self.run_step(project)
        self.assertExit(run, 1)
        self.assertOutputs(run, deployed="false", rolled_back="false")
        self.assertIn("created by this run", run.summary)
        project.behave(version="2").commit("Mend it")
        self.assertExit(self.run_step(project), 0)
        self.serves("2")

    def test_role_that_is_not_known_yet(self):
        role = f"arn:aws:iam::{cloud.ACCOUNT}:role/{self.name}"
        nobody = {"Version": "2012-10-17", "Statement": [
            {"Effect": "Deny", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}]}
        self.cloud.create_role(role, trust=nobody)
        step = self.step(self.project(), inputs=self.inputs(create_with_role=role)).start()
        self.until(lambda: any(request["operation"] == "CreateFunction" for request in self.requests()), "a try")
        self.cloud.create_role(role)
        run = self.finish(step)
        self.assertExit(run, 0)
        self.assertIn("not known everywhere", run.text)
        self.serves("1")

    def created_after(self, code, message, status=400):
        """Lambda says no twice, since what was made a moment ago is not known everywhere."""
        self.cloud.fault("lambda", "CreateFunction", "status", {"status": status, "code": code, "message": message}, times=2,
                         resource=self.name)
        run = self.run_step(self.project())
        self.assertExit(run, 0)
        self.assertIn("not known everywhere", run.text)
        self.serves("1")

    def test_permissions_of_a_role_that_are_not_known_yet(self):
        self.created_after("InvalidParameterValueException",
                           "The provided execution role does not have permissions to call CreateNetworkInterface on EC2")

    def test_policy_of_a_new_repository_that_is_not_known_yet(self):
        self.created_after("AccessDeniedException", "Lambda does not have permission to access the ECR image. Check the ECR permissions.", 403)

    def test_image_that_lambda_may_not_read_any_more(self):
        """The dry run is about the present image: this role may update the function, and the new image mends it."""
        project, _ = self.serve()
        self.cloud.fault("lambda", "UpdateFunctionCode", "status", {
            "status": 403, "code": "AccessDeniedException",
            "message": "Lambda does not have permission to access the ECR image. Check the ECR permissions."}, resource=self.name)
        run = self.deploy(project)
        self.assertExit(run, 0)
        self.serves("1")

    def test_zip_function_is_refused_before_anything(self):
        self.cloud.create_function(self.name, "", package="Zip")
        mark = self.mark()
        run = self.run_step(self.project())
        self.assertExit(run, 1)
        self.assertError(run, "zip")
        self.assertUntouched(mark)
        self.assertEqual(run.called("buildx"), [])

    def test_platform_that_the_function_is_not(self):
        project, _ = self.serve()
        mark = self.mark()
        run = self.deploy(project, platform="linux/arm64")
        self.assertExit(run, 1)
        self.assertError(run, "arm64", "x86_64")
        self.assertUntouched(mark)

    def test_inactive_version_is_woken_by_the_check(self):
        """Nobody has called it for weeks, and nothing is to be changed: waking it takes longer than the check may take."""
        project, _ = self.serve("live")
        self.assertExit(self.deploy(project), 0)
        self.cloud.settings_of(self.name, wake_ms=3000)
        self.cloud.change_function(self.name, state="Inactive", version=self.alias_target())
        run = self.deploy(project, health_url=None, health_payload="{}", cold_start_wait="0", health_retries="2", health_interval="0")
        self.assertExit(run, 0)
        self.serves("1")

    def test_inactive_function_is_updated(self):
        project, _ = self.serve()
        self.cloud.change_function(self.name, state="Inactive")
        self.assertExit(self.deploy(project), 0)
        self.serves("1")
