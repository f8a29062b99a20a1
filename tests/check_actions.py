"""python3 tests/check_actions.py [FOLDER]: every action that .github uses is pinned by its commit, every image by its digest: a tag
is moved by whoever owns it. Prints what is not, and exits 1.
"""

import pathlib
import re
import sys

USES = re.compile(r"""^\s*(?:-\s+)?['"]?uses['"]?\s*:\s*(?P<what>[^#\s]+)""")
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}")
IMAGE = re.compile(r"docker://[^@]+@sha256:[0-9a-f]{64}")
SHA = "0123456789abcdef0123456789abcdef01234567"
SAMPLES = (  # (line, is it good)
    (f"      - uses: actions/checkout@{SHA} # v4", True), (f'  uses: "org/repo/.github/workflows/x.yml@{SHA}"', True),
    ("    - uses: ./", True), ("      uses: ./.github/actions/x", True), (f"  uses: docker://alpine@sha256:{SHA}{SHA[:24]}", True),
    ("      - uses: actions/checkout@v4", False), ("      - uses: actions/checkout@main", False),
    ("      - uses: actions/checkout", False), (f"      - uses: actions/checkout@{SHA[:12]}", False),
    ("      - uses: docker://alpine:3", False), ("      - 'uses': 'a/b@v1'", False),
)


def is_good(line):
    found = USES.match(line)
    if not found:
        return True
    what = found["what"].strip("'\"")
    return what.startswith("./") or bool(PINNED.fullmatch(what) or IMAGE.fullmatch(what))


def main(root):
    for line, good in SAMPLES:
        if is_good(line) != good:
            sys.exit(f"check_actions: judges this wrong: {line}")
    files = sorted(path for path in (root / ".github").rglob("*") if path.suffix in (".yml", ".yaml"))
    bad = [f"{path.relative_to(root)}:{number}: not pinned: {line.strip()}" for path in files
           for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1) if not is_good(line)]
    print("\n".join(bad) if bad else f"pinned: what {len(files)} files of .github use")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")))
