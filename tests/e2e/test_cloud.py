"""The cloud refuses what AWS refuses, so that a run which does it wrong cannot look good here."""

import datetime

from . import case, cloud, projects

# Takes the flag away that keeps the pushed image a single manifest.
INDEX_SHIM = """\
for argument do
    shift
    case $argument in
        --provenance=*|--attest=*) ;;
        *) set -- "$@" "$argument" ;;
    esac
done
case " $* " in
    *" build "*) unset BUILDX_NO_DEFAULT_ATTESTATIONS; shift; exec "$REAL" build --provenance=true "$@" ;;
esac
exec "$REAL" "$@"
"""


class Refusals(case.Case):
    def caller_identity(self, **more):
        body = b"Action=GetCallerIdentity&Version=2011-06-15"
        return self.cloud.call("sts", "POST", "/", body, {"Content-Type": "application/x-www-form-urlencoded"}, **more)

    def test_date_of_the_signature(self):
        now = datetime.datetime.now(datetime.UTC)
        self.assertEqual(self.caller_identity(now=now).status, 200)
        for off in (-3600, 3600):
            answer = self.caller_identity(now=now + datetime.timedelta(seconds=off))
            self.assertIn(answer.status, (400, 403))
            self.assertRegex(answer.text, "SignatureDoesNotMatch|RequestExpired|InvalidSignature|expired")

    def test_wrong_secret(self):
        answer = self.caller_identity(secret="not-the-secret")
        self.assertEqual((answer.status, "SignatureDoesNotMatch" in answer.text), (403, True))

    def test_path_with_an_arn_is_signed_as_aws_wants_it(self):
        answer = self.cloud.call("lambda", "GET", "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A"
                                 f"123456789012%3Afunction%3A{self.name}")
        self.assertEqual(answer.status, 404)
        self.assertIn("ResourceNotFound", answer.headers.get("x-amzn-ErrorType", "") + answer.text)

    def test_index_image(self):
        folder = self.folder / "seed"
        folder.mkdir()
        project = self.project()
        single = self.seed_only(project)
        index = self.cloud.push(project.folder, self.name, "index", "--provenance=true",
                                "-f", str(project.path("Dockerfile.index")))
        self.assertIn("manifests", self.cloud.manifest(self.name, index))
        self.cloud.create_function(self.name, f"{cloud.REGISTRY}/{self.name}@{single}")
        answer = self.cloud.update_code(self.name, f"{cloud.REGISTRY}/{self.name}@{index}")
        self.assertEqual(answer.status, 400)
        self.assertIn("media type", answer.text)
        self.assertEqual(self.cloud.digest_of(self.name), single)

    def seed_only(self, project):
        project.write("Dockerfile.index", "FROM scratch\nCOPY function /function\nCOPY app/ /app/\n"
                      "ENTRYPOINT [\"/function\"]\n")
        self.cloud.create_repository(self.name)
        return self.cloud.push(project.folder, self.name, "single", "--provenance=false",
                               "-f", str(project.path("Dockerfile.index")))

    def test_push_without_a_repository(self):
        project = self.project()
        with self.assertRaisesRegex(cloud.CloudError, "(?i)name unknown|does not exist|not found|NAME_UNKNOWN"):
            project.write("Dockerfile", "FROM scratch\nCOPY app/ /app/\n")
            self.cloud.push(project.folder, self.name)


class RunsThatMustFail(case.Case):
    base_stands = True

    def test_run_whose_builder_pushes_an_index(self):
        """The pushed manifest is looked at before the function is touched."""
        project = self.project()
        seeded = self.seed(project)
        run = self.run_step(project, shims={"buildx": INDEX_SHIM})
        self.assertExit(run, 1)
        self.assertError(run, "index")
        self.assertOutputs(run, deployed="false")
        self.assertEqual(self.cloud.digest_of(self.name), seeded)
        self.assertFalse([tag for tag in self.cloud.tags(self.name) if tag.startswith("src-")],
                         "an image that cannot run must not get its identity tag")
        self.assertVersion("0")

    def test_health_answer_of_500(self):
        project = self.project(health="500")
        self.seed(project)
        run = self.run_step(project)
        self.assertExit(run, 1)
        self.assertOutputs(run, deployed="false", rolled_back="true", health="failed")
        self.assertError(run, "500")
        self.assertVersion("0")

    def test_health_text_that_is_not_there(self):
        project = self.project(health_text="degraded")
        self.seed(project)
        run = self.run_step(project, inputs=self.inputs(health_expect='"ok"'))
        self.assertExit(run, 1)
        self.assertOutputs(run, rolled_back="true")
        self.assertVersion("0")

    def test_secrets_of_the_function_are_not_said(self):
        """The function prints a secret of its environment and fails: its log is evidence, its secrets are not."""
        secret = "canary-" + self.name + "-0123456789"
        project = self.project(health="500", leak="API_KEY")
        self.seed(project)
        self.secrets.add(secret)
        run = self.run_step(project, inputs=self.inputs(environment=f"API_KEY={secret}"))
        self.assertExit(run, 1)


class ClockThatIsOff(case.Case):
    base_stands = True
    alone = True

    def setUp(self):
        super().setUp()
        self.addCleanup(self.cloud.settings, clock_offset_s=0)

    def test_clock_an_hour_off_is_refused_then_corrected(self):
        """AWS refuses the first signatures; the run takes AWS's clock from the refusal and goes on."""
        project = self.project()
        self.cloud.settings(clock_offset_s=3600)
        mark = self.mark()
        run = self.run_step(project)
        refused = [request for request in self.cloud.requests_after(mark) if request["error"] and request["status"] in (400, 403)]
        self.assertTrue(refused, "the cloud refused nothing")
        self.assertExit(run, 0)
        self.assertVersion("1")


class Faults(case.Case):
    base_stands = True
    alone = True

    def test_one_server_error_is_sent_again(self):
        project = self.project()
        self.seed(project)
        self.cloud.fault("lambda", "UpdateFunctionCode", "status", 500, nth=2, resource=self.name)  # the first is a dry run
        run = self.run_step(project)
        self.assertExit(run, 0)
        self.assertVersion("1")
        statuses = [request["status"] for request in cloud.changes(self.requests())
                    if request["operation"] == "UpdateFunctionCode"]
        self.assertEqual(statuses, [500, 200])

    def test_update_that_is_always_refused_changes_nothing(self):
        project = self.project()
        seeded = self.seed(project)
        self.cloud.fault("lambda", "UpdateFunctionCode", "status", {"status": 403, "code": "AccessDeniedException"},
                         times=-1)
        run = self.run_step(project)
        self.assertExit(run, 1)
        self.assertError(run, "lambda:UpdateFunctionCode")
        self.cloud.clear_faults()
        self.assertEqual(self.cloud.digest_of(self.name), seeded)
        self.assertVersion("0")

    def test_update_that_fails_afterwards(self):
        """LastUpdateStatus Failed, while the run waits: it stops at once and says Lambda's reason."""
        project = self.project()
        seeded = self.seed(project)
        self.cloud.settings(update_ms=20000)
        self.addCleanup(self.cloud.settings, update_ms=300)
        step = self.step(project).start()
        while not self.has_begun_to_update() and step.process.poll() is None:
            step.capture.threads[0].join(0.05)
        self.cloud.settings(update_ms=300)
        self.cloud.change_function(self.name, image=f"{self.name}@{seeded}", last_update_status="Failed",
                                   reason_code="ImageAccessDenied",
                                   reason="Lambda does not have permission to access the ECR image.")
        run = step.finish()
        self.runs.append(run)
        self.check_run(run)
        self.assertIn(run.exit_code, (1, 3))
        self.assertLess(run.wall_s, 15, "it waited on")
        self.assertIn("permission to access the ECR image", run.text)
        self.assertOutputs(run, deployed="false")

    def has_begun_to_update(self):
        """The request is answered, and not only there: what is set before that would be undone by it."""
        return any(request["operation"] == "UpdateFunctionCode" and request["status"] for request in cloud.changes(self.requests()))


class Harness(case.Case):
    def test_version_of_a_seeded_function(self):
        """What the tests take for granted: a function that somebody else made answers."""
        self.seed(self.project())
        self.assertVersion("0")
        self.assertEqual(projects.function_binary().stat().st_mode & 0o111, 0o111)
