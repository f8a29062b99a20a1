"""The kill matrix: the program is ended before and after each of its effects, and the next plain run must arrive.

    make kills [SEED=1] [CELLS=0] [WORKERS=3]

The effects are those of one good run of each scenario: requests that change something at AWS, and of what a build pushes the first of each kind to each repository. The cloud holds such a
request, before it has its effect or when it has had it, until the program is killed (SIGKILL) or has ended by itself (SIGTERM). Then the function must answer, with what it
served before or with the new version; after a SIGTERM with code and configuration of the same; and one plain run after it must end well and serve what it should, the
configuration included. At the end nothing may be left over (leftovers.py).
"""

import argparse
import collections
import contextlib
import concurrent.futures
import dataclasses
import pathlib
import random
import signal
import sys
import tempfile
import threading
import time

from . import case, cloud, fault_scenarios, leftovers, runner

SCENARIOS = ("first", "first-alias", "code", "configure", "update", "alias", "new-alias", "rollback", "rollback-alias", "bad", "bad-alias")
ENDED_BY_ITSELF = (0, 1, 3, 143)
SIGNALS = (signal.SIGKILL, signal.SIGTERM)
WHEN = {"before": "hang", "after": "hang-after"}


@dataclasses.dataclass(frozen=True)
class Cell:
    scenario: str
    service: str
    operation: str
    nth: int  # of this operation's requests of the run, or of the registry's to this repository
    repository: str  # of the registry: "" the function's own, "-base"
    when: str
    signal: int

    def __str__(self):
        of = "" if self.service != "registry" else " of the base" if self.repository else " of the application"
        return f"{self.scenario}: {signal.Signals(self.signal).name} {self.when} {self.operation}{of} {self.nth}"


class Matrix:
    def __init__(self, options, folder):
        self.options = options
        self.cloud = cloud.Cloud()
        self.world = fault_scenarios.World(folder)
        self.counts = collections.Counter()
        self.failures = 0
        self.slowest_s = 0.0  # from the signal to the end
        self.lock = threading.Lock()

    def effects(self, scenario):
        """(service, operation, nth, repository) of what a good run changes, in order."""
        stage = self.world.stage(scenario)
        mark = self.cloud.last_request()
        run = stage.run()
        if run.exit_code != stage.good_exit:
            raise runner.HarnessError(f"the scenario {scenario} fails without a kill:\n{run.tail()}")
        seen, found = collections.Counter(), []
        for request in self.cloud.requests_after(mark):
            if request["service"] not in ("lambda", "ecr", "registry"):
                continue
            pushes = request["service"] == "registry"
            where = "-base" if pushes and stage.base_name in str(request["resource"]) else ""
            place = (request["service"], request["operation"], where)
            seen[place] += 1
            if cloud.changes([request]) and not (pushes and seen[place] > 1):
                found.append((request["service"], request["operation"], seen[place], where))
        stage.close()
        return found

    def cells(self):
        cells = [Cell(scenario, *effect, when, number) for scenario in SCENARIOS
                 if not self.options.only or scenario in self.options.only.split(",")
                 for effect in self.effects(scenario) for when in WHEN for number in SIGNALS]
        if self.options.cells:
            cells = random.Random(self.options.seed).sample(cells, min(self.options.cells, len(cells)))
        return cells

    def play(self, cell):
        stage = self.world.stage(cell.scenario)
        problem, runs = None, []
        try:
            runs.append(self.ended(cell, stage))
            if cell.signal == signal.SIGTERM:
                self.check_cancelled(stage, runs[0])
            else:
                stage.assertEqual(runs[0].exit_code, 128 + signal.SIGKILL, "exit code")
            self.check_answer(stage, runs[0])
            stage.check_plain_run(was_killed=cell.signal == signal.SIGKILL)
        except (AssertionError, runner.HarnessError, cloud.CloudError, OSError) as error:
            problem = f"{cell}: {type(error).__name__}: {error}"
            for run in [*runs, *stage.runs]:
                problem += "\n" + run.said(25)
        finally:
            stage.close()
        with self.lock:
            self.counts["wrong" if problem else f"{signal.Signals(cell.signal).name} {cell.when}"] += 1
            if problem:
                self.failures += 1
                print(f"WRONG {problem}", flush=True)
            elif self.options.verbose:
                print(f"ok    {cell}", flush=True)

    def ended(self, cell, stage):
        """A run that was ended while the cloud held its request."""
        only = {"resource": stage.name + cell.repository} if cell.service == "registry" else {"key": stage.key}
        kind = WHEN[cell.when]
        self.cloud.fault(cell.service, cell.operation, kind, nth=cell.nth, times=1, **only)
        mark = self.cloud.last_request()
        step = stage.ready({"LAMBDA_FASTDEPLOY_HTTP_TIMEOUT": "60s" if cell.signal == signal.SIGKILL else "1s"}).start()
        is_held = self.wait_until_held(step, stage, mark, kind)
        sent = time.monotonic()
        with contextlib.suppress(ProcessLookupError):  # it ended before that request
            step.signal(cell.signal)
        run = step.finish(timeout_s=120)
        with self.lock:
            self.slowest_s = max(self.slowest_s, time.monotonic() - sent)
        self.cloud.forget_faults(**only)
        if not is_held:
            raise runner.HarnessError(f"the request that was to be held did not come:\n{run.tail()}")
        return run

    def wait_until_held(self, step, stage, mark, kind, timeout_s=60):
        end = time.monotonic() + timeout_s
        while time.monotonic() < end and step.process.poll() is None:
            for request in self.cloud.requests_after(mark):
                its_own = stage.name in str(request["resource"]) or stage.name in str(request["body"])
                if its_own and request["error"] == f"fault: {kind}":
                    return True
            time.sleep(0.05)
        return False

    def check_cancelled(self, stage, run):
        """It has put in order what it had begun, within the runner's ten seconds, or said how a person can."""
        stage.check_run(run)
        stage.assertIn(run.exit_code, ENDED_BY_ITSELF, "exit code")
        if run.exit_code == 3:
            stage.assertIn("aws lambda ", run.summary, "the summary has no command for a person")

    def check_answer(self, stage, run):
        version = stage.answer()
        if version is None and stage.version_before is None:
            return
        before, after = stage.version_before, stage.version_after
        allowed = {after} if run.exit_code == 0 else {before, after}
        if run.exit_code == 128 + signal.SIGKILL:
            allowed.add(stage.version_between)
        stage.assertIn(version, allowed - {None}, "what users get after the kill")
        if run.exit_code in (0, 1, 143):
            environments = {before: stage.environment_before, after: stage.environment_after}
            stage.check_environment(*([stage.environment_before, stage.environment_after] if before == after else [environments[version]]))

    def run(self):
        began = time.monotonic()
        before = leftovers.look(self.cloud)
        mark = self.cloud.last_request()
        cells = self.cells()
        print(f"{len(cells)} cells, seed {self.options.seed}; the scenarios took {time.monotonic() - began:.0f} s", flush=True)
        with concurrent.futures.ThreadPoolExecutor(self.options.workers) as pool:
            list(pool.map(self.play, cells))
        self.world.close()
        left = leftovers.more_than(before, leftovers.look(self.cloud, mark))
        if left:
            print(f"WRONG left behind: {left}")
        print(f"{len(cells)} cells in {time.monotonic() - began:.0f} s: "
              + ", ".join(f"{count} {outcome}" for outcome, count in sorted(self.counts.items()))
              + f"; the slowest end came {self.slowest_s:.1f} s after its signal")
        print(f"{len(cells) - self.failures} passed, {self.failures} failed", flush=True)
        return 1 if self.failures or left or not cells else 0


def main():
    parser = argparse.ArgumentParser(prog="python3 -m e2e.kills", description=__doc__.splitlines()[0])
    parser.add_argument("--binary", type=pathlib.Path, default=case.BINARY)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cells", type=int, default=0, help="so many, chosen by the seed (0: all)")
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--only", help="scenarios, with commas between them")
    parser.add_argument("--wrap", choices=("valgrind", "asan"), help="run the program under valgrind (memory, descriptors), or a build with sanitizers")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    case.Options.binary, case.Options.wrap = options.binary.resolve(), options.wrap
    with tempfile.TemporaryDirectory(prefix="kills-", dir=runner.TEMPORARY) as folder:
        return Matrix(options, pathlib.Path(folder)).run()


if __name__ == "__main__":
    sys.exit(main())
