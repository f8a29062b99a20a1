"""tests/check_release.py: a release, step by step as .github/workflows/release.yml has them, with a git server of its own and stand-ins for docker and
gh: what it leaves behind, that it can be run again wherever it ended, and what it refuses."""

import contextlib
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[1]
WORKFLOW = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text(encoding="utf-8"))
# What a release reads; tracked files only, so that a commit can be made of them.
FILES = ("action.yml", "VERSION", "CHANGELOG.md", "Dockerfile", "packaging", ".github")
SHARED_MEMORY = "/dev/shm"  # many small checkouts
IMAGE = "ghcr.io/org/lambda-fastdeploy"

# Images are files in STATE/images: the name with / as _, its digest inside. FAIL holds words of a command that fails once.
STANDS_IN = r"""#!/bin/bash
set -eu
echo "$(basename "$0") $*" >>"$STATE/calls"
if [ -n "${FAIL:-}" ] && [ -f "$STATE/fail" ] && [[ "$(basename "$0") $*" == *"$FAIL"* ]]; then rm "$STATE/fail"; exit 1; fi
place() { echo "$STATE/images/${1//\//_}"; }
digest() { echo "sha256:$(sha256sum | cut -c1-64)"; }
case "$(basename "$0") $*" in
"docker login "*) [ "$(cat)" = job-token ] ;;
"docker buildx imagetools inspect "*)
    [ ! -f "$STATE/private" ] || [ -z "${DOCKER_CONFIG:-}" ] || exit 1
    case $4 in
    *@*) grep -qrx "${4##*@}" "$STATE/images" && echo "${4##*@}" ;;
    docker/*) printf %s "$4" | digest ;;
    *) cat "$(place "$4")" ;;
    esac ;;
"docker buildx imagetools create --tag "*) { cat "$(place "$6")" "$(place "$7")"; } | digest >"$(place "$5")" ;;
"docker buildx build "*" --target sbom "*) mkdir -p release; echo '{}' >release/sbom.spdx.json ;;
"docker buildx build "*) for word; do case $word in "$IMAGE:"*) date +%s%N | digest >"$(place "$word")" ;; esac; done ;;
"docker buildx inspect release"*) exit 1 ;;
"docker create "*) echo container ;;
"docker cp "*) echo program >"$3" ;;
"gh release view "*) [ -f "$STATE/release" ] ;;
"gh release create "*) echo "$*" >"$STATE/release"; cp release-notes.md release/* "$STATE/" ;;
esac
"""


class Wrong(Exception):
    """A release did something else than it should have."""


def want(condition, what):
    if not condition:
        raise Wrong(what)


class Sandbox:
    """A git server with one commit of this project, and the stand-ins."""

    def __init__(self, folder):
        self.folder, self.state, self.server, self.work = folder, folder / "state", folder / "server.git", folder / "work"
        (self.state / "images").mkdir(parents=True)
        (folder / "bin").mkdir()
        for name in ("docker", "gh"):
            (folder / "bin" / name).write_text(STANDS_IN, encoding="utf-8")
            (folder / "bin" / name).chmod(0o755)
        subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", self.server], check=True)
        subprocess.run(["git", "clone", "--quiet", self.server, self.work], check=True, stderr=subprocess.DEVNULL)
        for name in FILES:
            source, target = ROOT / name, self.work / name
            shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)

    def git(self, *arguments, folder=None):
        done = subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@example.org", *arguments], cwd=folder or self.work,
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Wrong(f"git {' '.join(arguments)}: {done.stderr}")
        return done.stdout.strip()

    def at_server(self, name):
        return self.git("rev-parse", name, folder=self.server)

    def version(self, version, branch="main"):
        """Prepared by packaging/publish, committed, and tagged."""
        with (self.work / "CHANGELOG.md").open("r+", encoding="utf-8") as file:
            text = file.read()
            file.seek(0)
            file.write(text.replace("## Unreleased\n", f"## Unreleased\n\nWhat {version} brings.\n", 1))
        subprocess.run([self.work / "packaging/publish", "prepare", version], check=True, stdout=subprocess.DEVNULL)
        self.git("checkout", "--quiet", "-B", branch)
        self.git("add", "--all")
        self.git("commit", "--quiet", "-m", f"Release {version}")
        self.git("tag", f"v{version}")
        self.git("push", "--quiet", "origin", branch, f"v{version}")
        return self.git("rev-parse", "HEAD")


def evaluate(text, context):
    return re.sub(r"\$\{\{ *(.*?) *\}\}", lambda match: context[match[1]], str(text))


class Run:
    """One run of the workflow for a tag: its jobs, in order, each in a checkout of its own."""

    def __init__(self, sandbox, commit, tag, fail=""):
        self.sandbox, self.commit, self.fail = sandbox, commit, fail
        if fail:
            (sandbox.state / "fail").touch()
        self.context = {"github.repository": "Org/lambda-fastdeploy", "github.ref_name": tag, "github.server_url": "https://github.com",
                        "github.token": "job-token", "github.actor": "somebody", "github.event.repository.default_branch": "main"}
        self.attested = []

    def job(self, name, **matrix):
        context = {**self.context, **{f"matrix.{key}": value for key, value in matrix.items()}}
        checkout = pathlib.Path(tempfile.mkdtemp(dir=self.sandbox.folder))
        self.sandbox.git("clone", "--quiet", self.sandbox.server, checkout)
        self.sandbox.git("checkout", "--quiet", "--detach", self.commit, folder=checkout)
        for step in WORKFLOW["jobs"][name]["steps"]:
            if step.get("if") == "steps.build.outputs.digest" and not context.get("steps.build.outputs.digest"):
                continue
            if "run" in step:
                code, outputs = self.step(step, context, checkout)
                if code != 0:
                    return step["name"]
                context.update({f"steps.{step.get('id')}.outputs.{key}": value for key, value in outputs.items()})
            elif step["uses"].startswith("actions/attest@"):
                given = {key: evaluate(value, context) for key, value in step["with"].items()}
                for key in ("sbom-path", "subject-checksums"):
                    want(key not in given or (checkout / given[key]).is_file(), f"{given.get(key)} is not there to be attested")
                self.attested.append(given.get("subject-digest") or given["subject-checksums"])
        return None

    def step(self, step, context, checkout):
        output = self.sandbox.folder / "output"
        output.write_text("", encoding="utf-8")
        env = {**{key: evaluate(value, context) for place in (WORKFLOW, step) for key, value in place.get("env", {}).items()},
               "PATH": f"{self.sandbox.folder}/bin:{os.environ['PATH']}", "HOME": str(self.sandbox.folder),
               "STATE": str(self.sandbox.state), "FAIL": self.fail, "GITHUB_OUTPUT": str(output), "LC_ALL": "C.UTF-8"}
        if "IMAGE" in env:
            env["IMAGE"] = IMAGE
        done = subprocess.run(["bash", "-e", "-c", step["run"]], cwd=checkout, env=env, capture_output=True, text=True, check=False)
        self.said = done.stdout + done.stderr
        rows = (line.split("=", 1) for line in output.read_text(encoding="utf-8").splitlines())
        return done.returncode, dict(rows)

    def all(self):
        """The step that it ended at, or None."""
        ended = self.job("tag")
        for architecture in ("amd64", "arm64"):
            ended = ended or self.job("image", architecture=architecture)
        return ended or self.job("release")


@contextlib.contextmanager
def sandbox():
    with tempfile.TemporaryDirectory(dir=SHARED_MEMORY if os.access(SHARED_MEMORY, os.W_OK) else None) as folder:
        yield Sandbox(pathlib.Path(folder))


def check_left(box, version, commit, major=True):
    """The tag's commit names the image, and is else the commit that was tagged, without workflows; main stays."""
    released = box.at_server(f"v{version}")
    digest = (box.state / "images" / f"{IMAGE}:{version}".replace("/", "_")).read_text(encoding="utf-8").strip()
    want(box.at_server(f"v{version}~1") == commit, f"v{version} is not one commit behind what was tagged")
    changed = box.git("diff", "--name-status", commit, released, folder=box.server).splitlines()
    want(all(line == "M\taction.yml" or line.startswith("D\t.github/workflows/") for line in changed) and len(changed) > 1, changed)
    before = yaml.safe_load(box.git("show", f"{commit}:action.yml", folder=box.server))
    after = yaml.safe_load(box.git("show", f"{released}:action.yml", folder=box.server))
    before["runs"]["image"] = f"docker://{IMAGE}@{digest}"
    want(after == before, f"action.yml: {after['runs']}")
    want((box.at_server("v" + version.split(".")[0]) == released) == major, f"the major tag after v{version}")
    return released, digest


def check_release():
    with sandbox() as box:
        commit = box.version("1.0.0")
        run = Run(box, commit, "v1.0.0")
        want(run.all() is None, f"it ended: {getattr(run, 'said', '')}")
        released, digest = check_left(box, "1.0.0", commit)
        want(len(run.attested) == 4 and digest in run.attested and "release/SHA256SUMS" in run.attested, run.attested)
        want(box.at_server("main") == commit, "main was moved")
        said = (box.state / "release").read_text(encoding="utf-8")
        for part in ("create v1.0.0 --verify-tag", "--latest=true", "release/lambda-fastdeploy-linux-amd64 ", "-arm64", "SHA256SUMS"):
            want(part in said, f"{part}: not in: gh {said}")
        want("What 1.0.0 brings." in (box.state / "release-notes.md").read_text(encoding="utf-8"), "the notes are others")
        sums = (box.state / "SHA256SUMS").read_text(encoding="utf-8").split()
        want(sums[:2] == [hashlib.sha256(b"program\n").hexdigest(), "lambda-fastdeploy-linux-amd64"] and len(sums) == 4, sums)
        calls = (box.state / "calls").read_text(encoding="utf-8")
        want("job-token" not in calls, "the token is in an argument")
        want(f"--build-arg BUILDX=docker/buildx-bin:{re.search('buildx-bin:(.*)', (ROOT / 'Dockerfile').read_text())[1]}@sha256:" in calls,
             "buildx is not given by digest")
        # All of it once more: nothing is another one.
        again = Run(box, commit, "v1.0.0")
        want(again.all() is None, f"the second time it ended: {again.said}")
        want(check_left(box, "1.0.0", commit) == (released, digest), "the second time it made something else")
        want("gh release edit v1.0.0" in (box.state / "calls").read_text(encoding="utf-8"), "the release was not looked for")
        # The next one takes the major tag along; one of an older line does not.
        commit = box.version("1.2.0")
        want(Run(box, commit, "v1.2.0").all() is None, "v1.2.0")
        check_left(box, "1.2.0", commit)
        newest = box.at_server("v1")
        commit = box.version("1.1.9")
        (box.state / "release").unlink()
        want(Run(box, commit, "v1.1.9").all() is None, "v1.1.9")
        check_left(box, "1.1.9", commit, major=False)
        want(box.at_server("v1") == newest, "v1 went back")
        want("--latest=false" in (box.state / "release").read_text(encoding="utf-8"), "an older version is the latest release")


def check_half_done():
    """Ended by a failure of any command, it arrives when it is run again."""
    for fail in ("--target sbom", "docker cp", "gh release create"):
        with sandbox() as box:
            commit = box.version("2.0.0")
            want(Run(box, commit, "v2.0.0", fail).all() is not None, f"it did not end where {fail} failed")
            run = Run(box, commit, "v2.0.0")
            want(run.all() is None, f"after {fail} had failed: {run.said}")
            check_left(box, "2.0.0", commit)
            want((box.state / "release").exists(), f"after {fail} had failed there is no release")


def check_refusals():
    with sandbox() as box:
        commit = box.version("3.0.0")
        (box.state / "private").touch()
        run = Run(box, commit, "v3.0.0")
        want(run.all() == "Everybody can pull it" and "make the package public" in run.said, "an image that nobody can pull is released")
        want(box.at_server("v3.0.0") == commit and not (box.state / "release").exists(), "a refused release moved its tag")
        (box.state / "private").unlink()
        want(Run(box, commit, "v3.0.0").all() is None, "made public, it is not released")
    for what, change in (("another version", lambda box: box.git("tag", "v4.0.1")),
                         ("no notes", lambda box: (box.work / "VERSION").write_text("4.0.1\n", encoding="utf-8"))):
        with sandbox() as box:
            box.version("4.0.0")
            change(box)
            if what == "no notes":
                box.git("commit", "--quiet", "-am", "Forget the notes")
                box.git("tag", "v4.0.1")
            box.git("push", "--quiet", "origin", "main", "v4.0.1")
            want(Run(box, box.git("rev-parse", "HEAD"), "v4.0.1").job("tag"), f"released with {what}")
    with sandbox() as box:
        box.version("5.0.0")
        commit = box.version("5.0.1", branch="side")
        want(Run(box, commit, "v5.0.1").job("tag"), "released from a side branch")
        pin = [str(box.work / "packaging/publish"), "pin", IMAGE, "latest"]
        want(subprocess.run(pin, check=False, stderr=subprocess.DEVNULL).returncode != 0, "a tag is taken for a digest")


def main():
    try:
        check_release()
        check_half_done()
        check_refusals()
    except Wrong as wrong:
        print(f"check_release: {wrong}", file=sys.stderr)
        return 1
    print("a release does what it must, arrives when it is run again, and refuses what it must")
    return 0


if __name__ == "__main__":
    sys.exit(main())
