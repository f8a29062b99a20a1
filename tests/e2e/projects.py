"""Projects to deploy: a quick one for the tests, and copies of the examples. Each is a git checkout with one commit, in
the hands of another user than the program's, as on GitHub's runner."""

import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess

from . import runner

RUNNER_USER = 1001
RUNTIME = runner.ROOT / "examples/hello/runtime"
SOURCES = (pathlib.Path(__file__).with_name("fixture") / "function.c", RUNTIME / "runtime.c", RUNTIME / "json.c")
COMPILE = ["gcc", "-std=gnu11", "-O2", "-static", "-s", "-I/runtime", "-o", "/out/function", "/fixture/function.c",
           "/runtime/runtime.c", "/runtime/json.c"]

BASE = "FROM scratch\nCOPY base/ /opt/base/\n"
APPLICATION = """\
ARG BASE_IMAGE=base
FROM ${BASE_IMAGE}
COPY function /function
COPY app/ /app/
ENTRYPOINT ["/function"]
"""


def function_binary():
    """The tests' function, compiled once in the stand-in for gcc:14; a path."""
    key = hashlib.sha256(b"".join(path.read_bytes() for path in (*SOURCES, RUNTIME / "runtime.h"))
                         + repr(COMPILE).encode()).hexdigest()[:16]
    folder = runner.ROOT / "build/e2e"
    folder.mkdir(parents=True, exist_ok=True)
    binary = folder / f"function-{key}"
    with open(folder / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not binary.exists():
            _compile(binary)
    return binary


def _compile(binary):
    out = binary.with_suffix(".out")
    out.mkdir(exist_ok=True)
    done = subprocess.run(["docker", "run", "--rm", "--network=none", "-v", f"{out}:/out",
                           "-v", f"{SOURCES[0].parent}:/fixture:ro", "-v", f"{RUNTIME}:/runtime:ro", "gcc:14",
                           *COMPILE], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
                          check=False)
    if done.returncode != 0:
        raise runner.HarnessError(f"compiling the tests' function:\n{done.stdout}{done.stderr}")
    os.replace(out / "function", binary)
    out.rmdir()


class Project:
    """A checkout. `commit` is the id of its last commit."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.commit_id = None

    def path(self, name):
        return self.folder / name

    def write(self, name, text, mode=0o644):
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)
        return self

    def read(self, name):
        return self.path(name).read_text(encoding="utf-8")

    def replace(self, name, old, new):
        text = self.read(name)
        if old not in text:
            raise ValueError(f"{name} does not hold {old!r}")
        return self.write(name, text.replace(old, new))

    def remove(self, name):
        self.path(name).unlink()
        return self

    def behave(self, **values):
        """Set what the tests' function does; '_' stands for '-'."""
        lines = [f"{key.replace('_', '-')}={value}" for key, value in values.items()]
        return self.write("app/behaviour", "\n".join(lines) + "\n")

    def git(self, *arguments):
        done = subprocess.run(["git", "-c", "safe.directory=*", "-c", "user.name=The Octocat",
                               "-c", "user.email=octocat@users.noreply.github.com", "-c", "init.defaultBranch=main",
                               "-c", "gc.auto=0", *arguments],
                              cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
                              check=False)
        if done.returncode != 0:
            raise runner.HarnessError(f"git {' '.join(arguments)}: {done.stderr}")
        return done.stdout.strip()

    def init(self):
        """What gitrepository-layout(5) says must be there: as `git init` makes it, without its process."""
        for name in (".git/objects", ".git/refs/heads"):
            self.path(name).mkdir(parents=True)
        self.write(".git/HEAD", "ref: refs/heads/main\n")
        self.write(".git/config", "[core]\n\trepositoryformatversion = 0\n\tbare = false\n")

    def commit(self, message="Change the function"):
        """Commit everything, hand the files to the runner's user, and give the commit's id."""
        if not self.path(".git").exists():
            self.init()
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        self.commit_id = self.read(".git/refs/heads/main").strip()
        for folder, folders, files in os.walk(self.folder):
            for name in (".", *folders, *files):
                os.chown(os.path.join(folder, name), RUNNER_USER, RUNNER_USER, follow_symlinks=False)
        return self.commit_id


def quick(folder, **behaviour):
    """A project that builds in about a second: its function is compiled already."""
    project = Project(folder)
    project.write("Dockerfile.lambda.base", BASE).write("Dockerfile.lambda", APPLICATION)
    project.write("base/packages.txt", "poppler\ncairo\n").write(".dockerignore", ".git\n.github\n")
    shutil.copyfile(function_binary(), project.path("function"))
    project.path("function").chmod(0o755)
    project.behave(**{"version": "1", **behaviour})
    project.commit("Start")
    return project


def example(name, folder):
    """A copy of one of the examples."""
    shutil.copytree(runner.ROOT / "examples" / name, folder, dirs_exist_ok=True)
    project = Project(folder)
    project.commit("Start")
    return project
