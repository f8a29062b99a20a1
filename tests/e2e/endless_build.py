"""Stands in for `buildx build`: the raw progress of a build of so many steps and so much output, whose last step fails.

    python3 endless_build.py STEPS BYTES
"""

import base64
import json
import sys
import time

LONG_S = 3  # of one step, a third of the way through
LINE = b"0123456789 collecting what nobody reads, but somebody may look for it one day: wheel %06d of many\n"


def moment():
    """Now: steps that were outside of the run's own time would be cut to it."""
    now_ns = time.time_ns()
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now_ns // 10**9)) + f".{now_ns % 10**9:09d}Z"


def main(steps, size):
    out = sys.stderr.buffer
    lines_each = size // steps // len(LINE % 0) + 1
    said = base64.b64encode(b"".join(LINE % number for number in range(lines_each))).decode()
    for number in range(1, steps + 1):
        digest = f"sha256:{number:064x}"
        name = f"[{number}/{steps}] RUN make part-{number}"
        vertex = {"digest": digest, "name": name, "started": moment()}
        out.write(json.dumps({"vertexes": [vertex]}).encode() + b"\n")
        if number == steps // 3:
            time.sleep(LONG_S)
        out.write(json.dumps({"logs": [{"vertex": digest, "stream": 1, "data": said, "timestamp": moment()}]}).encode()
                  + b"\n")
        vertex["completed"] = moment()
        if number == steps:
            vertex["error"] = f'process "/bin/sh -c make part-{number}" did not complete successfully: exit code: 2'
        out.write(json.dumps({"vertexes": [vertex]}).encode() + b"\n")
    out.write(b"ERROR: failed to solve: " + vertex["error"].encode() + b"\n")
    out.flush()
    return 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
