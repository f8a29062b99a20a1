"""Nobody who asks the alias meets a bad version, and nobody meets an error while a good one comes."""

import signal

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
        self.assertGreaterEqual(len(client.answers), ANSWERS)
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

    def killed_after_the_move(self, project, **changes):
        """The alias has moved, and nobody has proved that it should have."""
        self.cloud.fault("lambda", "UpdateAlias", "hang-after", resource=self.name)
        step = self.started(project, **changes)
        self.until(lambda: self.alias_target() != "1", "the move")
        step.signal(signal.SIGKILL)
        step.finish()
        self.serves("1")

    def test_next_run_puts_back_what_its_check_refuses(self):
        project, _ = self.serve("live", tags={"lambda-fastdeploy:verified": "1/1"})
        self.killed_after_the_move(project, checks="GET /health -> 299")
        run = self.deploy(project, checks="GET /health -> 299")
        self.assertExit(run, 1)
        self.assertOutputs(run, deployed="false", rolled_back="true")
        self.assertEqual(self.alias_target(), "1")
        self.serves("0")

    def test_next_run_keeps_what_it_proves(self):
        project, _ = self.serve("live", tags={"lambda-fastdeploy:verified": "1/1"})
        self.killed_after_the_move(project)
        mark = self.mark()
        run = self.deploy(project)
        self.assertExit(run, 0)
        self.assertNotIn("UpdateAlias", cloud.operations(self.since(mark)))
        self.assertTrue(self.tag("verified").startswith(f"{self.alias_target()}/"))
        self.serves("1")
