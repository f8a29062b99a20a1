"""Nothing is built twice, and what changed is built: the life of the base image and of the application image."""

import os
import signal
import time

from . import case, cloud, events, runner
from .images import SHELL_BASE, ImageCase, builds, values


EVERYBODY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "ecr:*"}]}


class BaseImage(ImageCase):
    def test_base_is_built_once_and_then_found(self):
        project = self.project()
        first = self.base(project)
        self.assertBuilt(first, base="built")
        self.assertEqual(len(self.identity_tags(self.base_name)), 1)
        again = self.base(project)
        self.assertBuilt(again, base="found")
        self.assertEqual(again.outputs["base-image-digest"], first.outputs["base-image-digest"])
        self.assertEqual(self.pushes(0)[-1]["operation"], "PutManifest")
        run = self.deploy(project)
        self.assertBuilt(run, base="found", image="built")
        self.assertEqual(run.outputs["base-image-digest"], first.outputs["base-image-digest"])
        self.assertStandsOn(run)

    def test_base_on_a_laptop_is_the_base_that_the_action_finds(self):
        project = self.project()
        flags = ["base", "--base-repository", self.base_name]
        run = self.run_shell(project, *flags, env={"AWS_ACCESS_KEY_ID": cloud.KEY, "AWS_REGION": cloud.REGION,
                                                   "AWS_SECRET_ACCESS_KEY": cloud.SECRET})
        self.assertExit(run, 0)
        tags = self.cloud.tags(self.base_name)
        run = self.base(project)
        self.assertBuilt(run, base="found")
        self.assertEqual(run.outputs["base-image-digest"], tags["3.12"])

    def test_lost_identity_tag_is_put_back_by_the_label(self):
        project = self.project()
        built = self.base(project)
        (tag,) = self.identity_tags(self.base_name)
        self.cloud.ecr("BatchDeleteImage", repositoryName=self.base_name, imageIds=[{"imageTag": tag}])
        mark = self.mark()
        run = self.base(project)
        self.assertBuilt(run, base="found")
        self.assertEqual(self.puts(mark), [tag])
        self.assertEqual(self.cloud.tags(self.base_name)[tag], built.outputs["base-image-digest"])

    def test_image_of_somebody_else_is_adopted_when_asked(self):
        project = self.project()
        digest = self.put_by_hand("other", self.base_name, "3.12", "FROM busybox\nCOPY file /opt/base/packages.txt\n")
        inputs = {"base_check": "test -s /opt/base/packages.txt", "adopt_base": "true"}
        run = self.base(project, **inputs)
        self.assertBuilt(run, base="adopted")
        self.assertEqual(run.outputs["base-image-digest"], digest)
        self.assertTrue(any("adopt" in text for text in self.warnings(run)), self.warnings(run))
        self.assertBuilt(self.base(project, **inputs), base="found")

    def test_image_of_somebody_else_is_not_adopted_when_its_check_fails(self):
        self.put_by_hand("other", self.base_name, "3.12", "FROM busybox\nCOPY file /file\n")
        run = self.base(self.project(), 1, base_check="test -s /opt/base/packages.txt", adopt_base="true")
        self.assertError(run, "base", "status 1")
        self.assertEqual(self.identity_tags(self.base_name), set())

    def test_index_of_somebody_else_is_adopted_when_asked(self):
        """What a plain `docker buildx build --push` leaves: an image and its attestation."""
        project = self.project()
        digest = self.put_by_hand("other", self.base_name, "3.12", "FROM busybox\nCOPY file /opt/base/packages.txt\n",
                                  "--provenance=true")
        index = self.cloud.manifest(self.base_name, digest)
        (inside,) = [each["digest"] for each in index["manifests"] if each["platform"]["architecture"] == "amd64"]
        inputs = {"base_check": "test -s /opt/base/packages.txt", "adopt_base": "true"}
        run = self.deploy(project, **inputs)
        self.assertBuilt(run, base="adopted", image="built")
        self.assertEqual(run.outputs["base-image-digest"], digest)
        (tag,) = self.identity_tags(self.base_name)
        self.assertEqual(self.cloud.tags(self.base_name)[tag], digest)
        base = self.layers(self.base_name, inside)
        self.assertEqual(self.layers(self.name, run.outputs["image-digest"])[:len(base)], base)
        again = self.base(project, job=runner.Job(run_attempt=2), **inputs)  # one that looks whether all of it is there
        self.assertBuilt(again, base="found")

    def test_index_for_another_platform_is_not_adopted(self):
        self.put_by_hand("other", self.base_name, "3.12", "FROM scratch\nCOPY file /file\n", "--provenance=true",
                         "--platform=linux/arm64")
        run = self.base(self.project(), 1, adopt_base="true")
        self.assertError(run, "base image sha256:", "no image for linux/amd64")
        self.assertEqual(self.identity_tags(self.base_name), set())

    def test_image_of_somebody_else_is_not_used_unasked(self):
        self.put_by_hand("other", self.base_name, "3.12", "FROM busybox\nCOPY file /file\n")
        run = self.base(self.project())
        self.assertBuilt(run, base="built")
        self.assertIn("adopt-base", run.outputs["base-reason"])

    def test_changes_are_built_and_named(self):
        project = self.project()
        self.base(project)
        cases = (
            ("base/", lambda: project.replace("base/packages.txt", "cairo", "cairp")),
            ("base/ changed", lambda: project.path("base/packages.txt").chmod(0o600)),
            ("Dockerfile.lambda.base", lambda: project.write("Dockerfile.lambda.base", "FROM scratch\nARG KIND\n"
                                                             "COPY base/ /opt/base/\n")),
            ("KIND", lambda: None),
        )
        for word, edit in cases:
            with self.subTest(word):
                edit()
                more = {"base_build_args": "KIND=small"} if word == "KIND" else {}
                run = self.base(project, **more)
                self.assertBuilt(run, base="built")
                self.assertIn(word, run.outputs["base-reason"])
                self.assertBuilt(self.base(project, **more), base="found")

    def test_old_state_is_found_again(self):
        project = self.project()
        first = self.base(project)
        project.write("base/packages.txt", "mesa\n")
        self.base(project)
        project.write("base/packages.txt", "poppler\ncairo\n")
        run = self.base(project)
        self.assertBuilt(run, base="found")
        self.assertEqual(run.outputs["base-image-digest"], first.outputs["base-image-digest"])

    @case.slow
    def test_maximum_age(self):
        """A new period is a new image, and the application is built on it."""
        project = self.project()
        age = 6
        time.sleep(age - time.time() % age)  # the begin of a period
        first = self.deploy(project, base_max_age=f"{age}s")
        self.assertBuilt(first, base="built", image="built")
        (build, _) = builds(first)
        self.assertIn("--no-cache", build)
        self.assertIn("--pull", build)
        time.sleep(age - time.time() % age)
        second = self.deploy(project, base_max_age=f"{age}s")
        self.assertBuilt(second, base="built", image="built")
        self.assertNotEqual(second.outputs["base-image-digest"], first.outputs["base-image-digest"])
        self.assertStandsOn(second)

    def test_maximum_age_within_a_period(self):
        project = self.project()
        self.base(project, base_max_age="3650d")
        self.assertBuilt(self.base(project, base_max_age="3650d"), base="found")

    def test_rebuild_always(self):
        project = self.project()
        first = self.deploy(project)
        run = self.deploy(project, rebuild_base="always")
        self.assertBuilt(run, base="built", image="built")
        self.assertNotEqual(run.outputs["base-image-digest"], first.outputs["base-image-digest"])
        self.assertStandsOn(run)
        after = self.deploy(project)
        self.assertBuilt(after, base="found", image="reused")
        self.assertEqual(after.outputs["base-image-digest"], run.outputs["base-image-digest"])

    def test_rebuild_never(self):
        project = self.project()
        first = self.base(project)
        project.write("base/packages.txt", "mesa\n")
        run = self.base(project, rebuild_base="never")
        self.assertBuilt(run, base="found")
        self.assertEqual(run.outputs["base-image-digest"], first.outputs["base-image-digest"])
        run = self.base(project, 1, rebuild_base="never", base_tag="4")
        self.assertError(run, "never", "4")

    def test_failed_check_fails_again(self):
        project = self.project().write("Dockerfile.lambda.base", SHELL_BASE)
        seeded = self.seed(project)
        for _ in range(2):
            run = self.deploy(project, 1, base_check="cat /opt/base/packages.txt; exit 7")
            self.assertError(run, "base", "7")
            self.assertIn("poppler", run.text, "the check's output")
            self.assertEqual(self.identity_tags(self.base_name), set())
            self.assertNotIn("3.12", self.cloud.tags(self.base_name))
            self.assertEqual(self.cloud.digest_of(self.name), seeded)

    def test_good_check_is_a_part_of_the_identity(self):
        project = self.project().write("Dockerfile.lambda.base", SHELL_BASE)
        self.base(project)
        run = self.base(project, base_check="test -s /opt/base/packages.txt")
        self.assertBuilt(run, base="built")
        self.assertBuilt(self.base(project, base_check="test -s /opt/base/packages.txt"), base="found")

    def test_rerun_with_a_lost_layer(self):
        project = self.project()
        project.write("base/packages.txt", self.name)
        self.base(project)
        self.lose_blob(self.base_name, self.layers(self.base_name, "3.12")[0])
        run = self.base(project, job=runner.Job(run_number=200, run_attempt=2))
        self.assertBuilt(run, base="built")
        self.assertIn("layer", run.outputs["base-reason"])
        self.assertWhole(self.base_name, run.outputs["base-image-digest"])
        self.assertBuilt(self.base(project, job=runner.Job(run_number=200, run_attempt=3)), base="found")

    def assertWhole(self, repository, digest):
        for layer in self.layers(repository, digest):
            answer = cloud.fetch("HEAD", f"https://{cloud.REGISTRY}/v2/{repository}/blobs/{layer}",
                                 headers={"Authorization": "Basic " + self.basic()})
            self.assertEqual(answer.status, 200, f"the blob {layer}")


class ForeignBase(ImageCase):
    """A base in another account or region is only read."""

    def check(self, account, region):
        registry = f"{account}.dkr.ecr.{region}.amazonaws.com"
        project, uri = self.project(), f"{registry}/{self.base_name}"
        self.cloud.create_repository(self.base_name, account=account, region=region, policy=EVERYBODY)
        run = self.deploy(project, 1, base_repository=uri)
        self.assertError(run, "another account or region")
        self.assertUntouched()
        self.push_to(registry, self.base_name, "3.12", "FROM busybox\nCOPY file /file\n")
        run = self.deploy(project, base_repository=uri)
        self.assertBuilt(run, base="found", image="built")
        self.assertTrue(run.outputs["base-image-uri"].startswith(uri + "@sha256:"))
        self.assertEqual(len([text for text in self.warnings(run) if "may be older" in text]), 1, run.log.warnings)
        self.assertVersion("1")
        self.assertBuilt(self.deploy(project, base_repository=uri), base="found", image="reused")

    def test_other_region(self):
        self.check(cloud.ACCOUNT, "eu-west-1")

    def test_other_account(self):
        self.check("210987654321", cloud.REGION)


class ApplicationImage(ImageCase):
    def test_what_changes_nothing_is_not_built(self):
        project = self.project().write(".dockerignore", ".git\nREADME.md\n").write("README.md", "# Hello\n")
        project.commit("Ignore the README")
        first = self.deploy(project)
        cases = (
            ("a README that the Dockerfile ignores", lambda: project.write("README.md", "# Good day\n")),
            ("a file that no instruction reads", lambda: project.write("docs/guide.md", "Read me\n")),
            ("times", lambda: os.utime(project.path("app/behaviour"), (1, 1))),
            ("the same commit", lambda: None),
        )
        for name, edit in cases:
            with self.subTest(name):
                edit()
                project.commit(name)
                mark = self.mark()
                run = self.deploy(project)
                self.assertBuilt(run, base="found", image="reused")
                self.assertOutputs(run, image_digest=first.outputs["image-digest"], deployed="false")
                self.assertEqual(self.puts(mark), [project.commit_id], "only the commit's tag is added")
                self.assertEqual(self.pushes(mark), [])

    @case.slow
    def test_what_changes_something_is_built(self):
        project = self.project()
        self.deploy(project)
        cases = (
            ("one byte", lambda: project.replace("app/behaviour", "version=1", "version=2"), {}),
            ("a mode", lambda: project.path("app/behaviour").chmod(0o444), {}),
            ("an argument", lambda: project.replace("Dockerfile.lambda", "COPY app/", "ARG KIND\nCOPY app/"),
             {"build_args": "KIND=a"}),
            ("its value", lambda: None, {"build_args": "KIND=b"}),
        )
        for name, edit, more in cases:
            with self.subTest(name):
                edit()
                project.commit(name)
                self.assertBuilt(self.deploy(project, **more), base="found", image="built")

    def test_what_the_base_copies_is_built(self):
        """The base's ONBUILD copies from the application's context: no line of the application's own Dockerfile says so."""
        project = self.project()
        project.write("Dockerfile.lambda.base", project.read("Dockerfile.lambda.base") + "ONBUILD COPY app/ /app/\n")
        project.replace("Dockerfile.lambda", "COPY app/ /app/\n", "").commit("Copy by the base")
        self.deploy(project)
        self.assertVersion("1")
        self.assertBuilt(self.deploy(project), base="found", image="reused")
        project.write("README.md", "Nobody reads this.\n").commit("Write")
        self.assertBuilt(self.deploy(project), base="found", image="reused")
        project.behave(version="2").commit("Second")
        self.assertBuilt(self.deploy(project), base="found", image="built")
        self.assertVersion("2")

    def test_git_in_the_context_is_told(self):
        project = self.project().remove(".dockerignore").write("Dockerfile.lambda.base", "FROM scratch\nCOPY . /all/\n")
        project.write("Dockerfile.lambda", "FROM scratch\nCOPY . /all/\n").commit("Copy everything")
        run = self.deploy(project, command="plan")
        self.assertEqual([text for text in self.warnings(run) if "base image" in text and "the folder .git," in text],
                         self.warnings(run))
        project.remove("Dockerfile.lambda.base").commit("Do without a base")
        run = self.deploy(project, command="plan")
        self.assertEqual([text for text in self.warnings(run) if "application image" in text and ".git," in text],
                         self.warnings(run))
        self.assertEqual(len(self.warnings(run)), 1)
        project.write(".dockerignore", ".git\n").commit("Ignore .git")
        self.assertEqual(self.warnings(self.deploy(project, command="plan")), [])

    def test_revert_deploys_without_a_builder(self):
        project = self.project()
        first = self.deploy(project)
        project.behave(version="2").commit("Second")
        self.deploy(project)
        self.assertVersion("2")
        project.behave(version="1").commit("Revert")
        run = self.deploy(project)
        self.assertBuilt(run, base="found", image="reused")
        self.assertOutputs(run, deployed="true", image_digest=first.outputs["image-digest"])
        self.assertVersion("1")

    @case.slow
    def test_skip_unchanged_false_and_no_cache(self):
        project = self.project()
        first = self.deploy(project)
        run = self.deploy(project, skip_unchanged="false")
        self.assertBuilt(run, base="found", image="built")
        run = self.deploy(project, no_cache="true", cache=None)
        self.assertBuilt(run, base="found", image="built")
        (build,) = builds(run)
        self.assertIn("--no-cache", build)
        self.assertEqual(values(build, "--cache-from"), [])
        self.assertEqual(len(values(build, "--cache-to")), 1, "a fresh cache is written")
        self.assertNotEqual(run.outputs["image-digest"], first.outputs["image-digest"])
        kept = "keep-" + first.outputs["image-digest"].removeprefix("sha256:")[:12]
        self.assertEqual(self.cloud.tags(self.name)[kept], first.outputs["image-digest"])

    @case.slow
    def test_maximum_age(self):
        project = self.project()
        age = 5
        time.sleep(age - time.time() % age)
        first = self.deploy(project, image_max_age=f"{age}s")
        time.sleep(age - time.time() % age)
        run = self.deploy(project, image_max_age=f"{age}s")
        self.assertBuilt(run, base="found", image="built")
        self.assertNotEqual(run.outputs["image-digest"], first.outputs["image-digest"])

    def test_failed_check_fails_again(self):
        project = self.project().write("Dockerfile.lambda.base", SHELL_BASE)
        seeded = self.seed(project)
        for _ in range(2):
            run = self.deploy(project, 1, image_check="cat /app/behaviour; exit 3")
            self.assertError(run, "application image", "3")
            self.assertIn("version=1", run.text)
            self.assertEqual(self.identity_tags(), set())
            self.assertNotIn(project.commit_id, self.cloud.tags(self.name))
            self.assertEqual(self.cloud.digest_of(self.name), seeded)
        self.assertNotIn("UpdateFunctionCode", cloud.operations(self.since(0)))
        run = self.deploy(project, image_check="cat /app/behaviour")
        self.assertVersion("1")

    def test_rerun_with_a_lost_layer(self):
        project = self.project().write("app/data", self.name)
        project.commit("Bring data")
        self.deploy(project)
        self.lose_blob(self.name, self.layers(self.name, project.commit_id)[-1])
        run = self.deploy(project, job=runner.Job(run_number=200, run_attempt=2))
        self.assertBuilt(run, base="found", image="built")
        run = self.deploy(project, job=runner.Job(run_number=200, run_attempt=3))
        self.assertBuilt(run, base="found", image="reused")

    def test_two_first_deployments_at_once(self):
        project = self.project()
        steps = [self.step(project).start() for _ in range(2)]
        runs = [step.finish() for step in steps]
        for run in runs:
            self.runs.append(run)
            self.check_run(run)
            self.assertExit(run, 0)
        self.assertVersion("1")
        self.assertEqual(len(self.identity_tags()), 1)
        (digest,) = {digest for tag, digest in self.cloud.tags(self.name).items() if tag.startswith("src-")}
        self.assertIn(digest, {run.outputs["image-digest"] for run in runs})
        self.assertBuilt(self.deploy(project), base="found", image="reused")


class Immutable(ImageCase):
    def repositories(self):
        for name in (self.name, self.base_name):
            self.cloud.create_repository(name, immutable=True)

    @case.slow
    def test_deployments(self):
        """A first one, the same again, another commit of the same content, and a change."""
        project = self.project()
        self.repositories()
        first = self.deploy(project, cache="gha")
        self.assertBuilt(first, base="built", image="built")
        self.assertBuilt(self.deploy(project, cache="gha"), base="found", image="reused")
        project.write("README", "hello").commit("Write a README")
        self.assertBuilt(self.deploy(project, cache="gha"), base="found", image="reused")
        self.assertEqual(self.cloud.tags(self.name)[project.commit_id], first.outputs["image-digest"])
        project.behave(version="2").commit("Second")
        self.assertBuilt(self.deploy(project, cache="gha"), base="found", image="built")
        self.assertVersion("2")
        project.write("base/packages.txt", "mesa\n").commit("Change the base")
        run = self.deploy(project, cache="gha")
        self.assertBuilt(run, base="built", image="built")
        self.assertEqual(self.cloud.tags(self.base_name)["3.12"], first.outputs["base-image-digest"])
        self.assertEqual(self.refused(), [], "a tag that exists was pushed or put again")

    def refused(self):
        return [(request["operation"], request["error"]) for request in self.requests()
                if request["operation"] in ("PutImage", "PutManifest") and request["status"] >= 400]

    def test_forced_builds(self):
        project = self.project()
        self.repositories()
        self.deploy(project, cache="gha")
        run = self.deploy(project, 1, cache="gha", rebuild_base="always")
        self.assertError(run, "immutable", "rebuild-base")
        for more in ({"no_cache": "true"}, {"skip_unchanged": "false"}):
            self.assertBuilt(self.deploy(project, cache="gha", **more), base="found", image="reused")
        self.assertEqual(self.refused(), [])

    def test_tag_of_other_contents(self):
        project = self.project()
        self.repositories()
        self.deploy(project, cache="gha", image_tag="v1")
        project.behave(version="2").commit("Second")
        mark = self.mark()
        run = self.deploy(project, 1, cache="gha", image_tag="v1")
        self.assertError(run, "immutable", "v1", "image-tag")
        self.assertEqual(self.pushes(mark), [])
        self.assertVersion("1")

    @case.slow
    def test_two_first_deployments_at_once(self):
        project = self.project()
        self.repositories()
        steps = [self.step(project, inputs=self.inputs(cache="gha")).start() for _ in range(2)]
        for run in [step.finish() for step in steps]:
            self.runs.append(run)
            self.check_run(run)
            self.assertExit(run, 0)
        self.assertVersion("1")

    @case.slow
    def test_rerun_with_a_lost_layer(self):
        """The lost layer comes back under a new tag; nothing that is there is pushed or put again."""
        project = self.project().write("base/packages.txt", self.name)
        self.repositories()
        self.base(project, cache="gha")
        for attempt in (2, 3):
            self.lose_blob(self.base_name, self.layers(self.base_name, "3.12")[0])
            run = self.base(project, cache="gha", job=runner.Job(run_number=200, run_attempt=attempt))
            self.assertBuilt(run, base="built")
            self.assertEqual(self.refused(), [])
        self.assertBuilt(self.base(project, job=runner.Job(run_number=200, run_attempt=4)), base="found")

    @case.slow
    def test_registry_cache_needs_another_repository(self):
        project = self.project()
        self.repositories()
        run = self.deploy(project, cache=None)
        self.assertTrue(any("cache-repository" in text and "immutable" in text for text in self.warnings(run)),
                        self.warnings(run))
        for build in builds(run):
            self.assertEqual(values(build, "--cache-to"), [])
        project.behave(version="2").commit("Second")
        cache = self.name + "-cache"
        run = self.deploy(project, cache_repository=cache, cache=None)
        self.assertEqual(self.warnings(run), [])
        self.assertIn("buildcache", self.cloud.tags(cache))


class Pinning(ImageCase):
    """Whatever the Dockerfile calls the base, it is built on the digest that was found."""

    def check(self, project):
        project.commit("Name the base")
        run = self.deploy(project)
        self.assertBuilt(run, base="built", image="built")
        self.assertIn(f"{cloud.REGISTRY}/{self.base_name}@{run.outputs['base-image-digest']}",
                      " ".join(builds(run)[1]))
        self.assertVersion("1")
        return run

    def dockerfile(self, project, head):
        return project.write("Dockerfile.lambda", head + "COPY function /function\nCOPY app/ /app/\n"
                             "ENTRYPOINT [\"/function\"]\n")

    def test_argument(self):
        self.assertStandsOn(self.check(self.dockerfile(self.project(), "ARG BASE_IMAGE\nFROM $BASE_IMAGE\n")))

    def test_name_base(self):
        self.assertStandsOn(self.check(self.dockerfile(self.project(), "FROM base AS runtime\n")))

    def test_registry_and_tag(self):
        head = f"FROM {cloud.REGISTRY}/{self.base_name}:3.12\n"
        self.assertStandsOn(self.check(self.dockerfile(self.project(), head)))

    def test_copy_from(self):
        project = self.dockerfile(self.project(), "FROM scratch\nCOPY --from=base /opt/base/packages.txt /packages\n")
        run = self.check(project)
        project.write("base/packages.txt", "mesa\n").commit("Change the base")
        again = self.deploy(project)
        self.assertBuilt(again, base="built", image="built")
        self.assertNotEqual(again.outputs["image-digest"], run.outputs["image-digest"])

    def test_moved_tag_does_not_matter(self):
        """The tag that people read is somebody else's by now: the build uses the digest."""
        project = self.dockerfile(self.project(), f"FROM {cloud.REGISTRY}/{self.base_name}:3.12\n")
        project.commit("Name the base")
        self.base(project)
        self.put_by_hand("other", self.base_name, "3.12", "FROM busybox\nCOPY file /file\n")
        run = self.deploy(project)
        self.assertBuilt(run, base="found", image="built")
        self.assertStandsOn(run)

    def test_stage_of_the_users_own(self):
        """A stage that is called base is the user's: it is not replaced."""
        project = self.dockerfile(self.project(), "FROM scratch AS base\nCOPY base/packages.txt /own\nFROM base\n")
        project.commit("Have a stage")
        run = self.deploy(project)
        self.assertBuilt(run, base="built", image="built")
        self.assertEqual(values(builds(run)[1], "--build-context"), [])
        self.assertEqual(len(self.layers(self.name, run.outputs["image-digest"])), 3)
        self.assertVersion("1")


# Stands behind a build: tells of a layer that it is larger than it is, as a manifest may.
MAKE_LARGE = """\
import base64, hashlib, json, os, pathlib, sys, urllib.request
arguments = sys.argv[1:]
metadata = pathlib.Path(arguments[arguments.index("--metadata-file") + 1])
built = json.loads(metadata.read_text())
registry, name = arguments[arguments.index("--tag") + 1].rsplit(":", 1)[0].split("/", 1)
auth = json.loads(pathlib.Path(os.environ["DOCKER_CONFIG"], "config.json").read_text())["auths"][registry]["auth"]
def ask(method, reference, body=None, **headers):
    url = f"https://{registry}/v2/{name}/manifests/{reference}"
    request = urllib.request.Request(url, body, {"Authorization": "Basic " + auth, **headers}, method=method)
    return urllib.request.urlopen(request, timeout=20).read()
kind = "application/vnd.oci.image.manifest.v1+json"
manifest = json.loads(ask("GET", built["containerimage.digest"], Accept=kind))
manifest["layers"][0]["size"] = 11 << 30
body = json.dumps(manifest).encode()
built["containerimage.digest"] = "sha256:" + hashlib.sha256(body).hexdigest()
ask("PUT", built["containerimage.digest"], body, **{"Content-Type": kind})
metadata.write_text(json.dumps(built))
"""


class Manifest(ImageCase):
    """What Lambda would not take is told before the function is touched."""

    def refused(self, project, *words, **more):
        seeded = self.seed(project)
        run = self.deploy(project, 1, **more)
        self.assertError(run, "application image", *words)
        self.assertEqual(self.identity_tags(), set())
        self.assertEqual(self.cloud.digest_of(self.name), seeded)
        self.assertNotIn("UpdateFunctionCode", cloud.operations(self.requests()))

    def test_index(self):
        """A buildx that adds attestations all the same."""
        script = ('for word; do shift; case $word in --provenance=false) word=--provenance=true;; esac; '
                  'set -- "$@" "$word"; done\nexec "$REAL" "$@"\n')
        project = self.project()
        project.remove("Dockerfile.lambda.base").replace("Dockerfile.lambda", "${BASE_IMAGE}", "scratch")
        project.commit("Do without a base")
        self.refused(project, "index", "--provenance=false", shims={"buildx": script})

    def test_architecture(self):
        """A shim that builds for another architecture than it was told to."""
        script = ('for word; do shift; case $word in linux/amd64) word=linux/arm64;; esac; '
                  'set -- "$@" "$word"; done\nexec "$REAL" "$@"\n')
        project = self.project()
        project.remove("Dockerfile.lambda.base").replace("Dockerfile.lambda", "${BASE_IMAGE}", "scratch")
        project.commit("Do without a base")
        self.refused(project, "arm64", "x86_64", "platform", shims={"buildx": script})

    def test_over_ten_gigabytes(self):
        program = self.folder / "make_large.py"
        program.write_text(MAKE_LARGE, encoding="utf-8")
        script = (f'"$REAL" "$@" || exit\ncase $1 in build) exec python3 {program} "$@";; esac\n')
        project = self.project()
        project.remove("Dockerfile.lambda.base").replace("Dockerfile.lambda", "${BASE_IMAGE}", "scratch")
        project.commit("Do without a base")
        self.refused(project, "10 GB", shims={"buildx": script})

    def test_media_type(self):
        """Layers that are not compressed have a type of their own in Docker's format, which Lambda does not take."""
        script = ('for word; do shift; case $word in type=image*) '
                  'word=type=image,push=true,oci-mediatypes=false,compression=uncompressed,force-compression=true;; esac; '
                  'set -- "$@" "$word"; done\nexec "$REAL" "$@"\n')
        project = self.project()
        project.remove("Dockerfile.lambda.base").replace("Dockerfile.lambda", "${BASE_IMAGE}", "scratch")
        project.commit("Do without a base")
        self.refused(project, "media type", shims={"buildx": script})


class Repositories(ImageCase):
    def test_half_made_repository_is_repaired(self):
        project = self.project()
        for nth, operation in enumerate(("SetRepositoryPolicy", "PutLifecyclePolicy"), 1):
            with self.subTest(operation):
                base = f"{self.base_name}-{nth}"
                self.cloud.fault("ecr", operation, "status", {"status": 400, "code": "InvalidParameterException"},
                                 resource=base)
                run = self.base(project, 1, base_repository=base)
                self.assertError(run, base)
                run = self.base(project, base_repository=base)
                self.assertBuilt(run, base="built")
                self.cloud.ecr("GetRepositoryPolicy", repositoryName=base)
                self.assertIn("untagged", self.cloud.ecr("GetLifecyclePolicy", repositoryName=base)
                              ["lifecyclePolicyText"])

    def test_repository_of_somebody_else_is_left_as_it_is(self):
        self.put_by_hand("other", self.base_name, "other", "FROM busybox\nCOPY file /file\n")
        self.base(self.project())
        with self.assertRaisesRegex(cloud.CloudError, "LifecyclePolicyNotFound"):
            self.cloud.ecr("GetLifecyclePolicy", repositoryName=self.base_name)

    def test_made_repository(self):
        self.base(self.project())
        (found,) = self.cloud.ecr("DescribeRepositories", repositoryNames=[self.base_name])["repositories"]
        self.assertTrue(found["imageScanningConfiguration"]["scanOnPush"])
        self.assertIn("lambda.amazonaws.com", self.cloud.ecr("GetRepositoryPolicy", repositoryName=self.base_name)
                      ["policyText"])


class Killed(ImageCase):
    def kill_at(self, project, seen, wait_s=20, **inputs):
        """Start a deployment, and kill everything of it as soon as `seen` says so."""
        step = self.step(project, inputs=self.inputs(**inputs)).start()
        end = time.monotonic() + wait_s
        while not seen():
            self.assertLess(time.monotonic(), end, "the moment to kill it never came")
            time.sleep(0.02)
        step.signal(signal.SIGKILL)
        run = step.finish()
        self.assertExit(run, 128 + signal.SIGKILL)
        return run

    def converges(self, project):
        self.assertEqual(self.identity_tags(), set())
        self.forget_faults()
        run = self.deploy(project)
        self.assertOutputs(run, deployed="true", image_built="built")
        self.assertVersion("1")
        self.assertBuilt(self.deploy(project), base="found", image="reused")

    def operations_of(self, name):
        return [request["operation"] for request in self.cloud.requests(name, after=self.began)]

    def test_in_the_middle_of_a_push(self):
        project = self.project()
        self.base(project)
        for operation in ("PutUpload", "PatchUpload"):
            self.cloud.fault("registry", operation, "delay", 3000, times=-1, resource=self.name)
        self.kill_at(project, lambda: {"StartUpload", "MountBlob"} & set(self.operations_of(self.name)))
        self.converges(project)

    def test_between_push_and_tags(self):
        project = self.project()
        self.base(project)
        self.cloud.fault("ecr", "PutImage", "hang", resource=self.name)
        self.kill_at(project, lambda: "PutManifest" in self.operations_of(self.name) and "pushed" in
                     self.cloud.tags(self.name))
        self.converges(project)

    def test_base_between_push_and_tags(self):
        project = self.project()
        self.cloud.fault("ecr", "PutImage", "hang", resource=self.base_name)
        self.kill_at(project, lambda: "pushed" in self.cloud.tags(self.base_name))
        self.assertEqual(self.identity_tags(self.base_name), set())
        self.converges(project)
