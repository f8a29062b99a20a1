"""Why it failed: the function's own log in log and summary, without the secrets of its environment."""

import json

from . import case, cloud
from .serving import FunctionCase

SECRET = 'hunter2-"in quotes"\\ünd-more'
QUOTED = json.dumps(SECRET, ensure_ascii=False)[1:-1]


class Why(FunctionCase):
    base_stands = True

    def setUp(self):
        super().setUp()
        self.secrets.update({SECRET, QUOTED})

    def said(self, run, *words):
        summary = run.summary.replace("\\*", "*")  # escaped where it is Markdown
        for word in words:
            self.assertIn(word, run.text)
            self.assertIn(word, summary)

    def test_log_tail_of_an_invocation(self):
        project, _ = self.serve(environment={"TOKEN": SECRET})
        project.behave(version="bad", print="about to connect", leak="TOKEN", fail="no route").commit()
        run = self.deploy(project, health_url=None, health_payload="{}")
        self.assertExit(run, 1)
        self.said(run, "about to connect", "***")

    def test_log_of_a_url(self):
        """From CloudWatch Logs, since an answer by URL has none with it."""
        project, _ = self.serve(environment={"TOKEN": SECRET})
        project.behave(version="bad", print="about to connect", leak="TOKEN", health="503").commit()
        run = self.deploy(project)
        self.assertExit(run, 1)
        self.said(run, "about to connect", "***")

    def test_log_that_may_not_be_read(self):
        key = "AKID" + self.name[-6:].upper().rjust(16, "0")
        policy = {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "*", "Resource": "*"},
            {"Effect": "Deny", "Action": "logs:*", "Resource": "*"}]}
        self.cloud.control("POST", "/keys", {"id": key, "secret": "of-nobody-else-000000000000000000",
                                             "policy": policy})
        project, seeded = self.serve()
        project.behave(version="bad", health="503").commit()
        run = self.deploy(project, env={"AWS_ACCESS_KEY_ID": key,
                                        "AWS_SECRET_ACCESS_KEY": "of-nobody-else-000000000000000000"})
        self.assertPutBack(run, seeded)
        self.assertEqual(run.log.warnings, [])

    def test_answer_that_holds_a_secret(self):
        project, _ = self.serve(environment={"TOKEN": SECRET})
        run = self.deploy(project, health_path="/env/TOKEN", health_expect="never said")
        self.assertExit(run, 1)
        self.assertOutputs(run, rolled_back="true")
        self.said(run, "***")

    def test_answer_of_a_version_that_holds_a_secret(self):
        project, _ = self.serve("live", environment={"TOKEN": SECRET})
        run = self.deploy(project, health_path="/env/TOKEN", health_expect="never said")
        self.assertExit(run, 1)
        self.said(run, "***")

    def test_check_whose_answer_holds_a_secret(self):
        project, _ = self.serve(environment={"TOKEN": SECRET})
        run = self.deploy(project, checks="GET /env/TOKEN -> 418")
        self.assertExit(run, 1)
        self.said(run, "***")


class NoWayBack(FunctionCase):
    base_stands = True

    def forget_image(self, digest):
        self.cloud.ecr("BatchDeleteImage", repositoryName=self.name, imageIds=[{"imageDigest": digest}])

    def test_image_that_is_gone(self):
        project, seeded = self.serve()
        self.forget_image(seeded)
        project.behave(version="bad", health="500").commit()
        mark = self.mark()
        run = self.deploy(project, timeout="9")
        self.assertExit(run, 3)
        self.assertLess(run.text.index("there is no way back"), run.text.index("updating the function"))
        command = f"aws lambda update-function-code --region {cloud.REGION} --function-name {self.name}"
        for text in (command, seeded):
            self.assertIn(text, run.summary)
            self.assertIn(text, run.text)
        made = [each for each in cloud.operations(cloud.changes(self.since(mark))) if each.startswith("UpdateF")]
        self.assertEqual(made[:2], ["UpdateFunctionCode", "UpdateFunctionConfiguration"])

    def test_image_that_is_gone_and_a_good_version(self):
        project, seeded = self.serve()
        self.forget_image(seeded)
        run = self.deploy(project)
        self.assertExit(run, 0)
        self.assertTrue(any("no way back" in line for line in run.log.warnings), run.log.warnings)
        self.serves("1")


class Faults(FunctionCase):
    """What Lambda refuses or loses on the way."""
    base_stands = True

    def refuse(self, operation, status, nth=1, times=1, code=None):
        arg = {"status": status, "code": code} if code else status
        self.cloud.fault("lambda", operation, "status", arg, nth=nth, times=times, resource=self.name)

    def bad(self, project):
        project.behave(version="bad", health="500").commit()

    def test_way_back_fails_too(self):
        project, seeded = self.serve()
        self.bad(project)
        self.refuse("UpdateFunctionCode", 403, nth=3, times=-1, code="AccessDeniedException")
        run = self.deploy(project)
        self.assertExit(run, 3)
        self.assertOutputs(run, rolled_back="false", deployed="false")
        command = f"aws lambda update-function-code --region {cloud.REGION} --function-name {self.name}"
        for text in (command, f"{cloud.REGISTRY}/{self.name}@{seeded}"):
            self.assertIn(text, run.summary)
            self.assertIn(text, run.text)

    def test_way_back_of_the_alias_fails_too(self):
        project, _ = self.serve("live")
        project.behave(version="bad").commit()
        self.refuse("UpdateAlias", 403, nth=2, times=-1, code="AccessDeniedException")
        run = self.deploy(project, checks="GET /items/7 -> 200")
        self.assertExit(run, 3)
        self.assertIn(f"aws lambda update-alias --region {cloud.REGION} --function-name {self.name} --name live "
                      "--function-version 1", run.summary)
        self.assertIn("runs sha256:", run.summary, "the rest is put back all the same")

    def test_update_that_lambda_could_not_finish(self):
        project, seeded = self.serve()
        self.cloud.fault("lambda", "UpdateFunctionCode", "update-failed",
                         {"reason_code": "ImageAccessDenied", "reason": "Lambda may not"}, nth=2, resource=self.name)
        run = self.deploy(project, timeout="9")
        self.assertPutBack(run, seeded)
        self.assertEqual(self.configuration()["Timeout"], 3, "it can go back only after the code")
        self.assertError(run, "ImageAccessDenied", "ecr:BatchGetImage")

    def lost(self, operation, nth=1, fault="reset-after", **changes):
        project, seeded = self.serve(changes.pop("alias", None))
        self.cloud.fault("lambda", operation, fault, nth=nth, resource=self.name)
        run = self.deploy(project, **changes)
        self.assertExit(run, 0)
        self.serves("1")
        return project, seeded

    @case.slow
    def test_lost_answers(self):
        """The change arrived, its answer did not."""
        for operation, nth in (("UpdateFunctionCode", 2), ("UpdateFunctionConfiguration", 1),
                               ("PublishVersion", 1), ("UpdateAlias", 1)):
            with self.subTest(operation=operation):
                self.again()
                self.lost(operation, nth, alias="live", timeout="9")

    def test_lost_answer_and_a_bad_version(self):
        """The way back goes to what was there before the update whose answer was lost."""
        project, seeded = self.serve()
        self.bad(project)
        self.cloud.fault("lambda", "UpdateFunctionCode", "reset-after", nth=2, resource=self.name)
        self.assertPutBack(self.deploy(project, timeout="9"), seeded)
        self.assertEqual(self.configuration()["Timeout"], 3)

    def test_lost_answer_of_a_creation(self):
        project = self.project()
        self.cloud.fault("lambda", "CreateFunction", "reset-after", resource=self.name)
        run = self.run_step(project)
        self.assertExit(run, 0)
        self.serves("1")

    @case.slow
    def test_conflicts_are_bounded(self):
        """An update that never ends to be in the way: said after a few tries, nothing changed."""
        for operation, nth in (("UpdateFunctionCode", 2), ("UpdateFunctionConfiguration", 1), ("PublishVersion", 1)):
            for status, code in ((409, "ResourceConflictException"), (412, "PreconditionFailedException")):
                with self.subTest(operation=operation, status=status):
                    self.again()
                    project, seeded = self.serve("live")
                    self.refuse(operation, status, nth, 3, code)
                    run = self.deploy(project, timeout="9")
                    self.assertExit(run, 1)
                    self.assertEqual(self.cloud.digest_of(self.name), seeded)
                    self.assertEqual(self.configuration()["Timeout"], 3)
                    tried = [each for each in cloud.operations(self.requests()) if each == operation]
                    self.assertLessEqual(len(tried), 5)

    def test_one_conflict_is_waited_out(self):
        project, _ = self.serve("live")
        self.refuse("UpdateFunctionCode", 409, 2, 1, "ResourceConflictException")
        self.refuse("UpdateFunctionConfiguration", 412, 1, 1, "PreconditionFailedException")
        self.refuse("PublishVersion", 409, 1, 1, "ResourceConflictException")
        self.refuse("UpdateAlias", 412, 1, 1, "PreconditionFailedException")
        run = self.deploy(project, timeout="9")
        self.assertExit(run, 0)
        self.serves("1")

    @case.slow
    def test_deadline_passes_during_verification(self):
        """The way back has time of its own."""
        project, seeded = self.serve()
        self.bad(project)
        run = self.deploy(project, deadline="12s", cold_start_wait="60")
        self.assertExit(run, 1)
        self.assertOutputs(run, rolled_back="true")
        self.assertEqual(self.cloud.digest_of(self.name), seeded)
        self.serves("0")
