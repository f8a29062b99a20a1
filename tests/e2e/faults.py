"""The fault matrix: every operation that the program sends, with everything that can go wrong with it.

    make faults [SEED=1] [CELLS=0] [WORKERS=3]

The operations of AWS come from the program's own table (tests/tools/operations.c), those of the registry, of storage, of the token issuer and of the function's URL from
what the scenarios are seen to send; an operation of the table that no scenario sends fails the matrix. A cell is one run of the cheapest scenario that sends the operation,
with one fault, once or for ever, as the seed says. It must end in success or in a named error; the function must answer, with what it served before or with the new
version; and a plain run after it must arrive at the right end. What would take a minute takes a second by LAMBDA_FASTDEPLOY_HTTP_TIMEOUT.
"""

import argparse
import collections
import concurrent.futures
import dataclasses
import pathlib
import random
import subprocess
import sys
import tempfile
import threading
import time

from . import case, cloud, fault_scenarios, runner

HTTP_TIMEOUT = "1s"
THROTTLED = {"lambda": {"status": 429, "code": "TooManyRequestsException"}}
OTHERS_THROTTLED = {"status": 400, "code": "ThrottlingException"}
PLAIN_THROTTLED = {"status": 429, "code": "TOOMANYREQUESTS"}
FAULTS = ("500", "503", "throttle", "throttle-wait", "reset-before", "reset-after", "truncate", "garbage", "content-type", "slow", "hang")
HOST_FAULTS = ("tls", "dns")  # a handshake and a name belong to a service, not to an operation
ALONE = ("oidc", "storage")  # their requests do not tell whose they are
# In the table, but no run sends them; what is sent after all fails the matrix.
NEVER_SENT = {("lambda", "UntagResource")}
HOSTS = {"sts": "sts.", "ecr": "api.ecr.", "lambda": "lambda.", "logs": "logs.", "oidc": "token.actions.", "registry": ".dkr.ecr.",
         "storage": "starport", "url": ".lambda-url."}


@dataclasses.dataclass(frozen=True)
class Cell:
    service: str
    operation: str  # "" for a fault of the host
    fault: str
    for_ever: bool
    scenario: str

    def __str__(self):
        what = f"{self.service} {self.operation}".strip()
        return f"{what} · {self.fault}{' for ever' if self.for_ever else ''} ({self.scenario})"


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


class Matrix:
    def __init__(self, options, folder):
        self.options = options
        self.cloud = cloud.Cloud()
        self.world = fault_scenarios.World(folder)
        self.counts = collections.Counter()
        self.failures = []
        self.lock = threading.Lock()

    # Which cells there are.

    def table(self):
        done = subprocess.run([self.options.operations], capture_output=True, text=True, timeout=10, check=True)
        return {tuple(line.split()[:2]) for line in done.stdout.splitlines()}

    def sent_by_scenarios(self):
        """{(service, operation): the first scenario that sends it}, from one good run of each."""
        found, engine = {}, set()
        for name in fault_scenarios.NAMES:
            mark = self.cloud.last_request()
            stage = self.world.stage(name)
            with fault_scenarios.engine_between(seen=engine) as path:
                run = stage.run(env={"DOCKER_HOST": f"unix://{path}"})
            if run.exit_code != stage.good_exit:
                raise runner.HarnessError(f"the scenario {name} fails without a fault:\n{run.tail()}")
            stage.check_after_fault(run)
            stage.close()
            for request in self.cloud.requests():
                its_own = name == "build" or request["service"] not in ("registry", "storage")
                if request["n"] > mark and request["service"] in HOSTS and its_own:
                    found.setdefault((request["service"], request["operation"]), name)
        found.update({("engine", operation): "build" for operation in engine})
        return found

    def cells(self):
        sent = self.sent_by_scenarios()
        table = self.table()
        forgotten = table - set(sent) - NEVER_SENT
        if forgotten or NEVER_SENT & set(sent) or NEVER_SENT - table or ("engine", "GET /info") not in sent:
            raise runner.HarnessError(f"in the table, but sent by no scenario: {sorted(forgotten)}; "
                                      f"said to be sent by none: {sorted(NEVER_SENT)}")
        chance = random.Random(self.options.seed)
        cells = [Cell(service, operation, fault, chance.random() < 0.5, scenario)
                 for (service, operation), scenario in sorted(sent.items()) for fault in FAULTS
                 if service != "engine" or fault != "throttle-wait"]
        for service in sorted({service for service, _ in sent} - {"engine"}):
            scenario = next(name for (its, _), name in sorted(sent.items()) if its == service)
            cells += [Cell(service, "", fault, True, scenario) for fault in HOST_FAULTS]
        if self.options.only:
            cells = [cell for cell in cells if self.options.only in str(cell)]
        if self.options.cells:
            cells = chance.sample(cells, min(self.options.cells, len(cells)))
        return cells

    # One cell.

    def play(self, cell):
        began = time.monotonic()
        stage = self.world.stage(cell.scenario)
        problem = None
        run = None
        try:
            run = self.run_with(cell, stage)
            stage.check_after_fault(run)
            if run.exit_code != 0:
                stage.check_plain_run()
        except (AssertionError, runner.HarnessError, cloud.CloudError, OSError) as error:
            problem = f"{cell}: {type(error).__name__}: {error}" + (f"\n{run.tail(25)}" if run else "")
        finally:
            stage.close()
        with self.lock:
            outcome = "wrong" if problem else "success" if run.exit_code == 0 else f"named error, exit {run.exit_code}"
            self.counts[outcome] += 1
            if problem:
                self.failures.append(problem)
                print(f"WRONG {problem}", flush=True)
            elif self.options.verbose:
                said = f": {run.log.errors[0][:200]}" if run.log.errors else ""
                print(f"{outcome:22} {time.monotonic() - began:5.1f} s  {cell}{said}", flush=True)

    def run_with(self, cell, stage):
        env = {"LAMBDA_FASTDEPLOY_HTTP_TIMEOUT": HTTP_TIMEOUT}
        if cell.service == "engine":
            with fault_scenarios.engine_between(cell.operation, cell.fault, cell.for_ever) as path:
                return stage.run(env={**env, "DOCKER_HOST": f"unix://{path}"})
        if cell.fault == "dns":
            return stage.run(env=env, without_host=HOSTS[cell.service])
        kind, arg = order_of(cell)
        only = {} if kind == "tls" or cell.service in ALONE else stage.only(cell.service)
        self.cloud.fault(cell.service, cell.operation or None, kind, arg, times=-1 if cell.for_ever else 1, **only)
        try:
            return stage.run(env=env)
        finally:
            if only:
                self.cloud.forget_faults(**only)
            else:
                self.cloud.clear_faults()

    def run(self):
        began = time.monotonic()
        cells = self.cells()
        alone = [cell for cell in cells if cell.service in ALONE or cell.fault == "tls"]
        beside = [cell for cell in cells if cell not in alone]
        print(f"{len(cells)} cells, seed {self.options.seed}; the scenarios took {time.monotonic() - began:.0f} s", flush=True)
        with concurrent.futures.ThreadPoolExecutor(self.options.workers) as pool:
            list(pool.map(self.play, beside))
        for cell in alone:
            self.play(cell)
        print(f"{len(cells)} cells in {time.monotonic() - began:.0f} s: "
              + ", ".join(f"{count} {outcome}" for outcome, count in sorted(self.counts.items())), flush=True)
        return 1 if self.failures else 0


def main():
    parser = argparse.ArgumentParser(prog="python3 -m e2e.faults", description=__doc__.splitlines()[0])
    parser.add_argument("--operations", required=True, help="the program of tests/tools/operations.c")
    parser.add_argument("--binary", type=pathlib.Path, default=case.BINARY)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cells", type=int, default=0, help="so many, chosen by the seed (0: all)")
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--only", help="cells whose name holds this")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    case.Options.binary = options.binary.resolve()
    with tempfile.TemporaryDirectory(prefix="faults-", dir=runner.TEMPORARY) as folder:
        return Matrix(options, pathlib.Path(folder)).run()


if __name__ == "__main__":
    sys.exit(main())
