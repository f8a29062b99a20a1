"""python3 -m e2e.replay --image IMAGE [-k PATTERN]: runs the built action image inside the local cloud by the very `docker run` of GitHub's
runner (actions/runner, ContainerActionHandler.cs and DockerCommandManager.cs).

One option is the cloud's, not the runner's: `--dns`, since the cloud has no name service.
"""

import argparse
import contextlib
import os
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import unittest
import uuid

from . import case, cloud, projects, runner

RUNNER_USER = 1001  # who owns the checkout on a hosted runner
NAME_SERVER = "192.0.2.53"
AWS_FOR_CONTAINERS = "192.0.2.54"  # in place of an address of the loopback network, where no container gets to
IMAGE_NAME = "lambda-fastdeploy-replay"
# What the runner sends to the docker CLI when a job is cancelled, and how long it waits behind each (actions/runner, ProcessInvoker.cs).
RUNNERS_SIGNALS = ((signal.SIGINT, 7.5), (signal.SIGTERM, 2.5), (signal.SIGKILL, 60))


class Names(threading.Thread):
    """Answers a container's questions for IPv4 addresses out of /etc/hosts."""

    def __init__(self):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((NAME_SERVER, 53))

    @staticmethod
    def look_up(name):
        for line in pathlib.Path("/etc/hosts").read_text(encoding="utf-8").splitlines():
            address, *names = line.split("#")[0].split() or [""]
            if name in names:
                return AWS_FOR_CONTAINERS if address.startswith("127.") else address
        return None

    @classmethod
    def answer(cls, question):
        at, labels = 12, []
        while question[at]:
            labels.append(question[at + 1:at + 1 + question[at]].decode())
            at += 1 + question[at]
        kind = struct.unpack_from(">H", question, at + 1)[0]
        address = cls.look_up(".".join(labels).lower())
        count = 1 if address and kind == 1 else 0
        flags = 0x8180 if address else 0x8183  # no such name
        reply = question[:2] + struct.pack(">HHHHH", flags, 1, count, 0, 0) + question[12:at + 5]
        if count:
            reply += struct.pack(">HHHIH", 0xC00C, 1, 1, 5, 4) + socket.inet_aton(address)
        return reply

    def run(self):
        while True:
            try:
                question, sender = self.socket.recvfrom(1500)
                self.socket.sendto(self.answer(question), sender)
            except OSError:
                return  # closed


class Forward(threading.Thread):
    """Connections to an address that containers reach, on to the AWS endpoint."""

    def __init__(self, to=("127.0.0.2", 443)):
        super().__init__(daemon=True)
        self.to = to
        self.listener = socket.create_server((AWS_FOR_CONTAINERS, 443))

    def run(self):
        while True:
            try:
                client = self.listener.accept()[0]
            except OSError:
                return  # closed
            server = socket.create_connection(self.to)
            for source, target in ((client, server), (server, client)):
                threading.Thread(target=self.copy, args=(source, target), daemon=True).start()

    @staticmethod
    def copy(source, target):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def network():
    addresses = (NAME_SERVER, AWS_FOR_CONTAINERS)
    for address in addresses:
        subprocess.run(["ip", "address", "add", address + "/32", "dev", "lo"], check=True)
    names, forward = Names(), Forward()
    names.start()
    forward.start()
    try:
        yield
    finally:
        names.socket.close()
        forward.listener.close()
        for address in addresses:
            subprocess.run(["ip", "address", "del", address + "/32", "dev", "lo"], check=True)


class ContainerStep(runner.Step):
    """A step of the built image. `entrypoint` is action.yml's post-entrypoint; `without` takes mounts away, as older runners have them."""

    image = None
    state = {}  # what the step before it wrote to GITHUB_STATE
    entrypoint = None
    without = ()

    def start(self):
        self.folder = pathlib.Path(self.make_folder())
        self.label = uuid.uuid4().hex[:6]
        self.container = f"{IMAGE_NAME}_{self.label}"
        env = self.container_environment()
        self.process = subprocess.Popen(self.command(env), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, env={"PATH": runner.PATH, **env})
        self.pid = self.process.pid  # the docker CLI: what the runner's signals go to
        self.capture = runner.Capture(self.process)
        self.sampler = NoSampler()
        return self

    def make_folder(self):
        folder = pathlib.Path(runner.TEMPORARY, "replay-" + uuid.uuid4().hex[:8])
        folder.mkdir()
        for name in (*self.FOLDERS, "shims", "calls", "tool"):
            (folder / name).mkdir()
        return folder

    def container_environment(self):
        env = self.environment()
        env.update({"STATE_" + name: value for name, value in self.state.items()})
        for name in ("PATH", "HOSTNAME"):
            env.pop(name, None)  # the host's are not handed over
        return env

    def command(self, env):
        command = ["docker", "run", "--name", self.container, "--label", self.label,
                   "--workdir", "/github/workspace", "--rm"]
        for name in env:
            command += ["-e", name]
        if self.entrypoint:
            command += ["--entrypoint", self.entrypoint]
        for target, source in {"/var/run/docker.sock": "/var/run/docker.sock", **self.binds()}.items():
            if target not in self.without:
                command += ["-v", f"{source}:{target}"]
        return [*command, "--dns", NAME_SERVER, self.image, *self.arguments]

    def binds(self):
        binds = super().binds()
        del binds["/tmp"]
        return binds

    def kill_container(self):
        subprocess.run(["docker", "kill", "--signal", "KILL", self.container], check=True, stdout=subprocess.DEVNULL)

    def exists(self):
        answer = subprocess.run(["docker", "ps", "-aq", "--filter", f"name=^{self.container}$"], check=True,
                                capture_output=True, text=True)
        return bool(answer.stdout.strip())


class NoSampler:
    """The container's processes are not looked at."""

    @staticmethod
    def finish():
        return []


class Replay(case.Case):
    image = None

    def step(self, project, event=None, **more):
        """As the harness starts a step, but in the image."""
        changes = {name: more.pop(name) for name in ("state", "entrypoint", "without") if name in more}
        binary, runner.Step = runner.Step, type("Chosen", (ContainerStep,), {"image": Replay.image, **changes})
        try:
            return super().step(project, event, **more)
        finally:
            runner.Step = binary

    def hosted(self, project):
        """The checkout belongs to the runner's user, and only to it."""
        for path in (project.folder, *project.folder.rglob("*")):
            os.chown(path, RUNNER_USER, RUNNER_USER, follow_symlinks=False)
        return project

    def wait_for_line(self, step, text, timeout_s=60):
        end = time.monotonic() + timeout_s
        while time.monotonic() < end and step.process.poll() is None:
            if any(text in line.text for line in list(step.capture.lines)):
                return
            time.sleep(0.05)
        self.fail(f"the run never said {text!r}: {[line.text for line in step.capture.lines]}")

    def assertGone(self, step):
        end = time.monotonic() + 20
        while step.exists() and time.monotonic() < end:
            time.sleep(0.1)
        self.assertFalse(step.exists(), "the container is still there")


class Deploy(Replay):
    def test_first_deployment_and_nothing_to_do(self):
        project = self.hosted(self.project())
        run = self.run_step(project)
        self.assertExit(run, 0)
        self.assertOutputs(run, deployed="true", base_status="built", image_built="built", health="ok")
        self.assertVersion("1")
        project.behave(version="2").commit("Answer differently")
        run = self.run_step(self.hosted(project))
        self.assertOutputs(run, deployed="true", base_status="found", image_built="built", health="ok")
        self.assertVersion("2")
        run = self.run_step(project)
        self.assertExit(run, 0)
        self.assertOutputs(run, deployed="false", base_status="found", image_built="reused")

    def test_failed_health_puts_it_back(self):
        project = self.project(health="503")
        self.seed(project)
        run = self.run_step(self.hosted(project))
        self.assertExit(run, 1)
        self.assertOutputs(run, deployed="false", rolled_back="true", health="failed")
        self.assertVersion("0")

    def test_runner_without_a_temp_folder_and_home(self):
        """Before 2.329 no /github/runner_temp was mounted; RUNNER_TEMP was the host's path all the same."""
        job_env = {"RUNNER_TEMP": "/home/runner/work/_temp"}
        step = self.step(self.hosted(self.project()), env_without={"HOME"},
                         without={"/github/runner_temp", "/github/home"})
        environment = step.environment
        step.environment = lambda: {**environment(), **job_env}
        run = step.run()
        self.runs.append(run)
        self.check_run(run)
        self.assertExit(run, 0)
        self.assertVersion("1")


class Cancel(Replay):
    def test_cancel_while_it_builds(self):
        project = self.project()
        project.write("Dockerfile.lambda.base", "FROM busybox\nRUN echo waiting; sleep 60\n")
        project.commit("Take long")
        step = self.step(self.hosted(project)).start()
        self.wait_for_line(step, "waiting")
        step.process.send_signal(signal.SIGINT)  # as the runner: to the docker CLI
        began = time.monotonic()
        run = step.finish(60)
        self.runs.append(run)
        self.assertLess(time.monotonic() - began, 7.5, "the runner's next signal would have come")
        self.check_run(run)
        self.assertExit(run, 130)
        self.assertOutputs(run, deployed="false")
        self.assertGone(step)
        self.assertUntouchedBut("CreateRepository", "PutLifecyclePolicy", "SetRepositoryPolicy")

    def test_cancel_to_its_end_and_the_post_step(self):
        """The way back hangs, so the runner ends the docker CLI, which the container outlives: the next container puts it in order."""
        project = self.project(health="503")
        self.seed(project)
        inputs = self.inputs(cold_start_wait="60")
        # The first call is the dry run, the second the update, the third the way back.
        self.cloud.fault("lambda", "UpdateFunctionCode", "hang", nth=3, times=1, resource=self.name)
        step = self.step(self.hosted(project), inputs=inputs).start()
        self.wait_for_line(step, "the function runs")
        for number, patience_s in RUNNERS_SIGNALS:
            step.process.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                step.process.wait(patience_s)
                break
        killed = step.finish(60)
        self.runs.append(killed)
        self.assertExit(killed, -signal.SIGKILL)
        self.assertOutputs(killed, deployed="false")
        self.assertIn("aws lambda update-function-code", killed.summary)
        run = self.step(project, inputs=inputs, state=killed.state, entrypoint="/cleanup").run()
        self.runs.append(run)
        self.assertExit(run, 0)
        self.assertIn("the killed run's change is undone", run.text)
        self.assertVersion("0")
        if step.exists():
            step.kill_container()
        self.assertGone(step)

    def assertUntouchedBut(self, *allowed):
        made = cloud.operations(cloud.changes(self.requests()))
        self.assertEqual([operation for operation in made if operation not in allowed], [])


class Cleanup(Replay):
    def test_post_step_after_a_container_was_killed(self):
        project = self.project(health="503")
        self.seed(project)
        inputs = self.inputs(cold_start_wait="60")
        step = self.step(self.hosted(project), inputs=inputs).start()
        self.wait_for_line(step, "the function runs")
        step.kill_container()
        killed = step.finish(60)
        self.assertExit(killed, 137)
        run = self.step(project, inputs=inputs, state=killed.state, entrypoint="/cleanup").run()
        self.runs.append(run)
        self.assertExit(run, 0)
        self.assertVersion("0")

    def test_post_step_of_every_run_is_quick_and_silent(self):
        run = self.step(self.hosted(self.project()), entrypoint="/cleanup").run()
        self.assertExit(run, 0)
        self.assertEqual(self.requests(), [])
        self.assertEqual((run.summary, run.outputs), ("", {}))


def main():
    parser = argparse.ArgumentParser(prog="python3 -m e2e.replay")
    parser.add_argument("--image", required=True)
    parser.add_argument("-k", metavar="PATTERN", action="append", default=None)
    options = parser.parse_args()
    Replay.image = options.image
    cloud.Cloud().create_role(cloud.FUNCTION_ROLE)
    projects.function_binary()
    loader = unittest.TestLoader()
    loader.testNamePatterns = [f"*{pattern}*" for pattern in options.k] if options.k else None
    with network():
        result = unittest.TextTestRunner(verbosity=2).run(loader.loadTestsFromModule(sys.modules[__name__]))
    return 0 if result.wasSuccessful() and result.testsRun and not result.skipped else 1


if __name__ == "__main__":
    sys.exit(main())
