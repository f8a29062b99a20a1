"""The GitHub runner's own rules for what a step writes: file commands and workflow commands.

Pure functions. Rules: actions/runner FileCommandManager.cs (files), ActionCommand.cs and ActionCommandManager.cs
(lines), and GitHub's documentation of workflow commands.
"""

import dataclasses
import re

SUMMARY_MAX_BYTES = 1 << 20
ANNOTATIONS_SHOWN = 10  # of each kind, for a step
ANNOTATION_MAX_CHARS = 4096

# Commands that the runner knows; any other `::word::` is plain text.
KNOWN = {
    "add-mask", "add-matcher", "add-path", "debug", "echo", "endgroup", "error", "group", "notice", "remove-matcher",
    "save-state", "set-env", "set-output", "stop-commands", "warning",
}
REFUSED = {"add-path", "save-state", "set-env", "set-output"}  # the old ones, which files have replaced
ANNOTATIONS = ("error", "warning", "notice")


class Malformed(ValueError):
    """A file that makes the runner fail the step."""


def parse_pairs(data):
    """The pairs of GITHUB_OUTPUT, GITHUB_STATE or GITHUB_ENV as a dict. Raises Malformed."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed(f"not UTF-8: {error}") from error
    pairs = {}
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    at = 0
    while at < len(lines):
        line = lines[at]
        at += 1
        if line == "":
            continue
        equals, heredoc = line.find("="), line.find("<<")
        if equals >= 0 and (heredoc < 0 or equals < heredoc):
            key, value = line.split("=", 1)
        elif heredoc >= 0:
            key, delimiter = line.split("<<", 1)
            if not key or not delimiter:
                raise Malformed(f"line {at}: neither name nor delimiter may be empty: {line!r}")
            try:
                end = lines.index(delimiter, at)
            except ValueError:
                raise Malformed(f"line {at}: no line {delimiter!r} ends the value of {key!r}") from None
            value = "\n".join(lines[at:end])
            at = end + 1
        else:
            raise Malformed(f"line {at}: no '=' and no '<<': {line!r}")
        if not key:
            raise Malformed(f"line {at}: no name: {line!r}")
        pairs[key] = value
    return pairs


def parse_summary(data):
    """The step's summary as text. Raises Malformed where the runner would drop it."""
    if len(data) > SUMMARY_MAX_BYTES:
        raise Malformed(f"{len(data)} bytes: over 1 MiB the runner drops all of it")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed(f"not UTF-8: {error}") from error


@dataclasses.dataclass(frozen=True)
class Command:
    name: str
    properties: dict
    data: str


def _unescape(text, pairs):
    for code, char in pairs:
        text = re.sub(re.escape(code), lambda _, c=char: c, text, flags=re.IGNORECASE)
    return text.replace("%25", "%")


_DATA = (("%0D", "\r"), ("%0A", "\n"))
_PROPERTY = _DATA + (("%3A", ":"), ("%2C", ","))
_LEGACY = (("%3B", ";"),) + _DATA + (("%5D", "]"),)


def _properties(text, separator, escapes):
    found = {}
    for part in text.split(separator):
        name, equals, value = part.strip().partition("=")
        if equals and name.strip():
            found[name.strip()] = _unescape(value, escapes)
    return found


def parse_command(line, known=KNOWN):
    """The command that the runner reads in this line, or None."""
    stripped = line.lstrip()
    if stripped.startswith("::"):
        end = stripped.find("::", 2)
        if end > 0:
            name, _, properties = stripped[2:end].partition(" ")
            if name.lower() in known:
                return Command(name.lower(), _properties(properties, ",", _PROPERTY),
                               _unescape(stripped[end + 2:], _DATA))
    start = line.find("##[")
    end = line.find("]", start)
    if start >= 0 and end > start:
        name, _, properties = line[start + 3:end].partition(" ")
        if name.lower() in known:
            return Command(name.lower(), _properties(properties, ";", _LEGACY), _unescape(line[end + 1:], _LEGACY))
    return None


@dataclasses.dataclass
class Annotation:
    level: str
    message: str
    properties: dict


@dataclasses.dataclass
class Group:
    title: str
    lines: list
    closed: bool = False


@dataclasses.dataclass
class Log:
    """What a step's lines mean. `shown` is what a person reads, secrets hidden."""
    groups: list = dataclasses.field(default_factory=list)
    annotations: list = dataclasses.field(default_factory=list)
    masks: list = dataclasses.field(default_factory=list)
    debug: list = dataclasses.field(default_factory=list)
    shown: list = dataclasses.field(default_factory=list)
    problems: list = dataclasses.field(default_factory=list)

    def level(self, level):
        return [note.message for note in self.annotations if note.level == level]

    @property
    def errors(self):
        return self.level("error")

    @property
    def warnings(self):
        return self.level("warning")

    def group(self, part):
        """The first group whose title holds `part`, in any case of letters, or None."""
        return next((group for group in self.groups if part.lower() in group.title.lower()), None)

    @property
    def text(self):
        return "\n".join(self.shown)


def hide(text, masks):
    for mask in sorted(masks, key=len, reverse=True):
        text = text.replace(mask, "***")
    return text


class _Reader:
    def __init__(self):
        self.log = Log()
        self.open = None
        self.stopped = None

    def show(self, text):
        for line in text.split("\n"):
            line = hide(line, self.log.masks)
            self.log.shown.append(("  " if self.open else "") + line)
            if self.open:
                self.open.lines.append(line)

    def problem(self, text):
        self.log.problems.append(text)

    def read(self, line):
        if self.stopped is not None:
            if parse_command(line, {self.stopped}):
                self.stopped = None
            else:
                self.show(line)
            return
        command = parse_command(line)
        if command is None:
            self.show(line)
        elif command.name in REFUSED:
            self.problem(f"old command, which the runner refuses or warns of: {line!r}")
        elif command.name in ANNOTATIONS:
            self.annotate(command)
        else:
            getattr(self, "do_" + command.name.replace("-", "_"))(command)

    def annotate(self, command):
        message = hide(command.data, self.log.masks)
        if not message.strip():
            self.problem(f"empty ::{command.name}::")
        if len(message) > ANNOTATION_MAX_CHARS:
            self.problem(f"::{command.name}:: of {len(message)} characters is cut at {ANNOTATION_MAX_CHARS}")
        self.log.annotations.append(Annotation(command.name, message, command.properties))
        if len(self.log.level(command.name)) == ANNOTATIONS_SHOWN + 1:
            self.problem(f"more than {ANNOTATIONS_SHOWN} annotations of kind {command.name}: the rest is not shown")
        self.show(f"{command.name.capitalize()}: {message}")

    def do_group(self, command):
        if self.open:
            self.problem(f"group {command.data!r} begins within group {self.open.title!r}")
        group = Group(hide(command.data, self.log.masks), [])
        self.open = None
        self.show("▼ " + command.data)
        self.open = group
        self.log.groups.append(group)

    def do_endgroup(self, _):
        if not self.open:
            self.problem("endgroup without a group")
            return
        self.open.closed = True
        self.open = None

    def do_debug(self, command):
        self.log.debug.append(hide(command.data, self.log.masks))

    def do_add_mask(self, command):
        if not command.data.strip():
            self.problem("add-mask of nothing")
        for value in {command.data, *(line.strip() for line in re.split(r"[\r\n]+", command.data))}:
            if value and value not in self.log.masks:
                self.log.masks.append(value)

    def do_stop_commands(self, command):
        if len(command.data) <= 6 or command.data.lower() in KNOWN:
            self.problem(f"stop-commands with a token that can be guessed: {command.data!r}")
        self.stopped = command.data.lower()
        if command.data not in self.log.masks:
            self.log.masks.append(command.data)

    def do_echo(self, _):
        pass

    def do_add_matcher(self, _):
        pass

    do_remove_matcher = do_add_matcher

    def finish(self):
        if self.open:
            self.problem(f"group {self.open.title!r} is never closed")
        if self.stopped is not None:
            self.problem("commands are stopped and never resumed")
        return self.log


def parse_log(lines):
    """Read a step's lines (text without line ends) as the runner does."""
    reader = _Reader()
    for line in lines:
        reader.read(line)
    return reader.finish()


def split_lines(data, at_end):
    """(lines, rest): lines end with \\n, \\r or \\r\\n, as the runner's reader has it."""
    lines, start = [], 0
    for end in re.finditer(rb"\r\n|\n|\r", data):
        if end[0] == b"\r" and end.end() == len(data) and not at_end:
            break  # perhaps the first half of \r\n
        lines.append(data[start:end.start()])
        start = end.end()
    if at_end and start < len(data):
        lines.append(data[start:])
        start = len(data)
    return lines, data[start:]
