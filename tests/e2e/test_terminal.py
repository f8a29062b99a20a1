"""What a person sees on a terminal: one live line while something takes long, colours unless NO_COLOR, JSON where it is asked for."""

import json
import re

from . import case, cloud
from .serving import FunctionCase

SLOW_BUILD = 'for word; do [ "$word" = build ] && sleep 2.6 && break; done\nexec "$REAL" "$@"\n'
LIVE = re.compile(r"\r\x1b\[K")
COLOUR = re.compile(r"\x1b\[\d*m")


class Terminal(FunctionCase):
    def on_terminal(self, project, *arguments, env=None, stdout=None, **more):
        """As in a terminal of its own; gives what came there, byte by byte."""
        flags = [part for name, value in self.wanted().items() for part in (f"--{name}", value)]
        step = self.step(project, github=False, inputs={}, env={**case.KEYS, "TERM": "xterm", **(env or {})},
                         arguments=[*arguments, *flags], **more)
        step.terminal, step.terminal_stdout = True, stdout
        run = step.run()
        self.runs.append(run)
        self.assertNoSecret(run)
        return run, "\n".join(line.text for line in run.lines)

    def test_live_line_and_colours(self):
        project, _ = self.serve()
        run, said = self.on_terminal(project, "deploy", shims={"buildx": SLOW_BUILD})
        self.assertExit(run, 0)
        self.assertRegex(said, r"Application image: \d\.\d s so far")
        self.assertRegex(said, COLOUR)
        self.assertNotRegex(said, r"::(group|error)")
        self.serves("1")

    def test_no_colour(self):
        project, _ = self.serve()
        for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
            with self.subTest(env=env):
                run, said = self.on_terminal(project, "status", env=env)
                self.assertExit(run, 0)
                self.assertNotRegex(said, COLOUR)

    def test_json_beside_a_terminal(self):
        """The JSON goes where standard output goes, the log stays on the terminal."""
        project, _ = self.serve()
        place = self.folder / "out"
        place.mkdir()
        place.chmod(0o777)
        run, said = self.on_terminal(project, "plan", "--json", stdout=place / "result.json")
        self.assertExit(run, 0)
        self.assertEqual(json.loads((place / "result.json").read_text(encoding="utf-8"))["outcome"], "planned")
        self.assertIn("function: ", said)
        self.assertNotIn('"outcome"', said)
        self.assertEqual(cloud.changes(self.since(self.mark())), [])
