"""Bad input: exit 2 where nothing was tried, 1 where something outside failed; one error that names the input and the
remedy; outputs and summary written all the same; nothing changed at AWS."""

import os

from . import case, events, runner


class BadInput(case.Case):
    def refuse(self, project=None, event=None, *, code=2, says=(), **more):
        """Run it, and check all that holds for every refusal."""
        run = self.run_step(project or self.project(), event, **more)
        self.assertExit(run, code)
        self.assertError(run, *says)
        self.assertOutputs(run, deployed="false")
        self.assertUntouched()
        self.assertIn(run.log.errors[0].split(":")[0].strip("`"), run.summary.replace("`", ""),
                      "the summary says why")
        return run

    def refuse_input(self, name, value, *says, **others):
        return self.refuse(inputs={**self.inputs(**others), name: value}, says=(name, *says))

    # Inputs.

    def test_no_function_name(self):
        self.refuse(inputs={}, says=("function-name",))

    def test_the_help_of_an_action_is_where_it_was_taken_from(self):
        job = runner.Job(action_repository="org/lambda-fastdeploy", action_ref="v1")
        self.refuse(inputs={}, job=job, says=(
            "(help: https://github.com/org/lambda-fastdeploy/blob/v1/docs/troubleshooting.md#bad-input)",))

    def test_empty_function_name_is_not_given(self):
        self.refuse_input("function-name", "")

    def test_empty_inputs_are_not_given(self):
        """GitHub hands over every declared input, those without a value as empty text."""
        blank = {name: "" for name in ("alias", "memory-size", "timeout", "description", "base-max-age", "target",
                                       "platform", "role-to-assume", "command", "cold-start-wait", "secrets")}
        run = self.run_step(self.project(), inputs={**blank, **self.inputs(dry_run="true")})
        self.assertExit(run, 0)

    def test_unknown_command(self):
        self.refuse_input("command", "destroy", "deploy", "plan")

    def test_malformed_values(self):
        project = self.project()
        for name, value in (
                ("function-name", "no spaces allowed"), ("function-name", "x" * 65), ("dry-run", "maybe"),
                ("deadline", "soon"), ("deadline", "-5m"), ("base-max-age", "30 moons"), ("health-retries", "many"),
                ("health-retries", "-1"), ("cold-start-wait", "NaN"), ("compression", "lzma"),
                ("compression-level", "99"), ("rebuild-base", "sometimes"), ("storage-tests", "perhaps"),
                ("on-failure", "panic"), ("build-args", "NOT A PAIR"), ("base-build-args", "=value"),
                ("secrets", "no-value"), ("health-url", "ftp://example.com/"), ("health-url", "not a url"),
                ("checks", "GET /health 200"), ("storage-checks", "FETCH"), ("function-configuration", "{broken"),
                ("function-configuration", "[1]"), ("memory-size", "lots"), ("timeout", "0"),
                ("image-tag", "not/a:tag"), ("base-tag", ".dot"), ("repository", "UPPER"),
                ("role-to-assume", "deploy-role"), ("allowed-account-ids", "12"), ("platform", "windows/amd64"),
                ("aws-region", "mars"), ("health-headers", "no colon")):
            with self.subTest(name=name, value=value):
                self.refuse(project, inputs={**self.inputs(), name: value}, says=(name,))

    def test_input_of_a_later_version(self):
        self.refuse_input("traffic", "canary:10%:5m", "not supported yet")

    def test_unknown_flag(self):
        run = self.run_shell(self.project(), "deploy", "--function-nam", self.name, env=case.KEYS)
        self.assertExit(run, 2)
        self.assertIn("--function-nam", run.text)
        self.assertUntouched()

    def test_unknown_input_variable_is_ignored(self):
        run = self.run_step(self.project(), inputs={**self.inputs(dry_run="true"), "who-to-greet": "Mona"})
        self.assertExit(run, 0)

    # Files.

    def test_no_such_dockerfile(self):
        self.refuse_input("file", "Dockerfile.nowhere", "Dockerfile.nowhere")

    def test_no_dockerfile_at_all(self):
        project = self.project()
        project.remove("Dockerfile.lambda").commit()
        self.refuse(project, says=("Dockerfile.lambda",))

    def test_base_file_that_was_named_and_is_missing(self):
        """The default may be missing; a file that the user named may not."""
        self.refuse_input("base-file", "Dockerfile.base", "Dockerfile.base")

    def test_paths_outside_the_workspace(self):
        project = self.project()
        outside = self.folder / "outside"
        outside.mkdir()
        (outside / "Dockerfile").write_text("FROM scratch\n", encoding="utf-8")
        os.symlink("/github/runner_temp", project.path("link"))
        os.symlink("/etc/hostname", project.path("Dockerfile.link"))
        for name, value in (("file", "../outside/Dockerfile"), ("context", ".."), ("base-context", "/etc"),
                            ("context", "link"), ("file", "Dockerfile.link"), ("base-file", "/etc/hostname"),
                            ("context", "app/../../..")):
            with self.subTest(name=name, value=value):
                self.refuse(project, inputs={**self.inputs(), name: value}, says=(name,))

    def test_dockerfile_that_is_not_one(self):
        project = self.project()
        project.write("Dockerfile.lambda", "FRUM scratch\n").commit()
        run = self.run_step(project)
        self.assertIn(run.exit_code, (1, 2))
        self.assertError(run, "Dockerfile.lambda")
        self.assertOutputs(run, deployed="false")
        self.assertIsNone(self.cloud.function(self.name))

    # The event.

    def test_payload_that_is_not_there(self):
        self.refuse(event=events.push().but(raw=None), says=("event",))

    def test_payload_that_is_malformed(self):
        project = self.project()
        for raw in (b"", b"{", b"null", b"[]", b"\xff\xfe{}", b'{"ref": 7}', b'{"a":' * 3000):
            with self.subTest(raw=raw[:12]):
                self.refuse(project, events.push().but(raw=raw), says=("event",))

    def test_payload_that_contradicts_the_event(self):
        self.refuse(event=events.release().but(name="push"), says=("event",))

    # Surroundings.

    def test_no_region(self):
        self.refuse(env={"AWS_REGION": ""}, says=("aws-region",))

    def test_no_credentials(self):
        run = self.run_step(self.project(), keys=False, env={"AWS_REGION": "us-east-1",
                                                             "AWS_EC2_METADATA_DISABLED": "true"})
        self.assertIn(run.exit_code, (1, 2))
        self.assertError(run, "credentials", "role-to-assume")
        self.assertOutputs(run, deployed="false")
        self.assertUntouched()

    def test_keys_that_aws_does_not_know(self):
        run = self.refuse(code=1, env={"AWS_ACCESS_KEY_ID": "AKIDNOBODYKNOWS00001"})
        self.assertRegex(run.log.errors[0], "UnrecognizedClient|InvalidClientTokenId|invalid")

    def test_wrong_secret(self):
        self.secrets.add("a-secret-that-does-not-belong-to-the-key")
        run = self.refuse(code=1, env={"AWS_SECRET_ACCESS_KEY": "a-secret-that-does-not-belong-to-the-key"})
        self.assertRegex(run.log.errors[0], "(?i)signature")

    def test_no_docker_socket(self):
        self.refuse_without(["/run"], "/var/run/docker.sock")

    def test_no_buildx(self):
        self.refuse_without(["/usr/local/bin/buildx", "/usr/libexec/docker/cli-plugins",
                             "/usr/lib/docker/cli-plugins"], "buildx")

    def refuse_without(self, hide, *says):
        """Something outside is missing: exit 1 (or 2), and nothing that serves anybody was changed."""
        run = self.run_step(self.project(), hide=hide)
        self.assertIn(run.exit_code, (1, 2))
        self.assertError(run, *says)
        self.assertOutputs(run, deployed="false")
        self.assertIsNone(self.cloud.function(self.name))
        self.assertUntouched()

    def test_nothing_to_build_needs_no_builder(self):
        """Without socket and buildx a run that has nothing to do is as good as any."""
        project = self.project()
        self.assertExit(self.run_step(project), 0)
        run = self.run_step(project, hide=["/run", "/usr/local/bin/buildx", "/usr/libexec/docker/cli-plugins"])
        self.assertExit(run, 0)
        self.assertOutputs(run, image_built="reused", base_status="found")

    def test_allowed_account_ids(self):
        run = self.run_step(self.project(), inputs=self.inputs(allowed_account_ids="210987654321"))
        self.assertIn(run.exit_code, (1, 2))
        self.assertError(run, "allowed-account-ids", "123456789012")
        self.assertUntouched()

    def test_help_and_version(self):
        version = (runner.ROOT / "VERSION").read_text(encoding="utf-8").strip()
        project = self.project()
        run = self.run_shell(project, "--version")
        self.assertExit(run, 0)
        self.assertIn(version, run.text)
        run = self.run_shell(project, "--help")
        self.assertExit(run, 0)
        for word in ("function-name", "base-repository", "cold-start-wait", "deploy", "rollback"):
            self.assertIn(word, run.text)
