"""The command rollback: back through what passed verification, and nowhere else."""

from . import case, cloud
from .serving import Client, FunctionCase


class Rollback(FunctionCase):
    base_stands = True

    def three_versions(self, alias=None):
        """Versions 1, 2 and 3, each verified, and a bad one in between."""
        project, seeded = self.serve(alias)
        runs = []
        for version in ("1", "2", "bad", "3"):
            project.behave(version=version, **({"health": "500"} if version == "bad" else {})).commit(version)
            run = self.deploy(project)
            self.assertExit(run, 1 if version == "bad" else 0)
            runs.append(run)
        return project, seeded, runs

    def back(self, project):
        return self.deploy(project, command="rollback")

    def twice(self, alias):
        project, _, runs = self.three_versions(alias)
        for version in ("2", "1"):
            run = self.back(project)
            self.assertExit(run, 0)
            self.assertOutputs(run, rolled_back="true")
            self.assertEqual("the configuration stays as it is" in run.text, alias is None)
            self.serves(version)
        mark = self.mark()
        run = self.back(project)
        self.assertExit(run, 1)
        self.assertError(run, "nothing to roll")
        self.assertNotIn("UpdateFunctionCode", cloud.operations(self.since(mark)))
        self.serves("1")
        self.again_forward(project)
        self.not_to_what_is_gone(project, runs[0].outputs["image-digest"])

    def not_to_what_is_gone(self, project, digest):
        self.cloud.ecr("BatchDeleteImage", repositoryName=self.name, imageIds=[{"imageDigest": digest}])
        mark = self.mark()
        run = self.back(project)
        self.assertExit(run, 1)
        self.assertError(run, "gone")
        self.assertUntouched(mark)
        self.serves("4")

    def again_forward(self, project):
        project.behave(version="4").commit("Forward")
        self.assertExit(self.deploy(project), 0)
        self.serves("4")

    def test_kept_though_it_does_not_answer(self):
        """It serves, and is said to, but it is not this commit."""
        project, _, _ = self.three_versions()
        run = self.deploy(project, command="rollback", on_failure="keep", health_expect="what nobody says")
        self.assertExit(run, 1)
        self.assertOutputs(run, deployed="false", health="failed")
        self.assertTrue(any("on-failure is keep" in text for text in run.log.warnings), run.log.warnings)
        self.serves("2")

    def test_twice(self):
        self.twice(None)

    @case.slow
    def test_twice_alias(self):
        self.twice("live")

    def test_to_a_version_that_was_idle_for_weeks(self):
        """It is awake before its users come: none of them meets an error."""
        project, _ = self.serve("live")
        for version in ("1", "2"):
            project.behave(version=version).commit(version)
            self.assertExit(self.deploy(project), 0)
        self.cloud.settings_of(self.name, wake_ms=2500)
        self.cloud.change_function(self.name, state="Inactive", version="2")
        with Client(cloud.url_of(self.name, self.alias)) as client:
            run = self.back(project)
            client.wait_for(len(client.answers) + 20)
        self.assertExit(run, 0)
        self.assertIn("waking it", run.text)
        self.assertEqual([answer for answer in client.answers if answer[0] != 200], [])
        self.serves("1")
