"""What the matrices of faults and kills play: runs that between them send every operation, each in a second or two.

All of them share a project, a base image and the images of three versions ("0" and "1", and "bad", which does not answer well), which are built once. A stage is one run
that is ready to start: a function of its own, a key of its own.
"""

import contextlib
import json
import re
import socket
import tempfile
import threading
import time

from . import case, cloud, policies, projects, runner
from .images import SHELL_BASE
from .serving import FunctionCase

NAMES = ("update", "alias", "new-alias", "create", "assume", "oidc", "bad", "rollback", "build", "half-made", "check")
QUICK = {"cold-start-wait": "3", "health-retries": "1", "health-interval": "0.1", "refresh-invocations": "1", "refresh-interval": "0.1"}
ENGINE_SOCKET = "/var/run/docker.sock"
OURS = b"user-agent: lambda-fastdeploy"
MOST_S = 300  # of a run: what fails for ever on the way back is tried again for two minutes, and each call then for one


class World:
    """What all stages share."""

    def __init__(self, folder):
        self.cloud = cloud.Cloud()
        self.cloud.create_role(cloud.FUNCTION_ROLE)
        # Hundreds of functions of five images: to start a container for each would take most of the time. And all of them together are more than Lambda takes in a second.
        self.cloud.settings(shared_environments=True, control_rate=1000, get_function_rate=1000)
        projects.function_binary()
        self.repository, self.base = case.unique("faults"), case.unique("faults-base")
        self.folder = folder
        self.made = 0
        self.lock = threading.Lock()
        self.projects = {version: self.project(version, **behaviour) for version, behaviour in
                         {"0": {}, "1": {}, "bad": {"health": "500"}}.items()}
        self.shell = self.project("shell")
        self.shell.write("Dockerfile.lambda.base", SHELL_BASE).commit("Use a base with a shell")
        self.digests, self.identities = {}, {}
        for version in self.projects:
            self.build(version)

    def close(self):
        self.cloud.settings(shared_environments=False, control_rate=15, get_function_rate=100)

    def project(self, version, **behaviour):
        folder = self.folder / f"project-{version}"
        folder.mkdir()
        return projects.quick(folder, version=version, **behaviour)

    def build(self, version):
        """The image of a version, by a deployment of a function that nobody else has."""
        stage = self.stage("create", project=self.projects[version])
        run = stage.run()
        self.digests[version] = run.outputs.get("image-digest", "")
        tags = self.cloud.tags(self.repository)
        found = [tag for tag, digest in tags.items() if digest == self.digests[version] and tag.startswith("src-")]
        if not found:
            raise runner.HarnessError(f"no image of version {version}:\n{run.tail()}")
        self.identities[version] = found[0]
        stage.close()

    def image(self, version):
        return f"{cloud.REGISTRY}/{self.repository}@{self.digests[version]}"

    def number(self):
        with self.lock:
            self.made += 1
            return self.made

    def stage(self, scenario, project=None):
        return Stage(self, scenario, project)


class Stage(FunctionCase):
    """One scenario, with the checks of every end-to-end test for its runs."""

    def __init__(self, world, scenario, project=None):
        super().__init__("run_once")
        self.world, self.scenario = world, scenario
        self.setUp()
        self.name = case.unique(f"{scenario}-{world.number()}")
        self.base_name = self.name + "-base"
        self.repository = world.repository
        self.key = "AKID" + self.name[-6:].upper().rjust(16, "0")
        self.key_secret = f"secret-of-{self.name}-0000000000000000"
        self.secrets.add(self.key_secret)
        self.version_before, self.version_after, self.good_exit = "0", "1", 0
        self.version_between = None  # what users may get meanwhile, but never when a run has ended by itself
        self.remembers = True
        self.environment_before, self.environment_after = {}, {}
        self.env = {}
        self.attempt = 1
        self.wanted_inputs = {**QUICK, "function-name": self.name, "repository": world.repository, "base-repository": world.base,
                              "health-url": cloud.url_of(self.name)}
        self.workspace = project or world.projects["1"]
        self.role = None
        self.cloud.control("POST", "/keys", {"id": self.key, "secret": self.key_secret,
                                             "policy": {"Version": "2012-10-17", "Statement": [
                                                 {"Effect": "Allow", "Action": "*", "Resource": "*"}]}})
        getattr(self, "prepare_" + scenario.replace("-", "_"))()

    def run_once(self):
        raise NotImplementedError("a stage is played by a matrix")

    def close(self):
        self.doCleanups()

    # The scenarios.

    def there(self, version="0", **more):
        self.cloud.create_function(self.name, self.world.image(version), **more)

    def configured(self, version="0"):
        """The function has a variable, and the run brings another."""
        self.there(version, environment={"OLD": "1"})
        self.environment_before, self.environment_after = {"OLD": "1"}, {"OLD": "1", "NEW": "1"}
        self.wanted_inputs["environment"] = "NEW=1"

    def prepare_update(self):
        self.configured()
        self.wanted_inputs["allowed-account-ids"] = cloud.ACCOUNT

    def with_alias(self):
        self.alias = "live"
        self.wanted_inputs.update({"alias": "live", "health-url": cloud.url_of(self.name, "live")})

    def prepare_alias(self):
        self.there(alias="live")
        self.with_alias()

    def prepare_new_alias(self):
        """
        The check fails only after the alias was made: it is taken away again, and the function is asked itself. Nothing is remembered as good, so that a run after one that was killed
        cannot know what to put back.
        """
        self.there()
        self.with_alias()
        self.wanted_inputs["checks"] = "GET /health -> 299"
        self.good_exit, self.version_after, self.version_between = 1, "0", "1"
        self.alias, self.remembers = None, False

    def prepare_bad_alias(self):
        """The version answers, but a check by the alias fails: the alias goes back to the version that is remembered as good."""
        self.there(alias="live", tags={"lambda-fastdeploy:verified:live": "1/1"})
        self.with_alias()
        self.wanted_inputs["checks"] = "GET /health -> 299"
        self.good_exit, self.version_after, self.version_between = 1, "0", "1"

    def prepare_create(self):
        self.version_before = None
        self.wanted_inputs["create-with-role"] = cloud.FUNCTION_ROLE

    def prepare_first(self):
        """Nothing is there: no repository, no image, no function."""
        self.prepare_create()
        self.repository = self.name
        self.wanted_inputs.update({"repository": self.name, "base-repository": self.base_name})

    def prepare_first_alias(self):
        self.prepare_create()
        self.with_alias()

    def prepare_code(self):
        self.there()

    def prepare_configure(self):
        self.configured("1")
        self.version_before = "1"

    def assume(self, trust):
        arn = f"arn:aws:iam::{cloud.ACCOUNT}:role/{self.name}"
        self.role = self.name
        self.cloud.create_role(arn, trust=trust)
        self.there()
        self.wanted_inputs["role-to-assume"] = arn

    def prepare_assume(self):
        self.assume({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": f"arn:aws:iam::{cloud.ACCOUNT}:root"}}]})

    def prepare_oidc(self):
        self.assume(policies.document("trust-branch"))
        oidc = self.cloud.control("GET", "/oidc")
        self.secrets.add(oidc["request_token"])
        self.env = {"ACTIONS_ID_TOKEN_REQUEST_URL": oidc["request_url"],
                    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": oidc["request_token"], "AWS_REGION": cloud.REGION}

    def prepare_bad(self):
        """What is remembered as good is how a run that comes after one that was killed knows what to put back."""
        self.there(tags={"lambda-fastdeploy:verified": f"{self.world.identities['0']}/1"})
        self.workspace = self.world.projects["bad"]
        self.good_exit, self.version_after, self.version_between = 1, "0", "bad"

    def prepare_rollback_alias(self):
        """Two versions; the alias serves the second, and goes back to the first."""
        self.there(alias="live")
        self.with_alias()
        run = self.run()
        second = run.outputs.get("function-version")
        self.cloud.change_function(self.name, tags={"lambda-fastdeploy:verified:live": f"{second}/2 1/1"})
        self.wanted_inputs["command"] = "rollback"
        self.version_before, self.version_after = "1", "0"

    def prepare_rollback(self):
        verified = f"{self.world.identities['1']}/2 {self.world.identities['0']}/1"
        self.there("1", tags={"lambda-fastdeploy:verified": verified})
        self.wanted_inputs["command"] = "rollback"
        self.version_before, self.version_after = "1", "0"

    def prepare_build(self):
        """A base, and nothing else: the function serves beside it."""
        self.there()
        self.workspace = self.world.shell
        self.version_after = "0"
        self.wanted_inputs.update({"command": "base", "base-repository": self.base_name})

    def prepare_check(self):
        """A base with a check, which the engine runs in a container."""
        self.prepare_build()
        self.wanted_inputs["base-check"] = "test -d /opt/base"

    def prepare_half_made(self):
        """The repository is there, but an earlier run could not give it its policies."""
        self.prepare_build()
        self.cloud.create_repository(self.base_name)

    # Playing.

    def only(self, service):
        """What tells this stage's requests from those of others that run beside it."""
        if service in ("lambda", "url"):
            return {"resource": self.name}
        if service == "registry":
            return {"resource": self.base_name}
        if service == "sts" and self.scenario == "oidc":
            return {"resource": self.role}
        return {"key": self.key}

    def keys(self, own):
        if self.scenario == "oidc":
            return self.env
        keys = {"AWS_ACCESS_KEY_ID": self.key, "AWS_SECRET_ACCESS_KEY": self.key_secret} if own else case.KEYS
        return {**keys, "AWS_REGION": cloud.REGION}

    def ready(self, env=None, own_key=True, inputs=None, **more):
        if self.attempt > 1:
            more["job"] = runner.Job(run_number=self.played.run_number, run_id=self.played.run_id, run_attempt=self.attempt)
        step = self.step(self.workspace, inputs={**self.wanted_inputs, **(inputs or {})}, keys=False,
                         env={**self.keys(own_key), **(env or {})}, **more)
        self.played = step.job
        return step

    def run(self, env=None, without_host=None, own_key=True, debug=False, **inputs):
        step = self.ready(env, own_key, inputs)
        step.job.debug = debug
        if without_host:
            step.binds_more = {"/etc/hosts": self.hosts_without(without_host)}
        run = step.run(timeout_s=MOST_S)
        self.runs.append(run)
        return run

    def hosts_without(self, part):
        path = self.folder / "hosts"
        with open("/etc/hosts", encoding="utf-8") as file:
            lines = [" ".join(word for word in line.split("#")[0].split() if part not in word) for line in file]
        path.write_text("\n".join(line for line in lines if " " in line) + "\n", encoding="utf-8")
        return str(path)

    # What must be true afterwards.

    def answer(self):
        """What users get, None if there is nobody; asked again for a while, as a client would."""
        for _ in range(3):
            try:
                answer = self.cloud.ask(self.name, alias=self.alias, timeout_s=20)
                if answer.status == 200 or (self.scenario == "bad" and answer.status == 500):
                    return answer.json["version"]
            except (OSError, ValueError):
                pass
            time.sleep(0.3)
        return None

    def check_after_fault(self, run):
        self.check_run(run)
        self.assertIn(run.exit_code, (0, 1, 3), "exit code")
        version = self.answer()
        if self.version_before is None and version is None:
            self.assertNotEqual(run.exit_code, 0, "done, but there is no function")
            return
        allowed = {0: {self.version_after}, 1: {self.version_before or self.version_after}}.get(
            run.exit_code, {self.version_before, self.version_after})
        self.assertIn(version, allowed, f"what users get after exit code {run.exit_code}")
        if run.exit_code == 3:
            self.assertRegex(run.summary, "\naws (lambda|logs) ", "the summary has no command for a person")
        else:
            self.check_environment(self.environment_after if run.exit_code == 0 else self.environment_before)

    def check_environment(self, *expected):
        """One of these: never one's code with the other's configuration."""
        found = self.configuration().get("Environment", {}).get("Variables", {})
        self.assertIn(found, expected, "the function's environment")

    def check_plain_run(self, was_killed=False):
        """Nobody's help is needed: the same run again arrives."""
        self.attempt += 1
        run = self.run(own_key=self.scenario in ("assume", "oidc"))
        self.check_run(run)
        self.assertExit(run, self.good_exit)
        allowed = {self.version_after} if self.remembers or not was_killed else {self.version_after, self.version_between}
        self.assertIn(self.answer(), allowed, "what users get after a plain run")
        self.check_environment(self.environment_after)


# ---- the Docker engine, badly reachable ----

def operation_of(head):
    """"POST /containers/*/start": method and path, what is a name or a digest as a star."""
    method, target = head.split(b" ")[:2]
    path = target.decode().split("?")[0]
    path = re.sub(r"^/v[0-9.]+", "", path)
    return f"{method.decode()} " + re.sub(r"/lambda-fastdeploy-[^/]+", "/*", path)


@contextlib.contextmanager
def engine_between(operation=None, fault=None, for_ever=False, seen=None, met=None):
    """An engine's socket that plays a fault on one operation of the program's own, notes in `seen` what those are, and in the event `met` that it has played."""
    state = {"left": -1 if for_ever else 1, "met": met}
    with tempfile.TemporaryDirectory(dir=runner.TEMPORARY) as folder, socket.socket(socket.AF_UNIX) as listener:
        path = folder + "/docker.sock"
        listener.bind(path)
        listener.listen(32)
        stop = threading.Event()
        thread = threading.Thread(target=_accept, args=(listener, stop, lambda head: _hit(head, operation, fault, state, seen)),
                                  daemon=True)
        thread.start()
        try:
            yield path
        finally:
            stop.set()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def _hit(head, operation, fault, state, seen):
    if OURS not in head.lower():
        return None
    found = operation_of(head)
    if seen is not None:
        seen.add(found)
    if found != operation or state["left"] == 0:
        return None
    state["left"] -= 1
    if state["met"]:
        state["met"].set()
    return fault


def _accept(listener, stop, decide):
    while not stop.is_set():
        try:
            client, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_relay, args=(client, stop, decide), daemon=True).start()


def _relay(client, stop, decide):
    with client, socket.socket(socket.AF_UNIX) as real, contextlib.suppress(OSError):
        head = b""
        while b"\r\n\r\n" not in head:
            data = client.recv(65536)
            if not data:
                return
            head += data
        fault = decide(head)
        if fault == "reset-before":
            return
        if fault == "hang":
            client.settimeout(1)
            while not stop.is_set():
                with contextlib.suppress(TimeoutError):
                    if not client.recv(4096):
                        return
            return
        if fault in ("500", "503", "throttle"):
            status = {"throttle": 429}.get(fault, fault)
            client.sendall(f"HTTP/1.1 {status} Ordered\r\nContent-Type: application/json\r\nContent-Length: 31\r\nConnection: close\r\n\r\n"
                           '{"message":"ordered by a test"}'.encode())
            return
        real.connect(ENGINE_SOCKET)
        line, _, rest = head.partition(b"\r\n")
        real.sendall(line + b"\r\nConnection: close\r\n" + rest)
        if fault is None:
            threading.Thread(target=_pump, args=(client, real), daemon=True).start()
            _pump(real, client)
            return
        answer = b"".join(iter(lambda: real.recv(65536), b""))
        _spoil(client, fault, answer, stop)


def _spoil(client, fault, answer, stop):
    head, _, body = answer.partition(b"\r\n\r\n")
    if fault == "truncate":
        client.sendall(answer[:max(1, len(answer) // 2)])
    elif fault == "garbage":
        client.sendall(head.split(b"\r\n")[0] + b"\r\nConnection: close\r\n\r\n\x00\xff{garbage")
    elif fault == "content-type":
        client.sendall(re.sub(rb"(?i)content-type: [^\r]*", b"Content-Type: text/html", head) + b"\r\n\r\n" + body)
    elif fault == "slow":
        for index in range(len(answer)):
            if stop.wait(0.1):
                return
            client.sendall(answer[index:index + 1])
    # reset-after: it has had its effect, and nothing is said


def _pump(source, target):
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
