"""A simulated life from a fixed seed, and deployments that all start at once.

    make soak [SECONDS=450] [SEED=1]         random commits, configurations, faults, kills, cancels, rollbacks and runs beside each other
    make crowd [CROWD_ROUNDS=20] [SEED=1]    ten runs of one function at the same moment, again and again

Time is scaled 1:8. What Lambda takes for an update (2.4 s) or a version (1.6 s), and how long the program waits for an answer (60 s), take an eighth of that; an hour of the life is
450 seconds. A minute of it brings one event, as a busy team's afternoon would: what it is, when in its minute it begins and what it does is drawn from the seed before anything
starts. An event does not wait for the ones before it, so that runs meet; at most four go on at a time.

All along a client asks the alias. Wrong is no answer, one of a version that never was to be served (a commit that does not answer well), and code of one run with the configuration of
another. In the end one plain run must arrive, and nothing may be left over (leftovers.py).
"""

import argparse
import collections
import concurrent.futures
import dataclasses
import json
import pathlib
import random
import shutil
import signal
import sys
import tempfile
import threading
import time

from . import case, cloud, leftovers, projects, runner
from .serving import Client, FunctionCase

SCALE = 8
EVENT_S = 60 / SCALE
AT_ONCE = 4  # events
HTTP_TIMEOUT = f"{60 // SCALE}s"
SETTINGS = {"update_ms": 300, "create_ms": 300, "publish_ms": 200}  # 2.4 s and 1.6 s, scaled
KILLS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
KINDS = {"plain": 3, "fault": 4, "kill": 4, "beside": 2, "others": 1, "rollback": 2, "broken": 2, "again": 1}
FAULTS = (("lambda", "UpdateFunctionCode", "reset-after", None), ("lambda", "UpdateFunctionConfiguration", "reset-before", None),
          ("lambda", "PublishVersion", "status", 500), ("lambda", "UpdateAlias", "reset-after", None), ("lambda", "GetFunction", "truncate", None),
          ("lambda", "TagResource", "status", 503), ("ecr", "BatchGetImage", "reset-before", None), ("ecr", "PutImage", "reset-after", None),
          ("registry", "PutManifest", "reset-before", None), ("registry", "PutUpload", "reset-after", None),
          ("lambda", "UpdateAlias", "hang", None), ("lambda", "Invoke", "reset-before", None), ("lambda", "UpdateFunctionCode", "update-failed", None))
CROWD = 10
FIRST_RUN = 101
TEXT = "FIXTURE_HEALTH_TEXT"  # what the function answers as "status": its configuration


@dataclasses.dataclass(frozen=True)
class Event:
    at_s: float  # real seconds from the beginning
    kind: str
    fault: tuple = None
    nth: int = 1
    times: int = 1
    signal_after_s: float = 0.0
    signal: int = 0


def schedule(seed, seconds):
    """The life, before it begins: one event in each scaled minute."""
    chance = random.Random(seed)
    events, minute = [], 0
    while (at_s := (minute + chance.random()) * EVENT_S) < seconds:
        kind = chance.choices(tuple(KINDS), KINDS.values())[0]
        events.append(Event(at_s, kind, chance.choice(FAULTS), chance.randint(1, 2), chance.choice((1, 1, 3)),
                            chance.uniform(0.1, 4.0), chance.choice(KILLS)))
        minute += 1
    return events


def read_answer(body):
    """(the code's version, the configuration's) of an answer of /health."""
    try:
        answer = json.loads(body)
        return answer["version"], answer["status"]
    except (ValueError, KeyError, TypeError):
        return None


class Life(FunctionCase):
    alone = True  # settings
    def __init__(self, folder):
        super().__init__("live")
        self.setUp()
        self.folder = folder
        self.versions = 0
        self.good = {"0"}  # versions that may be served
        self.counts = collections.Counter()
        self.failures = []
        self.lock = threading.Lock()

    def live(self):
        raise NotImplementedError("played by main")

    def begin(self):
        self.name = case.unique("soak")
        self.base_name = self.name + "-base"
        self.serve("live", environment={TEXT: "0"})

    def start(self, broken=False, job=None, **changes):
        """A run that has begun, of a commit of its own; each has its own checkout."""
        with self.lock:
            self.versions += 1
            version = str(self.versions)
            if not broken:
                self.good.add(version)
        folder = self.folder / f"commit-{version}"
        folder.mkdir()
        project = projects.quick(folder, version=version, **({"health": "500"} if broken else {}))
        inputs = self.wanted(**{"environment": f"{TEXT}={version}", "health_retries": "3", "checks": "GET /health -> 200", **changes})
        with self.lock:
            step = self.step(project, inputs=inputs, job=job, env={"LAMBDA_FASTDEPLOY_HTTP_TIMEOUT": HTTP_TIMEOUT})
        step.version = version
        return step.start()

    def end(self, step):
        run = step.finish(timeout_s=240)
        with self.lock:
            self.counts[f"exit {run.exit_code}"] += 1
        if run.exit_code == 128 + signal.SIGKILL:
            self.assertNoSecret(run)
        else:
            self.check_run(run)
        shutil.rmtree(step.workspace)
        return run

    def served(self):
        """Version by the alias, what it is configured with, and the claim's run number."""
        answer = self.cloud.ask(self.name, alias="live")
        self.assertEqual(answer.status, 200)
        return (*read_answer(answer.body), int(self.tag("claim").split(".")[0]))

    # The life's events.

    def play(self, event, began):
        time.sleep(max(0.0, began + event.at_s - time.monotonic()))
        late_s = time.monotonic() - began - event.at_s
        with self.lock:
            self.counts[event.kind] += 1
        try:
            getattr(self, "play_" + event.kind)(event)
        except (AssertionError, runner.HarnessError, cloud.CloudError, OSError) as error:
            with self.lock:
                self.failures.append(f"{event}: {type(error).__name__}: {error}")
        return late_s

    def play_plain(self, _):
        self.end(self.start())

    def play_fault(self, event):
        service, operation, fault, arg = event.fault
        self.cloud.fault(service, operation, fault, arg, nth=event.nth, times=event.times, resource=self.name)
        self.end(self.start())
        self.cloud.forget_faults(resource=self.name)

    def play_kill(self, event):
        step = self.start()
        time.sleep(event.signal_after_s)
        if step.process.poll() is None:
            step.signal(event.signal)
        self.end(step)

    def play_beside(self, _):
        steps = [self.start() for _ in range(3)]
        for step in steps:
            self.end(step)

    def play_others(self, event):
        """Somebody configures the function by hand."""
        self.cloud.change_function(self.name, environment={"SOMEBODY": f"{event.at_s:.3f}"})
        self.end(self.start())

    def play_rollback(self, _):
        self.end(self.start(command="rollback", environment=None))

    def play_broken(self, _):
        """A commit that does not answer well: users must never meet it."""
        run = self.end(self.start(broken=True))
        self.assertNotEqual(run.outputs.get("deployed"), "true", "a commit that does not answer was deployed")

    def play_again(self, _):
        """Somebody runs an old run again: superseded, unless no newer one has claimed the function."""
        claimed = int(self.tag("claim").split(".")[0])
        run = self.end(self.start(job=runner.Job(run_number=FIRST_RUN, run_id=9182736551, run_attempt=2)))
        if claimed > FIRST_RUN:
            self.assertNotEqual(run.outputs.get("deployed"), "true", "an old run has deployed over newer ones")


def soak(life, options):
    events = schedule(options.seed, options.seconds)
    print(f"{len(events)} events in {options.seconds} s, which stand for {options.seconds * SCALE / 60:.1f} minutes; seed {options.seed}", flush=True)
    life.end(life.start())
    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        late = list(pool.map(lambda event: life.play(event, began), events))
    print(f"the last event ended after {time.monotonic() - began:.0f} s; the latest began {max(late, default=0):.1f} s too late", flush=True)
    run = life.end(life.start())
    version = str(life.versions)
    failures = list(life.failures)
    if run.exit_code != 0 or life.served()[:2] != (version, version):
        failures.append(f"the last plain run: exit code {run.exit_code}, serves {life.served()}\n{run.tail()}")
    return failures


def crowd(life, options):
    """Ten at once; the highest run number has code, configuration and claim."""
    failures = []
    for round_number in range(options.rounds):
        steps = [life.start() for _ in range(CROWD)]
        numbers = [step.job.run_number for step in steps]
        runs = [life.end(step) for step in steps]
        version, configured, claim = life.served()
        good = (version, configured, claim) == (steps[-1].version, steps[-1].version, max(numbers))
        print(f"round {round_number + 1}: serves {version}, configured as {configured}, claimed by {claim} (highest {max(numbers)})"
              f"{'' if good else ' WRONG'}", flush=True)
        if not good:
            failures.append(f"round {round_number + 1}: the run of the highest number:\n{runs[-1].tail(70)}")
    return failures


def judge(client, life):
    """What is wrong with the client's answers; the count of those."""
    allowed = {(200, (version, version)) for version in life.good}
    return [answer for answer in client.answers if answer not in allowed]


def live(life, options):
    began = time.monotonic()
    before = leftovers.look(life.cloud)
    mark = life.cloud.last_request()
    with Client(cloud.url_of(life.name, "live"), every_s=0.05, read=read_answer) as client:
        client.wait_for(5)
        failures = (crowd if options.crowd else soak)(life, options)
    wrong = judge(client, life)
    left = leftovers.more_than(before, leftovers.look(life.cloud, mark))
    if wrong:
        failures.append(f"wrong answers: {wrong[:5]}")
    if left:
        failures.append(f"left behind: {left}")
    print(f"{time.monotonic() - began:.0f} s, seed {options.seed}: {life.versions} commits, {json.dumps(dict(life.counts))}; "
          f"the client asked {len(client.answers)} times, {len(wrong)} wrong answers", flush=True)
    return failures


def main():
    parser = argparse.ArgumentParser(prog="python3 -m e2e.soak", description=__doc__.splitlines()[0])
    parser.add_argument("--binary", type=pathlib.Path, default=case.BINARY)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=int, default=3600 // SCALE)
    parser.add_argument("--crowd", action="store_true")
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    case.Options.binary = options.binary.resolve()
    cloud.Cloud().create_role(cloud.FUNCTION_ROLE)
    projects.function_binary()
    with tempfile.TemporaryDirectory(prefix="soak-", dir=runner.TEMPORARY) as folder:
        life = Life(pathlib.Path(folder))
        life.cloud.settings(control_rate=1000, get_function_rate=1000, shared_environments=True, **SETTINGS)  # scaled, and ten at once are more than Lambda takes in a second
        try:
            life.begin()
            failures = live(life, options)
        finally:
            life.cloud.settings(control_rate=15, shared_environments=False)
            life.doCleanups()
    for failure in failures:
        print(f"WRONG {failure}", flush=True)
    print(f"{0 if failures else 1} passed, {1 if failures else 0} failed", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
