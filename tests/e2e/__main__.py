"""python3 -m e2e [-k PATTERN] [--binary PATH] [--wrap valgrind|asan|qemu] [--workers N] [--slow | --all]: runs the end-to-end tests inside
the local cloud. One line a test with its time; the end of the log of a test that failed; `N passed, N failed` at the end.
"""

import argparse
import concurrent.futures
import fnmatch
import importlib
import pathlib
import sys
import threading
import time
import unittest

if not __package__:  # started as `python3 tests/e2e`
    sys.path[0] = str(pathlib.Path(__file__).resolve().parents[1])
    __package__ = "e2e"
    importlib.import_module("e2e")

from . import canary, case, cloud, projects  # noqa: E402

PRINTING = threading.Lock()


def arguments():
    parser = argparse.ArgumentParser(prog="python3 -m e2e", description="End-to-end tests, inside the local cloud.")
    parser.add_argument("-k", metavar="PATTERN", action="append", default=[],
                        help="only tests whose name (module.Class.test) holds this, slow ones too; * and ? stand for others")
    parser.add_argument("--binary", type=pathlib.Path, default=case.BINARY)
    parser.add_argument("--wrap", choices=("valgrind", "asan", "qemu"),
                        help="run under valgrind, make a build with sanitizers fail at the first finding, or "
                             "emulate the arm64 build's machine")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--slow", action="store_true", help="those that are marked as slow instead")
    which.add_argument("--all", action="store_true", help="the slow ones, too")
    parser.add_argument("--workers", type=int, default=3, help="tests that run beside each other (3)")
    parser.add_argument("--list", action="store_true", help="only print the tests' names")
    return parser.parse_args()


def flatten(suite):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from flatten(test)
        else:
            yield test


def short(test):
    return test.id().removeprefix("e2e.").removeprefix("test_")


def find_tests(patterns):
    tests = []
    for path in sorted(pathlib.Path(__file__).parent.glob("test_*.py")):
        module = importlib.import_module(f"e2e.{path.stem}")
        tests.extend(flatten(unittest.defaultTestLoader.loadTestsFromModule(module)))
    return [test for test in tests
            if not patterns or any(fnmatch.fnmatch(short(test), f"*{pattern}*") for pattern in patterns)]


def leave_out_the_fast(tests):
    """Under valgrind or with sanitizers, what holds only at full speed proves nothing."""
    for test in tests:
        if getattr(test, "needs_speed", False):
            print(f"left out, since it needs full speed: {short(test)}")
    return [test for test in tests if not getattr(test, "needs_speed", False)]


def report(test, seconds, result):
    findings = [*result.failures, *result.errors,
                *((test, f"skipped, and so proves nothing: {why}") for _, why in result.skipped)]
    with PRINTING:
        print(f"{'FAIL' if findings else 'ok  '} {short(test)} ({seconds:.1f} s)", flush=True)
        for _, text in findings:
            print("     " + text.rstrip().replace("\n", "\n     "))
        runs = getattr(test, "runs", [])
        if findings and runs:
            print(f"     the log of run {len(runs)} ends with:\n     | " + runs[-1].tail().replace("\n", "\n     | "))
        sys.stdout.flush()


def run_test(test):
    result = unittest.TestResult()
    began = time.monotonic()
    test.run(result)
    report(test, time.monotonic() - began, result)
    return result.wasSuccessful() and not result.skipped


def again_alone(tests, passed):
    """At most two tests that failed are run once more, with nothing beside them: on a loaded machine some run into a limit of time. Said
    aloud, and never for more: many failures are no matter of load."""
    failed = [index for index, good in enumerate(passed) if not good]
    if not 0 < len(failed) <= 2:
        return passed
    for index in failed:
        fresh = type(tests[index])(tests[index]._testMethodName)
        print(f"again, alone: {short(fresh)}", flush=True)
        passed[index] = run_test(fresh)
    return passed


def images_hold_no_secret():
    """Nothing that was pushed, by any run, holds a secret of any run."""
    began = time.monotonic()
    secrets = canary.KNOWN.all() | cloud.Cloud().issued_secrets()
    found, count = canary.find_in_registry(secrets)
    print(f"{'FAIL' if found else 'ok  '} none of {len(secrets)} secrets in {count} blobs of the registry"
          f" ({time.monotonic() - began:.1f} s)", flush=True)
    for blob, secret in found:
        print(f"     sha256:{blob} holds {secret[:6]}…")
    return not found


def main():
    options = arguments()
    case.Options.binary = options.binary.resolve()
    case.Options.wrap = options.wrap
    tests = find_tests(options.k)
    if options.slow or not (options.all or options.k):
        tests = [test for test in tests if case.is_slow(test) == options.slow]
    if options.wrap:
        tests = leave_out_the_fast(tests)
    if options.list:
        print("\n".join(map(short, tests)))
        return 0
    if not case.binary_exists():
        print(f"e2e: there is no program at {case.Options.binary}: run make first", file=sys.stderr)
        return 2
    if not cloud.Cloud().is_up():
        print("e2e: the local cloud does not answer: run tests/cloud/up, and this inside tests/cloud/enter",
              file=sys.stderr)
        return 2
    if not tests:
        print("e2e: no test has such a name", file=sys.stderr)
        return 2
    cloud.Cloud().create_role(cloud.FUNCTION_ROLE)
    projects.function_binary()
    began = time.monotonic()
    beside = [test for test in tests if not getattr(test, "alone", False)]
    alone = [test for test in tests if getattr(test, "alone", False)]
    with concurrent.futures.ThreadPoolExecutor(options.workers) as pool:
        passed = list(pool.map(run_test, beside))
    passed += [run_test(test) for test in alone]
    passed = again_alone(beside + alone, passed)
    passed.append(images_hold_no_secret())
    print(f"{time.monotonic() - began:.0f} s")
    print(f"{sum(passed)} passed, {len(passed) - sum(passed)} failed", flush=True)
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
