"""What the tests of the function stand on: a function that serves already, other people, and clients that never stop asking."""

import http.client
import json
import os
import pathlib
import tempfile
import threading
import time
import urllib.parse

from . import case, cloud

WAIT_FOR_GO = """\
for word; do [ "$word" = build ] && touch "{0}/started" && while [ ! -e "{0}/go" ]; do sleep 0.05; done; done
exec "$REAL" "$@"
"""


class Client:
    """Asks a URL every 20 ms from `start` to `stop`, and keeps every answer as (status, version or None), or what `read` makes of its body."""

    def __init__(self, url, every_s=0.02, read=None):
        self.parts = urllib.parse.urlsplit(url)
        self.every_s = every_s
        self.read = read or version_of
        self.answers = []
        self.end = threading.Event()
        self.thread = threading.Thread(target=self.ask_again, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.end.set()
        self.thread.join(60)

    def ask_again(self):
        connection = None
        while not self.end.is_set():
            began = time.monotonic()
            try:
                connection = connection or http.client.HTTPSConnection(
                    self.parts.netloc, timeout=30, context=cloud.trust())
                connection.request("GET", "/health")
                answer = connection.getresponse()
                self.answers.append((answer.status, self.read(answer.read())))
            except (OSError, http.client.HTTPException) as error:
                self.answers.append((0, repr(error)))
                connection = None
            self.end.wait(max(0.0, self.every_s - (time.monotonic() - began)))

    def wait_for(self, count, timeout_s=90):
        end = time.monotonic() + timeout_s
        while len(self.answers) < count:
            if time.monotonic() > end:
                raise AssertionError(f"{len(self.answers)} answers in {timeout_s} s, not {count}; the last: {self.answers[-3:]}")
            time.sleep(0.05)


def version_of(body):
    try:
        return json.loads(body).get("version")
    except (ValueError, AttributeError):
        return None


class FunctionCase(case.Case):
    """A function of version "0" that somebody made before, with the alias `live` where a test wants one."""

    alias = None

    def serve(self, alias=None, **more):
        """(the project, the digest of version 0). The first build has made the base already."""
        self.alias = alias
        project = self.project()
        options = {"alias": alias} if alias else {}
        return project, self.seed(project, **options, **more)

    def deploy(self, project, event=None, **changes):
        step = {name: changes.pop(name) for name in ("job", "shims", "env", "keys") if name in changes}
        return self.run_step(project, event, inputs=self.wanted(**changes), **step)

    def wanted(self, **changes):
        alias = {"alias": self.alias, "health_url": cloud.url_of(self.name, self.alias)} if self.alias else {}
        return self.inputs(**{"create_with_role": None, **alias, **changes})

    def serves(self, version):
        """What users get now: by the alias's URL if there is one."""
        answer = self.cloud.ask(self.name, alias=self.alias)
        self.assertEqual((answer.status, answer.json["version"]), (200, version), "what users get")

    def paused(self, project, event=None, **changes):
        """A run that waits in its first build until `go`."""
        job = changes.pop("job", None)
        place = self.folder / f"pause-{len(os.listdir(self.folder))}"
        place.mkdir()
        place.chmod(0o777)
        step = self.step(project, event, job=job, inputs=self.wanted(**changes),
                         shims={"buildx": WAIT_FOR_GO.format(place)})
        step.start()
        self.until(lambda: (place / "started").exists(), "the build")
        return step, lambda: (place / "go").touch()

    def started(self, project, event=None, env=None, **changes):
        return self.step(project, event, env=env, inputs=self.wanted(**changes)).start()

    def finish(self, step):
        run = step.finish()
        self.runs.append(run)
        self.check_run(run)
        return run

    def until(self, condition, what, timeout_s=60):
        end = time.monotonic() + timeout_s
        while not condition():
            self.assertLess(time.monotonic(), end, f"{what} did not come")
            time.sleep(0.03)

    def is_being_verified(self, mark):
        """Has the program asked the function's URL since then? Then its change is done, and it knows of that."""
        return any(request["service"] == "url" for request in self.since(mark))

    def alias_state(self, alias="live"):
        """From the control port: asking Lambda would take of the rate that the program needs. {}: there is no such alias."""
        return self.cloud.state()["functions"][self.name]["aliases"].get(alias, {})

    def alias_target(self, alias="live"):
        return self.alias_state(alias).get("version")

    def configuration(self):
        return self.cloud.function(self.name)["Configuration"]

    def again(self):
        """Names and a folder of their own for the next part of a test."""
        self.name = case.unique(self._testMethodName.removeprefix("test_"))
        self.base_name = self.name + "-base"
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=self.folder))

    def tag(self, name):
        return self.cloud.function(self.name).get("Tags", {}).get(f"lambda-fastdeploy:{name}")

    def assertPutBack(self, run, digest, version="0"):
        self.assertExit(run, 1)
        self.assertOutputs(run, deployed="false", rolled_back="true", previous_image_digest=digest)
        self.assertEqual(self.cloud.digest_of(self.name), digest)
        self.serves(version)
