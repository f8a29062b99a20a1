"""Start one program as the container of a Docker action: a mount and PID namespace of its own, the program as PID 1.

Reads a JSON object from the file in argv[1]: argv, env, cwd, binds ({path: folder}), hide (paths that are
not there for the program), limits ({"fsize": bytes, "nofile": count}), read_only (paths), streams ({"1": a path, or null:
closed}), pid_fd (where the PID is written).
Exits with the program's own code, 128 and its number if a signal ended it.
"""

import ctypes
import json
import os
import resource
import signal
import sys

LIBC = ctypes.CDLL(None, use_errno=True)
MS_BIND, MS_REC, MS_PRIVATE, MS_NOSUID, MS_NOEXEC, MS_NODEV, MS_RDONLY, MS_REMOUNT = 4096, 16384, 1 << 18, 2, 8, 4, 1, 32
PR_SET_PDEATHSIG = 1


def mount(source, target, kind, flags, data=None):
    arguments = [None if text is None else text.encode() for text in (source, target, kind)]
    if LIBC.mount(*arguments, ctypes.c_ulong(flags), None if data is None else data.encode()) != 0:
        raise OSError(ctypes.get_errno(), f"mount {source} on {target}")


def hide(path, empty_file):
    path = os.path.realpath(path)
    if os.path.isdir(path):
        mount("none", path, "tmpfs", MS_NOSUID | MS_NODEV, "size=64k")
    elif os.path.lexists(path):
        mount(empty_file, path, None, MS_BIND)


def enter(spec):
    mount("none", "/", None, MS_REC | MS_PRIVATE)
    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    mount("none", "/github", "tmpfs", MS_NOSUID | MS_NODEV, "size=1m")
    for target, source in spec["binds"].items():
        if not os.path.exists(target):
            os.makedirs(target)
        mount(source, target, None, MS_BIND)
    empty_file = "/github/.empty"
    with open(empty_file, "w", encoding="utf-8"):
        pass
    os.chmod(empty_file, 0)
    for path in spec["hide"]:
        hide(path, empty_file)
    os.unlink(empty_file)
    for path in spec["read_only"]:
        mount("none", path, None, MS_BIND | MS_REMOUNT | MS_RDONLY)
    os.chdir(spec["cwd"])
    os.umask(0o022)
    for name, value in spec["limits"].items():
        resource.setrlimit(getattr(resource, "RLIMIT_" + name.upper()), (value, value))


def run(spec, entered, ready):
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    enter(spec)
    os.write(entered, b"1")
    os.read(ready, 1)
    for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)  # Python has changed these
    for stream, path in spec["streams"].items():
        if path is None:
            os.close(int(stream))
        else:
            os.dup2(os.open(path, os.O_WRONLY), int(stream))
    try:
        os.execve(spec["argv"][0], spec["argv"], spec["env"])
    except OSError as error:
        print(f"launch: {spec['argv'][0]}: {error.strerror}", file=sys.stderr, flush=True)
        os._exit(127)


def main():
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    with open(sys.argv[1], encoding="utf-8") as file:
        spec = json.load(file)
    os.set_inheritable(spec["pid_fd"], False)
    os.makedirs("/github", exist_ok=True)
    os.unshare(os.CLONE_NEWNS | os.CLONE_NEWPID)
    has_entered, entered = os.pipe()
    ready, go = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(go)
        try:
            run(spec, entered, ready)
        except BaseException as error:  # nothing of this process may go on as if it were the parent
            print(f"launch: {error}", file=sys.stderr, flush=True)
        os._exit(126)
    os.close(entered)
    os.read(has_entered, 1)  # before that, the child's /proc is everybody's
    os.write(spec["pid_fd"], f"{child}\n".encode())
    os.close(spec["pid_fd"])
    os.write(go, b"1")
    for stream in (0, 1, 2):
        os.close(stream)  # so that the end of the program's output is seen
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    os._exit(code if code >= 0 else 128 - code)


main()
