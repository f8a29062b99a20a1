#!/usr/bin/env python3
"""Random trees, Dockerfiles and edits: what the program takes for unchanged must be unchanged for BuildKit.

    tests/with-cloud python3 tests/e2e/property_identity.py --identity build/tests/tools/identity [--cases 250] [--seed 1]

Runs inside the local cloud. A scenario is a tree, an ignore file and a Dockerfile; it is built once, then edited again
and again. After each edit
  1. if the identity is one that was there before, BuildKit must find every step in its cache;
  2. if BuildKit finds every step in its cache, the identity should be one that was there before: in at least 95 % of
     those edits, over all scenarios (taking too much costs a build, taking too little a wrong image). Times do not
     count here, nor a folder's mode: when only that changes, BuildKit does not even transfer it.
An edit is a case. The seed is fixed, so a failure can be repeated: --scenario N runs that one alone.
"""

import argparse
import collections
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

NAMES = ["a", "b.py", "c.md", "app", "src", "d e", "\u00e9t\u00e9", ".hidden", "f[1]", "node_modules", "x.py", "y.txt", "README.md",
         "tests", "z", "-dash", "#hash", "!bang", "Dockerfile.old", "a.b.c", "lib"]
NONCE = os.urandom(8).hex()  # in every content, so that nothing is in the cache from another run
EDITS = ["content", "content", "content", "behind-link", "behind-link", "new", "new", "delete", "chmod", "chmod-folder", "touch", "retarget", "to-link",
         "ignore", "rename", "new-folder"]


def build(context, dockerfile):
    """None if every step was cached, else the names of those that were not (or what BuildKit said)."""
    command = ["buildx", "build", "--progress=rawjson", "--output=type=cacheonly", "--provenance=false", "-f", dockerfile, context]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode != 0:
        return ["FAILED: " + done.stderr[-600:]]
    cached, names, decoder, at = {}, {}, json.JSONDecoder(), 0
    while True:
        at = done.stderr.find("{", at)
        if at < 0:
            break
        status, at = decoder.raw_decode(done.stderr, at)
        for vertex in status.get("vertexes") or []:
            names[vertex["digest"]] = vertex["name"]
            cached[vertex["digest"]] = cached.get(vertex["digest"], False) or vertex.get("cached", False)
    steps = [digest for digest, name in names.items()
             if name.startswith("[") and not name.startswith("[internal]") and "] FROM " not in name]
    assert steps, done.stderr
    missed = sorted(names[digest] for digest in steps if not cached[digest])
    return missed or None


class Scenario:
    def __init__(self, number, seed, identity, features, folder):
        self.random = random.Random(f"{seed}/{number}")
        self.number, self.identity_program, self.features = number, identity, features
        self.root = pathlib.Path(folder) / f"scenario{number}"
        self.context = self.root / "context"
        self.dockerfile = self.root / "Dockerfile"
        self.log, self.serial = [], 0

    # -- the tree --

    def token(self):
        self.serial += 1
        return f"{NONCE}.{self.number}.{self.serial}\n"

    def paths(self, kind):
        found = []
        for folder, folders, files in os.walk(self.context):
            base = pathlib.Path(folder)
            for name in sorted(folders + files):
                path = base / name
                is_link, is_folder = path.is_symlink(), path.is_dir() and not path.is_symlink()
                if kind == ("link" if is_link else "folder" if is_folder else "file"):
                    found.append(path)
        return sorted(found)

    def pick(self, kind):
        found = self.paths(kind)
        return self.random.choice(found) if found else None

    def any_folder(self):
        return self.random.choice([self.context] + self.paths("folder"))

    def new_path(self):
        return self.any_folder() / self.random.choice(NAMES)

    def relative(self, path):
        return str(path.relative_to(self.context))

    def make_tree(self):
        self.context.mkdir(parents=True)
        for _ in range(self.random.randint(2, 6)):
            path = self.new_path()
            if not path.exists() and not path.is_symlink():
                path.mkdir(mode=0o755)
        for _ in range(self.random.randint(5, 16)):
            path = self.new_path()
            if not path.exists() and not path.is_symlink():
                path.write_text(self.token())
        for _ in range(self.random.randint(1, 4)):
            self.make_link(self.new_path())

    def make_link(self, path):
        target = self.pick(self.random.choice(["file", "folder", "link"]))
        if path.exists() or path.is_symlink() or target is None:
            return False
        kind = self.random.random()
        if kind < .5:
            path.symlink_to(os.path.relpath(target, path.parent))
        elif kind < .8:
            path.symlink_to("/" + self.relative(target))
        elif kind < .9:
            path.symlink_to("../../../../" + self.relative(target))
        else:
            path.symlink_to("nowhere")
        return True

    # -- the files that say what is read --

    def pattern(self):
        path = self.pick(self.random.choice(["file", "file", "folder", "link"])) or self.context / "a"
        parts = self.relative(path).split("/")
        kind = self.random.random()
        if kind < .3:
            text = "/".join(parts)
        elif kind < .5:
            text = "**/" + parts[-1]
        elif kind < .65:
            text = "*" + os.path.splitext(parts[-1])[1]
        elif kind < .75:
            text = "/".join(parts[:-1] + ["*"])
        elif kind < .85:
            text = parts[0] + "/**"
        elif kind < .95:
            text = "**/*" + os.path.splitext(parts[-1])[1]
        else:
            text = self.random.choice(["*", ".*", "?", "[a-c]*", "**"])
        return text

    def ignore_text(self):
        lines = []
        for _ in range(self.random.choice([0, 0, 1, 2, 3, 5])):
            mark = "!" if self.random.random() < .3 else ""
            lines.append(mark + self.random.choice(["", "", "/"]) + self.pattern() + self.random.choice(["", "", "/"]))
        if lines and self.random.random() < .3:
            lines.insert(0, "# a comment")
        return "\n".join(lines) + "\n"

    def source(self):
        kind = self.random.random()
        path = self.pick(self.random.choice(["file", "folder", "folder", "link", "link"])) or self.pick("file")
        if path is None or kind < .12:
            return "."
        text = self.relative(path)
        if kind < .3:
            parts = text.split("/")
            place = self.random.randrange(len(parts))
            parts[place] = self.random.choice(["*", "*" + os.path.splitext(parts[place])[1], parts[place][0] + "*", "?*"])
            return "/".join(part.replace("[", "[[]") if i != place and any("*" in p for p in parts) else part
                            for i, part in enumerate(parts))
        return self.random.choice(["", "", "./", "/", "x/../"]) + text

    @staticmethod
    def json_form(words):
        return json.dumps(words, ensure_ascii=False)

    def copy(self, index):
        name = self.random.choice(["COPY", "COPY", "COPY", "ADD"])
        sources = [self.source() for _ in range(self.random.choice([1, 1, 1, 2, 3]))]
        flags = self.random.choice(["", "", "--chown=0:0 ", "--link "])
        if "exclude" in self.features and self.random.random() < .3:
            flags += f"--exclude={json.dumps(self.pattern(), ensure_ascii=False)} "
        if "parents" in self.features and name == "COPY" and self.random.random() < .3:
            flags += "--parents "
        words = sources + [f"/d{index}/"]
        plain = all(" " not in word and not word.startswith(("#", "-", "!")) for word in words)
        if self.random.random() < .2 and plain:
            value = sources[0].replace("\\", "\\\\")
            quoted = value.replace('"', '\\"')
            words[0] = f"${{S{index}}}"
            return [f'ARG S{index}="{quoted}"', f"{name} {flags}{' '.join(words)}"]
        if not plain or self.random.random() < .3:
            return [f"{name} {flags}{self.json_form(words)}"]
        return [f"{name} {flags}" + self.random.choice([" ", " \\\n  "]).join(words)]

    def mount(self):
        path = self.pick(self.random.choice(["folder", "file"]))
        if path is None or any(c in self.relative(path) for c in ' ,"#\u00e9'):
            return "RUN true"
        return f"RUN --mount=type=bind,source={self.relative(path)},target=/mnt/x ls -lR /mnt/x"

    def make_dockerfile(self):
        lines = self.random.choice([[], [], ["# a comment"], ["# check=skip=all"]])[:]
        stages = self.random.choice([1, 1, 2])
        for stage in range(stages):
            lines.append(f"FROM busybox AS s{stage}")
            for index in range(self.random.randint(1, 3)):
                kind = self.random.random()
                if kind < .75:
                    lines += self.copy(f"{stage}{index}")
                elif kind < .9:
                    lines.append(self.mount())
                else:
                    lines += ["COPY <<EOF /heredoc", "COPY a /b", "EOF"]
        if stages == 2 and self.random.random() < .6:
            lines.append("COPY --from=s0 / /from0")
        lines.append("RUN true")
        self.dockerfile.write_text("\n".join(lines) + "\n")

    def make(self):
        self.make_tree()
        (self.context / ".dockerignore").write_text(self.ignore_text())
        if self.random.random() < .2:
            (self.root / "Dockerfile.dockerignore").write_text(self.ignore_text())
        self.make_dockerfile()

    # -- edits: each gives what it did, or None if it did nothing --

    def edit_content(self):
        path = self.pick("file")
        if path is None or path.name == ".dockerignore":
            return None
        path.write_text(self.token())
        return f"content of {self.relative(path)}"

    def edit_behind_link(self):
        """The content of a file that a link leads to, as seen by a build: the context is its root."""
        path = self.pick("link")
        if path is None:
            return None
        target = os.readlink(path)
        inside = os.path.normpath("/" + (target if target.startswith("/") else os.path.join(self.relative(path.parent), target)))
        place = self.context / inside.lstrip("/")
        if place.is_dir() and not place.is_symlink():
            files = [file for file in sorted(place.iterdir()) if file.is_file() and not file.is_symlink()]
            place = self.random.choice(files) if files else place
        if place.is_symlink() or not place.is_file() or place.name == ".dockerignore":
            return None
        place.write_text(self.token())
        return f"content of {self.relative(place)}, behind the link {self.relative(path)}"

    def edit_new(self):
        path = self.new_path()
        if path.exists() or path.is_symlink():
            return None
        path.write_text(self.token())
        return f"new {self.relative(path)}"

    def edit_new_folder(self):
        path = self.new_path()
        if path.exists() or path.is_symlink():
            return None
        path.mkdir(mode=0o755)
        return f"new folder {self.relative(path)}"

    def edit_delete(self):
        path = self.pick("file")
        if path is None or path.name == ".dockerignore":
            return None
        path.unlink()
        return f"delete {self.relative(path)}"

    def edit_chmod(self, kind="file"):
        path = self.pick(kind)
        if path is None:
            return None
        before = path.stat().st_mode & 0o7777
        mode = self.unseen_mode(path, before) or self.random.choice([0o600, 0o644, 0o755, 0o700, 0o4755, 0o640])
        if before == mode:
            return None
        path.chmod(mode)
        return f"mode {before:o} -> {mode:o} of {self.relative(path)}"

    def unseen_mode(self, path, before):
        """A mode that differs by one bit, and that the program takes for the same: the ones that BuildKit should be asked about."""
        identity = self.identity()
        for bit in self.random.sample(range(12), 12):
            path.chmod(before ^ 1 << bit)
            if self.identity() == identity:
                return before ^ 1 << bit
        path.chmod(before)
        return None

    def edit_chmod_folder(self):
        return self.edit_chmod("folder")

    def edit_touch(self):
        path = self.pick("file")
        if path is None:
            return None
        os.utime(path, (self.random.randrange(10**9), self.random.randrange(10**9)))
        return f"touch {self.relative(path)}"

    def edit_retarget(self):
        path = self.pick("link")
        if path is None:
            return None
        before = os.readlink(path)
        path.unlink()
        if not self.make_link(path):
            path.symlink_to(before)
            return None
        return f"retarget {self.relative(path)}: {before} -> {os.readlink(path)}"

    def edit_to_link(self):
        path = self.pick("file")
        if path is None or path.name == ".dockerignore":
            return None
        path.unlink()
        if not self.make_link(path):
            path.symlink_to("nowhere")
        return f"{self.relative(path)} becomes a link to {os.readlink(path)}"

    def edit_ignore(self):
        mark = self.random.choice(["", "", "!"])
        with open(self.context / ".dockerignore", "a", encoding="utf-8") as file:
            line = mark + self.pattern()
            file.write(line + "\n")
        return f"ignore {line}"

    def edit_rename(self):
        path, new = self.pick(self.random.choice(["file", "folder"])), self.new_path()
        if path is None or path.name == ".dockerignore" or new.exists() or new.is_symlink() or path in new.parents:
            return None
        old = self.relative(path)
        path.rename(new)
        return f"rename {old} to {self.relative(new)}"

    def edit(self):
        for _ in range(50):
            kind = self.random.choice(EDITS)
            done = getattr(self, "edit_" + kind.replace("-", "_"))()
            if done:
                self.log.append(done)
                return kind
        raise AssertionError("no edit was possible")

    # -- looking --

    def identity(self):
        command = [self.identity_program, "--workspace", str(self.root), str(self.dockerfile), str(self.context)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        if done.returncode != 0:
            raise AssertionError(f"{done.stderr}\n{self.describe()}")
        return dict(line.split(" ", 1) for line in done.stdout.splitlines() if " " in line)["hex"]

    def describe(self):
        ignore = [path for path in (self.root / "Dockerfile.dockerignore", self.context / ".dockerignore") if path.exists()]
        listing = subprocess.run(["ls", "-lRA", str(self.context)], capture_output=True, text=True, check=True).stdout
        return "\n".join([f"--- scenario {self.number}", "--- Dockerfile", self.dockerfile.read_text()]
                         + [f"--- {path.name}\n{path.read_text()}" for path in ignore]
                         + ["--- edits", *self.log, "--- tree now", listing])


def find_features(folder):
    """What the engine's own frontend knows besides the usual."""
    context = pathlib.Path(folder) / "features"
    context.mkdir()
    (context / "a").write_text("a")
    found = set()
    for name, line in {"exclude": "COPY --exclude=b a /", "parents": "COPY --parents a /"}.items():
        (context / "Dockerfile").write_text(f"FROM busybox\n{line}\n")
        result = build(str(context), str(context / "Dockerfile"))
        if result is None or not result[0].startswith("FAILED"):
            found.add(name)
    return found


class Tally:
    def __init__(self):
        self.cases = self.unchanged = self.cached = self.precise = self.skipped = 0
        self.imprecise = collections.Counter()
        self.violations = []


def run_scenario(scenario, tally, cases):
    scenario.make()
    first = build(str(scenario.context), str(scenario.dockerfile)) or [""]
    if first[0].startswith("FAILED"):
        if os.environ.get("VERBOSE"):
            print(f"not buildable: {first[0]}\n{scenario.describe()}")
        tally.skipped += 1
        return
    seen = {scenario.identity()}
    for _ in range(8):
        if tally.cases >= cases:
            return
        kind = scenario.edit()
        identity = scenario.identity()
        missed = build(str(scenario.context), str(scenario.dockerfile))
        same = identity in seen
        seen.add(identity)
        tally.cases += 1
        tally.unchanged += same
        if same and missed is not None:
            tally.violations.append(f"the identity did not change, but BuildKit ran: {missed}\n{scenario.describe()}")
            return
        if missed is None and kind not in ("touch", "chmod-folder"):
            tally.cached += 1
            tally.precise += same
            if not same:
                tally.imprecise[kind] += 1
                if os.environ.get("VERBOSE"):
                    print(f"taken for changed: {scenario.log[-1]}\n{scenario.describe()}")
        if missed and missed[0].startswith("FAILED"):
            return  # a source is gone: later edits would all fail


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--identity", required=True, help="the program of tests/tools/identity.c")
    parser.add_argument("--cases", type=int, default=250)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scenario", type=int, help="only this one")
    arguments = parser.parse_args()
    identity = os.path.abspath(arguments.identity)
    tally = Tally()
    folder = tempfile.mkdtemp(prefix="identity-", dir="/var/tmp")
    try:
        features = find_features(folder)
        number = arguments.scenario or 0
        while tally.cases < arguments.cases and not tally.violations:
            run_scenario(Scenario(number, arguments.seed, identity, features, folder), tally, arguments.cases)
            if arguments.scenario is not None:
                break
            number += 1
    finally:
        shutil.rmtree(folder)
    precision = tally.precise / tally.cached if tally.cached else 1.0
    print(f"{tally.cases} edits in {number} scenarios ({tally.skipped} left out: not buildable), seed {arguments.seed}, "
          f"features: {', '.join(sorted(features)) or 'none'}")
    print(f"unchanged for the program: {tally.unchanged}, of these not for BuildKit: {len(tally.violations)} (0 allowed)")
    print(f"unchanged for BuildKit: {tally.cached}, of these for the program: {tally.precise}, {precision:.1%} (at least 95 %)"
          + "".join(f"; {kind}: {count}" for kind, count in sorted(tally.imprecise.items())))
    for violation in tally.violations:
        print(violation)
    enough = arguments.scenario is not None or tally.cases >= arguments.cases
    return 0 if not tally.violations and precision >= .95 and enough else 1


if __name__ == "__main__":
    sys.exit(main())
