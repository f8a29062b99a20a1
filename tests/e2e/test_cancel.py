"""A cancelled run: what it has begun is put back, and what a person would have to do is said before the runner kills it."""

import signal

from . import cloud
from .serving import FunctionCase


class Cancelled(FunctionCase):
    base_stands = True

    def sent(self, operation, count, mark):
        return cloud.operations(self.since(mark)).count(operation) >= count

    def test_killed_on_the_way_back(self):
        """The runner ends a cancelled run after ten seconds: outputs, summary and log have the commands by then, and the next run needs nobody."""
        project, digest = self.serve()
        self.cloud.fault("lambda", "UpdateFunctionCode", "hang", nth=3, times=-1, resource=self.name)
        mark = self.mark()
        step = self.started(project)
        self.until(lambda: self.sent("UpdateFunctionCode", 1, mark), "the update")
        step.signal(signal.SIGINT)
        self.until(lambda: self.sent("UpdateFunctionCode", 2, mark), "the way back")
        step.signal(signal.SIGTERM)
        step.signal(signal.SIGKILL)
        run = step.finish()
        self.assertExit(run, 128 + signal.SIGKILL)
        command = f"aws lambda update-function-code --region {cloud.REGION} --function-name {self.name}"
        for place, text in (("log", run.text), ("summary", run.summary)):
            self.assertIn(command, text, place)
            self.assertIn(digest, text, place)
        self.assertOutputs(run, deployed="false")
        self.cloud.clear_faults()
        self.assertExit(self.deploy(project), 0)
        self.serves("1")

    def test_one_summary(self):
        """What was written before the way back is not there any more after it."""
        project, digest = self.serve()
        mark = self.mark()
        step = self.started(project)
        self.until(lambda: self.sent("UpdateFunctionCode", 1, mark), "the update")
        step.signal(signal.SIGINT)
        run = self.finish(step)
        self.assertExit(run, 128 + signal.SIGINT)
        self.assertNotIn("update-function-code", run.summary)
        self.assertEqual(run.summary.count("\n## ") + run.summary.startswith("## "), 1, run.summary)
        self.assertEqual(self.cloud.digest_of(self.name), digest)
        self.serves("0")

    def test_update_that_got_no_answer(self):
        """It has arrived, but the cancel comes before anybody knows: what serves then is this run's, and is put back."""
        project, digest = self.serve()
        self.cloud.fault("lambda", "UpdateFunctionCode", "hang-after", nth=2, resource=self.name)  # the first one is the dry run
        mark = self.mark()
        step = self.step(project, inputs=self.wanted(), env={"LAMBDA_FASTDEPLOY_HTTP_TIMEOUT": "4s"}).start()
        self.until(lambda: self.sent("UpdateFunctionCode", 1, mark), "the update")
        step.signal(signal.SIGTERM)
        run = self.finish(step)
        self.assertExit(run, 128 + signal.SIGTERM)
        self.assertNotIn("somebody else", run.text)
        self.assertEqual(self.cloud.digest_of(self.name), digest)
        self.serves("0")
