#!/usr/bin/env python3
"""Is what the Markdown files say still so?

    python3 tests/check_guides.py            exit 1 and one line for each thing that is not
    python3 tests/check_guides.py --write    first write the files' present text into the code blocks that show them

- Each relative link leads to a file of the project, and its #anchor to a heading or an id there.
- docs/troubleshooting.md and the table in src/model/troubleshooting.c: each anchor of the table is there, and each
  anchor there is in the table; no two rows of the table are for the same errors.
- Each message that is quoted in a table headed `message` is one of the program's: its parts between "…" are found in
  the string literals of src/.
- Each `make TARGET` is a target of the Makefile, and each target for people is once in CONTRIBUTING.md's tables.
- A code block behind <!-- file: PATH --> is the text of that file, and one behind <!-- part of: PATH --> a part of it.
"""

import pathlib
import re
import subprocess
import sys
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parent.parent
TROUBLESHOOTING = ROOT / "docs/troubleshooting.md"
TABLE = ROOT / "src/model/troubleshooting.c"
SHORT = 8  # parts of messages with fewer characters say too little to be looked for
ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\"}
LITERAL = r'"(?:[^"\\\n]|\\.)*"'


def markdown_files():
    """Every .md file of the project: what git knows, else what lies here outside of build/."""
    listed = subprocess.run(["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.md"],
                            capture_output=True, check=False)
    if listed.returncode == 0:
        paths = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    else:
        paths = [path for path in ROOT.rglob("*.md") if "build" not in path.relative_to(ROOT).parts]
    return sorted(path for path in paths if path.is_file())


def blocks(text):
    """(line number, text of the line before the fence, info string, content) of each fenced block."""
    found, fence, before = [], None, ""
    for number, line in enumerate(text.splitlines(), 1):
        mark = re.match(r"\s*(```+|~~~+)(.*)", line)
        if fence is None and mark:
            fence, info, start, content = mark[1], mark[2].strip(), number, []
        elif fence is not None and mark and mark[1].startswith(fence) and not mark[2].strip():
            found.append((start, before, info, "\n".join(content) + "\n"))
            fence = None
        elif fence is not None:
            content.append(line)
        if fence is None and line.strip():
            before = line.strip()
    return found


def prose(text):
    """The lines outside of fenced blocks, with code spans emptied: (number, line)."""
    fence = None
    for number, line in enumerate(text.splitlines(), 1):
        mark = re.match(r"\s*(```+|~~~+)", line)
        if mark and fence is None:
            fence = mark[1]
        elif mark and mark[1].startswith(fence):
            fence = None
        elif fence is None:
            yield number, re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "``", line)


def slug(heading):
    """GitHub's anchor of a heading."""
    plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").strip().lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


def anchors(text):
    found, seen, inside = set(), {}, None
    for line in text.splitlines():
        mark = re.match(r"\s*(```+|~~~+)", line)
        if mark:
            inside = None if inside and mark[1].startswith(inside) else inside or mark[1]
            continue
        if inside:
            continue
        found.update(re.findall(r'<a (?:id|name)="([^"]+)"', line))
        heading = re.match(r"#{1,6} +(.*?) *#*$", line)
        if heading:
            name = slug(heading[1])
            found.add(f"{name}-{seen[name]}" if name in seen else name)
            seen[name] = seen.get(name, 0) + 1
    return found


def check_links(path, text):
    where = path.relative_to(ROOT)
    for number, line in prose(text):
        targets = re.findall(r"\]\(<?([^)\s>]+)>?(?: \"[^\"]*\")?\)", line)
        targets += re.findall(r"(?:src|href|srcset)=\"([^\"]+)\"", line) + re.findall(r"^\[[^]]+\]: (\S+)", line)
        for target in targets:
            if re.match(r"[a-z][a-z0-9+.-]*:", target):
                continue
            name, _, anchor = urllib.parse.unquote(target).partition("#")
            goal = (path.parent / name).resolve() if name else path
            if not goal.exists() or not goal.is_relative_to(ROOT):
                yield f"{where}:{number}: {target}: there is no such file"
            elif anchor and (goal.suffix != ".md" or anchor not in anchors(goal.read_text(encoding="utf-8"))):
                yield f"{where}:{number}: {target}: there is no such anchor"


def check_copies(path, text):
    where = path.relative_to(ROOT)
    for number, before, _, content in blocks(text):
        mark = re.fullmatch(r"<!-- (file|part of): (\S+) -->", before)
        if not mark:
            continue
        source = ROOT / mark[2]
        if not source.is_file():
            yield f"{where}:{number}: there is no {mark[2]}"
            continue
        original = source.read_text(encoding="utf-8")
        if content != original if mark[1] == "file" else content not in original:
            yield f"{where}:{number}: not the text of {mark[2]}"


def write_copies(path):
    """The code blocks behind <!-- file: PATH --> get the present text of their files."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    for number, before, _, content in reversed(blocks("".join(lines))):
        mark = re.fullmatch(r"<!-- file: (\S+) -->", before)
        if mark and (ROOT / mark[1]).is_file():
            lines[number:number + content.count("\n")] = [(ROOT / mark[1]).read_text(encoding="utf-8")]
    path.write_text("".join(lines), encoding="utf-8")


# ---- errors and their places ----

def table_rows(source):
    """(stage, kind, anchor) of the table `places` in C."""
    table = re.search(r"\bplaces\[\] = \{\n(.*?)^\};", source, re.S | re.M)
    rows = re.findall(r'\{(NULL|\w+|"[^"]*"), (\w+),\s*"([^"]+)"\}', table[1]) if table else []
    if not rows or len(rows) != table[1].count("{"):
        sys.exit(f"check_guides: {TABLE.relative_to(ROOT)}: the table `places` is not {{stage, kind, \"anchor\"}}")
    return rows


def check_places(rows, text):
    where = TROUBLESHOOTING.relative_to(ROOT)
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "src/app.c", *sorted((ROOT / "src/stages").glob("*.c"))))
    stages = set(re.findall(r'\.name = "([a-z-]+)"', sources) + re.findall(r'fail_before_start\(app, "([a-z-]+)"', sources))
    for stage, _, anchor in rows:
        if stage.startswith('"') and stage.strip('"') not in stages:
            yield f"{TABLE.relative_to(ROOT)}: #{anchor} is for the stage {stage}, which is none"
    told = [anchor for _, _, anchor in rows]
    written = re.findall(r'^<a id="([^"]+)"></a>$', text, re.M)
    for anchor in sorted(set(told) - set(written)):
        yield f"{where}: the program names #{anchor}, which is not there"
    for anchor in sorted(set(written) - set(told)):
        yield f"{where}: no error leads to #{anchor}"
    for anchor in sorted({each for each in written if written.count(each) > 1}):
        yield f"{where}: #{anchor} is there more than once"
    for anchor in re.findall(r'^<a id="([^"]+)"></a>$(?!\n### )', text, re.M):
        yield f"{where}: #{anchor} has no heading below it"
    pairs = [row[:2] for row in rows]
    for pair in sorted({each for each in pairs if pairs.count(each) > 1}):
        yield f"{TABLE.relative_to(ROOT)}: two rows for {pair}"


def literals():
    """All string literals of the program, neighbours joined, conversions of printf as "…"."""
    texts = []
    for path in sorted((ROOT / "src").rglob("*.[ch]")):
        source = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.S)
        for joined in re.findall(rf"{LITERAL}(?:\s*{LITERAL})*", source):
            parts = re.findall(LITERAL, joined)
            text = "".join(re.sub(r"\\(.)", lambda match: ESCAPES.get(match[1], "?"), part[1:-1]) for part in parts)
            texts.append(re.sub(r"%[-+ #0-9.*]*(?:hh|ll|[hlzj])?[a-zA-Z]", "…", text))
    return texts


def quoted_messages(text):
    """(line number, message) of the tables headed `message`."""
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        if not line.startswith("|"):
            inside = False
            continue
        first = re.split(r"(?<!\\)\|", line)[1].strip()
        if first == "message":
            inside = True
        elif inside and first.startswith("`"):
            for _, message in re.findall(r"(`+) ?((?:(?!\1).)+?) ?\1(?!`)", first):
                yield number, message.replace("\\|", "|")


def check_messages(text, known):
    for number, message in quoted_messages(text):
        for part in re.split(r"…", message):
            part = part.strip(" ;:,")
            if len(part) >= SHORT and not any(part in literal for literal in known):
                yield f"{TROUBLESHOOTING.relative_to(ROOT)}:{number}: the program does not say: {part}"


# ---- make's targets ----

# Parts of others, and what everybody knows.
UNNAMED = {"all", "tools-build", "tools-check", "fuzz-build", "static-program", "layers", "format", "clean"}


def check_targets():
    """Each `make TARGET` of a page is one, and each target for people is in CONTRIBUTING.md's tables."""
    rules = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "Makefile", *sorted((ROOT / "packaging").glob("*.mk"))))
    targets = {name for names in re.findall(r"^\.PHONY: (.*)$", rules, re.M) for name in names.split()}
    for path in markdown_files():
        for name in re.findall(r"(?:`|^\$ )make ([a-z][a-z0-9-]*)", path.read_text(encoding="utf-8"), re.M):
            if name not in targets:
                yield f"{path.relative_to(ROOT)}: there is no target {name}"
    table = "\n".join(re.findall(r"^\| (.*?) \|", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.M))
    told = re.findall(r"`make ([a-z0-9-]+)", table)
    for name in sorted(targets - UNNAMED):
        if told.count(name) != 1:
            yield f"CONTRIBUTING.md: {name} is {told.count(name)} times in its tables"


def main(arguments):
    if arguments not in ([], ["--write"]):
        print(__doc__, file=sys.stderr)
        return 2
    problems, links = [], 0
    for path in markdown_files() if arguments else []:
        write_copies(path)
    for path in markdown_files():
        text = path.read_text(encoding="utf-8")
        links += len(re.findall(r"\]\(", text))
        problems += [*check_links(path, text), *check_copies(path, text)]
    text = TROUBLESHOOTING.read_text(encoding="utf-8")
    rows = table_rows(TABLE.read_text(encoding="utf-8"))
    problems += [*check_places(rows, text), *check_messages(text, literals()), *check_targets()]
    for problem in problems:
        print(problem, file=sys.stderr)
    if not problems:
        print(f"{len(markdown_files())} Markdown files with {links} links, {len(rows)} kinds of errors and "
              f"{len(list(quoted_messages(text)))} messages agree with the program")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
