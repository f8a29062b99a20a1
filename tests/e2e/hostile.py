"""Text that strangers write to be taken for something else by GitHub's runner or by who reads its pages, and what a run may not
have made of it. Each string has a mark of its own."""

import re
import unicodedata

from . import commands

COMMANDS = ("error", "warning", "notice", "group", "endgroup", "add-mask", "set-output name=deployed", "save-state name=a",
            "set-env name=PATH", "add-path", "stop-commands", "debug")
# How a command is written; {0} is its name, {1} the mark.
FORMS = (
    "::{0}::{1}", "  ::{0}::{1}", "\t::{0}::{1}", "\u00a0::{0}::{1}", "\u3000::{0}::{1}", "\ufeff::{0}::{1}",
    "\u200b::{0}::{1}", ":\u200b:{0}::{1}", "\u202e::{0}::{1}", "{1}\r::{0}::{1}", "{1}\x85::{0}::{1}",
    "{1}\u2028::{0}::{1}", "{1}\x0b::{0}::{1}", "\x1b[2K\x1b[1G::{0}::{1}", "\x08::{0}::{1}", "##[{0}]{1}", "{1} ##[{0}]{1}",
    "#\u00ad#[{0}]{1}",
)
MARKUP = (
    "<img src={0} onerror=alert(1)>", "</details></table>{0}", "| {0} | x | y |", "[{0}](https://evil.example/)",
    "![{0}](https://evil.example/x.png)", "```{0}", "<!-- {0}", "# {0}", "@octo-org/{0}", "~~~{0}", "&lt;{0}&gt;", "\\|{0}\\|",
    "<a href=https://evil.example>{0}</a>", "{0}\x07\x1b]8;;https://evil.example\x07link\x1b]8;;\x07", "$\\text{{{0}}}$",
    "[{0}]: https://evil.example", "- [ ] {0}", "deployed<<{0}", "deployed={0}", "ghadelimiter_{0}",
)


def strings():
    """Over two hundred of them."""
    found = []
    for command in COMMANDS:
        for form in FORMS:
            found.append(form.format(command, f"HOSTILE{len(found)}x"))
    for form in MARKUP:
        found.append(form.format(f"HOSTILE{len(found)}x"))
    return found


def marks(text):
    return set(re.findall(r"HOSTILE\d+x", text))


def readings(line):
    """A line as the runner may read it: as it is, and without the characters that a comparison passes over."""
    yield line
    yield "".join(char for char in line if unicodedata.category(char) not in ("Cf", "Cc", "Mn") or char == "\t")


def forged(lines):
    """Lines that are commands by somebody else's hand: what follows the command's name at once is a mark."""
    return [line for line in lines if any(is_forged(line, reading) for reading in readings(line))]


def is_forged(line, reading):
    command = commands.parse_command(reading)
    if not command:
        return False
    foreign = re.match(r"\s*HOSTILE", command.data) or marks(str(command.properties))
    return bool(foreign) or not line.startswith("::")


def markup(summary):
    """What of the strings is alive in the summary: tags, links, headings, fences, table rows."""
    alive = (r"<(?:img\b|a\b|!--)[^>]*HOSTILE", r"</details></table>HOSTILE", r"(?<!\\)\]\(https://evil", r"^# HOSTILE",
             r"^[`~]{3}HOSTILE", r"^\| HOSTILE", r"@octo-org/HOSTILE", r"^\[HOSTILE\d+x\]:", r"\$\\text")
    return [found[0] for pattern in alive if (found := re.search(pattern, summary, re.MULTILINE))]
