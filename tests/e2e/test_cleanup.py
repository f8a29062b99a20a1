"""/cleanup, the program's second name: the post step behind every run, which puts in order what a killed one has left."""

import os
import pathlib
import signal
import tempfile
import time

from . import case, cloud, runner


class CleanupCase(case.Case):
    base_stands = True

    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory(prefix="shared-", dir=runner.TEMPORARY)
        self.addCleanup(folder.cleanup)
        self.shared = pathlib.Path(folder.name)  # /github/runner_temp is the same for both steps
        self.second_name = self.folder / "cleanup"
        self.second_name.symlink_to(case.Options.binary)

    def sharing(self, step):
        binds = step.binds
        step.binds = lambda: {**binds(), "/github/runner_temp": str(self.shared)}
        return step

    def cleanup(self, project, state, env_more=None, **more):
        """The post step: the same inputs, and what the step before it wrote to GITHUB_STATE."""
        env = {**{f"STATE_{name}": value for name, value in state.items()}, **(env_more or {})}
        step = self.sharing(self.step(project, env=env, **more))
        step.binary = str(self.second_name)
        run = step.run()
        self.runs.append(run)
        self.assertNoSecret(run)
        self.assertErrorsHaveHelp(run)
        self.assertEqual(run.problems, [])
        return run

    def until_said(self, step, said):
        end = time.monotonic() + 60
        while not any(said in line.text for line in list(step.capture.lines)):
            self.assertLess(time.monotonic(), end, f"the run never said {said!r}")
            self.assertIsNone(step.process.poll(), step.capture.lines)
            time.sleep(0.02)

    def killed(self, project, said, **more):
        """A run that is killed once its log holds `said`, with time for nothing more. Gives what it wrote to GITHUB_STATE."""
        step = self.sharing(self.step(project, **more)).start()
        self.until_said(step, said)
        step.signal(signal.SIGKILL)
        run = step.finish()
        self.runs.append(run)
        return run.state


class Killed(CleanupCase):
    def unanswering(self):
        """A function that serves version 0, and a commit whose health check takes long enough to be killed in it."""
        project = self.project(version="1")
        digest = self.seed(project)
        project.behave(version="1", health="503").commit("Break it")
        return project, digest

    def test_function_and_folder_are_put_in_order(self):
        project, digest = self.unanswering()
        state = self.killed(project, "the function runs", inputs=self.inputs(cold_start_wait="60"))
        self.assertNotEqual(self.cloud.digest_of(self.name), digest, "it was killed too early")
        self.assertTrue(any(self.shared.iterdir()), "the run had a private folder")
        mark = self.mark()
        run = self.cleanup(project, state)
        self.assertExit(run, 0)
        self.assertVersion("0")
        self.assertEqual(self.cloud.digest_of(self.name), digest)
        self.assertEqual(list(self.shared.iterdir()), [])
        self.assertEqual(cloud.operations(cloud.changes(self.since(mark))), ["UpdateFunctionCode"])
        again = self.cleanup(project, state)
        self.assertExit(again, 0)
        self.assertEqual(cloud.operations(cloud.changes(self.since(mark))), ["UpdateFunctionCode"])

    def test_alias_is_put_back(self):
        project = self.project(version="1")
        self.seed(project, alias="live")
        inputs = self.inputs(alias="live", health_url=cloud.url_of(self.name, "live"), health_payload="{}")
        before = self.cloud.digest_of(self.name, "live")
        state = self.killed(project, "the alias live serves version", inputs=inputs)
        self.assertNotEqual(self.cloud.digest_of(self.name, "live"), before)
        run = self.cleanup(project, state, inputs=inputs)
        self.assertExit(run, 0)
        self.assertEqual(self.cloud.digest_of(self.name, "live"), before)

    def test_each_error_of_a_way_back_that_fails_is_told(self):
        project = self.project(version="1")
        self.seed(project, alias="live")
        inputs = self.inputs(alias="live", health_url=cloud.url_of(self.name, "live"), health_payload="{}")
        state = self.killed(project, "the alias live serves version", inputs=inputs)
        for operation in ("UpdateAlias", "UpdateFunctionCode"):
            self.cloud.fault("lambda", operation, "status", {"status": 400, "code": "InvalidParameterValueException", "message": "no"},
                             times=-1, resource=self.name)
        run = self.cleanup(project, state, inputs=inputs)
        self.cloud.forget_faults(resource=self.name)
        self.assertExit(run, 3)
        self.assertEqual(len(run.log.errors), 2, run.log.errors)
        for error in run.log.errors:
            self.assertIn("#not-put-back)", error)
        for command in ("update-alias", "update-function-code"):
            self.assertIn(f"aws lambda {command}", run.text)

    def test_somebody_elses_later_work_is_left_alone(self):
        project, _ = self.unanswering()
        state = self.killed(project, "the function runs", inputs=self.inputs(cold_start_wait="60"))
        image = self.others_image("7", project)
        self.cloud.change_function(self.name, image=image)
        run = self.cleanup(project, state)
        self.assertExit(run, 3)
        self.assertIn("left alone", run.log.errors[0])
        self.assertEqual(self.cloud.digest_of(self.name), image.split("@")[1])


    def test_without_credentials_it_says_so(self):
        project, digest = self.unanswering()
        state = self.killed(project, "the function runs", inputs=self.inputs(cold_start_wait="60"))
        run = self.cleanup(project, state, keys=False, env_more={"AWS_REGION": cloud.REGION, "AWS_EC2_METADATA_DISABLED": "true"})
        self.assertExit(run, 3)
        self.assertIn("credentials", run.log.errors[0])
        self.assertIn(f"aws lambda update-function-code --region {cloud.REGION} --function-name {self.name}", run.text)
        self.assertIn(digest, run.text)

    def test_a_configuration_that_was_begun_needs_a_person(self):
        project = self.project()
        self.seed(project)
        run = self.cleanup(project, {"configuration": "changed"})
        self.assertExit(run, 3)
        self.assertEqual(len(run.log.errors), 1, run.log.errors)
        self.assertIn("not known any more", run.log.errors[0])
        self.assertIn("#cancelled)", run.log.errors[0])
        self.assertIn("aws lambda get-function-configuration", run.text)

    def test_way_back_that_broke_off_is_gone_to_its_end(self):
        """No connection for longer than the run could wait: what it could not put back, the post step does."""
        project, digest = self.unanswering()
        step = self.sharing(self.step(project, inputs=self.inputs(cold_start_wait="60"))).start()
        self.until_said(step, "the function runs")
        self.cloud.fault("lambda", "GetFunction", "reset-before", times=-1, resource=self.name)
        step.signal(signal.SIGINT)
        run = step.finish()
        self.runs.append(run)
        self.assertExit(run, 3)
        self.assertNotIn("ended", run.state)
        self.cloud.forget_faults(resource=self.name)
        self.assertExit(self.cleanup(project, run.state), 0)
        self.assertEqual(self.cloud.digest_of(self.name), digest)
        self.assertVersion("0")


class Usual(CleanupCase):
    def refused(self, operation, nth=1, **inputs):
        """Lambda takes nothing of it: the function is as it was, and the post step has nothing to do."""
        project = self.project()
        self.seed(project)
        project.behave(version="2").commit("Answer differently")
        self.cloud.fault("lambda", operation, "status", {"status": 400, "code": "InvalidParameterValueException", "message": "no"},
                         nth=nth, resource=self.name)
        run = self.run_step(project, inputs=self.inputs(**inputs))
        self.assertExit(run, 1)
        self.assertEqual(run.state["ended"], "yes")
        mark = self.mark()
        self.assertExit(self.cleanup(project, run.state), 0)
        self.assertEqual(self.since(mark), [])

    def test_after_a_configuration_that_lambda_refused(self):
        self.refused("UpdateFunctionConfiguration", memory_size="4096")

    def test_after_an_image_that_lambda_refused(self):
        self.refused("UpdateFunctionCode", nth=2)  # the first one is the dry run

    def test_after_a_run_that_ended_nothing_is_asked_and_nothing_deployed(self):
        project = self.project()
        self.seed(project)
        run = self.run_step(project)
        self.assertExit(run, 0)
        self.assertEqual(run.state["ended"], "yes")
        project.behave(version="2").commit("Answer differently")
        mark = self.mark()
        cleaned = self.cleanup(project, run.state, inputs=self.inputs(command="deploy"))
        self.assertExit(cleaned, 0)
        self.assertEqual(self.since(mark), [])
        self.assertEqual(cleaned.summary, "")
        self.assertVersion("1")

    def test_folders_of_others_stay(self):
        """A variable that anybody can set leads to no other folder."""
        (self.shared / "tmp-mine").mkdir()
        other = self.folder / "tmp-other"
        other.mkdir()
        os.symlink(other, self.shared / "tmp-link")
        for place in (str(other), "/github/runner_temp/../tmp", "/github/runner_temp/tmp-link", "/github/workspace"):
            self.assertExit(self.cleanup(self.folder, {"temp-folder": place}), 0)
        self.assertTrue(other.is_dir())
        self.assertTrue((self.shared / "tmp-link").is_symlink())
        self.assertExit(self.cleanup(self.folder, {"temp-folder": "/github/runner_temp/tmp-mine"}), 0)
        self.assertFalse((self.shared / "tmp-mine").exists())
