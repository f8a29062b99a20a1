"""Keys that expire in the middle of a run."""

from . import case
from .policies import PolicyCase

BUILD_S = 40
TOKEN_S = 20
SLOW_BUILD = 'for word; do [ "$word" = build ] && sleep {0} && break; done\nexec "$REAL" "$@"\n'


@case.slow
class Renewal(PolicyCase):
    alone = True

    def test_keys_that_expire_during_a_build(self):
        self.addCleanup(self.cloud.settings, token_seconds=3600)
        self.cloud.settings(token_seconds=TOKEN_S)
        project, _ = self.serve("live")
        mark = self.mark()
        run = self.deploy_as(self.role(self.policy("deploy")), project,
                             shims={"buildx": SLOW_BUILD.format(BUILD_S)})
        self.assertExit(run, 0)
        self.assertGreater(run.wall_s, BUILD_S)
        assumed = [request for request in self.cloud.requests_after(self.began)
                   if request["operation"] == "AssumeRoleWithWebIdentity" and request["status"] == 200]
        self.assertGreaterEqual(len(assumed), 2, "keys were never renewed")
        refused = [request["error"] for request in self.since(0) if request["error"] and "Expired" in request["error"]]
        self.assertEqual(refused, [], "a call was made with keys that had expired")
        self.assertLessEqual(self.cloud.issued_secrets(after=mark), set(run.log.masks), "not masked")
        self.serves("1")
