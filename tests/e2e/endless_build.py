"""Stands in for `buildx build`: the raw progress of a build of so many steps and so much output, whose last step fails.

    python3 endless_build.py STEPS BYTES
"""

import base64
import json
import sys
import time

FIRST = 1_785_000_000
LINE = b"0123456789 collecting what nobody reads, but somebody may look for it one day: wheel %06d of many\n"


def moment(ms):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(FIRST + ms // 1000)) + f".{ms % 1000:03d}000000Z"


def main(steps, size):
    out = sys.stderr.buffer
    lines_each = size // steps // len(LINE % 0) + 1
    said = base64.b64encode(b"".join(LINE % number for number in range(lines_each))).decode()
    now = 0
    for number in range(1, steps + 1):
        digest = f"sha256:{number:064x}"
        name = f"[{number}/{steps}] RUN make part-{number}"
        vertex = {"digest": digest, "name": name, "started": moment(now)}
        out.write(json.dumps({"vertexes": [vertex]}).encode() + b"\n")
        took = 9000 if number == steps // 3 else 20
        out.write(json.dumps({"logs": [{"vertex": digest, "stream": 1, "data": said, "timestamp": moment(now + took)}]}).encode()
                  + b"\n")
        now += took
        vertex["completed"] = moment(now)
        if number == steps:
            vertex["error"] = f'process "/bin/sh -c make part-{number}" did not complete successfully: exit code: 2'
        out.write(json.dumps({"vertexes": [vertex]}).encode() + b"\n")
    out.write(b"ERROR: failed to solve: " + vertex["error"].encode() + b"\n")
    out.flush()
    return 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
