"""The main road: from a commit to a function that answers, five times in a row, and what else must hold on the way."""

import json

from . import case, cloud, events, runner
from .images import builds

UPDATES = {"CreateFunction", "UpdateFunctionCode", "UpdateFunctionConfiguration", "PublishVersion"}


class FiveRuns(case.Case):
    caches = True

    def test_five_runs(self):
        project = self.project()
        first = self.first_deployment(project)
        self.nothing_to_do(project, first)
        second = self.code_change(project, first)
        third = self.base_change(project, second)
        self.broken_version(project, third)

    def first_deployment(self, project):
        run = self.run_step(project)
        self.assertExit(run, 0)
        self.assertOutputs(run, deployed="true", rolled_back="false", base_status="built", image_built="built",
                           health="ok")
        self.assertVersion("1")
        self.assertEqual(len(builds(run)), 2, "one build of the base, one of the application")
        self.check_images(project, run)
        self.assertEqual(run.log.errors, [])
        return run

    def check_images(self, project, run):
        """What the outputs say is what is there."""
        out = run.outputs
        tags, base_tags = self.cloud.tags(self.name), self.cloud.tags(self.base_name)
        self.assertEqual(out["image-digest"], self.cloud.digest_of(self.name))
        self.assertEqual(out["image-uri"], f"{cloud.REGISTRY}/{self.name}@{out['image-digest']}")
        self.assertEqual(out["image-tag"], project.commit_id)
        self.assertEqual(tags[project.commit_id], out["image-digest"])
        self.assertEqual({tag[:4]: digest for tag, digest in tags.items() if tag.startswith("src-")},
                         {"src-": out["image-digest"]})
        self.assertEqual(base_tags["3.12"], out["base-image-digest"])
        identity = [tag for tag in base_tags if tag.startswith("3.12-")]
        self.assertEqual(len(identity), 1)
        self.assertRegex(identity[0], r"^3\.12-[0-9a-f]{16}$")
        self.assertEqual(base_tags[identity[0]], out["base-image-digest"])
        self.assertEqual(out["function-arn"],
                         f"arn:aws:lambda:{cloud.REGION}:{cloud.ACCOUNT}:function:{self.name}")
        manifest = self.cloud.manifest(self.name, out["image-digest"])
        self.assertNotIn("manifests", manifest, "an image index")
        base_layers = [layer["digest"] for layer in self.cloud.manifest(self.base_name, "3.12")["layers"]]
        layers = [layer["digest"] for layer in manifest["layers"]]
        self.assertEqual(layers[:len(base_layers)], base_layers, "the application stands on that base")

    def nothing_to_do(self, project, before):
        mark = self.mark()
        run = self.run_step(project)
        self.assertExit(run, 0)
        self.assertOutputs(run, deployed="false", rolled_back="false", base_status="found", image_built="reused",
                           image_digest=before.outputs["image-digest"],
                           base_image_digest=before.outputs["base-image-digest"])
        self.assertEqual(run.called("buildx"), [], "no buildx process")
        self.assertFalse([argv for argv in run.processes if "buildx" in argv[0]])
        made = cloud.operations(self.since(mark))
        self.assertFalse(UPDATES.intersection(made), made)
        self.assertUntouchedBut(mark, "TagResource")  # the claim
        self.assertVersion("1")

    def assertUntouchedBut(self, mark, *allowed):
        made = cloud.operations(cloud.changes(self.since(mark)))
        self.assertEqual([operation for operation in made if operation not in allowed], [])

    def code_change(self, project, before):
        project.behave(version="2").commit("Answer differently")
        mark = self.mark()
        run = self.run_step(project)
        self.assertExit(run, 0)
        self.assertOutputs(run, deployed="true", base_status="found", image_built="built", health="ok",
                           base_image_digest=before.outputs["base-image-digest"],
                           previous_image_digest=before.outputs["image-digest"])
        self.assertNotEqual(run.outputs["image-digest"], before.outputs["image-digest"])
        self.assertEqual(len(builds(run)), 1, "only the application is built")
        self.assertEqual(cloud.operations(self.since(mark)).count("UpdateFunctionCode"), 1)
        self.assertNotIn("UpdateFunctionConfiguration", cloud.operations(self.since(mark)))
        self.assertVersion("2")
        return run

    def base_change(self, project, before):
        project.write("base/packages.txt", "poppler\ncairo\nmesa\n").commit("Add mesa to the base")
        run = self.run_step(project)
        self.assertExit(run, 0)
        self.assertOutputs(run, deployed="true", base_status="built", image_built="built", health="ok")
        self.assertNotEqual(run.outputs["base-image-digest"], before.outputs["base-image-digest"])
        self.assertTrue(run.outputs["base-reason"])
        self.assertEqual(len(builds(run)), 2)
        self.assertEqual(self.cloud.tags(self.base_name)["3.12"], run.outputs["base-image-digest"])
        self.assertVersion("2")
        return run

    def broken_version(self, project, before):
        project.behave(version="3", health="500", health_text="broken").commit("Break it")
        run = self.run_step(project)
        self.assertExit(run, 1)
        self.assertOutputs(run, deployed="false", rolled_back="true", base_status="found", image_built="built",
                           health="failed", previous_image_digest=before.outputs["image-digest"])
        self.assertError(run, "500")
        self.assertEqual(self.cloud.digest_of(self.name), before.outputs["image-digest"])
        self.assertVersion("2")


class OnTheRoad(case.Case):
    def test_function_that_exists_gets_the_new_image(self):
        project = self.project()
        seeded = self.seed(project)
        self.assertVersion("0")
        run = self.run_step(project, inputs=self.inputs(create_with_role=None))
        self.assertExit(run, 0)
        self.assertOutputs(run, deployed="true", previous_image_digest=seeded, image_built="built")
        self.assertNotIn("CreateFunction", cloud.operations(self.requests()))
        self.assertVersion("1")

    def test_missing_function_without_a_role_is_an_error_before_anything_is_made(self):
        run = self.run_step(self.project(), inputs=self.inputs(create_with_role=None))
        self.assertIn(run.exit_code, (1, 2))
        self.assertError(run, self.name, "create-with-role")
        self.assertUntouched()
        self.assertEqual(run.called("buildx"), [])

    def test_failed_health_puts_a_function_that_exists_back(self):
        project = self.project(health="503")
        seeded = self.seed(project)
        run = self.run_step(project)
        self.assertExit(run, 1)
        self.assertOutputs(run, deployed="false", rolled_back="true", health="failed")
        self.assertEqual(self.cloud.digest_of(self.name), seeded)
        self.assertVersion("0")

    def test_function_that_cannot_start_is_rolled_back(self):
        project = self.project(start="exit")
        self.seed(project)
        run = self.run_step(project)
        self.assertExit(run, 1)
        self.assertOutputs(run, rolled_back="true")
        self.assertVersion("0")

    def test_another_commit_than_the_events_is_checked_out(self):
        """As after `ref:` of a checkout, or in a workflow_run: what is deployed bears its own name."""
        project = self.project()
        run = self.run_step(project, events.push(sha="3" * 40))
        self.assertExit(run, 0)
        self.assertOutputs(run, image_tag=project.commit_id)
        self.assertIn(f"the commit {project.commit_id} is checked out, not the event's ({'3' * 40})", run.text)

    def test_on_failure_keep(self):
        project = self.project(health="500")
        seeded = self.seed(project)
        run = self.run_step(project, inputs=self.inputs(on_failure="keep"))
        self.assertExit(run, 1)
        self.assertOutputs(run, deployed="true", rolled_back="false", health="failed")
        self.assertNotEqual(self.cloud.digest_of(self.name), seeded)
        self.assertEqual(self.cloud.digest_of(self.name), run.outputs["image-digest"])
        self.assertTrue(any("on-failure is keep" in text for text in run.log.warnings), run.log.warnings)
        self.assertIn("The function serves the new version, because on-failure is keep.", run.summary)

    def test_slow_first_answer_is_awaited(self):
        run = self.run_step(self.project(first_ms=1500), inputs=self.inputs(cold_start_wait="8"))
        self.assertExit(run, 0)
        self.assertVersion("1")

    def test_no_base_dockerfile(self):
        project = self.project()
        project.remove("Dockerfile.lambda.base").replace("Dockerfile.lambda", "${BASE_IMAGE}", "scratch")
        project.commit("Do without a base")
        run = self.run_step(project)
        self.assertExit(run, 0)
        self.assertOutputs(run, deployed="true", base_status="none")
        self.assertEqual(self.cloud.tags(self.base_name), {})
        self.assertVersion("1")

    def test_base_by_its_registry_name(self):
        """A Dockerfile that names the base as the hand-written workflow did is pinned without a change."""
        project = self.project()
        project.replace("Dockerfile.lambda", "ARG BASE_IMAGE=base\n", "")
        project.replace("Dockerfile.lambda", "${BASE_IMAGE}", f"{cloud.REGISTRY}/{self.base_name}:3.12")
        project.commit("Name the base")
        run = self.run_step(project)
        self.assertExit(run, 0)
        layers = [layer["digest"] for layer in self.cloud.manifest(self.name, run.outputs["image-digest"])["layers"]]
        base = self.cloud.manifest(self.base_name, run.outputs["base-image-digest"])["layers"]
        self.assertEqual(layers[0], base[0]["digest"])
        self.assertVersion("1")

    def test_failing_build(self):
        project = self.project()
        project.replace("Dockerfile.lambda", "COPY app/", "COPY missing/").commit("Copy what is not there")
        seeded = self.seed(self.fixed(project))
        run = self.run_step(project)
        self.assertExit(run, 1)
        self.assertError(run, "missing")
        self.assertOutputs(run, deployed="false")
        self.assertEqual(self.cloud.digest_of(self.name), seeded)
        self.assertNotIn("UpdateFunctionCode", cloud.operations(self.requests()))

    def fixed(self, project):
        class Fixed:  # only what seed() reads
            @staticmethod
            def read(name):
                return project.read(name).replace("missing/", "app/")
        return Fixed

    def test_command_base(self):
        run = self.run_step(self.project(), inputs=self.inputs(command="base"))
        self.assertExit(run, 0)
        self.assertOutputs(run, base_status="built")
        self.assertEqual(list(self.cloud.tags(self.name)), [])
        self.assertIsNone(self.cloud.function(self.name))
        self.assertIn("3.12", self.cloud.tags(self.base_name))

    def test_plan_changes_nothing(self):
        project = self.project()
        for inputs in (self.inputs(command="plan"), self.inputs(dry_run="true")):
            run = self.run_step(project, inputs=inputs)
            self.assertExit(run, 0)
            self.assertOutputs(run, deployed="false")
            self.assertUntouched()
            self.assertEqual(builds(run), [])

    def test_command_line(self):
        """The same program outside of GitHub: flags beat the environment, no workflow command is said."""
        project = self.project()
        flags = [part for name, value in self.inputs().items() for part in (f"--{name}", value)]
        run = self.run_shell(project, "deploy", *flags, env={**case.KEYS, "INPUT_FUNCTION-NAME": "another"})
        self.assertExit(run, 0)
        self.assertNotRegex(run.text, r"(?m)^\s*::|##\[")
        self.assertVersion("1")
        self.assertIn(project.commit_id, self.cloud.tags(self.name))

    def test_result_and_timings_are_json(self):
        run = self.run_step(self.project())
        self.assertExit(run, 0)
        timings, result = json.loads(run.outputs["timings"]), json.loads(run.outputs["result"])
        self.assertIsInstance(result, dict)
        self.assertGreater(timings["total_ms"], 0)
        self.assertTrue(timings["spans"])
        self.assertLessEqual(abs(timings["total_ms"] / 1000 - run.wall_s), 0.5 + run.wall_s / 4)
        self.assertRegex(run.outputs["duration-seconds"], r"^\d+(\.\d+)?$")

    def test_summary_and_log(self):
        run = self.run_step(self.project())
        self.assertExit(run, 0)
        for text in (self.name, run.outputs["image-digest"].split(":")[1][:7], "built"):
            self.assertIn(text, run.summary)
        self.assertGreaterEqual(len(run.log.groups), 4, "a group a stage")
        self.assertEqual(run.log.errors, [])

    def test_static_keys_are_masked(self):
        project = self.project()
        keys = self.inputs(aws_access_key_id=cloud.KEY, aws_secret_access_key=cloud.SECRET,
                           aws_region=cloud.REGION, command="plan")
        run = self.run_step(project, inputs=keys, keys=False)
        self.assertExit(run, 0)
        self.assertIn(cloud.SECRET, run.log.masks)

    def test_rerun_of_a_run(self):
        project = self.project()
        job = runner.Job(run_number=300)
        self.assertExit(self.run_step(project, job=job), 0)
        run = self.run_step(project, job=runner.Job(run_number=300, run_attempt=2))
        self.assertExit(run, 0)
        self.assertOutputs(run, base_status="found", image_built="reused", deployed="false")

    def test_another_event_for_the_same_commit(self):
        """A dispatch for what a push has deployed already finds nothing to do."""
        project = self.project()
        self.assertExit(self.run_step(project), 0)
        run = self.run_step(project, events.workflow_dispatch(sha=project.commit_id))
        self.assertExit(run, 0)
        self.assertOutputs(run, image_built="reused", deployed="false")
