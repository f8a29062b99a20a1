#!/usr/bin/env python3
"""Do the examples, and the workflows in the docs, work with this program?

    python3 tests/check_examples.py build/lambda-fastdeploy

- Every workflow of examples/ and every step with `uses: org/lambda-fastdeploy@v1` in a Markdown file is read as YAML.
- Other actions are pinned by a whole commit, and to one commit in the whole project. Permissions are given. What deploys
  has a `concurrency` that cancels nothing, and a `timeout-minutes`.
- The inputs of each of our steps are known, and the program takes their values: it is run with them, in the example's
  folder, without credentials, and must get as far as wanting some.
- So are the commands `lambda-fastdeploy …` in code blocks of the docs. The README's shell blocks run, with stand-ins for
  `gh` and for `aws`, which reads the policies that it is given.
- Shell scripts parse. The plan's comment is made, from a result with every member that it reads.
- The functions' own tests pass, and each example's README names each of its files.

No network is used. Needs python3-yaml, python3-snowballstemmer, nodejs and jq (tools/install examples).
"""

import json
import os
import pathlib
import re
import shlex
import shutil
import stat
import subprocess
import sys
import tempfile

import yaml

import check_docs
import check_guides

ROOT = pathlib.Path(__file__).resolve().parent.parent
OURS = "org/lambda-fastdeploy@v1"
# What an expression in an input may stand for.
EXPRESSIONS = {
    "vars.DEPLOY_ROLE": "arn:aws:iam::123456789012:role/deploy",
    "vars.PLAN_ROLE": "arn:aws:iam::123456789012:role/plan",
    "vars.FUNCTION_ROLE": "arn:aws:iam::123456789012:role/function",
    "vars.HEALTH_URL": "https://example.lambda-url.us-east-1.on.aws",
    "secrets.API_GATEWAY_URL": "https://example.execute-api.us-east-1.amazonaws.com/prod",
    "vars.STORAGE_BUCKET": "documents",
    "inputs.dry-run": "true",
    "inputs.environment": "staging",
    "github.event_name == 'release' && 'production' || 'staging'": "production",
}
RESULT = {
    "outcome": "planned", "base_image": {"reason": "Dockerfile.lambda.base changed"},
    "image": {"reason": "the base image will be built first"}, "functions": [{"reason": "it runs | another\nimage"}],
}


def evaluate(text, env):
    """The value of an input, its expressions replaced; KeyError names one that is not known."""
    def value(match):
        expression = match[1].strip()
        when = re.fullmatch(r"vars\.HEALTH_URL && env\.(\w+)", expression)
        return env[when[1]] if when else EXPRESSIONS[expression]

    if isinstance(text, bool):
        return str(text).lower()
    return re.sub(r"\$\{\{(.*?)\}\}", value, str(text)).strip()


def our_steps(document):
    """(environment, inputs) of each of our steps in a workflow, a list of steps, or a part of either."""
    if isinstance(document, list):
        for item in document:
            yield from our_steps(item)
    elif isinstance(document, dict):
        if document.get("uses") == OURS:
            yield {}, document.get("with") or {}
        for key, item in document.items():
            if key != "with":
                for env, inputs in our_steps(item):
                    yield {**(document.get("env") or {}), **env}, inputs


def check_run(where, binary, arguments, environment, folder):
    """The program must take what it is given, and get as far as wanting credentials."""
    wanted = 0 if {"--help", "--version"} & set(arguments) else 1
    done = subprocess.run([binary, *arguments], cwd=folder, capture_output=True, text=True, timeout=60, check=False,
                          env={"PATH": "/usr/bin:/bin", "AWS_EC2_METADATA_DISABLED": "true", "HOME": "/nonexistent",
                               **environment})
    if done.returncode != wanted or (wanted and "#no-credentials)" not in done.stderr):
        yield f"{where}: exit code {done.returncode}: {done.stderr.strip()}"


def check_step(binary, where, folder, env, inputs, known):
    for name in inputs:
        if name not in known:
            yield f"{where}: there is no input {name}"
    try:
        values = {name: evaluate(text, env) for name, text in inputs.items()}
    except KeyError as error:
        yield f"{where}: the expression {error} is not known to tests/check_examples.py"
        return
    environment = {"INPUT_" + name.upper(): value for name, value in values.items()}
    environment.setdefault("INPUT_AWS-REGION", "us-east-1")
    yield from check_run(where, binary, [], environment, folder)


def check_pins(where, text, pins):
    for name, ref in re.findall(r"uses: *([\w.-]+/[\w./-]+)@(\S+)", text):
        if f"{name}@{ref}" == OURS:
            continue
        if not re.fullmatch(r"[0-9a-f]{40}", ref):
            yield f"{where}: {name}@{ref} is not pinned to a commit"
        elif pins.setdefault(name, ref) != ref:
            yield f"{where}: {name} is pinned to another commit than elsewhere"


def check_workflow(path, document):
    where = path.relative_to(ROOT)
    if True not in document and "on" not in document:  # YAML 1.1 reads `on` as true
        yield f"{where}: it is never started"
    if "permissions" not in document:
        yield f"{where}: no permissions are given, so all of the default ones are"
    for name, job in document["jobs"].items():
        steps = list(our_steps(job))
        permissions = job.get("permissions", document.get("permissions", {}))
        guard = job.get("concurrency") or document.get("concurrency") or {}
        if "timeout-minutes" not in job:
            yield f"{where}: {name}: no timeout-minutes"
        for _, inputs in steps:
            if "role-to-assume" in inputs and permissions.get("id-token") != "write":
                yield f"{where}: {name}: role-to-assume without `id-token: write`"
            if inputs.get("command") != "plan" and guard.get("cancel-in-progress") is not False:
                yield f"{where}: {name}: deploys without `concurrency` and `cancel-in-progress: false`"
        for step in job["steps"]:
            if "run" in step:
                done = subprocess.run(["bash", "-n"], input=step["run"], capture_output=True, text=True, check=False)
                if done.returncode != 0:
                    yield f"{where}: {name}: {done.stderr.strip()}"


def check_comment(path, document):
    """Run the step that writes the plan's comment, with a stand-in for gh."""
    step = next(step for step in document["jobs"]["plan"]["steps"] if step.get("name") == "Comment")
    with tempfile.TemporaryDirectory() as folder:
        gh = pathlib.Path(folder, "gh")
        gh.write_text("#!/bin/sh\necho \"$*\" >gh-arguments\n", encoding="utf-8")
        gh.chmod(gh.stat().st_mode | stat.S_IXUSR)
        env = {"PATH": f"{folder}:/usr/bin:/bin", "RESULT": json.dumps(RESULT), "NUMBER": "7",
               "RUN_URL": "https://github.com/org/app/actions/runs/1"}
        done = subprocess.run(["bash", "-e", "-o", "pipefail", "-c", step["run"]], env=env, cwd=folder,
                              capture_output=True, text=True, timeout=20, check=False)
        where = path.relative_to(ROOT)
        if done.returncode != 0:
            yield f"{where}: the comment: {done.stderr.strip()}"
            return
        comment = pathlib.Path(folder, "comment.md").read_text(encoding="utf-8")
        for line in ("| Outcome | planned |", "| Base image | Dockerfile.lambda.base changed |",
                     "| Application image | the base image will be built first |", "| Function | it runs   another image |"):
            if line not in comment.splitlines():
                yield f"{where}: the comment lacks: {line}\n{comment}"
        if not (pathlib.Path(folder) / "gh-arguments").read_text(encoding="utf-8").startswith("pr comment 7 --body-file"):
            yield f"{where}: no comment was made"


def check_own_tests(example):
    command = ["/usr/bin/python3", "-B", "-m", "unittest", "tests/test_app.py"]
    if (example / "package.json").exists():
        command = ["node", "--test", *sorted(str(path) for path in (example / "tests").glob("*.mjs"))]
    done = subprocess.run(command, cwd=example, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode != 0:
        yield f"{example.relative_to(ROOT)}: its own tests fail:\n{done.stdout}{done.stderr}"


def check_readme(example):
    """Each file is named in the README's first column: itself, or a folder that holds it."""
    readme = (example / "README.md").read_text(encoding="utf-8")
    named = {name for cell in re.findall(r"^\| (`.*?) \|", readme, re.M) for name in re.findall(r"`([^`]+)`", cell)}
    plain = {"README.md", ".dockerignore", "requirements.txt", "app/__init__.py"}
    listed = subprocess.run(["find", ".", "-type", "f", "-not", "-name", "*.pyc", "-printf", "%P\\n"], cwd=example,
                            capture_output=True, text=True, check=True).stdout.split()
    for name in sorted(listed):
        if name not in plain and not any(name == each or (each.endswith("/") and name.startswith(each)) for each in named):
            yield f"{example.relative_to(ROOT)}/README.md: {name} is not named"
    for name in sorted(named):
        if not (example / name).exists():
            yield f"{example.relative_to(ROOT)}/README.md: there is no {name}"


def markdown_steps():
    """(where, environment, inputs, text) of our steps in YAML blocks of the docs."""
    for path in check_guides.markdown_files():
        for number, _, info, content in check_guides.blocks(path.read_text(encoding="utf-8")):
            if info in ("yaml", "yml"):
                where = f"{path.relative_to(ROOT)}:{number}"
                for env, inputs in our_steps(yaml.safe_load(content)):
                    yield where, env, inputs
                yield where, None, content


def commands():
    """(where, arguments) of each command `lambda-fastdeploy …` in the code blocks of the docs."""
    for path in check_guides.markdown_files():
        for number, _, _, content in check_guides.blocks(path.read_text(encoding="utf-8")):
            lines = content.replace("\\\n", " ").replace("sh '''", "").replace("'''", "")
            lines = lines.replace("$HEALTH_URL", EXPRESSIONS["vars.HEALTH_URL"])
            for line in re.findall(r"^ *(?:\$ |- )?(?:build/(?:static/)?)?lambda-fastdeploy (.*)$", lines, re.M):
                yield f"{path.relative_to(ROOT)}:{number}", shlex.split(line, comments=True)


AWS = r"""#!/bin/sh
# A stand-in: keeps its arguments, and fails where a document is no JSON with statements.
set -eu
echo "$*" >>aws-arguments
for argument; do
    case $argument in
    file://*) jq -e '.Statement | length > 0' "${argument#file://}" >/dev/null ;;
    esac
done
"""


GH = r"""#!/bin/sh
# A stand-in: what GitHub says of the repository, as far as it is asked for.
set -eu
[ "$1 $2 $3" = "api repos/octo/app --jq" ]
echo '{"id":222,"name":"app","full_name":"octo/app","owner":{"login":"octo","id":111}}' | jq -r "$4"
"""


def check_shell_blocks(path):
    """Run the `sh` blocks of a page in a copy of docs/, with stand-ins for aws and gh."""
    for number, _, info, content in check_guides.blocks(path.read_text(encoding="utf-8")):
        if info != "sh":
            continue
        where = f"{path.relative_to(ROOT)}:{number}"
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            shutil.copytree(ROOT / "docs", folder / "docs")
            for program, text in (("aws", AWS), ("gh", GH)):
                (folder / program).write_text(text, encoding="utf-8")
                (folder / program).chmod(0o755)
            mine = content.replace("account=123456789012", "account=210987654321").replace("=org/repo ", "=octo/app ")
            mine = mine.replace("=my-function ", "=dice ").replace("=lambda-python-deps\n", "=dice-base\n")
            done = subprocess.run(["bash", "-eu"], input=mine, env={"PATH": f"{folder}:/usr/bin:/bin"}, cwd=folder,
                                  capture_output=True, text=True, timeout=20, check=False)
            if done.returncode != 0:
                yield f"{where}: exit code {done.returncode}: {done.stderr.strip()}"
                continue
            made = "".join(each.read_text(encoding="utf-8") for each in sorted(folder.glob("*.json")))
            for left in ("123456789012", "org/repo", "org@", "repo@", "123456", "456789", "my-function", "lambda-python-deps"):
                if left in made:
                    yield f"{where}: {left} is left in what it writes"
            if "trust-" in mine and not {"repo:octo/app:", "repo:octo@111/app@222:"} <= set(re.findall(r"repo:[^:]*:", made)):
                yield f"{where}: the trust policy has not both forms of the subject"
            if "aws " in mine and not (folder / "aws-arguments").exists():
                yield f"{where}: nothing was run"


def main(arguments):
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    binary = os.path.abspath(arguments[0])
    printed = subprocess.run([binary, "--help"], check=True, capture_output=True, text=True, timeout=20).stdout
    known = {name for _, name, text in check_docs.read_help(printed) if not text.endswith(check_docs.NOT_YET)}
    problems, pins, steps, workflows = [], {}, 0, 0
    examples = sorted(path for path in (ROOT / "examples").iterdir() if path.is_dir())
    for example in examples:
        for path in sorted(example.glob(".github/workflows/*.yml")):
            text = path.read_text(encoding="utf-8")
            document = yaml.safe_load(text)
            workflows += 1
            problems += [*check_pins(path.relative_to(ROOT), text, pins), *check_workflow(path, document)]
            for env, inputs in our_steps(document["jobs"]):
                steps += 1
                problems += check_step(binary, path.relative_to(ROOT), example, env, inputs, known)
            if path.name == "plan.yml":
                problems += check_comment(path, document)
        problems += check_readme(example)
        if (example / "tests").is_dir():
            problems += check_own_tests(example)
    for where, env, found in markdown_steps():
        if env is None:
            problems += check_pins(where, found, pins)
        else:
            steps += 1
            problems += check_step(binary, where, ROOT / "examples/hello", env, found, known)
    run = list(commands())
    for where, found in run:
        region = {} if "--aws-region" in found else {"AWS_REGION": "us-east-1"}
        problems += check_run(where, binary, found, region, ROOT / "examples/hello")
    problems += check_shell_blocks(ROOT / "README.md")
    for problem in problems:
        print(problem, file=sys.stderr)
    if not problems:
        print(f"{len(examples)} examples with {workflows} workflows, and {steps} steps and {len(run)} commands in them "
              "and in the docs, work with this program")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
