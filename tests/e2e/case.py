"""What every end-to-end test stands on: a name of its own, a project, the cloud, and a way to run the program."""

import json
import os
import pathlib
import re
import tempfile
import unittest
import uuid

from . import canary
from . import cloud as clouds
from . import events, figures, projects, runner, seeds

BINARY = runner.ROOT / "build/lambda-fastdeploy"
KEYS = {"AWS_ACCESS_KEY_ID": clouds.KEY, "AWS_SECRET_ACCESS_KEY": clouds.SECRET, "AWS_REGION": clouds.REGION}


class Options:
    """Set by the command line; the same for all tests."""
    binary = BINARY
    wrap = None


def help_anchors():
    """The anchors of errors in docs/troubleshooting.md."""
    text = (runner.ROOT / "docs/troubleshooting.md").read_text(encoding="utf-8")
    return set(re.findall(r'^<a id="([^"]+)"></a>$', text, re.MULTILINE))


def unique(text):
    """A name that is free for functions and repositories, from a test's name."""
    slug = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40].strip("-")
    return f"{slug}-{uuid.uuid4().hex[:6]}"


def slow(thing):
    """Marks a test, or a class of them, as one that `make e2e-slow` runs and `make check` does not: one of minutes, or of many deployments where a
    quicker test of the same way is left (the twin without an alias, the same build of the other image)."""
    thing.slow = True
    return thing


def is_slow(test):
    return getattr(test, "slow", False) or getattr(getattr(test, test._testMethodName), "slow", False)


class Case(unittest.TestCase):
    """`alone = True`: the test sets something that holds for the whole cloud, so no other may run beside it.

    `caches = True`: its runs read and write the registry cache, as they do by default. Elsewhere they do without: it takes time, and no more is learned by
    it; a test gets the default by `cache=None`.

    `base_stands = True`: the base image is there already, one for all such tests. Elsewhere a test's first run builds its own.
    """

    alone = False
    caches = False
    base_stands = False
    has_own_figures = True  # False: what strangers say in a summary holds escapes that look like numbers
    maxDiff = None

    def setUp(self):
        self.cloud = clouds.Cloud(is_shared=not self.alone)
        self.began = self.cloud.last_request()
        self.name = unique(self._testMethodName.removeprefix("test_"))
        self.base_name = self.name + "-base"
        self.runs = []
        self.secrets = {clouds.SECRET}
        self.run_number = 100
        folder = tempfile.TemporaryDirectory(prefix="e2e-", dir=runner.TEMPORARY)
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        if self.alone:
            self.addCleanup(self.cloud.clear_faults)
        else:
            self.addCleanup(self.forget_faults)
        if self.base_stands:
            self.base_name = seeds.STANDING_BASE.repository(self.make_base)

    # Things to work with.

    def project(self, **behaviour):
        folder = self.folder / "workspace"
        folder.mkdir()
        return projects.quick(folder, **behaviour)

    def inputs(self, **changes):
        """The inputs of a usual deployment, '_' for '-'; None takes one away."""
        inputs = {
            "function-name": self.name, "base-repository": self.base_name, "create-with-role": clouds.FUNCTION_ROLE,
            "health-url": clouds.url_of(self.name), "cold-start-wait": "1", "health-retries": "1",
            "health-interval": "0.2", "refresh-invocations": "1", "refresh-interval": "0.1",
            "cache": None if self.caches else "gha",  # there is no token for GitHub's: none at all
        }
        inputs.update({name.replace("_", "-"): value for name, value in changes.items()})
        return {name: value for name, value in inputs.items() if value is not None}

    def make_base(self, repository):
        folder = self.folder / "base"
        folder.mkdir()
        run = self.run_shell(projects.quick(folder), "base", "--base-repository", repository, env=KEYS)
        self.assertExit(run, 0)

    def seed(self, project, **more):
        """A function that runs an image which somebody else built: version 0. Gives its digest."""
        self.cloud.create_repository(self.name)
        image = self.others_image("0", project)
        self.cloud.create_function(self.name, image, **more)
        return image.split("@")[1]

    def others_image(self, version="other", project=None):
        """The URI of an image in the function's repository that this program has not built."""
        folder = self.folder / f"others-{version}"
        folder.mkdir()
        other = projects.quick(folder, version=version)
        dockerfile = (project or other).read("Dockerfile.lambda").replace("${BASE_IMAGE}", "scratch")
        digest = seeds.SEEDS.put(self.cloud, other.write("Dockerfile", dockerfile), self.name, f"others-{version}")
        return f"{clouds.REGISTRY}/{self.name}@{digest}"

    # Running the program.

    def step(self, project, event=None, *, job=None, inputs=None, keys=True, env=None, **more):
        """A step that is ready to start. Each has a higher run number than the one before."""
        workspace = getattr(project, "folder", project)
        sha = getattr(project, "commit_id", None) or events.SHA
        self.run_number += 1
        job = job or runner.Job(run_number=self.run_number, run_id=9182736450 + self.run_number)
        job.env = {**(KEYS if keys else {}), **job.env, **(env or {})}
        inputs = self.inputs() if inputs is None else inputs
        self.secrets |= canary.given(job.env, inputs)
        canary.KNOWN.add(self.secrets)
        return runner.Step(Options.binary, workspace, event or events.push(sha=sha), inputs, job, wrap=Options.wrap,
                           **more)

    def run_step(self, project, event=None, **more):
        """Run it, and check all that must be true of every run. Runs on GitHub only."""
        run = self.step(project, event, **more).run()
        self.runs.append(run)
        self.check_run(run)
        return run

    def run_shell(self, project, *arguments, env=None, **more):
        """Run it as a command of another CI or of a laptop."""
        run = self.step(project, events.nothing(), arguments=arguments, inputs={}, env=env, github=False,
                        **more).run()
        self.runs.append(run)
        self.assertNoSecret(run)
        return run

    def check_run(self, run):
        self.assertEqual(run.problems, [], "the runner would not have taken this")
        self.assertEqual(run.left_behind, [], "files are left behind")
        self.assertNoSecret(run)
        self.assertOnlySecretsMasked(run)
        self.assertErrorsHaveHelp(run)
        self.assertTrue(run.summary.strip(), "there is no summary")
        self.assertIn(run.outputs.get("deployed"), ("true", "false"))
        if self.has_own_figures:
            self.assertEqual(list(figures.problems(run)), [], "the report does not hold together")

    def assertErrorsHaveHelp(self, run):
        """A step that failed has said why, and each of its errors names the place in the docs that speaks of it."""
        if run.exit_code in (1, 2, 3):
            self.assertTrue(run.log.errors, f"exit code {run.exit_code} without an error")
        for error in run.log.errors:
            self.assertRegex(error, r"\(help: (\S+/)?docs/troubleshooting\.md#[a-z-]+\)$")
            self.assertIn(re.search(r"#([a-z-]+)\)$", error)[1], help_anchors(), "no such place in the docs")

    def assertOnlySecretsMasked(self, run):
        """Whatever is masked is one of this test's secrets, or a token that the run was given on its way."""
        for mask in run.log.masks:
            if any(mask in secret for secret in self.secrets):
                continue
            self.assertGreater(len(mask), 30, f"masked, but no secret: {mask!r}")
            self.assertNotRegex(mask, r"amazonaws|sha256:|arn:|" + self.name, "masked, but no secret")

    def assertNoSecret(self, run):
        """No secret, encoded or not, in what the run said, wrote or started; the runner's masks must not be needed. Nor
        one that AWS has given to any run since the test began."""
        said = [line.text for line in run.lines if not line.text.startswith("::add-mask::")]
        places = {"the log": "\n".join(said), "the outputs": json.dumps(run.outputs), "the summary": run.summary,
                  "the state": json.dumps(run.state), "an argument": json.dumps([run.calls, run.processes])}
        for secret in self.secrets | self.cloud.issued_secrets(after=self.began):
            for form in canary.forms(secret):
                for place, text in places.items():
                    self.assertNotIn(form, text, f"a secret is in {place}")

    # What must be true afterwards.

    def assertExit(self, run, code):
        self.assertEqual(run.exit_code, code, "exit code")

    def assertOutputs(self, run, **expected):
        found = {name: run.outputs.get(name.replace("_", "-")) for name in expected}
        self.assertEqual(found, expected, "outputs")

    def assertVersion(self, version, path="/health"):
        """The function answers, and it is this version."""
        answer = self.cloud.ask(self.name, path)
        self.assertEqual((answer.status, answer.json["version"]), (200, version), "the function's answer")

    def assertError(self, run, *words):
        """Exactly one error, on one line, that holds all the words."""
        self.assertEqual(len(run.log.errors), 1, f"one error is wanted: {run.log.errors}")
        for word in words:
            self.assertIn(word.lower(), run.log.errors[0].lower())
        self.assertNotIn("\n", run.log.errors[0].strip())

    def assertUntouched(self, since=0):
        """Nothing was changed at AWS for this test's names."""
        made = clouds.changes(request for request in self.requests() if request["n"] > since)
        self.assertEqual([(request["service"], request["operation"]) for request in made], [])

    def requests(self):
        """About this test's own function and repositories."""
        own = {self.name} if self.base_stands else {self.name, self.base_name}
        return self.cloud.requests(*own, after=self.began)

    def forget_faults(self):
        """Those that were ordered for this test's function and repositories."""
        for name in (self.name, self.base_name):
            self.cloud.forget_faults(resource=name)

    def mark(self):
        return self.cloud.last_request()

    def since(self, mark):
        return [request for request in self.requests() if request["n"] > mark]


def binary_exists():
    return os.access(Options.binary, os.X_OK)
