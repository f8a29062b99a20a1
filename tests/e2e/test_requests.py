"""How many requests each kind of run sends, and how many of them one after the other: the table of budgets."""

import collections
import re

from . import cloud
from .policies import PolicyCase

LATENCY_MS = 250  # so long that what is sent at once is seen to be, on a busy machine too

# scenario: requests to each service at most, and round trips one after the other at most (None: a build lies between).
# buildx's own requests to the registry are not counted, nor those that a build's image adds to them.
BUDGETS = {
    "first deploy": ({"lambda": 10, "ecr": 15, "url": 2}, None),
    "nothing changed": ({"lambda": 3, "ecr": 2, "url": 1}, 4),
    "nothing changed, with OIDC": ({"oidc": 1, "sts": 1, "lambda": 3, "ecr": 2, "url": 1}, 6),
    "code change": ({"lambda": 10, "ecr": 9, "url": 2}, None),
    "first deploy with an alias": ({"lambda": 25, "ecr": 15, "url": 2}, None),
    "nothing changed, with an alias": ({"lambda": 6, "ecr": 2, "url": 1}, 4),
}
COUNTED = ("lambda", "ecr", "sts", "oidc", "url")


def trips(requests):
    """The longest chain of requests of which each began after the one before had ended."""
    chains = []
    for request in sorted(requests, key=lambda request: request["start"]):
        before = [depth for end, depth in chains if end <= request["start"]]
        chains.append((request["start"] + request["ms"] / 1000, 1 + max(before, default=0)))
    return max((depth for _, depth in chains), default=0)


class Requests(PolicyCase):
    alone = True
    needs_speed = True  # slowed down, the program looks at the function once more, since what it has seen is too old

    def setUp(self):
        super().setUp()
        self.cloud.settings(update_ms=1, create_ms=1, publish_ms=1)
        self.addCleanup(self.cloud.settings, update_ms=300, create_ms=300, publish_ms=200, latency_ms=0)

    def within(self, scenario, deploy):
        most, most_trips = BUDGETS[scenario]
        self.cloud.settings(latency_ms=LATENCY_MS if most_trips else 0)
        mark = self.mark()
        run = deploy()
        self.assertExit(run, 0)
        sent = [request for request in self.since(mark) if request["service"] in COUNTED]
        counts = collections.Counter(request["service"] for request in sent)
        over = {service: count for service, count in counts.items() if count > most.get(service, 0)}
        self.assertEqual(over, {}, f"{scenario}: over its budget: {cloud.operations(sent)}")
        if most_trips:
            self.assertLessEqual(trips(sent), most_trips, f"{scenario}: {cloud.operations(sent)}")
            self.assertOutputs(run, deployed="false")
        self.cloud.settings(latency_ms=0)
        return run

    def test_budgets(self):
        project = self.project()
        self.within("first deploy", lambda: self.run_step(project))
        run = self.within("nothing changed", lambda: self.run_step(project, env={"RUNNER_DEBUG": "1"}))
        self.told(run, BUDGETS["nothing changed"][0])
        role = self.role(self.policy("deploy"))
        self.within("nothing changed, with OIDC", lambda: self.deploy_as(role, project))
        project.behave(version="2").commit("Answer differently")
        self.within("code change", lambda: self.run_step(project))

    def told(self, run, most):
        """RUNNER_DEBUG=1 shows every request with its time."""
        shown = re.findall(r"(?m)^::debug::(?:(?:lambda|ecr) \w+: try 1, \d+|GET \S+: \d+), \d+ ms", run.text)
        self.assertEqual(len(shown), sum(most.values()), run.text)

    def test_budgets_with_an_alias(self):
        project = self.project()
        inputs = self.inputs(alias="live", health_url=cloud.url_of(self.name, "live"))
        self.within("first deploy with an alias", lambda: self.run_step(project, inputs=inputs))
        self.within("nothing changed, with an alias", lambda: self.run_step(project, inputs=inputs))
