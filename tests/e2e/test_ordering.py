"""Older runs do not overwrite newer ones, and what was deployed is remembered in the function's tags."""

import json

from . import cloud, runner
from .serving import FunctionCase

ALL_BUT_TAGS = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "*", "Resource": "*"},
    {"Effect": "Deny", "Action": ["lambda:TagResource", "lambda:ListTags"], "Resource": "*"}]}


def job(number, **more):
    return runner.Job(run_number=number, run_id=77_000_000 + number, **more)


class Ordering(FunctionCase):
    base_stands = True

    def version(self, project, version):
        project.behave(version=version).commit(f"Version {version}")
        return project

    def superseded(self, run):
        self.assertExit(run, 0)
        self.assertOutputs(run, deployed="false", rolled_back="false")
        self.assertRegex(run.summary, "(?i)superseded")
        self.assertEqual(run.log.errors, [])

    def test_three_runs_that_finish_in_another_order(self):
        """Runs 10, 11, 12 of commits A, B, A finish as 10, 12, 11: the function serves A."""
        project, _ = self.serve()
        self.version(project, "A")
        self.assertExit(self.deploy(project, job=job(10)), 0)
        self.version(project, "B")
        step, go = self.paused(project, job=job(11))
        last = self.deploy(self.version(project, "A"), job=job(12))
        self.assertExit(last, 0)
        self.assertOutputs(last, deployed="false", image_built="reused")
        go()
        mark = self.mark()
        self.superseded(self.finish(step))
        self.assertNotIn("UpdateFunctionCode", cloud.operations(self.since(mark)))
        self.serves("A")
        self.assertTrue(self.tag("claim").startswith("12."), self.tag("claim"))

    def test_old_run_that_is_run_again(self):
        project, _ = self.serve()
        self.assertExit(self.deploy(self.version(project, "A"), job=job(10)), 0)
        self.assertExit(self.deploy(self.version(project, "B"), job=job(11)), 0)
        mark = self.mark()
        run = self.deploy(self.version(project, "A"), job=job(10, run_attempt=2))
        self.superseded(run)
        self.superseded(self.deploy(project, job=job(10, run_attempt=3), command="plan"))
        self.assertUntouched(mark)
        self.serves("B")

    def test_allow_older(self):
        project, _ = self.serve()
        self.assertExit(self.deploy(self.version(project, "A"), job=job(10)), 0)
        self.assertExit(self.deploy(self.version(project, "B"), job=job(11)), 0)
        run = self.deploy(self.version(project, "A"), job=job(10, run_attempt=2), allow_older="true")
        self.assertExit(run, 0)
        self.assertOutputs(run, deployed="true")
        self.serves("A")

    def test_another_workflow_counts_for_itself(self):
        project, _ = self.serve()
        self.assertExit(self.deploy(self.version(project, "A"), job=job(10)), 0)
        run = self.deploy(self.version(project, "B"), job=job(3, workflow="Hotfix"))
        self.assertExit(run, 0)
        self.serves("B")

    def test_record_false(self):
        """Nothing is written; a newer run's claim counts all the same."""
        project, _ = self.serve()
        self.assertExit(self.deploy(self.version(project, "A"), job=job(10), record="false"), 0)
        self.assertIsNone(self.tag("claim"))
        self.assertIsNone(self.tag("verified"))
        self.assertNotIn("TagResource", cloud.operations(self.requests()))
        self.assertExit(self.deploy(self.version(project, "B"), job=job(12)), 0)
        self.superseded(self.deploy(self.version(project, "A"), job=job(11), record="false"))

    def test_what_was_verified(self):
        project, _ = self.serve("live")
        self.assertExit(self.deploy(self.version(project, "A"), job=job(10)), 0)
        self.assertExit(self.deploy(self.version(project, "B"), job=job(11)), 0)
        project.behave(version="bad", health="500").commit("Break it")
        self.assertExit(self.deploy(project, job=job(12)), 1)
        self.assertEqual(self.tag("verified:live"), "3/11 2/10")
        self.assertEqual(len(self.times()), 2, "a deployment that failed tells no time")

    def times(self):
        """Total, base image, application image, change, verification of each deployment, in tenths of a second."""
        return [[int(part) for part in entry.split("/")] for entry in self.tag("times").split(" ")]

    def test_how_long_it_took(self):
        self.base_name = self.name + "-base"  # it is to be built, which takes time
        project, _ = self.serve()
        self.assertExit(self.deploy(self.version(project, "A")), 0)
        (total, base, image, change, verify), = self.times()
        self.assertTrue(all(part > 0 for part in (base, image, change, verify)), self.times())
        self.assertGreaterEqual(total, base + image + change + verify - 4, "each is rounded")
        self.assertExit(self.deploy(project), 0)
        self.assertEqual(len(self.times()), 1, "a run with nothing to do tells no time")
        self.assertExit(self.deploy(self.version(project, "B")), 0)
        (_, base, image, _, _), older = self.times()
        self.assertEqual((base, image > 0), (0, True), "the base was there")
        self.assertEqual(older[0], total)

    def test_no_permission_to_tag(self):
        key = "AKID" + self.name[-6:].upper().rjust(16, "0")
        self.cloud.control("POST", "/keys", {"id": key, "secret": "of-nobody-else-000000000000000000",
                                             "policy": ALL_BUT_TAGS})
        self.secrets.add("of-nobody-else-000000000000000000")
        project, _ = self.serve()
        run = self.deploy(project, env={"AWS_ACCESS_KEY_ID": key,
                                        "AWS_SECRET_ACCESS_KEY": "of-nobody-else-000000000000000000"})
        self.assertExit(run, 0)
        told = [line for line in run.log.warnings if "TagResource" in line]
        self.assertEqual(len(told), 1, run.log.warnings)
        self.serves("1")


class Unremembered(FunctionCase):
    base_stands = True

    def test_deployed_but_not_remembered(self):
        """What serves is good: that it cannot be remembered undoes nothing."""
        project, _ = self.serve()
        self.cloud.fault("lambda", "TagResource", "status", 500, nth=2, times=-1, resource=self.name)
        run = self.deploy(project)
        self.assertExit(run, 0)
        self.assertOutputs(run, deployed="true")
        self.assertTrue(any("not remembered" in line for line in run.log.warnings), run.log.warnings)
        self.serves("1")


class Claims(FunctionCase):
    """A newer run comes in between."""

    base_stands = True

    def claim(self, number, key=None, **more):
        key = key or self.tag("claim").split(" ", 1)[1]
        tags = {"claim": f"{number}.1 {key}", **{name.replace("_", "-"): value for name, value in more.items()}}
        arn = self.configuration()["FunctionArn"]
        answer = self.cloud.call("lambda", "POST", f"/2017-03-31/tags/{arn.replace(':', '%3A')}",
                                 json.dumps({"Tags": {f"lambda-fastdeploy:{name}": tags[name] for name in tags}}).encode(),
                                 {"Content-Type": "application/json"})
        self.assertEqual(answer.status, 204, answer.text)


class Meanwhile(Claims):
    """A newer run claims the function while an older one's change is under way: what it changed is put back, exit 0."""

    def setUp(self):
        super().setUp()
        self.cloud.settings_of(self.name, update_ms=2500)

    def superseded_during(self, operation, **inputs):
        project, seeded = self.serve(memory=256)
        mark = self.mark()
        step = self.started(project, **inputs)
        self.until(lambda: operation in cloud.operations(self.since(mark)), operation)
        self.claim(999)
        run = self.finish(step)
        self.assertExit(run, 0)
        self.assertOutputs(run, deployed="false")
        self.assertRegex(run.summary, "(?i)superseded")
        self.assertEqual(run.log.errors, [])
        self.assertEqual((self.cloud.digest_of(self.name), self.configuration()["MemorySize"]), (seeded, 256))
        self.serves("0")
        return run

    def test_claimed_during_the_update(self):
        run = self.superseded_during("UpdateFunctionCode")
        self.assertIn("again", run.summary)

    def test_claimed_during_the_configuration(self):
        run = self.superseded_during("UpdateFunctionConfiguration", memory_size="512")
        self.assertIn("configuration is as it was", run.summary)
        self.assertNotIn("UpdateFunctionCode", cloud.operations(cloud.changes(self.requests())))

    def test_claimed_for_the_same_image(self):
        """The newer run has found the function as it wants it, while our update was under way: to put the old image back would undo that."""
        project, seeded = self.serve()
        project.behave(version="1").commit("Change it")
        step = self.started(project)
        self.until(lambda: self.cloud.digest_of(self.name) != seeded, "the update")
        self.claim(999, claim_image=f"999 {self.cloud.digest_of(self.name)}")
        run = self.finish(step)
        self.assertExit(run, 0)
        self.assertOutputs(run, deployed="false")
        self.assertRegex(run.summary, "(?i)superseded")
        self.assertNotEqual(self.cloud.digest_of(self.name), seeded)
        self.serves("1")


class NewerWork(Claims):
    """A newer run has changed the function or its alias while an older one publishes, moves or verifies: its work stays, exit 0."""

    def superseded(self, run):
        self.assertExit(run, 0)
        self.assertOutputs(run, deployed="false")
        self.assertRegex(run.summary, "(?i)superseded")
        self.assertIn("run 999 of the same workflow", run.summary)
        self.assertEqual(run.log.errors, [])

    def is_delayed(self, operation):
        """A request that is not answered yet does not tell whose it is; the fault that was ordered for it does."""
        return not any(fault["operation"] == operation and fault["resource"] == self.name for fault in self.cloud.control("GET", "/faults"))

    def give(self, image):
        self.until(lambda: self.cloud.update_code(self.name, image).status == 200, "the right to change it")

    def during_verification(self, version="1", image=None, **inputs):
        project, _ = self.serve()
        image = self.others_image("newer")
        project.behave(version=version, health="500").commit("Break it")
        mark = self.mark()
        step = self.started(project, cold_start_wait="8", **inputs)
        self.until(lambda: self.is_being_verified(mark), "our change")
        self.claim(999)
        self.give(image)
        self.superseded(self.finish(step))
        self.assertEqual(self.cloud.digest_of(self.name), image.split("@")[1])
        self.serves("newer")

    def test_function_changed_during_our_verification(self):
        """What answers well is the newer run's: this run has deployed nothing."""
        self.during_verification()

    def test_function_changed_during_our_verification_which_fails(self):
        self.during_verification(health_expect="never said")

    def test_function_changed_before_we_publish(self):
        project, _ = self.serve("live")
        image = self.others_image("newer")
        self.cloud.fault("lambda", "PublishVersion", "delay", 3000, resource=self.name)
        step = self.started(project)
        self.until(lambda: self.is_delayed("PublishVersion"), "the request to publish")
        self.claim(999)
        self.give(image)
        self.superseded(self.finish(step))
        self.assertEqual((self.alias_target(), self.cloud.digest_of(self.name)), ("1", image.split("@")[1]))

    def test_alias_moved_before_ours(self):
        project, _ = self.serve("live")
        deployed = self.deploy(project)
        self.assertExit(deployed, 0)
        self.cloud.settings_of(self.name, publish_ms=3000)
        project.behave(version="2").commit("Answer better")
        mark = self.mark()
        step = self.started(project)
        self.until(lambda: "PublishVersion" in cloud.operations(self.since(mark)), "our version")
        self.claim(999)
        self.cloud.change_function(self.name, alias="live", version="1")
        self.superseded(self.finish(step))
        self.assertEqual((self.alias_target(), self.cloud.digest_of(self.name)),
                         ("1", deployed.outputs["image-digest"]))

    def test_alias_moved_after_ours(self):
        project, seeded = self.serve("live")
        project.behave(version="bad").commit("Break it")
        step = self.started(project, cold_start_wait="3", checks="GET /items/7 -> 200", refresh_invocations="20",
                            refresh_interval="0.2")
        self.until(lambda: self.alias_target() == "2", "our alias")
        self.claim(999)
        self.cloud.change_function(self.name, alias="live", version="1")
        self.superseded(self.finish(step))
        self.assertEqual((self.alias_target(), self.cloud.digest_of(self.name)), ("1", seeded))

    def test_created_and_claimed_by_a_newer_run(self):
        """What was created has passed verification, and stays: the newer run goes on from there."""
        other, _ = self.serve()
        self.assertExit(self.deploy(other), 0)
        key = self.tag("claim").split(" ", 1)[1]
        self.again()
        project = self.project(first_ms="4000")
        mark = self.mark()
        step = self.started(project, create_with_role=cloud.FUNCTION_ROLE, cold_start_wait="10")
        self.until(lambda: self.is_being_verified(mark), "our function")
        self.claim(999, key)
        run = self.finish(step)
        self.superseded(run)
        self.assertEqual(run.log.warnings, [])
        self.serves("1")
