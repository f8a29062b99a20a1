"""The gate from end to end: a few cells of its table. The whole table is in the unit tests of model/gate."""

from . import case, cloud, events

CHECK = "GET /items/42 -> 200 \"found\""
BROKEN_CHECK = "GET /items/7 -> 200"
# Keys that would be refused: a run that is done without asking AWS does not notice.
NO_KEYS = {"AWS_ACCESS_KEY_ID": "AKIDNOBODYKNOWS00001", "AWS_SECRET_ACCESS_KEY": "not-a-key-of-anyone"}


class Gate(case.Case):
    base_stands = True

    def setUp(self):
        super().setUp()
        self.secrets.add(NO_KEYS["AWS_SECRET_ACCESS_KEY"])

    def storage(self, **more):
        return self.inputs(storage_checks=CHECK, **more)

    def nothing(self, event, **more):
        """Nothing to do, exit 0, said; AWS is not asked."""
        run = self.run_step(self.project(), event, env=NO_KEYS, inputs=self.storage(), **more)
        self.assertExit(run, 0)
        self.assertOutputs(run, deployed="false")
        self.assertEqual((self.requests(), run.log.errors), ([], []))
        self.assertRegex(run.text + run.summary, "(?i)nothing to do")
        return run

    def deploys(self, event, storage, project=None, **more):
        project = project or self.project()
        run = self.run_step(project, event(project.commit_id), inputs=more.pop("inputs", self.storage()), **more)
        self.assertExit(run, 0)
        self.assertOutputs(run, deployed="true", storage_tests=storage)
        self.assertTrue(run.outputs["storage-reason"])
        self.assertVersion("1")
        return run

    def plans(self, event):
        run = self.run_step(self.project(), event, inputs=self.storage())
        self.assertExit(run, 0)
        self.assertOutputs(run, deployed="false")
        self.assertUntouched()
        self.assertIsNone(self.cloud.function(self.name))
        return run

    def test_push(self):
        self.deploys(lambda sha: events.push("Greet", sha), "skipped")

    def test_push_with_the_marker_in_any_case(self):
        self.deploys(lambda sha: events.push("Greet\n\nplease [TEST-S3]", sha), "run")

    def test_push_of_a_tag(self):
        self.deploys(lambda sha: events.push_tag(sha=sha), "run")

    def test_release(self):
        self.deploys(lambda sha: events.release("published", sha=sha), "run")

    def test_release_edited(self):
        self.nothing(events.release("edited"))

    def test_workflow_dispatch(self):
        self.deploys(lambda sha: events.workflow_dispatch({"who": "[test-s3]"}, sha), "skipped")

    def test_schedule(self):
        self.deploys(lambda sha: events.schedule(sha), "skipped")

    def test_push_that_deletes(self):
        self.nothing(events.push_delete())

    def test_pull_request_of_the_repository(self):
        self.plans(events.pull_request(title="Greet [test-s3]"))

    def test_merge_group(self):
        self.plans(events.merge_group("Merge [test-s3]"))

    def test_pull_request_that_may_deploy(self):
        self.deploys(lambda sha: events.pull_request(head_sha=sha), "skipped",
                     inputs=self.storage(allow_pull_request="true"))

    def test_pull_request_from_a_fork(self):
        self.nothing(events.pull_request(fork=True))

    def test_pull_request_from_a_fork_without_secrets(self):
        """Inputs that come from secrets are empty there: half a key, checks without a URL, no function."""
        for inputs in (self.inputs(aws_access_key_id="AKIDNOBODYKNOWS00001"),
                       self.inputs(health_url=None, checks=CHECK), self.inputs(function_name=None)):
            with self.subTest(inputs=inputs):
                self.folder = self.folder / "again"
                self.folder.mkdir()
                run = self.run_step(self.project(), events.pull_request(fork=True), env=NO_KEYS, inputs=inputs)
                self.assertExit(run, 0)
                self.assertOutputs(run, deployed="false")
                self.assertEqual((self.requests(), run.log.errors), ([], []))
                self.assertRegex(run.text + run.summary, "(?i)nothing to do")

    def test_plan_of_a_pull_request_from_a_fork_without_secrets(self):
        """The same for a plan that is asked for: what it lacks is said, and is no error."""
        for command in ({"command": "plan"}, {"dry_run": "true"}):
            for word, inputs in (("aws-secret-access-key", {"aws_access_key_id": "AKIDNOBODYKNOWS00001"}),
                                 ("function-name", {"function_name": None})):
                with self.subTest(command=command, word=word):
                    self.folder = self.folder / "again"
                    self.folder.mkdir()
                    run = self.run_step(self.project(), events.pull_request(fork=True), env=NO_KEYS,
                                        inputs=self.inputs(**command, **inputs))
                    self.assertExit(run, 0)
                    self.assertOutputs(run, deployed="false")
                    self.assertEqual((self.requests(), run.log.errors), ([], []))
                    self.assertRegex(run.text, "Nothing to do: a pull request from a fork gets no secrets")
                    self.assertIn(word, run.text)

    def test_plan_with_the_same_inputs_of_the_repositorys_own_pull_request(self):
        run = self.run_step(self.project(), events.pull_request(),
                            inputs=self.inputs(command="plan", aws_access_key_id="AKIDNOBODYKNOWS00001"))
        self.assertExit(run, 2)

    def test_same_inputs_on_a_push(self):
        run = self.run_step(self.project(), inputs=self.inputs(aws_access_key_id="AKIDNOBODYKNOWS00001"))
        self.assertExit(run, 2)

    def test_pull_request_from_a_fork_whatever_is_allowed(self):
        run = self.run_step(self.project(), events.pull_request(fork=True), env=NO_KEYS,
                            inputs=self.storage(allow_pull_request="true"))
        self.assertExit(run, 0)
        self.assertEqual(self.requests(), [])

    def test_pull_request_target_on_the_heads_commit(self):
        project = self.project()
        run = self.run_step(project, events.pull_request(target=True, head_sha=project.commit_id))
        self.assertExit(run, 2)
        self.assertEqual(len(run.log.errors), 1)
        self.assertUntouched()

    def test_pull_request_target_on_the_bases_commit(self):
        self.deploys(lambda sha: events.pull_request(target=True, base_sha=sha), "skipped")

    def test_another_ci_looks_for_the_marker_in_the_last_commit(self):
        """Without a payload: a check that fails shows whether the storage tests ran."""
        project = self.project()
        flags = [part for name, value in self.inputs(storage_checks=BROKEN_CHECK).items()
                 for part in (f"--{name}", value)]
        for message, code in (("Greet", 0), ("Greet again [test-s3]", 1)):
            project.commit(message)
            with self.subTest(message=message):
                self.assertExit(self.run_shell(project, *flags, env=case.KEYS), code)

    def test_storage_checks_that_fail_roll_back(self):
        project = self.project()
        seeded = self.seed(project)
        run = self.run_step(project, events.push_tag(sha=project.commit_id),
                            inputs=self.inputs(storage_checks=BROKEN_CHECK))
        self.assertExit(run, 1)
        self.assertOutputs(run, rolled_back="true", storage_tests="run")
        self.assertEqual(self.cloud.digest_of(self.name), seeded)

    def test_storage_checks_run_when_nothing_had_to_be_deployed(self):
        project = self.project()
        self.assertExit(self.run_step(project, inputs=self.storage()), 0)
        mark = self.mark()
        run = self.run_step(project, events.push_tag(sha=project.commit_id), inputs=self.storage())
        self.assertExit(run, 0)
        self.assertOutputs(run, storage_tests="run", deployed="false")
        self.assertNotIn("UpdateFunctionCode", cloud.operations(self.since(mark)))
