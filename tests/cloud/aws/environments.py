"""Execution environments: containers that run functions, kept warm for a while, ended with their
cloud.
"""

import json
import threading
import time
import traceback
import uuid
from dataclasses import dataclass

from .clock import iso_millis
from .docker import EngineError
from .errors import AwsError
from .runtime import Event, RuntimeApi

AT_MOST = 8  # environments of one version
IDLE_S = 60
INIT_S = 10
MEGABYTE = 1024 * 1024
PLATFORMS = {"x86_64": "amd64", "arm64": "arm64"}
LAMBDA_USER = "993:990"  # as on Lambda: not root, whatever the image says
RUNTIME = "crun"  # an OCI runtime as runc is, but its start costs less; ground/parts tells the engine of it
LOG_BYTES = 256 * 1024
LOG_QUIET_S = 0.015  # so long after an answer its last lines are awaited
LOG_WAIT_S = 0.1


@dataclass
class Outcome:
    payload: bytes
    failed: bool
    log: bytes
    environment_id: str


class Broken(Exception):
    """The function could not be started or ended by itself: (errorType, text after "Error: ")."""

    def __init__(self, kind, text):
        super().__init__(text)
        self.kind = kind
        self.text = text

    def payload(self, request_id):
        return json.dumps(
            {"errorType": self.kind, "errorMessage": f"RequestId: {request_id} Error: {self.text}"}
        ).encode()


class Environment:
    """One container and its Runtime API. `version` is fixed from start to end."""

    def __init__(self, engine, address, function, version, image_name, label):
        self.id = uuid.uuid4().hex
        self.version = version
        self.used_at = time.monotonic()
        self.init_ms = None  # until the first invocation has told it
        self.dead = False
        self._engine = engine
        self._timeout_s = version.settings.get("Timeout", 3)
        self._exit_code = None
        self._exited = threading.Event()
        self._log_lock = threading.Lock()
        self._log, self._log_at = bytearray(), 0.0
        self._container = None
        self._api = RuntimeApi(address)
        self._entry = _entry(version)
        self._specification = self._specify(
            function, version, image_name, label, f"{address}:{self._api.port}"
        )

    def _specify(self, function, version, image_name, label, api):
        settings, run = version.settings, json.loads(version.image.config)
        config = settings.get("ImageConfig") or {}
        memory = settings.get("MemorySize", 128)
        variables = {
            **((settings.get("Environment") or {}).get("Variables") or {}),
            "AWS_LAMBDA_RUNTIME_API": api,
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_VERSION": version.number,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": f"[{version.number}]{self.id}",
            "AWS_REGION": function.region,
            "AWS_DEFAULT_REGION": function.region,
            "TZ": ":UTC",
        }
        scratch = (settings.get("EphemeralStorage") or {}).get("Size", 512)
        specification = {
            "Image": image_name,
            "Env": [f"{name}={value}" for name, value in variables.items()],
            "User": LAMBDA_USER,
            "Labels": label,
            "HostConfig": {
                "Runtime": RUNTIME,
                "ReadonlyRootfs": True,
                "Tmpfs": {"/tmp": f"rw,exec,nosuid,mode=1777,size={scratch}m"},
                "Memory": memory * MEGABYTE,
                "CapDrop": ["ALL"],
                "SecurityOpt": ["no-new-privileges"],
            },
        }
        if config.get("EntryPoint"):
            specification["Entrypoint"] = config["EntryPoint"]
            specification["Cmd"] = config.get("Command") or run.get("Cmd") or []
        elif config.get("Command"):
            specification["Cmd"] = config["Command"]
        if config.get("WorkingDirectory"):
            specification["WorkingDir"] = config["WorkingDirectory"]
        return specification

    def start(self, platform):
        """Broken, if there is nothing that can be started."""
        try:
            self._container = self._engine.create(self._specification, platform)
            self._engine.start(self._container)
        except EngineError as error:
            raise Broken(
                "Runtime.InvalidEntrypoint", _entry_error(error.message, self._entry)
            ) from error
        threading.Thread(target=self._watch, daemon=True).start()
        threading.Thread(target=self._follow, daemon=True).start()

    def _watch(self):
        try:
            self._exit_code = self._engine.wait(self._container)
        except (EngineError, OSError):
            self._exit_code = -1  # it was removed, or the engine is gone
        self._exited.set()

    def _follow(self):
        try:
            self._engine.follow_logs(self._container, self._append)
        except (EngineError, OSError):
            pass  # the container was removed

    def _append(self, data):
        with self._log_lock:
            self._log += data
            del self._log[:-LOG_BYTES]
            self._log_at = time.monotonic()

    def take_log(self):
        """What was written since the last time."""
        end = time.monotonic() + LOG_WAIT_S
        time.sleep(LOG_QUIET_S)
        while time.monotonic() < min(end, self._log_at + LOG_QUIET_S):
            time.sleep(0.005)
        with self._log_lock:
            data = bytes(self._log)
            self._log.clear()
        return data

    def invoke(self, request_id, payload, function_arn, clock):
        """(answer, failed, milliseconds); Broken."""
        began = time.monotonic()
        self._wait_for(self._api.ready, began + INIT_S + self._timeout_s)
        if self.init_ms is None:
            self.init_ms = (time.monotonic() - began) * 1000
        start = time.monotonic()
        deadline = start + self._timeout_s
        event = Event(
            request_id, payload, int((clock.now() + self._timeout_s) * 1000), function_arn
        )
        self._api.offer(event)
        self._wait_for(event.done, deadline)
        return event.answer, event.failed, (time.monotonic() - start) * 1000

    def _wait_for(self, happened, deadline):
        while not happened.wait(0.02):
            if self._exited.is_set() and not happened.wait(0.05):
                self._raise_exit()
            if time.monotonic() > deadline:
                raise Broken(
                    "Sandbox.Timedout", f"Task timed out after {self._timeout_s:.2f} seconds"
                )

    def _raise_exit(self):
        code = self._exit_code
        log = self.take_log()
        self._append(log)
        if self._api.init_error:
            raise _Posted(self._api.init_error)
        if b"exec format error" in log:
            raise Broken(
                "Runtime.InvalidEntrypoint", _entry_error("exec format error", self._entry)
            )
        if code == 0:
            raise Broken("Runtime.ExitError", "Runtime exited without providing a reason")
        how = (
            f"signal: {SIGNALS.get(code - 128, code - 128)}"
            if code > 128
            else f"exit status {code}"
        )
        raise Broken("Runtime.ExitError", f"Runtime exited with error: {how}")

    def end(self):
        self.dead = True
        self._api.end()
        if self._container:
            try:
                self._engine.remove(self._container)
            except (EngineError, OSError):
                traceback.print_exc()


class _Posted(Broken):
    """The runtime itself told why it could not start."""

    def __init__(self, data):
        super().__init__("", "")
        self._data = data

    def payload(self, _request_id):
        return self._data


SIGNALS = {6: "aborted", 9: "killed", 11: "segmentation fault", 15: "terminated"}


def _entry(version):
    """The path of what is started."""
    config, run = version.settings.get("ImageConfig") or {}, json.loads(version.image.config)
    chosen = (
        config.get("EntryPoint") or run.get("Entrypoint") or config.get("Command") or run.get("Cmd")
    )
    return (chosen or ["the entrypoint"])[0]


# What crun and runc say, and what Lambda says then.
WHY_NOT_STARTED = {
    "exec format error": "exec format error",
    "no such file or directory": "no such file or directory",
    "executable file not found": "no such file or directory",
    "permission denied": "permission denied",
    "is not a regular file": "permission denied",
}


def _entry_error(message, entry):
    """In Lambda's words, what the engine says of an entrypoint that cannot be started."""
    for said, reason in WHY_NOT_STARTED.items():
        if said in message.lower():
            return f"fork/exec {entry}: {reason}"
    return message


SEEN_BY_CODE = ("Environment", "ImageConfig", "MemorySize", "Timeout", "EphemeralStorage")


class Pools:
    """All environments of a cloud."""

    def __init__(self, engine, storage, clock, instance, settings):
        self._engine = engine
        self._settings = settings
        self._storage = storage
        self._clock = clock
        self._label = {"cloud": instance, "cloud-run": uuid.uuid4().hex}
        self._changed = threading.Condition()
        self._environments = {}  # (function ARN, version number), or what is shared -> [Environment]
        self._busy = set()
        self._starting = {}  # the same key -> how many are being started
        self._round = 0  # counts how often everything was ended
        self._pulled = set()
        self._pulling = threading.Lock()
        self._stopped = threading.Event()
        self._address = None

    def start(self):
        """Begins to end what an earlier run left behind, as soon as the engine answers, and what
        is idle.
        """
        threading.Thread(target=self._reap, daemon=True).start()

    def stop(self):
        self._stopped.set()
        self.end_all()

    def invoke(self, function, version, function_arn, request_id, payload):
        """An Outcome. What is the function's own fault is in it."""
        began = time.monotonic()
        key = self._key(function, version)
        environment, posted, milliseconds, broken = None, None, 0.0, None
        try:
            environment = self._acquire(key, function, version)
            posted, failed, milliseconds = environment.invoke(
                request_id, payload, function_arn, self._clock
            )
        except Broken as error:
            posted, failed, broken = error.payload(request_id), True, error
            milliseconds = (time.monotonic() - began) * 1000
        log = self._write_log(environment, version, request_id, milliseconds, broken)
        self._release(key, environment, version, broken)
        return Outcome(
            posted or b"", failed, log, environment.id if environment else uuid.uuid4().hex
        )

    def _key(self, function, version):
        """Whose environments may be used. Shared are those of the same image and configuration: nothing of the function itself but its name differs."""
        if not self._settings.shared_environments:
            return function.arn, version.number
        seen = {name: version.settings.get(name) for name in SEEN_BY_CODE}
        return "shared", json.dumps([version.image.digest, version.architectures, seen], sort_keys=True)

    def _write_log(self, environment, version, request_id, milliseconds, broken):
        log = environment.take_log() if environment else b""
        if log and not log.endswith(b"\n"):
            log += b"\n"
        init = ""
        if environment and environment.init_ms:
            init = f"Init Duration: {environment.init_ms:.2f} ms\t"
            environment.init_ms = 0
        memory = version.settings.get("MemorySize", 128)
        lines = ""
        if broken:
            lines = (
                f"{iso_millis(self._clock.now())} {request_id} {broken.text}\n"
                if broken.kind == "Sandbox.Timedout"
                else ""
            )
            lines = lines or f"RequestId: {request_id} Error: {broken.text}\n{broken.kind}\n"
        end = (
            f"END RequestId: {request_id}\nREPORT RequestId: {request_id}\tDuration:"
            f" {milliseconds:.2f} ms\tBilled Duration: {int(milliseconds) + 1} ms\tMemory Size:"
            f" {memory} MB\t{init}\n"
        )
        head = f"START RequestId: {request_id} Version: {version.number}\n"
        return head.encode() + log + lines.encode() + end.encode()

    def _acquire(self, key, function, version):
        """A free environment of this very generation, a new one, or one that becomes free."""
        end = time.monotonic() + INIT_S + 900
        with self._changed:
            while True:
                if self._stopped.is_set():
                    raise AwsError("ServiceException", "the cloud is ending", 500)
                here = self._environments.setdefault(key, [])
                for each in [
                    each
                    for each in here
                    if key[0] != "shared"
                    and each not in self._busy
                    and each.version.generation != version.generation
                ]:
                    here.remove(each)
                    self._end_soon(each)
                free = [each for each in here if each not in self._busy and not each.dead]
                if free:
                    self._busy.add(free[0])
                    return free[0]
                if len(here) + self._starting.get(key, 0) < AT_MOST:
                    self._starting[key] = self._starting.get(key, 0) + 1
                    break
                if not self._changed.wait(end - time.monotonic()):
                    raise AwsError(
                        "TooManyRequestsException",
                        "Rate Exceeded.",
                        429,
                        members={"Reason": "ConcurrentInvocationLimitExceeded"},
                    )
            round_ = self._round
        environment = None
        try:
            environment = self._start(function, version)
        finally:
            with self._changed:
                self._starting[key] -= 1
                if environment:
                    self._busy.add(environment)
                    if round_ == self._round:
                        self._environments.setdefault(key, []).append(environment)
                    else:
                        environment.dead = (
                            True  # everything was ended meanwhile: this one is used once
                        )
                self._changed.notify_all()
        return environment

    def _start(self, function, version):
        image = version.image
        if PLATFORMS.get(version.architectures[0]) != image.architecture:
            raise Broken(
                "Runtime.InvalidEntrypoint", f"fork/exec {_entry(version)}: exec format error"
            )
        platform = f"linux/{image.architecture}"
        name = f"{self._storage.name}/{image.upstream}@{image.digest}"
        self._pull(name, platform)
        if self._address is None:
            self._address = self._engine.gateway()
        environment = Environment(self._engine, self._address, function, version, name, self._label)
        try:
            environment.start(platform)
        except Broken as broken:
            environment.end()
            raise broken
        except BaseException:
            environment.end()
            raise
        return environment

    def _pull(self, name, platform):
        with self._pulling:
            if name in self._pulled and self._engine.has_image(name):
                return
            try:
                self._engine.pull(name, platform)
            except EngineError as error:
                raise AwsError(
                    "ServiceException", f"the image cannot be pulled: {error}", 500
                ) from error
            self._pulled.add(name)

    def _release(self, key, environment, version, broken):
        if environment is None:
            return
        with self._changed:
            self._busy.discard(environment)
            environment.used_at = time.monotonic()
            if broken or environment.dead:
                here = self._environments.get(key, [])
                if environment in here:
                    here.remove(environment)
                _end_together([environment])
            self._changed.notify_all()

    @staticmethod
    def _end_soon(environment):
        threading.Thread(target=environment.end).start()

    def end(self, function_arn, number=None):
        """The environments of a function, or of one of its versions."""
        with self._changed:
            keys = [
                key
                for key in self._environments
                if key[0] == function_arn and number in (None, key[1])
            ]
            ended = [each for key in keys for each in self._environments.pop(key)]
            self._changed.notify_all()
        _end_together(ended)

    def end_all(self, forget_images=False):
        with self._changed:
            ended = [each for several in self._environments.values() for each in several]
            self._environments.clear()
            self._round += 1
            self._changed.notify_all()
        _end_together(ended)
        if forget_images:
            with self._pulling:
                pulled, self._pulled = self._pulled, set()
            for name in pulled:
                self._engine.remove_image(name)

    def _reap(self):
        while not self._engine.alive():
            if self._stopped.wait(0.2):
                return
        for container, labels in self._engine.labelled(f"cloud={self._label['cloud']}"):
            if labels.get("cloud-run") != self._label["cloud-run"]:
                self._engine.remove(container)
        while not self._stopped.wait(5):
            with self._changed:
                old = []
                for several in self._environments.values():
                    for each in list(several):
                        if each not in self._busy and time.monotonic() - each.used_at > IDLE_S:
                            several.remove(each)
                            old.append(each)
            _end_together(old)


def _end_together(environments):
    threads = [threading.Thread(target=each.end) for each in environments]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
