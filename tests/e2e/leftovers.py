"""What runs may leave on no machine, whatever became of them: looked at before and after the matrices and the simulated life."""

import collections
import os
import pathlib
import subprocess

from . import runner

OURS = ("lambda-fast", "buildx", "docker-buildx", "git", "launch.py")
BUILDER = "buildx_buildkit_"
INSTANCES = pathlib.Path(os.path.expanduser("~/.docker/buildx/instances"))


def _lines(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.split()


def processes():
    """Those of the program and what it starts, by name, wherever they run in this machine's part."""
    return dict(collections.Counter(name for name in _lines("ps", "-eo", "comm=") if name.startswith(OURS)))


def builders():
    """Builder containers, their volumes, and what buildx remembers of builders."""
    return sorted([*_lines("docker", "ps", "-aq", "--filter", f"name={BUILDER}"),
                   *_lines("docker", "volume", "ls", "-q", "--filter", f"name={BUILDER}"),
                   *(path.name for path in INSTANCES.glob("*"))])


def open_requests(cloud, since):
    """Requests to the cloud that are still on their way."""
    return [f"{request['service']} {request['operation']}" for request in cloud.requests_after(since)
            if request["ms"] is None]


def mounts():
    """Those of runs that have ended: a run's are in a namespace of its own."""
    with open("/proc/self/mounts", encoding="utf-8") as file:
        return [line.split()[1] for line in file if f"{runner.TEMPORARY}/run-" in line]


def look(cloud, since=0):
    return {"processes": processes(), "containers": _lines("docker", "ps", "-aq", "--filter", "name=lambda-fastdeploy"),
            "builders": builders(), "temporary files": sorted(str(path) for path in pathlib.Path(runner.TEMPORARY).glob("run-*")),
            "mounts": mounts(), "open requests": open_requests(cloud, since), "faults": cloud.control("GET", "/faults")}


def more_than(before, after):
    """What has come since then, as words; "" for nothing."""
    return "; ".join(f"{what}: {after[what]} (before: {before[what]})" for what in after if after[what] != before[what])
