"""The command rollback: back through what passed verification, and nowhere else."""

import signal

from . import case, cloud
from .serving import Client, FunctionCase


class Rollback(FunctionCase):
    base_stands = True

    def three_versions(self, alias=None):
        """Versions 1, 2 and 3, each verified, and a bad one in between."""
        project, seeded = self.serve(alias)
        runs = []
        for version in ("1", "2", "bad", "3"):
            project.behave(version=version, **({"health": "500"} if version == "bad" else {})).commit(version)
            run = self.deploy(project)
            self.assertExit(run, 1 if version == "bad" else 0)
            runs.append(run)
        return project, seeded, runs

    def back(self, project):
        return self.deploy(project, command="rollback")

    def twice(self, alias):
        project, _, runs = self.three_versions(alias)
        for version in ("2", "1"):
            run = self.back(project)
            self.assertExit(run, 0)
            self.assertOutputs(run, rolled_back="true")
            self.assertEqual("the configuration stays as it is" in run.text, alias is None)
            self.serves(version)
        mark = self.mark()
        run = self.back(project)
        self.assertExit(run, 1)
        self.assertError(run, "nothing to roll")
        self.assertNotIn("UpdateFunctionCode", cloud.operations(self.since(mark)))
        self.serves("1")
        self.again_forward(project)
        self.not_to_what_is_gone(project, runs[0].outputs["image-digest"])

    def not_to_what_is_gone(self, project, digest):
        self.cloud.ecr("BatchDeleteImage", repositoryName=self.name, imageIds=[{"imageDigest": digest}])
        mark = self.mark()
        run = self.back(project)
        self.assertExit(run, 1)
        self.assertError(run, "gone")
        self.assertUntouched(mark)
        self.serves("4")

    def again_forward(self, project):
        project.behave(version="4").commit("Forward")
        self.assertExit(self.deploy(project), 0)
        self.serves("4")

    def test_kept_though_it_does_not_answer(self):
        """It serves, and is said to, but it is not this commit."""
        project, _, _ = self.three_versions()
        run = self.deploy(project, command="rollback", on_failure="keep", health_expect="what nobody says")
        self.assertExit(run, 1)
        self.assertOutputs(run, deployed="false", health="failed")
        self.assertTrue(any("on-failure is keep" in text for text in run.log.warnings), run.log.warnings)
        self.serves("2")

    def test_twice(self):
        self.twice(None)

    @case.slow
    def test_twice_alias(self):
        self.twice("live")

    def test_to_a_version_that_was_idle_for_weeks(self):
        """It is awake before its users come: none of them meets an error."""
        project, _ = self.serve("live")
        for version in ("1", "2"):
            project.behave(version=version).commit(version)
            self.assertExit(self.deploy(project), 0)
        self.cloud.settings_of(self.name, wake_ms=2500)
        self.cloud.change_function(self.name, state="Inactive", version="2")
        with Client(cloud.url_of(self.name, self.alias)) as client:
            run = self.back(project)
            client.wait_for(len(client.answers) + 20)
        self.assertExit(run, 0)
        self.assertIn("waking it", run.text)
        self.assertEqual([answer for answer in client.answers if answer[0] != 200], [])
        self.serves("1")


class Aliases(FunctionCase):
    """Each alias of a function goes back through what it has served itself."""

    base_stands = True

    def to(self, project, alias, version):
        """This version, with the alias's own configuration; the number that it has got."""
        self.alias = alias
        project.behave(version=version).commit(f"{alias} {version}")
        run = self.deploy(project, environment=f"STAGE={alias}")
        self.assertExit(run, 0)
        return run.outputs["function-version"]

    def back(self, project, alias, version):
        self.alias = alias
        run = self.deploy(project, command="rollback")
        self.assertExit(run, 0)
        self.assertEqual(self.alias_target(alias), version)
        return run

    def nothing_before(self, project, alias):
        self.alias = alias
        mark = self.mark()
        run = self.deploy(project, command="rollback")
        self.assertExit(run, 1)
        self.assertError(run, "nothing to roll")
        self.assertUntouched(mark)

    def drift(self, project, alias):
        self.alias = alias
        return "what serves now is another one" in self.deploy(project, command="status").text

    def test_two_aliases(self):
        project, _ = self.serve()
        prod = self.to(project, "prod", "1")
        self.to(project, "staging", "2")
        self.to(project, "prod", "3")
        self.assertIsNone(self.tag("verified"))
        self.back(project, "prod", prod)
        self.serves("1")
        self.nothing_before(project, "prod")
        self.nothing_before(project, "staging")
        self.serves("2")
        for alias in ("prod", "staging"):
            self.assertFalse(self.drift(project, alias), alias)

    def remember_in_common(self, *versions):
        """As it was before each alias had a list of its own."""
        common = " ".join(f"{version}/{101 + i}" for i, version in enumerate(versions))
        self.cloud.change_function(self.name, tags={"lambda-fastdeploy:verified": common})
        return common

    def test_a_list_in_common_is_read_and_not_written(self):
        project, _ = self.serve()
        first, second, third = (self.to(project, "live", version) for version in "123")
        common = self.remember_in_common(third, second, first)
        self.back(project, "live", second)
        self.assertEqual(self.tag("verified"), common)
        self.assertEqual(self.tag("verified:live"), f"{second}/102 {first}/103")
        self.back(project, "live", first)
        self.nothing_before(project, "live")

    def test_a_list_in_common_with_another_alias(self):
        """The first version behind it is one that this alias has served; the next run puts back nothing that it has not."""
        project, _ = self.serve()
        staging = self.to(project, "staging", "1")
        prod = self.to(project, "prod", "2")
        common = self.remember_in_common(staging, prod)
        run = self.deploy(project, environment="STAGE=prod", checks="GET /health -> 299")
        self.assertExit(run, 1)
        self.assertEqual(self.alias_target("prod"), prod)
        self.to(project, "prod", "3")
        self.assertEqual(self.tag("verified"), common)
        self.back(project, "prod", prod)
        self.nothing_before(project, "prod")


BAD = "GET /health -> 299"  # what is built again has the same contents, so the request makes the difference


class Rebuilt(FunctionCase):
    """The same contents, built again: the tags go to the new image only when the function has answered well with it."""

    base_stands = True

    def two_versions(self, alias=None, **more):
        """Version 2 serves; its digest, and what the tags for people and for the contents name."""
        project, _ = self.serve(alias)
        for version in "12":
            project.behave(version=version).commit(version)
            run = self.deploy(project, **more)
            self.assertExit(run, 0)
        return project, run.outputs["image-digest"], self.names()

    def names(self):
        return {tag: digest for tag, digest in self.cloud.tags(self.name).items()
                if tag != "pushed" and not tag.startswith("keep-")}

    def of(self, digest):
        return {tag for tag, named in self.cloud.tags(self.name).items() if named == digest} - {"pushed"}

    def kept(self, digest):
        return "keep-" + digest.removeprefix("sha256:")[:12]

    def fails(self, alias=None, **more):
        project, good, names = self.two_versions(alias, **more)
        run = self.deploy(project, no_cache="true", checks=BAD, **more)
        self.assertExit(run, 1)
        self.assertNotEqual(run.outputs["image-digest"], good, "it was not built again")
        self.assertEqual((self.names(), self.cloud.digest_of(self.name)), (names, good))
        run = self.deploy(project, **more)
        self.assertExit(run, 0)
        self.assertOutputs(run, deployed="false", image_built="reused", image_digest=good)
        run = self.deploy(project, command="rollback", **more)
        self.assertExit(run, 0)
        self.serves("1")
        run = self.deploy(project, **more)
        self.assertExit(run, 0)
        self.assertOutputs(run, deployed="true", image_digest=good)
        self.serves("2")

    def test_that_fails(self):
        self.fails()

    @case.slow
    def test_that_fails_alias(self):
        self.fails("live")

    @case.slow
    def test_that_fails_zstd(self):
        self.cloud.settings_of(self.name, zstd_layers="accept")
        self.fails(compression="zstd")

    def test_that_is_good(self):
        project, before, names = self.two_versions()
        run = self.deploy(project, no_cache="true")
        self.assertExit(run, 0)
        after = run.outputs["image-digest"]
        self.assertOutputs(run, deployed="true", image_built="built")
        self.assertEqual(self.names(), {tag: after if digest == before else digest for tag, digest in names.items()})
        self.assertEqual(self.of(before), {self.kept(before)})
        run = self.deploy(project)
        self.assertOutputs(run, deployed="false", image_digest=after)
        self.assertExit(self.deploy(project, command="rollback"), 0)
        self.serves("1")

    def test_that_is_kept_though_it_fails(self):
        """It serves, so it must not expire; what passed verification has the tags all the same."""
        project, good, names = self.two_versions()
        run = self.deploy(project, no_cache="true", checks=BAD, on_failure="keep")
        self.assertExit(run, 1)
        bad = run.outputs["image-digest"]
        self.assertEqual((self.names(), self.cloud.digest_of(self.name)), (names, bad))
        self.assertEqual(self.of(bad), {self.kept(bad)})
        self.assertExit(self.deploy(project), 0)
        self.assertEqual(self.cloud.digest_of(self.name), good)

    def test_that_is_killed(self):
        project, good, names = self.two_versions()
        mark = self.mark()
        step = self.started(project, no_cache="true", health_expect="never", cold_start_wait="20")
        self.until(lambda: self.is_being_verified(mark), "the verification")
        step.signal(signal.SIGKILL)
        step.finish()
        self.assertEqual(self.names(), names)
        self.assertExit(self.deploy(project), 0)
        self.assertEqual(self.cloud.digest_of(self.name), good)

    def test_that_meets_another_run(self):
        """Another run has put the tag of the contents meanwhile: there it stays."""
        project, _, names = self.two_versions()
        (tag,) = [tag for tag, digest in names.items() if tag.startswith("src-") and digest == self.cloud.digest_of(self.name)]
        others = self.others_image("others")
        self.cloud.settings_of(self.name, update_ms=2500)
        mark = self.mark()
        step = self.started(project, no_cache="true")
        self.until(lambda: "UpdateFunctionCode" in cloud.operations(self.since(mark)), "the update")
        self.give_tag(tag, others.split("@")[1])
        run = self.finish(step)
        self.assertExit(run, 0)
        after = run.outputs["image-digest"]
        self.assertEqual(self.cloud.digest_of(self.name), after)
        self.assertEqual(self.names()[tag], others.split("@")[1])
        self.assertEqual(self.names()[project.commit_id], after)

    def test_that_cannot_be_named(self):
        """What serves is good, so it stays, and is warned of."""
        project, good, names = self.two_versions()
        self.cloud.settings_of(self.name, update_ms=2500)
        mark = self.mark()
        step = self.started(project, no_cache="true")
        self.until(lambda: "UpdateFunctionCode" in cloud.operations(self.since(mark)), "the update")
        self.cloud.fault("ecr", "PutImage", "status", {"status": 400, "code": "InvalidParameterException"}, times=9,
                         resource=self.name)
        run = self.finish(step)
        self.assertExit(run, 0)
        self.assertOutputs(run, deployed="true")
        self.assertEqual([text for text in run.log.warnings if "goes back to the image before" in text], run.log.warnings)
        self.assertEqual(len(run.log.warnings), 1)
        self.assertNotEqual(self.cloud.digest_of(self.name), good)
        self.assertEqual(self.names(), names)

    def give_tag(self, tag, digest):
        (image,) = self.cloud.ecr("BatchGetImage", repositoryName=self.name, imageIds=[{"imageDigest": digest}])["images"]
        self.cloud.ecr("PutImage", repositoryName=self.name, imageManifest=image["imageManifest"],
                       imageManifestMediaType=image["imageManifestMediaType"], imageTag=tag)
