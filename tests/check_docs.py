#!/usr/bin/env python3
"""Do action.yml and README.md say what the program says?

    python3 tests/check_docs.py build/lambda-fastdeploy            compare; exit 1 and one line for each difference
    python3 tests/check_docs.py build/lambda-fastdeploy --print action
    python3 tests/check_docs.py build/lambda-fastdeploy --print readme

Inputs are read from `--help`, outputs from the table in src/model/outputs.c. In action.yml an input's description is
its text of --help, and no input has a `default:` (GitHub would hand it over as if the user had given it). In README.md
every table whose first column is headed `input` or `output` is read; all of them together must hold each name once.
Backquotes do not count. tests/promise says what a major version promises: it must all be there, with the same defaults. --print writes the parts of either file as they must be.
"""

import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
NOT_YET = " (not supported yet)"
REQUIRED = " (required)"


class Malformed(Exception):
    """A file or text that is not built as this program expects."""


def read_help(text):
    """The inputs of --help: a list of (group, name, text)."""
    inputs, group, reading = [], None, False
    for line in text.splitlines():
        row = re.fullmatch(r"  --([a-z-]+) +(\S.*)", line)
        if line.startswith("Inputs."):
            reading = True
        elif line == "Other flags":
            return inputs
        elif not reading or not line:
            continue
        elif row and group:
            inputs.append((group, row[1], row[2]))
        elif line.startswith("   ") and inputs:
            group_, name, start = inputs[-1]
            inputs[-1] = (group_, name, start + " " + line.strip())
        elif re.fullmatch(r"[A-Z][A-Za-z ]+", line):
            group = line
    raise Malformed("--help has no inputs, or they have no end")


def read_outputs(source):
    """The rows of output_specs in C: a list of (name, text)."""
    table = re.search(r"\boutput_specs\[\] = \{\n(.*?)^\};", source, re.S | re.M)
    if not table:
        raise Malformed("src/model/outputs.c has no table output_specs")
    rows = re.findall(r'\{"([a-z-]+)",\s*((?:"(?:[^"\\]|\\.)*"\s*)+),', table[1])
    if len(rows) != len(re.findall(r"^ {4}\{", table[1], re.M)) or not rows:
        raise Malformed("a row of output_specs in src/model/outputs.c is not {\"name\", \"text\", …}")
    return [(name, "".join(json.loads(part) for part in re.findall(r'"(?:[^"\\]|\\.)*"', text))) for name, text in rows]


def split_default(text):
    """A text of --help as (meaning, default): the default in the contract's words, or None."""
    later = text.endswith(NOT_YET)
    text = text.removesuffix(NOT_YET)
    default = re.search(r" \(default: (.*)\)$", text)
    if text.endswith(REQUIRED):
        text, value = text.removesuffix(REQUIRED), "required"
    elif default:
        text, value = text[:default.start()], default[1]
    else:
        value = ""
    return text + (NOT_YET if later else ""), value


# ---- action.yml: two levels of mappings with plain or double-quoted scalars ----

def read_scalar(text):
    if text.startswith('"'):
        return json.loads(text)
    if re.search(r": |[#\[\]{}'\"]", text):
        raise Malformed(f"action.yml: quote this with double quotes: {text}")
    return text


def read_action(text):
    """{section: {key: value or {key: value}}}, in order."""
    action, section, entry = {}, None, None
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        row = re.fullmatch(r"( {0,4})([a-z-]+):(?: (.*\S))?", line)
        if not row or len(row[1]) % 2:
            raise Malformed(f"action.yml:{number}: not `key: value`, indented by 0, 2 or 4 spaces")
        indent, key, value = len(row[1]), row[2], row[3]
        if indent == 0:
            parent, section, entry = action, {}, None
            child = section
        elif indent == 2 and section is not None:
            parent, entry = section, {}
            child = entry
        elif indent == 4 and entry is not None:
            parent, child = entry, {}
        else:
            raise Malformed(f"action.yml:{number}: indented under nothing")
        if key in parent:
            raise Malformed(f"action.yml:{number}: {key} is there twice")
        parent[key] = child if value is None else read_scalar(value)
    return action


def compare_action(text, inputs, outputs):
    action = read_action(text)
    for section, rows in (("inputs", [(name, meaning) for _, name, meaning in inputs]), ("outputs", outputs)):
        found = action.get(section, {})
        yield from compare_names("action.yml", section, list(found), [name for name, _ in rows])
        for name, meaning in rows:
            entry = found.get(name, {})
            if entry and entry.get("description") != meaning:
                yield f"action.yml: {section}.{name}: says {entry.get('description')!r}, the program {meaning!r}"
            if "default" in entry:
                yield f"action.yml: {section}.{name}: has a default; the program could not tell it from a given value"
            if entry and (entry.get("required") == "true") != meaning.endswith(REQUIRED):
                yield f"action.yml: {section}.{name}: required is not as in the program"
            for key in set(entry) - {"description", "default", "required"}:
                yield f"action.yml: {section}.{name}: unknown key {key}"
    image = action.get("runs", {}).get("image", "")
    if image != "Dockerfile" and not re.fullmatch(r"docker://ghcr\.io/[a-z0-9./_-]+@sha256:[0-9a-f]{64}", image):
        yield f"action.yml: runs.image: neither the Dockerfile nor an image by digest: {image!r}"
    if action.get("runs") != {"using": "docker", "image": image, "post-entrypoint": "/cleanup"}:
        yield "action.yml: runs: needs using, image and post-entrypoint: /cleanup, nothing else"
    for key in ("name", "description", "branding"):
        if not action.get(key):
            yield f"action.yml: no {key}"


def compare_names(file, kind, found, wanted):
    for name in wanted:
        if name not in found:
            yield f"{file}: {kind}: {name} is missing"
    for name in found:
        if name not in wanted:
            yield f"{file}: {kind}: {name} is not known to the program"
        if found.count(name) > 1:
            yield f"{file}: {kind}: {name} is there {found.count(name)} times"
    if not set(found) ^ set(wanted) and found != wanted:
        yield f"{file}: {kind}: the order is not the program's"


def print_action(inputs, outputs):
    print("inputs:")
    for _, name, text in inputs:
        print(f"  {name}:\n    description: {json.dumps(text, ensure_ascii=False)}")
        if text.endswith(REQUIRED):
            print("    required: true")
    print("\noutputs:")
    for name, text in outputs:
        print(f"  {name}:\n    description: {json.dumps(text, ensure_ascii=False)}")


# ---- README.md: tables ----

def plain(cell):
    return cell.replace("`", "").replace("\\|", "|").replace("&lt;", "<").strip()


def read_tables(text, head):
    """The rows (lists of plain cells) of every table whose first column is headed `head`."""
    rows, inside = [], False
    for line in text.splitlines():
        if not line.startswith("|"):
            inside = False
            continue
        cells = [plain(cell) for cell in re.split(r"(?<!\\)\|", line.strip()[1:-1])]
        if cells[0] == head:
            inside = True
        elif inside and not re.fullmatch(r"[-: |]+", line) and not cells[0].startswith("**"):
            rows.append(cells)
    return rows


def compare_readme(text, inputs, outputs):
    wanted_inputs = {name: (split_default(meaning)[1], split_default(meaning)[0]) for _, name, meaning in inputs}
    for kind, wanted in (("input", wanted_inputs), ("output", {name: (meaning,) for name, meaning in outputs})):
        rows = read_tables(text, kind)
        yield from compare_names("README.md", kind + "s", [row[0] for row in rows], list(wanted))
        for row in rows:
            if row[0] in wanted and tuple(row[1:]) != tuple(plain(cell) for cell in wanted[row[0]]):
                yield f"README.md: {kind} {row[0]}: says {row[1:]}, the program {list(wanted[row[0]])}"


# ---- tests/promise: what a major version promises ----

# The program says what else it would take: these are no promise, since they say what happens where nothing is given.
SAID_OTHERWISE = {"target": "the last stage", "memory-size": "untouched", "timeout": "untouched", "ephemeral-storage": "untouched",
                  "description": "untouched"}


def read_promise(text):
    """(kind, name, default, later) of each line."""
    for line in text.splitlines():
        row = re.fullmatch(r"(command|exit|input|output) (\S+)(?: = (.*?))?( later)?", line)
        if row:
            yield row[1], row[2], row[3] or "", bool(row[4])
        elif line and not line.startswith("#"):
            raise Malformed(f"tests/promise: not `kind name = default`: {line}")


def compare_promise(promised, printed, inputs, outputs):
    known = {name: meaning for _, name, meaning in inputs}
    for kind, name, default, later in promised:
        there = {"input": known, "output": dict(outputs)}.get(kind)
        if kind == "command":
            there = re.findall(r"^  ([a-z]+) {2,}\S", printed, re.M)
        elif kind == "exit":
            there = re.findall(r"\b\d+\b", printed.partition("\nExit codes: ")[2])
        if name not in there:
            yield f"tests/promise: {kind} {name}: the program has it no more"
        elif kind == "input":
            meaning, value = split_default(known[name])
            if value != default and SAID_OTHERWISE.get(name) != value:
                yield f"tests/promise: {name}: the default was {default!r} and is {value!r}"
            if meaning.endswith(NOT_YET) and not later:
                yield f"tests/promise: {name}: not supported any more"
    for kind, names in (("input", list(known)), ("output", [name for name, _ in outputs])):
        for name in names:
            if name not in [each for of_kind, each, _, _ in promised if of_kind == kind]:
                yield f"tests/promise: {kind} {name} is not there: add it"


def escape(text):
    return text.replace("|", "\\|")


def print_readme(inputs, outputs):
    print("| input | default | meaning |\n|---|---|---|")
    group = None
    for of_group, name, text in inputs:
        meaning, default = split_default(text)
        if of_group != group:
            group = of_group
            print(f"| **{group}** | | |")
        is_literal = default and default not in ("required", "untouched") and ("<" in default or " " not in default)
        print(f"| `{name}` | {escape(f'`{default}`' if is_literal else default)} | {escape(meaning)} |")
    print("\n| output | meaning |\n|---|---|")
    for name, text in outputs:
        print(f"| `{name}` | {escape(text)} |")


def main(arguments):
    if len(arguments) not in (1, 3) or (len(arguments) == 3 and arguments[1] != "--print"):
        print(__doc__, file=sys.stderr)
        return 2
    printed = subprocess.run([arguments[0], "--help"], check=True, capture_output=True, text=True, timeout=20).stdout
    try:
        inputs = read_help(printed)
        outputs = read_outputs((ROOT / "src/model/outputs.c").read_text(encoding="utf-8"))
        if len(arguments) == 3:
            {"action": print_action, "readme": print_readme}[arguments[2]](inputs, outputs)
            return 0
        compared, problems = ["action.yml"], list(
            compare_action((ROOT / "action.yml").read_text(encoding="utf-8"), inputs, outputs))
        readme = ROOT / "README.md"
        promise = list(read_promise((ROOT / "tests/promise").read_text(encoding="utf-8")))
        problems += compare_promise(promise, printed, inputs, outputs)
        compared.append("tests/promise")
        if readme.exists():
            compared.append("README.md")
            problems += compare_readme(readme.read_text(encoding="utf-8"), inputs, outputs)
    except Malformed as error:
        print(f"check_docs: {error}", file=sys.stderr)
        return 1
    for problem in problems:
        print(problem, file=sys.stderr)
    if not problems:
        print(f"{len(inputs)} inputs and {len(outputs)} outputs agree in {', '.join(compared)}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
