"""Runs the program as GitHub's runner runs a Docker container action, and reads what it left.

The rules are those of actions/runner: ContainerActionHandler.cs (mounts, working directory), GitHubContext.cs
(environment), Handler.cs (inputs), FileCommandManager.cs (files).
"""

import collections
import dataclasses
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid

from . import commands

ROOT = pathlib.Path(__file__).resolve().parents[2]
LAUNCH = pathlib.Path(__file__).with_name("launch.py")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
RECORDED = ("buildx", "docker", "git")  # programs whose calls are written down
# Debian's valgrind is a shell script, and a shell drops variables with a dash in their names.
VALGRIND = "/usr/bin/valgrind.bin"
QEMU = ROOT / "build/static-arm64/qemu"  # put there by packaging/test-static
TOOL_EXIT = 99  # of valgrind and the sanitizers, so that it cannot be taken for the program's own
TEMPORARY = "/var/tmp"  # of the harness: the program has a /tmp of its own
FILLER, FILLER_BYTES = ".filler", 4096  # on a disk that is to be full from the start
FILES = {"GITHUB_OUTPUT": "set_output", "GITHUB_STATE": "save_state", "GITHUB_ENV": "set_env",
         "GITHUB_PATH": "add_path", "GITHUB_STEP_SUMMARY": "step_summary"}


class HarnessError(Exception):
    """The run itself cannot be trusted: not started, out of time, or a memory error was found."""


@dataclasses.dataclass(frozen=True)
class Line:
    at: float  # seconds since the start
    stream: str
    text: str


@dataclasses.dataclass
class Run:
    exit_code: int
    wall_s: float
    lines: list
    log: commands.Log
    outputs: dict
    state: dict
    env: dict
    summary: str
    calls: list  # argv of every buildx, docker and git that was started
    processes: list  # argv of every process that was seen
    problems: list  # whatever the runner would not have taken
    left_behind: list  # files that the program left outside of the workspace

    def called(self, name):
        return [argv for argv in self.calls if os.path.basename(argv[0]) == name]

    @property
    def text(self):
        return "\n".join(line.text for line in self.lines)

    def tail(self, count=40):
        """The end of the log and the outputs, for a person."""
        return "\n".join([self.said(count), f"outputs {self.outputs}", *("problem: " + problem for problem in self.problems)])

    def said(self, count=40):
        shown = [f"{line.at:7.2f} {line.stream[0]} {line.text}" for line in self.lines[-count:]]
        return "\n".join([*shown, f"exit code {self.exit_code} after {self.wall_s:.2f} s"])


@dataclasses.dataclass
class Job:
    """What is the same for every step of one job. The defaults are a run on ubuntu-latest without OIDC."""
    repository: str = "octo-org/hello"
    workflow: str = "Deploy"
    workflow_file: str = "deploy.yml"
    job: str = "deploy"
    run_id: int = 9182736450
    run_number: int = 17
    run_attempt: int = 1
    actor: str = "octocat"
    action_repository: str = ""  # where the action was taken from; empty: the checkout itself
    action_ref: str = ""
    debug: bool = False
    env: dict = dataclasses.field(default_factory=dict)  # of workflow, job and step

    def environment(self, event):
        owner = self.repository.split("/", maxsplit=1)[0]
        ref_type = "tag" if event.ref.startswith("refs/tags/") else "branch"
        name = event.ref.removeprefix("refs/tags/").removeprefix("refs/heads/").removeprefix("refs/")
        environment = {
            "CI": "true", "GITHUB_ACTIONS": "true", "HOME": "/github/home", "PATH": PATH, "HOSTNAME": "0123456789ab",
            "GITHUB_ACTION": "__self", "GITHUB_ACTION_REPOSITORY": self.action_repository,
            "GITHUB_ACTION_REF": self.action_ref,
            "GITHUB_ACTOR": self.actor, "GITHUB_ACTOR_ID": "583231", "GITHUB_TRIGGERING_ACTOR": self.actor,
            "GITHUB_API_URL": "https://api.github.com", "GITHUB_GRAPHQL_URL": "https://api.github.com/graphql",
            "GITHUB_SERVER_URL": "https://github.com", "GITHUB_BASE_REF": event.base_ref,
            "GITHUB_HEAD_REF": event.head_ref, "GITHUB_EVENT_NAME": event.name,
            "GITHUB_EVENT_PATH": "/github/workflow/event.json", "GITHUB_JOB": self.job, "GITHUB_REF": event.ref,
            "GITHUB_REF_NAME": name, "GITHUB_REF_PROTECTED": "false", "GITHUB_REF_TYPE": ref_type,
            "GITHUB_REPOSITORY": self.repository, "GITHUB_REPOSITORY_ID": "1296269",
            "GITHUB_REPOSITORY_OWNER": owner, "GITHUB_REPOSITORY_OWNER_ID": "9919", "GITHUB_RETENTION_DAYS": "90",
            "GITHUB_RUN_ATTEMPT": str(self.run_attempt), "GITHUB_RUN_ID": str(self.run_id),
            "GITHUB_RUN_NUMBER": str(self.run_number), "GITHUB_SHA": event.sha, "GITHUB_WORKFLOW": self.workflow,
            "GITHUB_WORKFLOW_REF": f"{self.repository}/.github/workflows/{self.workflow_file}@{event.ref}",
            "GITHUB_WORKFLOW_SHA": event.sha, "GITHUB_WORKSPACE": "/github/workspace",
            "RUNNER_ARCH": "X64", "RUNNER_ENVIRONMENT": "github-hosted", "RUNNER_NAME": "GitHub Actions 2",
            "RUNNER_OS": "Linux", "RUNNER_TEMP": "/github/runner_temp", "RUNNER_TOOL_CACHE": "/opt/hostedtoolcache",
            "RUNNER_WORKSPACE": f"/home/runner/work/{self.repository.rsplit('/', maxsplit=1)[1]}",
        }
        if self.debug:
            environment["RUNNER_DEBUG"] = "1"
        return environment


def declared_inputs(action_yml=ROOT / "action.yml"):
    """{name: default} of the inputs that action.yml declares: the runner hands over every one of them. Nothing if
    there is no action.yml."""
    if not action_yml.exists():
        return {}
    inputs, section, name = {}, None, None
    for line in action_yml.read_text(encoding="utf-8").splitlines():
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        indent = len(line) - len(line.lstrip())
        if indent == 0:
            section, name = text, None
        elif section == "inputs:" and indent == 2:
            name = text.rstrip(":").strip("'\"")
            inputs[name] = ""
        elif section == "inputs:" and indent == 4 and text.startswith("default:"):
            value = text.removeprefix("default:").strip()
            if value[:1] == value[-1:] == "'":
                value = value[1:-1].replace("''", "'")
            elif value[:1] == '"':
                value = json.loads(value)
            inputs[name] = value
    return inputs


def input_variables(inputs):
    """The runner's INPUT_* for a `with:` block."""
    given = {**declared_inputs(), **inputs}
    return {"INPUT_" + name.replace(" ", "_").upper(): str(value) for name, value in given.items()}


def without_inherited_descriptors(report):
    """What valgrind says, without the descriptors that were open at the beginning."""
    lines = [re.sub(r"^==\d+== ?", "", line) for line in report.splitlines()]
    blocks = re.split(r"\n(?=Open file descriptor |FILE DESCRIPTORS: )|\n\n", "\n".join(lines))
    return "\n".join(block for block in blocks if block.strip() and not block.startswith("FILE DESCRIPTORS: ") and not (
        block.startswith("Open file descriptor ") and "<inherited from parent>" in block))


class Capture:
    """Lines of stdout and stderr with the time at which they came."""

    def __init__(self, process):
        self.start = time.monotonic()
        self.lines = []
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.read, args=(stream, name), daemon=True)
                        for stream, name in ((process.stdout, "out"), (process.stderr, "err"))]
        for thread in self.threads:
            thread.start()

    def read(self, stream, name):
        rest = b""
        while True:
            data = os.read(stream.fileno(), 65536)
            lines, rest = commands.split_lines(rest + data, at_end=not data)
            now = time.monotonic() - self.start
            with self.lock:
                self.lines.extend(Line(now, name, line.decode("utf-8", "replace")) for line in lines)
            if not data:
                return

    def finish(self, seconds):
        for thread in self.threads:
            thread.join(seconds)
        return all(not thread.is_alive() for thread in self.threads)


class Counter(Capture):
    """Keeps the lines that are commands and the last ones, and counts the rest: for logs of a hundred megabytes."""

    LAST = 2000

    def __init__(self, process):
        self.bytes = 0
        self.seen = collections.deque(maxlen=self.LAST)
        super().__init__(process)

    def read(self, stream, name):
        rest = b""
        while data := os.read(stream.fileno(), 1 << 20):
            self.bytes += len(data)
            lines, rest = commands.split_lines(rest + data, at_end=False)
            self.keep(lines, name)
        self.keep([rest] if rest else [], name)

    def keep(self, lines, name):
        now = time.monotonic() - self.start
        with self.lock:
            self.seen.extend(lines[-self.LAST:])
            self.lines.extend(Line(now, name, line.decode("utf-8", "replace")) for line in lines
                              if b"::" in line or b"##[" in line)


class Sampler:
    """Sees which processes live in the program's PID namespace, by looking again and again."""

    def __init__(self, pid, every_s=0.03):
        self.folder = f"/proc/{pid}/root/proc"
        self.every_s = every_s
        self.seen = {}
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.look_again, daemon=True)
        self.thread.start()

    def look_again(self):
        while not self.stop.is_set():
            try:
                for name in os.listdir(self.folder):
                    if name.isdigit():
                        self.look(name)
            except OSError:
                return  # it has ended
            self.stop.wait(self.every_s)

    def look(self, pid):
        try:
            with open(f"{self.folder}/{pid}/cmdline", "rb") as file:
                argv = tuple(part.decode("utf-8", "replace") for part in file.read().split(b"\0")[:-1])
        except OSError:
            return
        if argv:
            self.seen.setdefault((pid, argv))

    def finish(self):
        self.stop.set()
        self.thread.join()
        return [list(argv) for _, argv in self.seen]


class Step:
    """One step of a job, started by `start` and read by `finish`; `run` does both."""

    FOLDERS = ("home", "workflow", "file_commands", "runner_temp", "tmp")

    def __init__(self, binary, workspace, event, inputs=None, job=None, *, arguments=(), wrap=None, hide=(),
                 limits=None, env_without=(), shims=None, github=True):
        self.binary = str(binary)
        self.workspace = str(workspace)
        self.event = event
        self.inputs = inputs or {}
        self.job = job or Job()
        self.arguments = list(arguments)
        self.wrap = wrap
        self.terminal, self.terminal_stdout = False, None  # True: in a terminal of its own; the other goes to a file
        self.hide = list(hide)
        self.limits = limits or {}
        self.env_without = set(env_without)
        self.shims = shims or {}  # {"buildx": a shell script's text that ends in exec "$REAL" "$@"}
        self.github = github  # False: another CI, or a laptop
        self.binds_more = {}  # further {path: what is there for the program}
        self.capture_by = Capture
        self.small = {}  # {"runner_temp": bytes}: that folder of FOLDERS is a disk of its own, with so much space left
        self.read_only = []  # paths, as the program sees them
        self.streams = {}  # {1: None}: standard output is closed; {1: "/dev/full"}: it is that
        self.folder = None
        self.process = self.capture = self.sampler = self.pid = None

    def start(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="run-", dir=TEMPORARY))
        for name in (*self.FOLDERS, "shims", "calls", "tool"):
            (self.folder / name).mkdir()
        for name, free in self.small.items():
            self.make_small(self.folder / name, free)
        self.make_shims()
        env = self.environment()
        spec = {"argv": self.command(), "env": env, "cwd": "/github/workspace",
                "hide": self.hide, "limits": self.limits, "binds": self.binds(), "read_only": self.read_only,
                "streams": self.streams}
        read_end, write_end = os.pipe()
        spec["pid_fd"] = write_end
        spec_file = self.folder / "spec.json"
        spec_file.write_text(json.dumps(spec), encoding="utf-8")
        self.process = subprocess.Popen([sys.executable, "-I", "-S", str(LAUNCH), str(spec_file)],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        env={"PATH": PATH}, pass_fds=[write_end])
        os.close(write_end)
        with os.fdopen(read_end) as pid_file:
            pid = pid_file.readline().strip()
        self.capture = self.capture_by(self.process)
        if not pid:
            self.process.wait()
            self.close(5)
            raise HarnessError("not started: " + "\n".join(line.text for line in self.capture.lines))
        self.pid = int(pid)
        self.sampler = Sampler(self.pid)
        return self

    def make_small(self, folder, free):
        """A disk of whole pages; a size of 0 would mean no limit."""
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={free or FILLER_BYTES}", "none", str(folder)], check=True)
        if free == 0:
            (folder / FILLER).write_bytes(b"x" * FILLER_BYTES)

    def binds(self):
        return {"/github/workspace": self.workspace, "/tmp": str(self.folder / "tmp"),
                **{f"/github/{name}": str(self.folder / name) for name in self.FOLDERS if name != "tmp"}, **self.binds_more}

    def environment(self):
        unique = uuid.uuid4()
        env = {**self.job.env}
        if self.github:
            event_file = self.folder / "workflow" / "event.json"
            if self.event.raw is not None:
                event_file.write_bytes(self.event.raw)
            env.update(self.job.environment(self.event))
            for variable, name in FILES.items():
                (self.folder / "file_commands" / f"{name}_{unique}").touch()
                env[variable] = f"/github/file_commands/{name}_{unique}"
        else:
            env = {"PATH": PATH, "HOME": "/github/home", **env}
        env.update(input_variables(self.inputs) if self.github else {})
        env["PATH"] = f"{self.folder}/shims:" + env["PATH"]
        if self.wrap == "asan":
            env["ASAN_OPTIONS"] = f"exitcode={TOOL_EXIT}:detect_leaks=1:log_path={self.folder}/tool/asan"
            env["UBSAN_OPTIONS"] = (f"exitcode={TOOL_EXIT}:halt_on_error=1:print_stacktrace=1:"
                                    f"log_path={self.folder}/tool/ubsan")
        for name in self.env_without:
            env.pop(name, None)
        return env

    def command(self):
        argv = [*self.tool(), str(self.binary), *self.arguments]
        if not self.terminal:
            return argv
        redirect = f" >{self.terminal_stdout}" if self.terminal_stdout else ""
        return ["/usr/bin/script", "--quiet", "--flush", "--return", "--command", shlex.join(argv) + redirect, "/dev/null"]

    def tool(self):
        if self.wrap == "valgrind":
            return [VALGRIND, "--quiet", "--vgdb=no", f"--error-exitcode={TOOL_EXIT}", "--leak-check=full",
                    "--errors-for-leak-kinds=definite", "--child-silent-after-fork=yes", "--track-fds=yes",
                    f"--log-file={self.folder}/tool/valgrind.%p"]
        if self.wrap == "qemu":
            return [str(QEMU)]
        return []

    def make_shims(self):
        """Programs that write down how they were called and then become the real one."""
        hidden = [os.path.realpath(path) for path in self.hide]
        for name in RECORDED:
            real = shutil.which(name, path=PATH)
            if real is None or any(os.path.realpath(real).startswith(path) for path in hidden):
                continue
            shim = self.folder / "shims" / name
            shim.write_text(f"#!/bin/sh\nREAL={real}\n"
                            f"printf '%s\\0' {name} \"$@\" >{self.folder}/calls/{name}.$$\n"
                            + self.shims.get(name, 'exec "$REAL" "$@"\n'), encoding="utf-8")
            shim.chmod(0o755)

    def signal(self, number):
        os.kill(self.pid, number)

    def finish(self, timeout_s=240):
        try:
            self.process.wait(timeout_s)
        except subprocess.TimeoutExpired as expired:
            os.kill(self.pid, signal.SIGKILL)
            self.process.wait()
            self.close(5)
            raise HarnessError(f"not done after {timeout_s} s; the log ends with:\n"
                               + "\n".join(line.text for line in self.capture.lines[-40:])) from expired
        wall_s = time.monotonic() - self.capture.start
        try:
            if not self.capture.finish(10):
                raise HarnessError("its output stays open after its end")
            return self.read(wall_s)
        finally:
            self.close(0)

    def close(self, seconds):
        self.capture.finish(seconds)
        if self.sampler:
            self.sampler.finish()
        self.process.stdout.close()
        self.process.stderr.close()
        for name in self.small:
            subprocess.run(["umount", str(self.folder / name)], check=True)
        shutil.rmtree(self.folder)

    def read(self, wall_s):
        self.check_tool()
        log = commands.parse_log([line.text for line in self.capture.lines]) if self.github else commands.Log(
            shown=[line.text for line in self.capture.lines])
        problems = list(log.problems)
        files = {variable: self.read_file(variable, name, problems) for variable, name in FILES.items()}
        run = Run(exit_code=self.process.returncode, wall_s=wall_s, lines=self.capture.lines, log=log,
                  outputs=files["GITHUB_OUTPUT"], state=files["GITHUB_STATE"], env=files["GITHUB_ENV"],
                  summary=files["GITHUB_STEP_SUMMARY"], calls=self.read_calls(), processes=self.sampler.finish(),
                  problems=problems, left_behind=self.left_behind())
        for name, value in run.outputs.items():
            if any(mask in value for mask in log.masks):
                problems.append(f"output {name} holds a masked text: GitHub drops it between jobs")
        return run

    def check_tool(self):
        found = "".join(without_inherited_descriptors(path.read_text(encoding="utf-8", errors="replace"))
                        for path in sorted((self.folder / "tool").iterdir()))
        if self.wrap and (found or self.process.returncode == TOOL_EXIT):
            log = "\n".join(line.text for line in self.capture.lines[-20:])
            raise HarnessError(f"{self.wrap} found something:\n{found}\n{log}")

    def read_file(self, variable, name, problems):
        parse = {"GITHUB_STEP_SUMMARY": commands.parse_summary,
                 "GITHUB_PATH": lambda data: data.decode("utf-8").splitlines()}.get(variable, commands.parse_pairs)
        paths = list((self.folder / "file_commands").glob(name + "_*"))
        try:
            return parse(paths[0].read_bytes() if paths else b"")
        except commands.Malformed as error:
            problems.append(f"{variable}: {error}")
            return parse(b"")

    def read_calls(self):
        calls = []
        for path in sorted((self.folder / "calls").iterdir(), key=lambda path: path.stat().st_mtime_ns):
            calls.append([part.decode("utf-8", "replace") for part in path.read_bytes().split(b"\0")[:-1]])
        return calls

    def left_behind(self):
        known = {self.folder / "workflow" / "event.json", *(self.folder / "file_commands").iterdir(),
                 *(self.folder / name / FILLER for name in self.small)}
        return [str(path.relative_to(self.folder))
                for name in self.FOLDERS for path in (self.folder / name).rglob("*") if path not in known]

    def run(self, timeout_s=240):
        return self.start().finish(timeout_s)
