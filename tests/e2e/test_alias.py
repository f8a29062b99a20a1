"""Nobody who asks the alias meets a bad version, and nobody meets an error while a good one comes."""

import signal
import time

from . import case, cloud
from .serving import Client, FunctionCase

PAYLOAD = '{"question":"ping"}'
ANSWERS = 500


class Users(FunctionCase):
    base_stands = True

    def during(self, project, version, **changes):
        """A deployment while a client asks every 20 ms, from before its start until at least 500 answers; the run, and the client's answers."""
        with Client(cloud.url_of(self.name, self.alias)) as client:
            client.wait_for(20)
            run = self.deploy(project, **changes)
            after = len(client.answers)
            client.wait_for(max(ANSWERS, after + 20))
        self.assertGreater(after, 40, "the client asked during the deployment")
        self.assertIn(client.answers[-1], [(200, version)])
        return run, client.answers

    def bad(self, behaviour, **changes):
        project, seeded = self.serve("live")
        project.behave(**{"version": "bad", **behaviour}).commit("Break it")
        run, answers = self.during(project, "0", **changes)
        self.assertPutBack(run, seeded)
        self.assertEqual([answer for answer in answers if answer != (200, "0")], [])

    def test_bad_version_by_payload(self):
        self.bad({"fail": "no table"}, health_payload=PAYLOAD)

    def test_bad_version_by_url_alone(self):
        self.bad({"health": "500"})

    @case.slow
    def test_bad_version_that_cannot_start(self):
        self.bad({"start": "exit"})

    def good(self, alias):
        project, _ = self.serve(alias)
        project.behave(version="2").commit("Answer better")
        run, answers = self.during(project, "2")
        self.assertExit(run, 0)
        self.assertEqual([answer for answer in answers if answer not in ((200, "0"), (200, "2"))], [])
        first = answers.index((200, "2"))
        self.assertNotIn((200, "0"), answers[first + 5:], "the old one answers again")

    def test_good_version(self):
        self.good(None)

    @case.slow
    def test_good_version_alias(self):
        self.good("live")


class Unproved(FunctionCase):
    base_stands = True

    def killed_after_the_move(self, project, before="1", **changes):
        """The alias has moved from there, and nobody has proved that it should have."""
        self.cloud.fault("lambda", "UpdateAlias", "hang-after", resource=self.name)
        step = self.started(project, **changes)
        self.until(lambda: self.alias_target() != before, "the move")
        step.signal(signal.SIGKILL)
        step.finish()
        self.serves("1")

    def test_next_run_puts_back_what_its_check_refuses(self):
        project, _ = self.serve("live", tags={"lambda-fastdeploy:verified:live": "1/1"})
        self.killed_after_the_move(project, checks="GET /health -> 299")
        run = self.deploy(project, checks="GET /health -> 299")
        self.assertExit(run, 1)
        self.assertOutputs(run, deployed="false", rolled_back="true")
        self.assertEqual(self.alias_target(), "1")
        self.serves("0")

    def test_configuration_alone_that_its_check_refuses(self):
        """The image has been deployed before, but not as this version: that is younger than the deployment."""
        project, _ = self.serve("live")
        self.assertExit(self.deploy(project), 0)
        before, tags = self.alias_target(), self.cloud.function(self.name)["Tags"]
        image, _, minutes = tags["lambda-fastdeploy:deployed"].rpartition("/")
        self.cloud.change_function(self.name, tags={**tags, "lambda-fastdeploy:deployed": f"{image}/{int(minutes) - 2}"})
        other = {"environment": "STAGE=other", "checks": "GET /health -> 299"}
        self.killed_after_the_move(project, before, **other)
        run = self.deploy(project, **other)
        self.assertExit(run, 1)
        self.assertOutputs(run, rolled_back="true")
        self.assertEqual(self.alias_target(), before)

    def test_next_run_keeps_what_it_proves(self):
        project, _ = self.serve("live", tags={"lambda-fastdeploy:verified:live": "1/1"})
        self.killed_after_the_move(project)
        mark = self.mark()
        run = self.deploy(project)
        self.assertExit(run, 0)
        self.assertNotIn("UpdateAlias", cloud.operations(self.since(mark)))
        self.assertTrue(self.tag("verified:live").startswith(f"{self.alias_target()}/"))
        self.serves("1")


class Provisioned(FunctionCase):
    """Provisioned concurrency: the alias names the new version long before its users get it."""

    base_stands = True

    def slow_alias(self, ms=2500):
        project, seeded = self.serve("live")
        self.cloud.settings_of(self.name, alias_transition_ms=ms)
        return project, seeded

    def test_verified_is_what_users_get(self):
        project, _ = self.slow_alias()
        run = self.deploy(project, checks='GET /items/42 -> 200 "\\"version\\":\\"1\\""')
        self.assertExit(run, 0)
        self.assertIn("until provisioned concurrency is there", run.text)
        self.assertOutputs(run, deployed="true")
        self.serves("1")

    def test_put_back_after_the_move(self):
        project, seeded = self.slow_alias(1000)
        run = self.deploy(project, checks="GET /health -> 299")
        self.assertPutBack(run, seeded)
        self.assertEqual(self.alias_target(), "1")

    def test_put_back_while_it_moves(self):
        """The RevisionId that Lambda's answer told is not the alias's any more, by Lambda's own doing."""
        project, seeded = self.slow_alias(60000)
        step = self.started(project)
        self.until(lambda: self.alias_target() != "1", "the move")
        time.sleep(0.5)
        step.signal(signal.SIGINT)
        run = self.finish(step)
        self.assertExit(run, 128 + signal.SIGINT)
        self.assertNotIn("somebody else", run.text)
        self.assertEqual((self.alias_target(), self.cloud.digest_of(self.name)), ("1", seeded))
        self.serves("0")

    def lost_while_it_moves(self, project):
        """A run was ended while the alias moved: it names version 2, and its users are kept on version 1."""
        step = self.started(project)
        self.until(lambda: self.alias_target() != "1", "the move")
        step.signal(signal.SIGKILL)
        step.finish()
        self.assertEqual(self.alias_target(), "2")

    def test_before_that_is_on_its_way_itself(self):
        """What users get is what is put back, whatever the alias names."""
        project, _ = self.slow_alias(60000)
        self.lost_while_it_moves(project)
        self.cloud.settings_of(self.name, alias_transition_ms=500)
        project.behave(version="2").commit("Answer differently")
        run = self.deploy(project, checks="GET /health -> 299")
        self.assertExit(run, 1)
        self.assertOutputs(run, rolled_back="true")
        self.assertEqual(self.alias_target(), "1")
        self.serves("0")

    def test_answer_of_the_move_back_is_lost(self):
        """It is on its way back: its users are waited for, not the answer."""
        project, seeded = self.slow_alias(1500)
        self.cloud.fault("lambda", "UpdateAlias", "reset-after", nth=2, resource=self.name)
        run = self.deploy(project, checks="GET /health -> 299")
        self.assertPutBack(run, seeded)
        self.assertEqual(self.alias_target(), "1")
