"""The examples whose upstream images are not here: BuildKit parses their Dockerfiles, the program computes what their
images are made of, and builds them on stand-ins of those images. examples/hello is deployed by test_main_road."""

import json
import pathlib
import re
import subprocess
import tempfile

from . import case, projects, runner

IDENTITY = re.compile(r"[0-9a-f]{64}")
# Stand-ins: a shell, and in place of the package managers what they would leave behind.
STAND_INS = {
    "public.ecr.aws/lambda/python:3.12":
        "FROM busybox\nRUN mkdir -p /usr/bin /var/lang/bin /var/task && printf '#!/bin/sh\\nprintf "
        "\"#!/bin/sh\\\\n\" >/usr/bin/pdftotext; chmod 755 /usr/bin/pdftotext\\n' >/usr/bin/dnf && chmod 755 /usr/bin/dnf\n",
    "ghcr.io/astral-sh/uv:0.8":
        "FROM busybox AS make\nRUN printf '#!/bin/sh\\nmkdir /packages && cp /requirements.txt /packages/installed\\n' "
        ">/uv && chmod 755 /uv\nFROM scratch\nCOPY --from=make /uv /uv\n",
    "public.ecr.aws/lambda/nodejs:22":
        "FROM busybox\nRUN mkdir -p /usr/bin && printf '#!/bin/sh\\ntest -f package-lock.json && mkdir node_modules\\n' "
        ">/usr/bin/npm && chmod 755 /usr/bin/npm\n",
}
WANTED = {
    "python-rag": ["app/documents/returns.txt", "app/main.py", "installed"],
    "node": ["app/index.mjs", "package-lock.json"],
}


def command(*arguments, code=0, text=None):
    done = subprocess.run(arguments, input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=120, check=False)
    if done.returncode != code:
        raise runner.HarnessError(f"{' '.join(arguments)}: {done.stdout}")
    return done.stdout


class Examples(case.Case):
    def example(self, name):
        return projects.example(name, self.folder / name)

    def stand_in(self, *names):
        """They stay in the engine: another test may be using them."""
        for name in names:
            command("docker", "build", "-q", "-t", name, "-", text=STAND_INS[name])

    def image_inputs(self, **more):
        return self.inputs(health_url=None, **more)

    def result(self, run):
        self.assertExit(run, 0)
        return json.loads(run.outputs["result"])

    def files(self, folder, *options):
        """The files in /var/task of the image that a folder's Dockerfile.lambda makes."""
        with tempfile.TemporaryDirectory() as out:
            command("buildx", "build", f"--output=type=local,dest={out}", "-f", str(folder / "Dockerfile.lambda"), *options,
                    str(folder))
            task = pathlib.Path(out, "var/task")
            return sorted(str(path.relative_to(task)) for path in task.rglob("*") if path.is_file())

    def test_dockerfiles_are_parsed_by_buildkit(self):
        """A stage that is not there is looked for last, when all of the file has been read."""
        for name, file in (("python-rag", "Dockerfile.lambda.base"), ("python-rag", "Dockerfile.lambda"),
                           ("node", "Dockerfile.lambda")):
            folder = runner.ROOT / "examples" / name
            said = command("buildx", "build", "--target=no-such-stage", "-f", str(folder / file), str(folder), code=1)
            self.assertIn('target stage "no-such-stage" could not be found', said, f"{name}/{file}")

    def test_python_rag(self):
        self.stand_in("public.ecr.aws/lambda/python:3.12", "ghcr.io/astral-sh/uv:0.8")
        project = self.example("python-rag")
        base = self.run_step(project, inputs=self.image_inputs(command="base", base_check="pdftotext -v"))
        self.assertOutputs(base, base_status="built")
        self.assertRegex(self.result(base)["base_image"]["identity"], IDENTITY)
        plan = self.result(self.run_step(project, inputs=self.image_inputs(command="plan", base_check="pdftotext -v")))
        self.assertRegex(plan["image"]["identity"], IDENTITY)
        self.assertEqual(plan["base_image"]["digest"], base.outputs["base-image-digest"])
        # What the workflow's comment on a pull request shows.
        self.assertTrue(plan["base_image"]["reason"] and plan["image"]["reason"] and plan["functions"][0]["reason"])
        again = self.image_inputs(command="plan", base_check="pdftotext -v")
        project.replace("README.md", "# python-rag", "# Something else").commit("Edit the README")
        self.assertEqual(self.result(self.run_step(project, inputs=again))["image"]["identity"], plan["image"]["identity"])
        project.replace("app/main.py", "no such path", "nothing here").commit("Edit the code")
        changed = self.result(self.run_step(project, inputs=again))
        self.assertNotEqual(changed["image"]["identity"], plan["image"]["identity"])
        self.assertEqual(changed["base_image"]["digest"], base.outputs["base-image-digest"])

    @case.slow
    def test_files_of_the_images(self):
        self.stand_in(*STAND_INS)
        for name, wanted in WANTED.items():
            folder = runner.ROOT / "examples" / name
            options = []
            if (folder / "Dockerfile.lambda.base").exists():
                base = f"{self.name}-{name}-base"
                command("docker", "build", "-q", "-t", base, "-f", str(folder / "Dockerfile.lambda.base"), str(folder))
                self.addCleanup(command, "docker", "rmi", base)
                options = ["--build-arg", f"BASE_IMAGE={base}"]
            found = self.files(folder, *options)
            for file in wanted:
                self.assertIn(file, found, name)
            self.assertFalse([file for file in found if "test" in file or "README" in file], name)

    def test_node(self):
        project = self.example("node")
        plan = self.result(self.run_step(project, inputs=self.image_inputs(command="plan", alias="live")))
        self.assertRegex(plan["image"]["identity"], IDENTITY)
        self.assertEqual(plan["base_image"]["reason"], "there is no Dockerfile.lambda.base")
