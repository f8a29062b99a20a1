"""What goes on beside the way of a run: caches are written while the function is updated, and stages that need no base are built with the base."""

import json
import signal
import time

from . import case
from .images import builds, builds_ahead, cache_exports, values
from .serving import FunctionCase

WAIT = 'n=0; while [ ! -e "{0}" ] && [ $n -lt 600 ]; do sleep 0.1; n=$((n+1)); done; [ -e "{0}" ] || exit 9\n'
# The call fails, but not before it has pushed: it writes its cache first, or never.
ENDS_BADLY = 'case "$*" in *--cache-to*) "$REAL" "$@" || exit; echo "ERROR: no space left on device" >&2; exit 1;; esac\nexec "$REAL" "$@"\n'
SILENT = 'case "$*" in *--cache-to*) "$REAL" "$@" 2>/dev/null;; *) exec "$REAL" "$@";; esac\n'
# The base's build waits until the stage beside it is built.
BASE_WAITS = ('case "$*" in *--target*) "$REAL" "$@" || exit; touch "{0}"; exit;; *Dockerfile.lambda.base*--tag*)\n' + WAIT
              + ';; esac\nexec "$REAL" "$@"\n')
BASE_FAILS = 'case "$*" in *--target*) exec sleep 120;; *Dockerfile.lambda.base*) sleep 1; exit 1;; esac\nexec "$REAL" "$@"\n'

BUILDKIT_TRIES = 4  # of one push

TWO_STAGES = """\
ARG BASE_IMAGE
FROM busybox AS words
COPY app/words /words
RUN sort /words >/sorted
FROM ${BASE_IMAGE}
COPY --from=words /sorted /sorted
COPY function /function
COPY app/ /app/
ENTRYPOINT ["/function"]
"""


class BesideCase(FunctionCase):
    caches = True

    def setUp(self):
        super().setUp()
        self.folder.chmod(0o777)
        self.go = self.folder / "go"

    def spans(self, run):
        return json.loads(run.outputs["timings"])["spans"]

    def span(self, run, name):
        return next(span for span in self.spans(run) if span["name"] == name)

    def repository_of_caches(self):
        return self.name + "-cache"

    def waiting(self, project):
        """A run that serves already, while its caches cannot be written."""
        self.cloud.fault("registry", "PutManifest", "hang", times=-1, resource=self.repository_of_caches())
        inputs = self.inputs(health_url=None, cache_repository=self.repository_of_caches())
        step = self.step(project, inputs=inputs).start()
        self.until(lambda: self.cloud.state()["functions"].get(self.name, {}).get("state") == "Active", "the function")
        return step


class Caches(BesideCase):
    def test_release_does_not_wait_for_the_caches(self):
        step = self.waiting(self.project())
        self.assertVersion("1")
        self.assertIsNone(step.process.poll(), "the caches are waited for in the end")
        self.assertEqual(self.cloud.tags(self.repository_of_caches()), {})
        time.sleep(1)
        self.cloud.forget_faults(resource=self.repository_of_caches())
        run = self.finish(step)
        self.assertExit(run, 0)
        self.assertEqual(len(run.called("buildx")), 2)
        for image in ("base", "application"):
            (warning,) = [text for text in run.log.warnings if f"Cache of the {image} image" in text]
            self.assertIn("connection reset", warning)
            span = self.span(run, f"Cache of the {image} image")
            self.assertTrue(span["beside"])
            self.assertGreater(span["ms"], 1000)
        exports = [span for span in self.spans(run) if span["name"].startswith("exporting cache")]
        self.assertEqual(len(exports), 2)
        waited = self.span(run, "Write the caches")
        self.assertFalse(waited["beside"])
        self.assertGreater(waited["ms"], 800)

    def test_cache_that_cannot_be_written_is_a_warning(self):
        self.cloud.fault("registry", "PutManifest", "status", {"status": 403, "code": "DENIED"}, times=-1,
                         resource=self.repository_of_caches())
        run = self.run_step(self.project(), inputs=self.inputs(cache_repository=self.repository_of_caches()))
        self.assertExit(run, 0)
        self.assertOutputs(run, deployed="true")
        for image in ("base", "application"):
            (warning,) = [text for text in run.log.warnings if f"Cache of the {image} image" in text]
            self.assertIn("403", warning)

    def test_push_that_is_refused(self):
        """The manifest's push has ended then, too, as BuildKit puts it."""
        self.cloud.fault("registry", "PutManifest", "status", {"status": 403, "code": "DENIED"}, times=-1, resource=self.name)
        run = self.run_step(self.project())
        self.assertExit(run, 1)
        self.assertOutputs(run, deployed="false")
        (error,) = run.log.errors
        self.assertIn("building the application image", error)
        self.assertIn("403", error)
        self.assertEqual([text for text in run.log.warnings if "Cache of the application" in text], [])

    @case.slow
    def test_push_that_broke_is_taken_up_again(self):
        """Oftener than BuildKit itself tries it."""
        self.cloud.fault("registry", "PutManifest", "reset-before", times=BUILDKIT_TRIES, resource=self.name)
        run = self.run_step(self.project())
        self.assertExit(run, 0)
        self.assertVersion("1")
        self.assertIn("trying again", "\n".join(run.log.warnings))
        self.assertEqual(len(builds(run)), 3)
        self.assertIn("buildcache", self.cloud.tags(self.name))

    def test_call_that_fails_behind_the_caches(self):
        """What was asked of it is done."""
        run = self.run_step(self.project(), shims={"buildx": ENDS_BADLY})
        self.assertExit(run, 0)
        self.assertEqual(len(run.called("buildx")), 2)
        for image, name in (("base", self.base_name), ("application", self.name)):
            self.assertIn(f"Cache of the {image} image: written", run.text)
            self.assertIn("buildcache", self.cloud.tags(name))

    def test_buildkit_whose_words_are_not_known(self):
        """Then the call is waited for as a whole, and buildx says what was pushed."""
        run = self.run_step(self.project(), shims={"buildx": SILENT})
        self.assertExit(run, 0)
        self.assertVersion("1")
        for name in (self.name, self.base_name):
            self.assertIn("buildcache", self.cloud.tags(name))

    def test_cancelled_while_a_cache_is_written(self):
        """The function serves the commit and stays so; nothing is waited for."""
        step = self.waiting(self.project())
        self.until(lambda: any("Write the caches" in line.text for line in step.capture.lines), "the end of the run")
        step.signal(signal.SIGINT)
        began = time.monotonic()
        run = self.finish(step)
        self.assertLess(time.monotonic() - began, 20)
        self.assertOutputs(run, deployed="true", rolled_back="false")
        self.assertVersion("1")
        self.assertIn("Cache of the application image: cancelled", run.text)

    def test_a_failed_deployment_leaves_its_cache(self):
        """The next try begins where this one was."""
        project, digest = self.serve()
        project.behave(version="1", health="503").commit("Break it")
        run = self.run_step(project)
        self.assertExit(run, 1)
        self.assertIn("buildcache", self.cloud.tags(self.name))
        self.assertEqual(self.cloud.digest_of(self.name), digest)


class Ahead(BesideCase):
    def two_stages(self):
        project = self.project().write("Dockerfile.lambda", TWO_STAGES).write("app/words", f"{self.name}\nb\na\n")
        project.commit("Sort words in a stage of its own")
        return project

    @case.slow
    def test_stages_that_need_no_base_are_built_beside_it(self):
        project = self.two_stages()
        run = self.run_step(project, shims={"buildx": BASE_WAITS.format(self.go)})
        self.assertExit(run, 0)
        self.assertVersion("1")
        (ahead,) = builds_ahead(run)
        self.assertEqual(values(ahead, "--target"), ["words"])
        self.assertEqual(len(builds(run)), 2)
        self.assertTrue(self.span(run, "Application stage words")["beside"])
        image = json.loads(run.outputs["result"])["image"]
        self.assertLessEqual(image["cached_steps"], 1, "what was built ahead was built by this run; FROM may be there")
        self.assertEqual(len(cache_exports(run)), 2)
        project.behave(version="2").commit("Second")
        run = self.run_step(project)
        self.assertExit(run, 0)
        self.assertEqual(builds_ahead(run), [], "the base is there")

    def test_nobody_waits_for_them_when_the_base_fails(self):
        began = time.monotonic()
        run = self.run_step(self.two_stages(), shims={"buildx": BASE_FAILS})
        self.assertExit(run, 1)
        self.assertLess(time.monotonic() - began, 60)
        self.assertEqual(len(builds_ahead(run)), 1)
