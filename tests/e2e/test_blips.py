"""What passes in a moment is borne: while an update goes on, and on the way back."""

import signal

from . import case, cloud
from .serving import FunctionCase

THROTTLED = {"status": 429, "code": "TooManyRequestsException", "message": "Rate exceeded"}


class Blips(FunctionCase):
    base_stands = True

    def under_way(self, **changes):
        """A run whose update of the function has been accepted and goes on for three seconds."""
        project, _ = self.serve()
        self.cloud.settings_of(self.name, update_ms=3000)
        mark = self.mark()
        step = self.started(project, **changes)
        self.until(lambda: "UpdateFunctionCode" in cloud.operations(cloud.changes(self.since(mark))), "the update")
        return step

    def fault(self, operation, fault, arg, times):
        self.cloud.fault("lambda", operation, fault, arg, times=times, resource=self.name)

    def test_looks_that_fail_while_an_update_goes_on(self):
        step = self.under_way()
        self.fault("GetFunction", "status", 503, 7)
        run = self.finish(step)
        self.assertExit(run, 0)
        self.serves("1")

    @case.slow
    def test_throttled_looks_while_an_update_goes_on(self):
        step = self.under_way()
        self.fault("GetFunction", "status", THROTTLED, 4)
        run = self.finish(step)
        self.assertExit(run, 0)
        self.serves("1")

    @case.slow
    def test_looks_that_nobody_answers(self):
        """A network that swallows packets: no reset, nothing at all."""
        step = self.under_way(env={"LAMBDA_FASTDEPLOY_HTTP_TIMEOUT": "2s"})
        self.fault("GetFunction", "hang", None, 4)
        run = self.finish(step)
        self.assertExit(run, 0)
        self.serves("1")

    @case.slow
    def test_change_that_is_throttled(self):
        """As in a matrix of many functions: all of the account share 15 calls a second."""
        project, _ = self.serve()
        self.cloud.fault("lambda", "UpdateFunctionCode", "status", THROTTLED, nth=2, times=5, resource=self.name)
        self.assertExit(self.deploy(project), 0)
        self.serves("1")

    def put_back_through(self, operation, fault, arg, times):
        project, digest = self.serve()
        project.behave(version="bad", health="500").commit("Break it")
        mark = self.mark()
        step = self.started(project)
        self.until(lambda: self.is_being_verified(mark), "our change")
        self.fault(operation, fault, arg, times)
        run = self.finish(step)
        self.assertPutBack(run, digest)

    def test_put_back_through_connections_that_break(self):
        self.put_back_through("UpdateFunctionCode", "reset-before", None, 11)

    def test_put_back_through_looks_that_fail(self):
        self.put_back_through("GetFunction", "reset-before", None, 16)

    def test_cancelled_when_the_answer_was_lost(self):
        """It has arrived, and the cancel meets the look that would have told: what serves is this run's own, and is put back."""
        project, digest = self.serve()
        self.cloud.settings_of(self.name, update_ms=3000)
        self.cloud.fault("lambda", "UpdateFunctionCode", "reset-after", nth=2, resource=self.name)  # the first one is the dry run
        mark = self.mark()
        step = self.started(project)
        self.until(lambda: cloud.operations(self.since(mark)).count("UpdateFunctionCode") >= 2, "the second attempt")
        step.signal(signal.SIGINT)
        run = self.finish(step)
        self.assertExit(run, 128 + signal.SIGINT)
        self.assertNotIn("somebody else", run.text)
        self.assertEqual(self.cloud.digest_of(self.name), digest)
        self.serves("0")

    def test_function_that_lambda_does_not_know_at_once(self):
        self.cloud.settings_of(self.name, visible_ms=1500)
        run = self.run_step(self.project())
        self.assertExit(run, 0)
        self.assertOutputs(run, deployed="true")
        self.serves("1")

    def test_version_that_lambda_does_not_know_at_once(self):
        project, _ = self.serve("live")
        self.cloud.settings_of(self.name, visible_ms=1500)
        run = self.deploy(project)
        self.assertExit(run, 0)
        self.serves("1")
