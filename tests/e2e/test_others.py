"""Other people change the function while we work: their work is kept, and said."""

import json
import shlex

from . import case, cloud
from .serving import FunctionCase

EXPECTS_2 = 'GET /items/42 -> 200 "\\"version\\":\\"2\\""'


class Others(FunctionCase):
    base_stands = True

    def change_code(self, image):
        """As another person would, by the API; until it serves."""
        self.until(lambda: self.cloud.update_code(self.name, image).status == 200, "the right to change it")
        self.until(lambda: self.configuration().get("LastUpdateStatus") == "Successful", "the other's update")

    # Before we come: an earlier run was ended when it had updated the function, or a person updates it to the same image.

    def bad_image_under_way(self):
        """Lambda tells the new image at once, and the old one answers until the update has ended."""
        project, _ = self.serve()
        good = self.deploy(project)
        self.assertExit(good, 0)
        project.behave(version="bad", health="500").commit("Break it")
        self.assertExit(self.deploy(project), 1)
        images = {digest for tag, digest in self.cloud.tags(self.name).items() if tag.startswith("src-")}
        (bad,) = images - {good.outputs["image-digest"]}
        in_progress_ms = 9000 if case.Options.wrap else 3000  # we must come before it ends
        self.cloud.change_function(self.name, image=f"{self.name}@{bad}", in_progress_ms=in_progress_ms)
        self.serves("1")
        return project

    def test_update_to_our_image_that_is_under_way(self):
        project = self.bad_image_under_way()
        run = self.deploy(project)
        self.assertExit(run, 1)
        self.assertIn("an update of the function is under way", run.text)
        self.assertOutputs(run, deployed="false", rolled_back="true")
        self.serves("1")

    def test_rollback_while_an_update_is_under_way(self):
        project = self.bad_image_under_way()
        run = self.deploy(project, command="rollback")
        self.assertExit(run, 0)
        self.serves("1")

    # During our build: what they did is what we go back to.

    def test_code_changed_during_our_build(self):
        project, _ = self.serve()
        image = self.others_image()
        project.behave(version="bad", health="500").commit("Break it")
        step, go = self.paused(project)
        self.change_code(image)
        go()
        run = self.finish(step)
        self.assertPutBack(run, image.split("@")[1], "other")
        self.assertTrue(any("somebody else has deployed" in line for line in run.log.warnings), run.log.warnings)

    def test_code_changed_during_our_good_build(self):
        project, _ = self.serve()
        image = self.others_image()
        step, go = self.paused(project)
        self.change_code(image)
        go()
        run = self.finish(step)
        self.assertExit(run, 0)
        self.assertOutputs(run, deployed="true", previous_image_digest=image.split("@")[1])
        self.serves("1")

    def test_configuration_changed_during_our_build(self):
        project, seeded = self.serve(memory=256)
        project.behave(version="bad", health="500").commit("Break it")
        step, go = self.paused(project, memory_size="512")
        self.cloud.change_function(self.name, configuration={"MemorySize": 384})
        go()
        run = self.finish(step)
        self.assertPutBack(run, seeded)
        self.assertEqual(self.configuration()["MemorySize"], 384)
        self.assertTrue(any("somebody else has configured" in line for line in run.log.warnings), run.log.warnings)

    def test_alias_moved_during_our_build(self):
        project, _ = self.serve("live")
        image = self.others_image()
        project.behave(version="bad").commit()
        step, go = self.paused(project, checks=EXPECTS_2)
        self.change_code(image)
        self.publish_and_move()
        go()
        run = self.finish(step)
        self.assertExit(run, 1)
        self.assertEqual(self.alias_target(), "2")
        self.serves("other")

    def publish_and_move(self):
        answer = self.cloud.call("lambda", "POST", f"/2015-03-31/functions/{self.name}/versions", b"{}",
                                 {"Content-Type": "application/json"})
        version = answer.json["Version"]
        self.until(lambda: self.cloud.function(self.name, version)["Configuration"]["State"] == "Active", "it")
        self.cloud.change_function(self.name, alias="live", version=version)

    def test_alias_moved_while_we_publish(self):
        """Ours is moved all the same, and the way back goes to theirs."""
        project, _ = self.serve("live")
        self.assertExit(self.deploy(project), 0)
        project.behave(version="bad").commit("Break it")
        mark = self.mark()
        step = self.started(project, checks="GET /items/7 -> 200", environment="FIXTURE_START_MS=3000")
        self.until(lambda: "PublishVersion" in cloud.operations(self.since(mark)), "our version")
        self.cloud.change_function(self.name, alias="live", version="1")
        run = self.finish(step)
        self.assertExit(run, 1)
        self.assertOutputs(run, rolled_back="true", previous_version="1")
        self.assertTrue(any("somebody else has moved the alias" in line for line in run.log.warnings),
                        run.log.warnings)
        self.assertEqual(self.alias_target(), "1")
        self.serves("0")

    # After our change: it is left alone.

    def left_alone(self, run, *words):
        self.assertExit(run, 3)
        self.assertOutputs(run, deployed="false", rolled_back="false")
        self.assertIn("somebody else", run.summary)
        for word in ("aws lambda", f"--function-name {self.name}", *words):
            self.assertIn(word, run.summary)
            self.assertIn(word, run.text)

    def test_code_changed_after_our_change(self):
        project, _ = self.serve()
        image = self.others_image()
        project.behave(version="bad", health="500").commit("Break it")
        mark = self.mark()
        step = self.started(project, cold_start_wait="8")
        self.until(lambda: self.is_being_verified(mark), "our change")
        self.change_code(image)
        # The health check asks the other's version by now, which is good; the warm-up, too: nothing fails.
        run = self.finish(step)
        self.assertExit(run, 0)
        self.serves("other")

    def test_code_changed_after_our_change_and_ours_is_bad(self):
        project, seeded = self.serve()
        image = self.others_image()
        project.behave(version="bad").commit("Break it")
        mark = self.mark()
        step = self.started(project, cold_start_wait="4", health_expect="never said")
        self.until(lambda: self.is_being_verified(mark), "our change")
        self.change_code(image)
        run = self.finish(step)
        self.left_alone(run, "update-function-code", seeded)
        self.assertEqual(self.cloud.digest_of(self.name), image.split("@")[1])

    def test_configuration_changed_after_our_change(self):
        project, seeded = self.serve(memory=256)
        project.behave(version="bad", health="500").commit("Break it")
        mark = self.mark()
        step = self.started(project, memory_size="512", cold_start_wait="4")
        self.until(lambda: self.is_being_verified(mark), "our change")
        self.cloud.change_function(self.name, configuration={"Timeout": 7})
        run = self.finish(step)
        self.left_alone(run, "update-function-code", seeded, "update-function-configuration", '"MemorySize":256')

    def test_command_for_a_configuration_with_an_apostrophe(self):
        """It can be pasted into a shell as it stands."""
        project, _ = self.serve(memory=256, configuration={"Description": "Bob's API"})
        project.behave(version="bad", health="500").commit("Break it")
        mark = self.mark()
        step = self.started(project, memory_size="512", description="Ours", cold_start_wait="4")
        self.until(lambda: self.is_being_verified(mark), "our change")
        self.cloud.change_function(self.name, configuration={"Timeout": 7})
        run = self.finish(step)
        self.assertExit(run, 3)
        command = next(line for line in run.text.splitlines() if "update-function-configuration" in line)
        words = shlex.split(command[command.index("aws "):])
        self.assertEqual(json.loads(words[words.index("--cli-input-json") + 1]),
                         {"FunctionName": self.name, "Description": "Bob's API", "MemorySize": 256})
        self.assertNotIn("--environment", run.text)
        self.assertEqual((self.configuration()["Timeout"], self.configuration()["MemorySize"]), (7, 512))

    def test_revision_that_moves_by_itself_is_ours(self):
        """A new RevisionId without anybody's work in it, as Lambda gives: the way back is taken."""
        project, seeded = self.serve()
        project.behave(version="bad", health="500").commit("Break it")
        mark = self.mark()
        step = self.started(project, cold_start_wait="4")
        self.until(lambda: self.is_being_verified(mark), "our change")
        self.cloud.change_function(self.name)
        self.assertPutBack(self.finish(step), seeded)

    def test_alias_moved_after_our_change(self):
        project, _ = self.serve("live")
        project.behave(version="bad").commit()
        step = self.started(project, cold_start_wait="4", checks="GET /items/7 -> 200", refresh_invocations="20",
                            refresh_interval="0.2")
        self.until(lambda: self.alias_target() == "2", "our alias")
        self.cloud.change_function(self.name, alias="live", version="1")
        self.cloud.change_function(self.name, alias="live", version="2")
        run = self.finish(step)
        self.left_alone(run, "update-alias", "--function-version 1")
        self.assertEqual(self.alias_target(), "2")


class Proved(FunctionCase):
    """Nothing is to be changed, and then the check fails: what runs was proved or deployed by a run that came to its end, so nothing is put in its place."""

    base_stands = True

    def deployed(self, project, version, **changes):
        project.behave(version=version).commit(version)
        run = self.deploy(project, **changes)
        self.assertExit(run, 0)
        return run.outputs["image-digest"]

    def left_alone(self, project, digest, version):
        mark = self.mark()
        run = self.deploy(project, checks="GET /health -> 299")
        self.assertExit(run, 1)
        self.assertOutputs(run, deployed="false", rolled_back="false")
        self.assertNotIn("UpdateFunctionCode", cloud.operations(self.since(mark)))
        self.assertEqual(self.cloud.digest_of(self.name), digest)
        self.serves(version)

    def test_an_image_that_a_person_put_back(self):
        project, _ = self.serve()
        first = self.deployed(project, "1")
        self.deployed(project, "2")
        self.cloud.change_function(self.name, image=f"{self.name}@{first}")
        project.behave(version="1").commit("Revert")
        self.left_alone(project, first, "1")

    def test_an_image_that_was_deployed_without_a_check(self):
        project, _ = self.serve()
        self.deployed(project, "1")
        second = self.deployed(project, "2", health_url=None)
        self.left_alone(project, second, "2")
