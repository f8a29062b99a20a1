"""The fault matrix: every operation that the program sends, with everything that can go wrong with it.

    make faults [SEED=1] [CELLS=0] [WORKERS=3]

The operations of AWS come from the program's own table (tests/tools/operations.c), those of the registry, of storage, of the token issuer and of the function's URL from
what the scenarios are seen to send; an operation of the table that no scenario sends fails the matrix. A cell is one run of the cheapest scenario that sends the operation,
with one fault, once or for ever, as the seed says. The fault must have been met; the run must end in success or in a named error; the function must answer, code and
configuration as they were before or as the run wants them; and a plain run after it must arrive at the right end. At the end nothing may be left over (leftovers.py).
What would take a minute takes a second, or on a slow machine three times what the slowest request of the good runs took (LAMBDA_FASTDEPLOY_HTTP_TIMEOUT).
"""

import argparse
import collections
import concurrent.futures
import dataclasses
import math
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import threading
import time

from . import case, cloud, fault_scenarios, leftovers, runner

LEAST_HTTP_S, MOST_HTTP_S = 1, 4
THROTTLED = {"lambda": {"status": 429, "code": "TooManyRequestsException"}}
OTHERS_THROTTLED = {"status": 400, "code": "ThrottlingException"}
PLAIN_THROTTLED = {"status": 429, "code": "TOOMANYREQUESTS"}
FAULTS = ("500", "503", "throttle", "throttle-wait", "reset-before", "reset-after", "truncate", "garbage", "content-type", "slow", "hang")
NOT_MET = "the fault was never met: the cell proves nothing"
HOST_FAULTS = ("tls", "dns")  # a handshake and a name belong to a service, not to an operation
ALONE = ("oidc", "storage", "registry Ping")  # their requests do not tell whose they are
# What BuildKit pushes has no limit of time but the run's: 60 minutes by default.
DEADLINE = "40s"
HOSTS = {"sts": "sts.", "ecr": "api.ecr.", "lambda": "lambda.", "logs": "logs.", "oidc": "token.actions.", "registry": ".dkr.ecr.",
         "storage": "starport", "url": ".lambda-url."}


@dataclasses.dataclass(frozen=True)
class Cell:
    service: str
    operation: str  # "" for a fault of the host
    fault: str
    for_ever: bool
    scenario: str

    @property
    def what(self):
        return f"{self.service} {self.operation}".strip()

    @property
    def is_alone(self):
        return self.fault == "tls" or self.service in ALONE or self.what in ALONE

    def __str__(self):
        return f"{self.what} · {self.fault}{' for ever' if self.for_ever else ''} ({self.scenario})"


def order_of(cell):
    """The fault as the control port takes it: kind and argument."""
    if cell.fault in ("500", "503"):
        return "status", int(cell.fault)
    if cell.fault.startswith("throttle"):
        answer = dict(THROTTLED.get(cell.service) or
                      (OTHERS_THROTTLED if cell.service in ("ecr", "sts", "logs") else PLAIN_THROTTLED))
        if cell.fault == "throttle-wait":
            answer["headers"] = {"x-amz-retry-after": "300", "Retry-After": "1"}
        return "status", answer
    return cell.fault, {"slow": 100}.get(cell.fault)


def sample(cells, count, chance):
    """So many of them: each operation once before any comes a second time."""
    cells = chance.sample(cells, len(cells))
    seen = collections.Counter()
    rounds = {}
    for cell in cells:
        rounds[cell] = seen[cell.service, cell.operation]
        seen[cell.service, cell.operation] += 1
    return sorted(cells, key=rounds.get)[:count]


def remove_what_stays(run):
    """As a person would: by the command in the log. What it does not name is left over at the end, and fails the matrix."""
    for line in run.log.warnings:
        command = re.search(r"docker rm --force \S+", line)
        if command:
            subprocess.run(command[0].split(), stdout=subprocess.DEVNULL, timeout=30, check=True)


class Matrix:
    def __init__(self, options, folder):
        self.options = options
        self.cloud = cloud.Cloud()
        self.world = fault_scenarios.World(folder)
        self.counts = collections.Counter()
        self.failures = []
        self.lock = threading.Lock()
        self.http_s = MOST_HTTP_S

    # Which cells there are.

    def table(self):
        done = subprocess.run([self.options.operations], capture_output=True, text=True, timeout=10, check=True)
        return {tuple(line.split()[:2]) for line in done.stdout.splitlines()}

    def sent_by_scenarios(self):
        """{(service, operation): the first scenario that sends it}, from one good run of each; and how long a request of these takes at most."""
        found, engine = {}, set()
        slowest_ms = 0
        for name in fault_scenarios.NAMES:
            stage = self.world.stage(name)
            mark = self.cloud.last_request()
            with fault_scenarios.engine_between(seen=engine) as path:
                run = stage.run(env={"DOCKER_HOST": f"unix://{path}"})
            if run.exit_code != stage.good_exit:
                raise runner.HarnessError(f"the scenario {name} fails without a fault:\n{run.tail()}")
            stage.check_after_fault(run)
            stage.close()
            for request in self.cloud.requests_after(mark):
                its_own = name == "build" or request["service"] not in ("registry", "storage")
                if request["service"] in HOSTS and its_own:
                    found.setdefault((request["service"], request["operation"]), name)
                    slowest_ms = max(slowest_ms, request["ms"] or 0)
        self.http_s = MOST_HTTP_S if self.options.wrap else min(MOST_HTTP_S, max(LEAST_HTTP_S, math.ceil(3 * slowest_ms / 1000)))
        found.update({("engine", operation): "check" for operation in engine})
        return found

    def cells(self):
        sent = self.sent_by_scenarios()
        table = self.table()
        forgotten = table - set(sent)
        if forgotten or ("engine", "GET /info") not in sent:
            raise runner.HarnessError(f"in the table, but sent by no scenario: {sorted(forgotten)}")
        chance = random.Random(self.options.seed)
        cells = [Cell(service, operation, fault, chance.random() < 0.5, scenario)
                 for (service, operation), scenario in sorted(sent.items()) for fault in FAULTS
                 if service != "engine" or fault != "throttle-wait"]
        for service in sorted({service for service, _ in sent} - {"engine"}):
            scenario = next(name for (its, _), name in sorted(sent.items()) if its == service)
            cells += [Cell(service, "", fault, True, scenario) for fault in HOST_FAULTS]
        if self.options.only:
            cells = [cell for cell in cells if self.options.only in str(cell)]
        return sample(cells, self.options.cells, chance) if self.options.cells else cells

    # One cell.

    def play(self, cell):
        began = time.monotonic()
        run, problem = self.play_once(cell, self.http_s)
        if problem and NOT_MET in problem:  # the machine was so slow that the run ended before it came to that
            run, problem = self.play_once(cell, 4 * self.http_s)
        with self.lock:
            outcome = "wrong" if problem else "success" if run.exit_code == 0 else f"named error, exit {run.exit_code}"
            self.counts[outcome] += 1
            if problem:
                self.failures.append(problem)
                print(f"WRONG {problem}", flush=True)
            elif self.options.verbose:
                said = f": {run.log.errors[0][:200]}" if run.log.errors else ""
                print(f"{outcome:22} {time.monotonic() - began:5.1f} s  {cell}{said}", flush=True)

    def play_once(self, cell, http_s):
        stage = self.world.stage(cell.scenario)
        run = problem = None
        try:
            run = self.run_with(cell, stage, http_s)
            stage.check_after_fault(run)
            stage.check_plain_run()
        except (AssertionError, runner.HarnessError, cloud.CloudError, OSError) as error:
            problem = f"{cell}: {type(error).__name__}: {error}" + "".join(f"\n{each.said(25)}" for each in stage.runs)
        finally:
            stage.close()
        return run, problem

    def run_with(self, cell, stage, http_s):
        env = {"LAMBDA_FASTDEPLOY_HTTP_TIMEOUT": f"{http_s}s"}
        if cell.service == "engine":
            met = threading.Event()
            with fault_scenarios.engine_between(cell.operation, cell.fault, cell.for_ever, met=met) as path:
                run = stage.run(env={**env, "DOCKER_HOST": f"unix://{path}"})
            remove_what_stays(run)
            stage.assertTrue(met.is_set(), NOT_MET)
            return run
        if cell.fault == "dns":
            run = stage.run(env=env, without_host=HOSTS[cell.service], debug=True)
            stage.assertRegex(run.text, f"(?i)could not resolve.*{re.escape(HOSTS[cell.service])}", NOT_MET)
            return run
        kind, arg = order_of(cell)
        only = {} if cell.is_alone else stage.only(cell.service)
        deadline = {"deadline": DEADLINE} if (cell.service, cell.fault) == ("registry", "hang") else {}
        self.cloud.fault(cell.service, cell.operation or None, kind, arg, times=-1 if cell.for_ever else 1, **only)
        try:
            run = stage.run(env=env, **deadline)
            stage.assertTrue(self.was_met(cell, only), NOT_MET)
            return run
        finally:
            if only:
                self.cloud.forget_faults(**only)
            else:
                self.cloud.clear_faults()

    def was_met(self, cell, only):
        """One that is ordered for ever counts what it has hit; one that was ordered once is gone when it has."""
        left = [fault for fault in self.cloud.control("GET", "/faults")
                if fault["service"] == cell.service and all(fault[name] == value for name, value in only.items())]
        return bool(left and left[0]["seen"]) if cell.for_ever else not left

    def run(self):
        began = time.monotonic()
        before = leftovers.look(self.cloud)
        mark = self.cloud.last_request()
        cells = self.cells()
        alone = [cell for cell in cells if cell.is_alone]
        beside = [cell for cell in cells if cell not in alone]
        print(f"{len(cells)} cells, seed {self.options.seed}; the scenarios took {time.monotonic() - began:.0f} s, a request has {self.http_s} s", flush=True)
        with concurrent.futures.ThreadPoolExecutor(self.options.workers) as pool:
            list(pool.map(self.play, beside))
        for cell in alone:
            self.play(cell)
        self.world.close()
        left = leftovers.more_than(before, leftovers.look(self.cloud, mark))
        if left:
            print(f"WRONG left behind: {left}")
        print(f"{len(cells)} cells in {time.monotonic() - began:.0f} s: "
              + ", ".join(f"{count} {outcome}" for outcome, count in sorted(self.counts.items())))
        print(f"{len(cells) - len(self.failures)} passed, {len(self.failures)} failed", flush=True)
        return 1 if self.failures or left or not cells else 0


def main():
    parser = argparse.ArgumentParser(prog="python3 -m e2e.faults", description=__doc__.splitlines()[0])
    parser.add_argument("--operations", required=True, help="the program of tests/tools/operations.c")
    parser.add_argument("--binary", type=pathlib.Path, default=case.BINARY)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cells", type=int, default=0, help="so many, chosen by the seed (0: all)")
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--only", help="cells whose name holds this")
    parser.add_argument("--wrap", choices=("valgrind", "asan"), help="run the program under valgrind (memory, descriptors), or a build with sanitizers")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    case.Options.binary, case.Options.wrap = options.binary.resolve(), options.wrap
    with tempfile.TemporaryDirectory(prefix="faults-", dir=runner.TEMPORARY) as folder:
        return Matrix(options, pathlib.Path(folder)).run()


if __name__ == "__main__":
    sys.exit(main())
