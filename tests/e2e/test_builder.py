"""The builder: its private configuration, its caches, the compression, and the report of what was cached."""

import contextlib
import json
import os
import pathlib
import re
import socket
import subprocess
import tempfile
import threading
import time

from . import case, cloud, events
from .images import SHELL_BASE, ImageCase, builds, builds_ahead, cache_exports, values
from .serving import WAIT_FOR_GO

STEPS = """\
ARG BASE_IMAGE=base
FROM ${BASE_IMAGE}
COPY app/packages /packages
RUN sort /packages >/sorted
COPY function /function
COPY app/ /app/
ENTRYPOINT ["/function"]
"""
GITHUB_CACHE = {"ACTIONS_RUNTIME_TOKEN": "header.cache-token-0123456789abcdef.signature",
                "ACTIONS_RESULTS_URL": "http://127.0.0.1:1/"}


class BuilderCase(ImageCase):
    caches = True

    def steps_project(self):
        """An application with a step that is worth caching."""
        project = self.project().write("Dockerfile.lambda.base", SHELL_BASE).write("Dockerfile.lambda", STEPS)
        project.write("app/packages", f"{self.name}\npandas\n").commit("Sort the packages")
        return project

    def image_of(self, run):
        return json.loads(run.outputs["result"])["image"]

    def cached(self, run):
        """{instruction: was it cached?} of the application's build."""
        return {step["name"].split("] ", 1)[-1]: step["cached"] for step in self.steps(run)}

    def steps(self, run):
        """The Dockerfile's steps in the application's build, out of the timings."""
        spans = json.loads(run.outputs["timings"])["spans"]
        stage = [span["name"] for span in spans].index("Application image")
        (build,) = [i for i, span in enumerate(spans) if span.get("parent") == stage and span["name"] == "build and push"]
        return [span for span in spans if span.get("parent") == build and re.match(r"\[([^]]* )?\d+/\d+\]", span["name"])]

    def prune(self):
        subprocess.run(["buildx", "prune", "-af"], check=True, stdout=subprocess.DEVNULL, timeout=60)


class Configuration(BuilderCase):
    def test_private_and_gone_at_the_end(self):
        """Folder and file are the program's alone; the user's are neither read nor written."""
        theirs = tempfile.TemporaryDirectory(dir="/var/tmp")
        self.addCleanup(theirs.cleanup)
        os.chmod(theirs.name, 0o755)
        config = pathlib.Path(theirs.name, "config.json")
        config.write_text('{"auths":{}}', encoding="utf-8")
        seen = pathlib.Path(theirs.name, "seen")
        script = (f'stat -c "%a %n" "$DOCKER_CONFIG" "$DOCKER_CONFIG"/config.json >>{seen}\n'
                  f'echo "builder $BUILDX_BUILDER" >>{seen}\nexec "$REAL" "$@"\n')
        run = self.base(self.project(), shims={"buildx": script},
                        env={"DOCKER_CONFIG": theirs.name, "BUILDX_BUILDER": "not-there"})
        self.assertBuilt(run, base="built")
        lines = seen.read_text(encoding="utf-8").splitlines()
        modes = {os.path.basename(line.split()[1]): line.split()[0] for line in lines if not line.startswith("bu")}
        self.assertEqual(modes, {"docker": "700", "config.json": "600"})
        self.assertNotIn(theirs.name, {os.path.dirname(line.split()[1]) for line in lines if "config.json" in line})
        self.assertNotIn("builder not-there", lines)
        seen.unlink()
        self.assertEqual(os.listdir(theirs.name), ["config.json"])
        self.assertEqual(config.read_text(encoding="utf-8"), '{"auths":{}}')

    def test_nothing_of_aws_reaches_the_builder(self):
        seen = pathlib.Path(tempfile.mkdtemp(dir="/var/tmp"), "env")
        self.addCleanup(lambda: (seen.unlink(), seen.parent.rmdir()))
        self.secrets.add("a-secret")
        run = self.base(self.project(), shims={"buildx": f'env >>{seen}\nexec "$REAL" "$@"\n'},
                        env={"AWS_SESSION_NAME": "x", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "y"}, secrets="token=a-secret")
        text = seen.read_text(encoding="utf-8")
        for name in ("AWS_", "INPUT_", "ACTIONS_ID_TOKEN", "a-secret"):
            self.assertNotIn(name, text)
        self.assertNoSecret(run)


class Caches(BuilderCase):
    def test_registry_cache_of_both_images(self):
        run = self.deploy(self.project())
        for build, name in zip(builds(run), (self.base_name, self.name)):
            place = f"{cloud.REGISTRY}/{name}:buildcache"
            self.assertEqual(values(build, "--cache-from"), [f"type=registry,ref={place}"])
            (to,) = values(build, "--cache-to")
            self.assertTrue(to.startswith(f"type=registry,ref={place},mode=max,"), to)
            self.assertIn("buildcache", self.cloud.tags(name))
            self.assertNotIn("manifests", self.cloud.manifest(name, "buildcache"))
        self.assertEqual(self.warnings(run), [])

    def test_one_repository_for_both_caches(self):
        """The base's cache and the application's do not overwrite each other."""
        cache = self.name + "-cache"
        run = self.deploy(self.project(), cache_repository=cache)
        self.assertEqual(set(self.cloud.tags(cache)), {"buildcache", "buildcache-base"})
        for name in (self.name, self.base_name):
            self.assertNotIn("buildcache", self.cloud.tags(name))
        self.assertIn(f"ref={cloud.REGISTRY}/{cache}:buildcache", values(builds(run)[1], "--cache-from")[0])

    def test_pull_request_reads_but_never_writes(self):
        event = events.pull_request()
        run = self.deploy(self.project(), event=event, allow_pull_request="true", env=GITHUB_CACHE)
        self.assertEqual(len(builds(run)), 2)
        for build in builds(run):
            self.assertEqual(len(values(build, "--cache-from")), 2)
        self.assertEqual(cache_exports(run), [])

    def test_github_cache(self):
        """Where the job has a token it is used, by its second protocol, and never fatal."""
        seen = pathlib.Path(tempfile.mkdtemp(dir="/var/tmp"), "env")
        self.addCleanup(lambda: (seen.unlink(), seen.parent.rmdir()))
        script = f'env | grep ACTIONS_CACHE_SERVICE >>{seen}\nexec "$REAL" "$@"\n'
        self.secrets.add(GITHUB_CACHE["ACTIONS_RUNTIME_TOKEN"])
        run = self.deploy(self.project(), env=GITHUB_CACHE, cache="gha", shims={"buildx": script})
        self.assertVersion("1")
        scopes = []
        self.assertEqual(len(cache_exports(run)), 2)
        for build in cache_exports(run):
            (source,), (to,) = values(build, "--cache-from"), values(build, "--cache-to")
            self.assertTrue(source.startswith("type=gha,scope="), source)
            self.assertTrue(to.startswith(source + ",mode=max,ignore-error=true"), to)
            scopes.append(source)
        self.assertEqual(len(set(scopes)), 2, "each image has a scope of its own")
        self.assertEqual(set(seen.read_text(encoding="utf-8").splitlines()), {"ACTIONS_CACHE_SERVICE_V2=true"})

    def test_no_github_cache_without_its_token(self):
        run = self.base(self.project())
        self.assertNotIn("type=gha", " ".join(builds(run)[0]))

    def test_no_cache_at_all(self):
        run = self.base(self.project(), cache="gha")
        self.assertEqual(values(builds(run)[0], "--cache-from"), [])
        self.assertEqual(cache_exports(run), [])


class FreshBuilder(BuilderCase):
    alone = True  # empties the builder

    @case.slow
    def test_registry_cache_makes_a_fresh_builder_fast(self):
        """Again and again: a cache that was written by a builder which had its layers from the cache alone is a whole one."""
        project = self.steps_project()
        first = self.deploy(project)
        self.assertFalse(self.cached(first)["RUN sort /packages >/sorted"])
        for version in "234":
            self.prune()
            project.behave(version=version).commit("Change")
            run = self.deploy(project)
            self.assertBuilt(run, base="found", image="built")
            self.assertEqual(self.cached(run)["RUN sort /packages >/sorted"], True)
            self.assertEqual(self.cached(run)["COPY app/ /app/"], False)
            self.assertIn("CACHED", run.text)
            self.assertVersion(version)

    def test_no_cache_does_not_read_it(self):
        project = self.steps_project()
        self.deploy(project)
        run = self.deploy(project, no_cache="true")
        self.assertEqual([name for name, cached in self.cached(run).items() if cached and "FROM" not in name], [])


    def test_cache_repository_that_is_not_to_be_had(self):
        """A cache that cannot be written never fails a deployment."""
        self.cloud.fault("ecr", "DescribeRepositories", "status", {"status": 403, "code": "AccessDeniedException"}, 1, 2)
        run = self.deploy(self.project(), cache_repository=self.name + "-cache")
        self.assertVersion("1")
        self.assertEqual(len([text for text in self.warnings(run) if "no registry cache" in text]), 2, self.warnings(run))
        self.assertEqual(cache_exports(run), [])


class Report(BuilderCase):
    caches = False  # what BuildKit remembers itself is enough

    def test_steps_counts_and_bytes(self):
        project = self.steps_project()
        first = self.deploy(project)
        project.behave(version="2").commit("Second")
        second = self.deploy(project)
        before, after = self.image_of(first), self.image_of(second)
        for image, run in ((before, first), (after, second)):
            steps = self.steps(run)
            self.assertEqual([step["name"][1] for step in steps if "FROM" not in step["name"]], list("2345"))
            self.assertEqual(image["steps"], len(steps))
            self.assertEqual(image["cached_steps"], sum(step["cached"] for step in steps))
        self.assertEqual(before["pushed_bytes"], before["size_bytes"], "all of it was new there")
        manifest = self.cloud.manifest(self.name, second.outputs["image-digest"])
        new = manifest["layers"][-1]["size"] + manifest["config"]["size"]
        self.assertEqual(after["pushed_bytes"], new)
        self.assertIn("cached", second.summary)

    def test_a_build_that_brings_nothing_new(self):
        project = self.steps_project()
        self.deploy(project)
        run = self.deploy(project, skip_unchanged="false")
        self.assertBuilt(run, base="found", image="built")
        self.assertNotIn("pushed_bytes", {name for name, value in self.image_of(run).items() if value})

    @case.slow
    def test_lost_cache_is_named(self):
        project = self.steps_project()
        self.deploy(project)
        for version in "23":
            project.behave(version=version).commit(version)
            run = self.deploy(project)
            self.assertFalse(self.image_of(run).get("lost_cache"), "COPY app/ was not cached before, either")
        project.write("app/packages", f"{self.name}\nnumpy\n").commit("Change the packages")
        run = self.deploy(project)
        self.assertIn("COPY app/packages /packages", self.image_of(run)["lost_cache"])
        self.assertIn("COPY app/packages", run.summary)
        project.behave(version="4").commit("Fourth")
        run = self.deploy(project)
        self.assertFalse(self.image_of(run).get("lost_cache"))

    @case.slow
    def test_lost_cache_of_the_base_is_named(self):
        project = self.steps_project()
        project.write("Dockerfile.lambda.base", "FROM busybox\nCOPY base/one /opt/one\nRUN sort /opt/one >/opt/sorted\n"
                      "COPY base/two /opt/base/two\n").write("base/one", self.name).write("base/two", "a").commit("Two")
        first = self.deploy(project)
        project.write("base/two", "b").commit("Change what comes last")
        second = self.deploy(project)
        project.write("base/one", self.name + "x").commit("Change what comes first")
        third = self.deploy(project)
        lost = [json.loads(run.outputs["result"])["base_image"].get("lost_cache") for run in (first, second)]
        self.assertFalse(any(lost), lost)
        self.assertIn("COPY base/one /opt/one", json.loads(third.outputs["result"])["base_image"]["lost_cache"])

    def test_a_push_that_is_done_again_is_a_build_all_the_same(self):
        """The engine has the steps of the broken try in its cache; in the report, this run has built them."""
        project = self.steps_project()
        tried = self.folder / "tried"
        script = (f'"$REAL" "$@" || exit\n[ "$1" = build ] && mkdir {tried} 2>/dev/null || exit 0\n'
                  'echo "ERROR: failed to push x: unexpected status from PUT request to x: 502 Bad Gateway" >&2\nexit 1\n')
        self.base(project)
        self.folder.chmod(0o777)
        run = self.deploy(project, shims={"buildx": script})
        self.assertEqual(len(builds(run)), 2)
        self.assertEqual(self.image_of(run)["cached_steps"], 0)

    def test_nothing_is_remembered_when_not_asked(self):
        project = self.steps_project()
        self.deploy(project, record="false")
        project.behave(version="2").commit("Second")
        self.deploy(project, record="false")
        self.assertNotIn("lambda-fastdeploy:cached", self.cloud.function(self.name).get("Tags", {}))


class Compression(BuilderCase):
    caches = False
    def types(self, digest):
        return {layer["mediaType"].rsplit("+", 1)[-1] for layer in self.cloud.manifest(self.name, digest)["layers"]}

    def gzip_instead(self, says, seeded):
        self.cloud.settings_of(self.name, zstd_layers=says)
        project = self.project().write("app/data", self.name)
        project.commit("Bring data")
        if seeded:
            self.seed(project)
        run = self.deploy(project, compression="zstd")
        self.assertEqual([text for text in self.warnings(run) if "zstd" in text and "gzip" in text], self.warnings(run))
        self.assertEqual(len(self.warnings(run)), 1)
        self.assertEqual(len(builds(run)), 3, "base, application, and the application again")
        self.assertVersion("1")
        self.assertEqual(self.types(run.outputs["image-digest"]), {"gzip"})
        tags = self.cloud.tags(self.name)
        for tag in (project.commit_id, *self.identity_tags()):
            self.assertEqual(tags[tag], run.outputs["image-digest"])
        self.assertEqual(self.cloud.digest_of(self.name), run.outputs["image-digest"])
        again = self.deploy(project, compression="zstd")
        self.assertBuilt(again, base="found", image="reused")
        self.assertOutputs(again, deployed="false")

    def test_refused_at_creation(self):
        self.gzip_instead("refuse", seeded=False)

    def test_refused_at_an_update(self):
        self.gzip_instead("refuse", seeded=True)

    def test_found_out_after_creation(self):
        self.gzip_instead("fail", seeded=False)

    def test_found_out_after_an_update(self):
        self.gzip_instead("fail", seeded=True)

    def test_accepted(self):
        self.cloud.settings_of(self.name, zstd_layers="accept")
        project = self.project().write("app/data", self.name)
        project.commit("Bring data")
        mark = self.mark()
        run = self.deploy(project, compression="zstd")
        self.assertBuilt(run, base="built", image="built")
        self.assertIn("zstd", self.types(run.outputs["image-digest"]))
        made = [(request["operation"], (request["body"] or {}).get("imageTag")) for request in self.since(mark)
                if request["operation"] in ("CreateFunction", "PutImage")]
        (tag,) = self.identity_tags()
        self.assertLess(made.index(("CreateFunction", None)), made.index(("PutImage", tag)))
        self.assertBuilt(self.deploy(project, compression="zstd"), base="found", image="reused")

    def test_another_run_was_first_with_the_same_image(self):
        """What Lambda runs and what the outputs name is the same image, and it has a tag that keeps it."""
        self.cloud.settings_of(self.name, zstd_layers="accept")
        project = self.project()
        self.base(project, compression="zstd")
        folder = self.folder / "pause"
        folder.mkdir()
        folder.chmod(0o777)
        slow = self.step(project, inputs=self.inputs(compression="zstd", no_cache="true", health_url=None),
                         shims={"buildx": WAIT_FOR_GO.format(folder)}).start()
        while not (folder / "started").exists() and slow.process.poll() is None:
            time.sleep(0.03)
        self.cloud.settings_of(self.name + "-2", zstd_layers="accept")
        first = self.deploy(project, compression="zstd", function_name=self.name + "-2", repository=self.name)
        (tag,) = self.identity_tags()
        (folder / "go").touch()
        run = slow.finish()
        self.runs.append(run)
        self.check_run(run)
        self.assertExit(run, 0)
        digest = run.outputs["image-digest"]
        self.assertNotEqual(digest, first.outputs["image-digest"])
        self.assertEqual(self.cloud.digest_of(self.name), digest)
        tags = self.cloud.tags(self.name)
        self.assertEqual(tags[tag], first.outputs["image-digest"], "who was first has the identity tag")
        self.assertIn(digest, {tags[name] for name in tags if name != "pushed"})

    def test_other_refusals_are_not_about_zstd(self):
        self.cloud.settings_of(self.name, zstd_layers="accept")
        project = self.project()
        self.seed(project)
        self.cloud.fault("lambda", "UpdateFunctionCode", "status", nth=2, resource=self.name,
                         arg={"status": 400, "code": "CodeStorageExceededException"})
        run = self.deploy(project, 1, compression="zstd")
        self.assertEqual(len(builds(run)), 2)
        self.assertEqual(self.identity_tags(), set())

    def test_gzip_where_the_engine_has_the_layers_as_zstd(self):
        self.cloud.settings_of(self.name, zstd_layers="accept")
        project = self.project().write("app/data", self.name)
        project.commit("Bring data")
        first = self.deploy(project, compression="zstd")
        self.assertIn("zstd", self.types(first.outputs["image-digest"]))
        self.assertEqual(self.types(self.deploy(project).outputs["image-digest"]), {"gzip"})

    def test_gzip_is_what_auto_means(self):
        run = self.deploy(self.project())
        self.assertEqual(self.types(run.outputs["image-digest"]), {"gzip"})

    def test_level_of_gzip_is_used_where_it_is_given(self):
        project = self.project()
        plain = self.base(project)
        self.assertNotIn("compression-level", values(builds(plain)[0], "--output")[0])
        run = self.base(project, compression_level="9")
        self.assertBuilt(run, base="built")
        self.assertIn("compression", run.outputs["base-reason"])
        self.assertIn("compression=gzip,compression-level=9,", values(builds(run)[0], "--output")[0])
        self.assertBuilt(self.base(project, compression_level="9"), base="found")
        self.assertBuilt(self.base(project), base="found")


@contextlib.contextmanager
def engine(change):
    """A Docker engine whose /info is another one's; gives its socket."""
    folder = tempfile.TemporaryDirectory(dir="/var/tmp")
    path = folder.name + "/docker.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        thread = threading.Thread(target=_serve, args=(listener, change), daemon=True)
        thread.start()
        try:
            yield path
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(5)
    folder.cleanup()


def _serve(listener, change):
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_relay, args=(client, change), daemon=True).start()


def _relay(client, change):
    with client, socket.socket(socket.AF_UNIX) as real:
        real.connect("/var/run/docker.sock")
        head = client.recv(65536)
        line, _, rest = head.partition(b"\r\n")
        real.sendall(line + b"\r\nConnection: close\r\n" + rest)
        if b"/info" not in line:
            threading.Thread(target=_pump, args=(client, real), daemon=True).start()
            _pump(real, client)
            return
        answer = b"".join(iter(lambda: real.recv(65536), b""))
        info = change(json.loads(answer[answer.index(b"{"):answer.rindex(b"}") + 1]))
        body = json.dumps(info).encode()
        client.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
                       b"Content-Length: %d\r\n\r\n" % len(body) + body)


def _pump(source, target):
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


def without_containerd(info):
    info["DriverStatus"] = [["Backing Filesystem", "extfs"]]
    info["Driver"] = "overlay2"
    return info


# Stands for a builder that the engine cannot make here: no image of BuildKit is to be had.
FAKE_BUILDER = """\
case "$1 $2 $3" in
"inspect --bootstrap lambda-fastdeploy-"*) %s ;;
"inspect lambda-fastdeploy-"*) echo "Platforms: linux/amd64"; exit 0 ;;
create*) exit 0 ;;
esac
for word; do shift; case "$word" in lambda-fastdeploy-*) word=default ;; esac; set -- "$@" "$word"; done
unset DOCKER_HOST
exec "$REAL" "$@"
"""


class EarlyStart(BuilderCase):
    def test_builder_boots_while_the_survey_runs(self):
        """A run that ends before it would build has booted the builder already; it stays for the next step of the job."""
        project = self.project()
        self.seed(project)
        self.cloud.fault("lambda", "UpdateFunctionCode", "status", {"status": 403, "code": "AccessDeniedException"},
                         resource=self.name)
        with engine(without_containerd) as path:
            run = self.deploy(project, 1, env={"DOCKER_HOST": f"unix://{path}"},
                              shims={"buildx": FAKE_BUILDER % "exit 1"})
        self.assertError(run, "may not update the function")
        self.assertCountEqual([argv[1] for argv in run.called("buildx")], ["inspect", "create"])
        self.assertEqual(builds(run), [])


class Builders(BuilderCase):
    def test_engines_own_builder_is_used_as_it_is(self):
        run = self.base(self.project())
        self.assertEqual(values(builds(run)[0], "--builder"), [])
        self.assertEqual([argv for argv in run.called("buildx") if argv[1] == "create"], [])

    def classic(self, **inputs):
        with engine(without_containerd) as path:
            return self.base(self.project(), env={"DOCKER_HOST": f"unix://{path}"},
                             shims={"buildx": FAKE_BUILDER % "exit 1"}, **inputs)

    def test_engine_that_cannot_export_caches(self):
        run = self.classic()
        (create,) = [argv for argv in run.called("buildx") if argv[1] == "create"]
        self.assertEqual(values(create, "--driver"), ["docker-container"])
        self.assertEqual(values(create, "--name"), values(builds(run)[0], "--builder"))
        self.assertEqual(len(cache_exports(run)), 1)

    def test_engine_that_need_not_export_caches(self):
        run = self.classic(cache="gha")
        self.assertEqual(values(builds(run)[0], "--builder"), [])
        self.assertEqual([argv for argv in run.called("buildx") if argv[1] == "create"], [])

    def test_builder_that_runs_already_is_taken(self):
        with engine(without_containerd) as path:
            run = self.base(self.project(), env={"DOCKER_HOST": f"unix://{path}"},
                            shims={"buildx": FAKE_BUILDER % "exit 0"})
        self.assertEqual([argv for argv in run.called("buildx") if argv[1] == "create"], [])
        (name,) = values(builds(run)[0], "--builder")
        self.assertRegex(name, r"^lambda-fastdeploy-[0-9a-f]{8}$")

    def test_name_is_used_as_given(self):
        run = self.run_shell(self.project(), "base", "--base-repository", self.base_name, "--builder", "default",
                             env=case.KEYS)
        self.assertExit(run, 0)
        self.assertEqual(values(builds(run)[0], "--builder"), ["default"])

    def test_endpoint_is_used_as_given(self):
        run = self.base(self.project(), builder="tcp://buildkit.example:1234",
                        shims={"buildx": FAKE_BUILDER % "exit 1"})
        (create,) = [argv for argv in run.called("buildx") if argv[1] == "create"]
        self.assertEqual(values(create, "--driver"), ["remote"])
        self.assertEqual(create[-1], "tcp://buildkit.example:1234")

    def test_builder_that_is_not_there(self):
        run = self.run_shell(self.project(), "base", "--base-repository", self.base_name, "--builder", "nobody",
                             env=case.KEYS)
        self.assertExit(run, 1)
        self.assertIn('no builder "nobody" found', run.text)
        self.assertUntouched()

    def test_other_architecture_without_emulation(self):
        run = self.deploy(self.project(), 1, platform="linux/arm64")
        self.assertError(run, "linux/arm64", "ubuntu-24.04-arm", "qemu")
        self.assertEqual(builds(run), [])
        self.assertUntouched()
