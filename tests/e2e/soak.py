"""A simulated life from a fixed seed, and deployments that all start at once.

    make soak SECONDS=600 [SEED=1]     random commits, configurations, faults, kills, cancels and runs beside each other
    make crowd [CROWD_ROUNDS=20] [SEED=1]    ten runs of one function at the same moment, again and again

All along a client asks the alias. An answer that is neither the version before nor one that was being deployed is wrong, and so is none. At the end nothing may be left: memory and open files of
the cloud's clients are not asked, but processes, containers, temporary files and builders are.
"""

import argparse
import collections
import json
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

from . import case, cloud, fault_scenarios, projects, runner
from .serving import Client, FunctionCase

KILLS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
FAULTS = (("lambda", "UpdateFunctionCode", "reset-after", None), ("lambda", "UpdateFunctionConfiguration", "reset-before", None),
          ("lambda", "PublishVersion", "status", 500), ("lambda", "UpdateAlias", "reset-after", None), ("lambda", "GetFunction", "truncate", None),
          ("lambda", "TagResource", "status", 503), ("ecr", "BatchGetImage", "reset-before", None), ("ecr", "PutImage", "reset-after", None),
          ("registry", "PutManifest", "reset-before", None), ("registry", "PutUpload", "reset-after", None),
          ("lambda", "UpdateAlias", "hang", None), ("lambda", "Invoke", "reset-before", None))
CROWD = 10


class Life(FunctionCase):
    def __init__(self, folder):
        super().__init__("live")
        self.setUp()
        self.folder = folder
        self.versions = 0
        self.counts = collections.Counter()

    def live(self):
        raise NotImplementedError("played by main")

    def begin(self):
        self.name = case.unique("soak")
        self.base_name = self.name + "-base"
        self.project_now, _ = self.serve("live")
        self.common = {"health-retries": "3", "checks": "GET /health -> 200"}

    def start(self, version, **changes):
        """A run that has begun, of a commit of its own; each has its own checkout."""
        folder = self.folder / f"commit-{version}"
        folder.mkdir()
        project = projects.quick(folder, version=version)
        inputs = self.wanted(**{"environment": f"CONFIGURED={version}", **changes})
        return self.step(project, inputs=inputs, env={"LAMBDA_FASTDEPLOY_HTTP_TIMEOUT": "5s"}).start()

    def end(self, step):
        run = step.finish(timeout_s=240)
        self.check_killed(run) if run.exit_code in (128 + signal.SIGKILL,) else self.check_run(run)
        self.counts[f"exit {run.exit_code}"] += 1
        return run

    def check_killed(self, run):
        self.assertNoSecret(run)

    def next_version(self):
        self.versions += 1
        return str(self.versions)

    def served(self):
        """Version by the alias, what it is configured with, and the claim's run number."""
        answer = self.cloud.ask(self.name, alias="live")
        self.assertEqual(answer.status, 200)
        target = self.alias_target()
        configured = self.cloud.function(self.name, target)["Configuration"].get("Environment", {}).get("Variables", {}).get("CONFIGURED")
        return answer.json["version"], configured, int(self.tag("claim").split(".")[0])


def processes():
    """Those of the program, by name, wherever they run in this machine's part."""
    done = subprocess.run(["ps", "-eo", "comm="], capture_output=True, text=True, check=True)
    return collections.Counter(name for name in done.stdout.split() if name.startswith(("lambda-fast", "buildx", "docker-buildx")))


def containers():
    done = subprocess.run(["docker", "ps", "-aq", "--filter", "name=lambda-fastdeploy"], capture_output=True, text=True, check=True)
    return len(done.stdout.split())


def leftovers():
    return {"processes": dict(processes()), "containers": containers(),
            "temporary": [str(path) for path in pathlib.Path(runner.TEMPORARY).glob("run-*")]}


def wrong_answers(client, allowed):
    return [answer for answer in client.answers if answer[0] != 200 or answer[1] not in allowed]


def crowd(life, options):
    """Ten at once; the highest run number has code, configuration and claim."""
    failures = []
    for round_number in range(options.rounds):
        versions = [life.next_version() for _ in range(CROWD)]
        steps = [life.start(version) for version in versions]
        numbers = [step.job.run_number for step in steps]
        runs = [life.end(step) for step in steps]
        version, configured, claim = life.served()
        good = (version, configured, claim) == (versions[-1], versions[-1], max(numbers))
        print(f"round {round_number + 1}: serves {version}, configured as {configured}, claimed by {claim} (highest {max(numbers)})"
              f"{'' if good else ' WRONG'}", flush=True)
        if not good:
            failures.append(f"round {round_number + 1}: the run of the highest number:\n{runs[-1].tail(70)}")
    return failures


def soak(life, options):
    """Steps of chance until the time is over; afterwards one plain run must arrive."""
    chance = random.Random(options.seed)
    failures = []
    end = time.monotonic() + options.seconds
    while time.monotonic() < end:
        kind = chance.choice(("plain", "fault", "fault", "kill", "kill", "beside", "others", "rollback"))
        life.counts[kind] += 1
        if kind == "fault":
            service, operation, fault, arg = chance.choice(FAULTS)
            resource = life.name
            life.cloud.fault(service, operation, fault, arg, nth=chance.randint(1, 2), times=chance.choice((1, 1, 3)), resource=resource)
        if kind == "others":
            life.cloud.change_function(life.name, environment={"SOMEBODY": str(life.versions)})
        count = 3 if kind == "beside" else 1
        more = {"command": "rollback", "environment": None} if kind == "rollback" else {}
        steps = [life.start(life.next_version(), **more) for _ in range(count)]
        if kind == "kill":
            time.sleep(chance.uniform(0.1, 4.0))
            for step in steps:
                if step.process.poll() is None:
                    step.signal(chance.choice(KILLS))
        for step in steps:
            life.end(step)
        life.cloud.forget_faults(resource=life.name)
    version = life.next_version()
    run = life.end(life.start(version))
    if run.exit_code != 0 or life.served()[:2] != (version, version):
        failures.append(f"the last plain run: exit code {run.exit_code}, serves {life.served()}\n{run.tail()}")
    return failures


def main():
    parser = argparse.ArgumentParser(prog="python3 -m e2e.soak", description=__doc__.splitlines()[0])
    parser.add_argument("--binary", type=pathlib.Path, default=case.BINARY)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--crowd", action="store_true")
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    case.Options.binary = options.binary.resolve()
    cloud.Cloud().create_role(cloud.FUNCTION_ROLE)
    projects.function_binary()
    with tempfile.TemporaryDirectory(prefix="soak-", dir=runner.TEMPORARY) as folder:
        life = Life(pathlib.Path(folder))
        life.cloud.settings(control_rate=1000)  # ten at once are more than Lambda takes in a second
        life.begin()
        before = leftovers()
        began = time.monotonic()
        with Client(cloud.url_of(life.name, "live"), every_s=0.1) as client:
            client.wait_for(5)
            failures = (crowd if options.crowd else soak)(life, options)
        wrong = wrong_answers(client, {str(version) for version in range(life.versions + 1)})
        left = leftovers()
        print(f"{time.monotonic() - began:.0f} s, seed {options.seed}: {life.versions} commits, {json.dumps(dict(life.counts))}; "
              f"the client asked {len(client.answers)} times, {len(wrong)} wrong answers", flush=True)
        if wrong:
            failures.append(f"wrong answers: {wrong[:5]}")
        if left != before:
            failures.append(f"left behind: {left}, before: {before}")
        life.cloud.settings(control_rate=15)
        life.doCleanups()
    for failure in failures:
        print(f"WRONG {failure}", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
