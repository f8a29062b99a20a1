"""The five runs of `make demo`: what a user of examples/hello sees, from the first deployment to one that fails."""

import dataclasses
import pathlib
import subprocess
import sys
import tempfile
import time
import typing
import uuid

from . import case, cloud, events, projects, runner
from .images import builds

WIDTH = 110


@dataclasses.dataclass
class Scene:
    title: str
    message: str  # of the commit
    edit: typing.Callable  # what was changed in the project
    exit_code: int
    outputs: dict
    version: str  # that the function answers with afterwards
    builds: int  # how many images are built


SCENES = (
    Scene("First deployment: there is no base image yet", "Say hello", lambda project: None, 0,
          {"base-status": "built", "image-built": "built", "deployed": "true", "rolled-back": "false"}, "1", 2),
    Scene("The same commit again: nothing to do", None, lambda project: None, 0,
          {"base-status": "found", "image-built": "reused", "deployed": "false", "rolled-back": "false"}, "1", 0),
    Scene("A change of the code: only the application is built", "Answer as version 2",
          lambda project: project.replace("app/main.c", '#define VERSION "1"', '#define VERSION "2"'), 0,
          {"base-status": "found", "image-built": "built", "deployed": "true", "rolled-back": "false"}, "2", 1),
    Scene("A change of the base: both are built", "Optimise the runtime for size",
          lambda project: project.replace("Dockerfile.lambda.base", "-std=gnu11 -O2 -Wall", "-std=gnu11 -Os -Wall"), 0,
          {"base-status": "built", "image-built": "built", "deployed": "true", "rolled-back": "false"}, "2", 2),
    Scene("A version that is broken: rolled back", "Answer as version 3, badly",
          lambda project: project.replace("app/main.c", "reply_json(reply, 200, \"{\\\"status\\\":\\\"ok\\\"",
                                          "reply_json(reply, 500, \"{\\\"status\\\":\\\"broken\\\"")
          .replace("app/main.c", '#define VERSION "2"', '#define VERSION "3"'), 1,
          {"base-status": "found", "image-built": "built", "deployed": "false", "rolled-back": "true"}, "2", 1),
)


class Demo:
    def __init__(self, folder):
        self.cloud = cloud.Cloud()
        self.name = "hello" if self.cloud.function("hello") is None else "hello-" + uuid.uuid4().hex[:6]
        self.project = projects.example("hello", folder)
        self.rows = []

    def inputs(self):
        return {"aws-region": cloud.REGION, "function-name": self.name, "base-repository": self.name + "-base",
                "base-tag": "1", "create-with-role": cloud.FUNCTION_ROLE, "health-url": cloud.url_of(self.name)}

    def play(self, number, scene):
        heading(f"Run {number} of {len(SCENES)}. {scene.title}")
        scene.edit(self.project)
        if scene.message:
            self.project.commit(scene.message)
        empty_builder()
        keys = {"AWS_ACCESS_KEY_ID": cloud.KEY, "AWS_SECRET_ACCESS_KEY": cloud.SECRET}
        run = runner.Step(case.BINARY, self.project.folder,
                          events.push(scene.message or SCENES[0].message, self.project.commit_id), self.inputs(),
                          runner.Job(run_number=number, run_id=9182736000 + number, env=keys)).run()
        self.show(run)
        answer = self.ask()
        print(f"\nGET {cloud.url_of(self.name)}/health\n  {answer}")
        wrong = list(self.differences(scene, run, answer))
        for text in wrong:
            print(f"NOT AS DESCRIBED: {text}")
        self.rows.append((str(number), scene.title, run.outputs.get("base-status", ""),
                          run.outputs.get("image-built", ""), str(run.exit_code), f"{run.wall_s:.1f} s",
                          "as described" if not wrong else "WRONG"))
        return not wrong

    def show(self, run):
        print("\n".join(run.log.shown))
        part("Outputs")
        for name, value in run.outputs.items():
            print(f"  {name} = {value if len(value) <= 160 else value[:157] + '...'}")
        part("Step summary")
        print(run.summary.rstrip())
        for problem in run.problems:
            print(f"NOT AS THE RUNNER WANTS IT: {problem}")

    def ask(self):
        try:
            answer = self.cloud.ask(self.name)
        except OSError as error:
            return f"no answer: {error}"
        return f"{answer.status} {answer.text}"

    def differences(self, scene, run, answer):
        if run.exit_code != scene.exit_code:
            yield f"exit code {run.exit_code}, not {scene.exit_code}"
        for name, value in scene.outputs.items():
            if run.outputs.get(name) != value:
                yield f"output {name} is {run.outputs.get(name)!r}, not {value!r}"
        built = len(builds(run))
        if built != scene.builds:
            yield f"{built} builds, not {scene.builds}"
        expected = f'200 {{"status":"ok","version":"{scene.version}"}}'
        if answer != expected:
            yield f"the function answers {answer}, not {expected}"
        if not run.summary.strip():
            yield "there is no summary"
        yield from run.problems

    def table(self):
        head = ("run", "what", "base", "application", "exit", "time", "result")
        rows = [head, *self.rows]
        widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
        for row in rows:
            print("  ".join(text.ljust(width) for text, width in zip(row, widths)).rstrip())
            if row is head:
                print("  ".join("-" * width for width in widths))


def heading(text):
    print(f"\n{'=' * WIDTH}\n{text}\n{'=' * WIDTH}")


def part(text):
    print(f"\n--- {text} {'-' * (WIDTH - len(text) - 5)}")


def empty_builder():
    """Every job on GitHub starts with a new machine: whatever helps a build comes from the registry."""
    done = subprocess.run(["docker", "builder", "prune", "--all", "--force"], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0:
        raise runner.HarnessError(f"docker builder prune: {done.stderr}")


def main():
    sys.stdout.reconfigure(line_buffering=True)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="demo-", dir=runner.TEMPORARY) as folder:
        cloud.Cloud().create_role(cloud.FUNCTION_ROLE)
        demo = Demo(pathlib.Path(folder) / "hello")
        results = [demo.play(number, scene) for number, scene in enumerate(SCENES, 1)]
    heading("Five runs")
    demo.table()
    print(f"\n{sum(results)} of {len(results)} runs ended as described; {time.monotonic() - began:.0f} s in all")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
