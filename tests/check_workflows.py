"""tests/check_workflows.py: what must hold of the workflows of this repository. What a release does: tests/check_release.py."""

import pathlib
import re
import shutil
import subprocess
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[1]
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}$")
# What strangers write must reach a shell by the environment, never inside of the script.
TEMPLATE = re.compile(r"\$\{\{")
LINTER = shutil.which("shellcheck")  # make lint installs it
WRITERS = {"release.yml": {"packages", "contents", "id-token", "attestations"}, "ci.yml": set()}


def check_step(step, text):
    if (uses := step.get("uses")) and not uses.startswith("./"):
        if not PINNED.match(uses):
            yield f"{uses}: not pinned by a commit"
        if not re.search(re.escape(uses) + r" # v\d+\.\d+\.\d+$", text, re.MULTILINE):
            yield f"{uses}: its version does not stand behind it"
        if uses.startswith("actions/checkout@") and step.get("with", {}).get("persist-credentials") is not False:
            yield f"{uses}: keeps the token in the checkout"
    elif not uses and "run" not in step:
        yield f"a step does nothing: {step}"
    if script := step.get("run"):
        if TEMPLATE.search(script):
            yield f"an expression inside of a script: {script!r}"
        if subprocess.run(["bash", "-n"], input=script, text=True, check=False).returncode != 0:
            yield f"no shell script: {script!r}"
        if LINTER and (said := subprocess.run([LINTER, "--shell=bash", "-"], input=script, text=True, capture_output=True, check=False).stdout):
            yield f"shellcheck: {said.strip()}"
        for program in re.findall(r"^(?:\S+=\S+ )*((?:packaging|tools|tests|\.ci)/\S+)", script, re.MULTILINE):
            if not (ROOT / program).is_file():
                yield f"there is no {program}"


def check_job(name, job, writers, text):
    called = job.get("uses")
    if called and not (called.startswith("./") and (ROOT / called).is_file()):
        yield f"job {name}: there is no {called}"
    if not called and "timeout-minutes" not in job:
        yield f"job {name}: no time limit"
    permissions = job.get("permissions")
    if not isinstance(permissions, dict):
        yield f"job {name}: does not say its permissions"
        permissions = {}
    for what, level in permissions.items():
        if level != "read" and what not in writers:
            yield f"job {name}: may write {what}"
    for step in job.get("steps", []):
        yield from (f"job {name}: {problem}" for problem in check_step(step, text))


def check_workflow(path):
    text = path.read_text(encoding="utf-8")
    workflow = yaml.safe_load(text)
    if workflow.get("permissions") != {}:
        yield "permissions of the whole workflow are not {}"
    if not workflow.get(True):  # YAML takes the word `on` for true
        yield "no event starts it"
    if "pull_request_target" in text:
        yield "pull_request_target"
    for name, job in workflow["jobs"].items():
        for need in [job.get("needs", [])] if isinstance(job.get("needs", []), str) else job.get("needs", []):
            if need not in workflow["jobs"]:
                yield f"job {name}: needs {need}, which is not there"
        yield from check_job(name, job, WRITERS.get(path.name, set()), text)


def main():
    paths = sorted((ROOT / ".github/workflows").glob("*.yml"))
    problems = [f"{path.name}: {problem}" for path in paths for problem in check_workflow(path)]
    if not paths:
        problems.append(".github/workflows: there are none")
    for problem in problems:
        print(problem, file=sys.stderr)
    if not problems:
        print(f"{len(paths)} workflows hold what they must")
    return 1 if problems else 0


sys.exit(main())
