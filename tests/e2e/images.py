"""What tests of images and builders share: commits and their tags, builds that were started, images
of somebody else."""

import base64
import json
import os
import pathlib
import subprocess
import tempfile

from . import case, cloud

SHELL_BASE = "FROM busybox\nCOPY base/ /opt/base/\n"  # a base in which a check can run


def all_builds(run):
    return [argv for argv in run.called("buildx") if argv[1:2] == ["build"]]


def builds(run):
    """The arguments of every build that pushes an image, in their order."""
    return [argv for argv in all_builds(run) if "--tag" in argv]


def cache_exports(run):
    """Of those that write a cache, too, sorted by where to."""
    return sorted((argv for argv in builds(run) if "--cache-to" in argv), key=lambda argv: values(argv, "--cache-to"))


def builds_ahead(run):
    """Of those that build stages of the application while the base is built."""
    return [argv for argv in all_builds(run) if "--tag" not in argv]


def values(argv, flag):
    """All values of a flag in a command."""
    return [argv[i + 1] for i, word in enumerate(argv[:-1]) if word == flag]


class ImageCase(case.Case):
    def base_inputs(self, **more):
        return self.inputs(command="base", **more)

    def deploy(self, project, code=0, **more):
        """A run with these inputs; `more` may hold run_step's own arguments. Whether the function answers is not asked
        by the run: tests that want to know ask themselves, and all of them take half as long."""
        more.setdefault("health_url", None)
        own = {name: more.pop(name) for name in ("event", "job", "env", "shims", "limits") if name in more}
        run = self.run_step(project, inputs=self.inputs(**more), **own)
        self.assertExit(run, code)
        return run

    def base(self, project, code=0, **more):
        return self.deploy(project, code, command="base", **more)

    def warnings(self, run):
        """All but the one that nothing was verified."""
        return [text for text in run.log.warnings if not text.startswith("nothing was checked")]

    def assertBuilt(self, run, base=None, image=None):
        """What was built, by the outputs and by the builds that were started."""
        self.assertEqual(len(builds(run)), (base == "built") + (image == "built"), "builds")
        if base:
            self.assertOutputs(run, base_status=base)
        if image:
            self.assertOutputs(run, image_built=image)
        if base != "built" and image != "built":
            self.assertEqual(run.called("buildx"), [], "a builder was started")

    def identity_tags(self, repository=None):
        """The tags that later runs go by."""
        return {tag for tag in self.cloud.tags(repository or self.name)
                if tag.startswith("src-") or tag.startswith("3.12-")}

    def layers(self, repository, reference):
        return [layer["digest"] for layer in self.cloud.manifest(repository, reference)["layers"]]

    def assertStandsOn(self, run):
        """The application's first layers are the base's."""
        base = self.layers(self.base_name, run.outputs["base-image-digest"])
        self.assertEqual(self.layers(self.name, run.outputs["image-digest"])[:len(base)], base)

    def put_by_hand(self, folder, repository, tag, dockerfile, *options):
        """An image that somebody else has built and pushed; its digest. `options` as the cloud's push has them."""
        if not self.cloud.tags(repository):
            self.cloud.create_repository(repository)
        return self.cloud.push(self.foreign_project(folder, dockerfile), repository, tag, *options)

    def foreign_project(self, folder, dockerfile):
        path = self.folder / folder
        path.mkdir()
        (path / "Dockerfile").write_text(dockerfile, encoding="utf-8")
        (path / "file").write_text(self.name, encoding="utf-8")
        return path

    def push_to(self, registry, repository, tag, dockerfile):
        """The same for a registry of another account or region."""
        with tempfile.TemporaryDirectory() as config:
            login = {"auths": {registry: {"auth": self.basic()}}}
            pathlib.Path(config, "config.json").write_text(json.dumps(login), encoding="utf-8")
            subprocess.run(["buildx", "build", "--provenance=false", "--output",
                            f"type=image,name={registry}/{repository}:{tag},push=true",
                            str(self.foreign_project("foreign", dockerfile))],
                           env={**os.environ, "DOCKER_CONFIG": config}, stdin=subprocess.DEVNULL, check=True,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)

    def basic(self):
        """The registry's login as an Authorization header holds it."""
        return base64.b64encode(":".join(self.cloud.login()).encode()).decode()

    def lose_blob(self, repository, digest):
        """The registry loses a blob, behind everybody's back."""
        self.cloud.control("POST", f"/repositories/{repository}/lose-blob", {"digest": digest})

    def puts(self, mark):
        """The tags that were put by ECR's PutImage since then."""
        return [request["body"]["imageTag"] for request in self.since(mark) if request["operation"] == "PutImage"]

    def pushes(self, mark):
        """Requests since then that bring something into the registry."""
        return [request for request in self.since(mark) if request["service"] == "registry"
                and request in cloud.changes([request])]
