"""Secrets while a run goes on: files, processes, memory. What a run leaves is looked at after every run of every test."""

import base64
import gzip
import hashlib
import os
import pathlib
import stat
import tempfile
import unittest
import urllib.parse

from . import canary, case, cloud, commands, runner
from .serving import FunctionCase

BUILD_SECRET = "canary-of-the-build-7f3a9c"
HEADER = "canary-of-the-header-51d0be"
VALUE = "canary-of-the-environment-c2e84d"
DOCKERFILE = """\
ARG BASE_IMAGE=base
FROM busybox AS use
COPY app/ /app/
RUN --mount=type=secret,id=npm test "$(sha256sum </run/secrets/npm)" = "{}  -" && cp -r /app /copy
FROM ${{BASE_IMAGE}}
COPY function /function
COPY --from=use /copy /app/
ENTRYPOINT ["/function"]
"""


class WhileItRuns(FunctionCase):
    base_stands = True

    def test_files_processes_and_memory(self):
        project, _ = self.serve()
        project.write("Dockerfile.lambda", DOCKERFILE.format(hashlib.sha256(BUILD_SECRET.encode()).hexdigest())).commit("Use a secret")
        self.secrets |= {VALUE}
        step, go = self.paused(project, secrets=f"npm={BUILD_SECRET}", health_headers=f"X-Key: {HEADER}",
                               environment=f"TOKEN={VALUE}", aws_access_key_id=cloud.KEY,
                               aws_secret_access_key=cloud.SECRET)
        try:
            self.look_at_files(step)
            self.look_at_processes(step)
        finally:
            go()
        run = self.finish(step)
        self.assertExit(run, 0)
        self.assertIn(BUILD_SECRET, run.log.masks)
        self.assertEqual(self.configuration()["Environment"]["Variables"]["TOKEN"], VALUE)

    def look_at_files(self, step):
        """Folders 0700, and the files that hold a secret 0600."""
        holders = 0
        for name in ("tmp", "runner_temp", "home"):
            for folder, folders, files in os.walk(step.folder / name):
                for each in folders:
                    if pathlib.Path(folder) == step.folder / name:
                        self.assertMode(pathlib.Path(folder) / each, 0o700)
                for each in files:
                    path = pathlib.Path(folder) / each
                    data = path.read_bytes()
                    if any(secret.encode() in data for secret in self.secrets | self.cloud.issued_secrets()):
                        self.assertMode(path, 0o600)
                        holders += 1
        self.assertGreater(holders, 0, "the build's secret goes by a file")

    def assertMode(self, path, mode):
        self.assertEqual(oct(stat.S_IMODE(path.stat().st_mode)), oct(mode), path)

    def look_at_processes(self, step):
        """No core file of the program or of what it starts; no other process of the same user reads its memory."""
        proc = pathlib.Path(f"/proc/{step.pid}/root/proc")
        seen = [path for path in proc.iterdir() if path.name.isdigit()]
        self.assertGreater(len(seen), 1, "the builder was started")
        for path in seen:
            limit = next(line for line in (path / "limits").read_text().splitlines() if "core file" in line)
            self.assertEqual(limit.split()[4:6], ["0", "0"], limit)
        self.assertEqual((proc / "1" / "environ").stat().st_uid, 0)


TALKATIVE = """\
ARG BASE_IMAGE=base
FROM ${{BASE_IMAGE}} AS base-files
FROM busybox AS use
COPY --from=base-files /opt/base /opt/base
RUN --mount=type=secret,id=npm : {name}; s="$(cat /run/secrets/npm)"; echo "the token is $s"; echo "$s" | base64; \\
    echo "key:$s" | base64; printf 'https://x/?t=%s\\n' "$s" >&2; head -c 9 /run/secrets/npm; echo; {end}
FROM ${{BASE_IMAGE}}
COPY function /function
COPY app/ /app/
COPY --from=use /etc/passwd /etc/passwd
ENTRYPOINT ["/function"]
"""


class WhatTheBuildSays(FunctionCase):
    """A build prints its secret, plain and encoded: it is in no log, whoever reads that, and in no summary."""

    base_stands = True

    def talkative(self, end):
        project = self.project()
        return project, project.write("Dockerfile.lambda", TALKATIVE.format(name=self.name, end=end)).commit("Talk")

    def test_on_github(self):
        project, _ = self.talkative("true")
        run = self.run_step(project, inputs=self.inputs(secrets=f"npm={BUILD_SECRET}"))
        self.assertExit(run, 0)
        self.assertIn("the token is ***", run.text)

    def test_when_it_fails(self):
        project, _ = self.talkative("false")
        run = self.run_step(project, inputs=self.inputs(secrets=f"npm={BUILD_SECRET}"))
        self.assertExit(run, 1)
        self.assertIn("the token is ***", run.summary)

    def test_elsewhere(self):
        """Another CI masks nothing."""
        project, _ = self.talkative("true")
        self.secrets.add(BUILD_SECRET)
        flags = [f"--{name}={value}" for name, value in self.inputs(secrets=f"npm={BUILD_SECRET}").items()]
        run = self.run_shell_quietly(project, flags)
        self.assertExit(run, 0)
        self.assertIn("the token is ***", run.text)

    def run_shell_quietly(self, project, flags):
        """Given by the environment: an argument is seen by everybody."""
        env = {"INPUT_SECRETS": f"npm={BUILD_SECRET}", **case.KEYS}
        return self.run_shell(project, *[flag for flag in flags if not flag.startswith("--secrets=")], env=env)


class Leaks(case.Case):
    """A leak at each place is found: the search that every run of every test goes through cannot pass by one."""

    SECRET = "canary-of-a-leak-5b1c/9f+2a"

    def left(self, **changes):
        values = {"exit_code": 0, "wall_s": 0, "lines": [], "log": commands.parse_log([]), "outputs": {}, "state": {}, "env": {},
                  "summary": "", "calls": [], "processes": [], "problems": [], "left_behind": [], **changes}
        return runner.Run(**values)

    def test_each_place(self):
        self.secrets.add(self.SECRET)
        self.assertNoSecret(self.left())
        encoded = (self.SECRET, base64.b64encode(b"AWS:" + self.SECRET.encode() + b"!").decode(),
                   base64.urlsafe_b64encode(b"AW:" + self.SECRET.encode()).decode(), urllib.parse.quote(self.SECRET, safe=""))
        for text in (f"x {form} y" for form in encoded):
            for place in ({"lines": [runner.Line(0, "stdout", text)]}, {"lines": [runner.Line(0, "stderr", text)]},
                          {"outputs": {"result": text}}, {"state": {"x": text}}, {"summary": text}, {"calls": [["buildx", text]]},
                          {"processes": [["git", text]]}):
                with self.subTest(place=place), self.assertRaises(AssertionError):
                    self.assertNoSecret(self.left(**place))

    def test_a_file_that_stays(self):
        run = self.left(summary="x", outputs={"deployed": "true"}, left_behind=["/tmp/x"])
        with self.assertRaises(AssertionError):
            self.check_run(run)


class Canary(unittest.TestCase):
    """The search itself finds what is there."""

    def test_found_in_a_layer(self):
        with tempfile.TemporaryDirectory() as folder:
            for name, data in (("aa", gzip.compress(b"x" * 3_000_000 + b"canary-12345" + b"y" * 10)),
                               ("bb", b'{"Env":["A=canary-12345"]}'), ("cc", b"nothing"),
                               ("dd", b"\x1f\x8bnot gzip")):
                blob = pathlib.Path(folder) / "docker/registry/v2/blobs/sha256" / name[:2] / name
                blob.mkdir(parents=True)
                (blob / "data").write_bytes(data)
            found, count = canary.find_in_registry({"canary-12345", "elsewhere"}, pathlib.Path(folder))
        self.assertEqual((found, count), ([("aa", "canary-12345"), ("bb", "canary-12345")], 4))

    def test_what_a_run_is_given(self):
        found = canary.given({"AWS_SECRET_ACCESS_KEY": "key-of-the-environment", "PATH": "/usr/local/bin"},
                             {"secrets": "npm=from=the=build\nshort=x", "health-headers": "X-Key:  of-a-header",
                              "memory-size": "1024"})
        self.assertEqual(found, {"key-of-the-environment", "from=the=build", "of-a-header"})
