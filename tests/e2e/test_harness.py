"""The harness itself: it must read what a step leaves as strictly as GitHub's runner, and really start it that way."""

import pathlib
import signal
import tempfile
import unittest

from . import commands, events, projects, runner


class FileCommands(unittest.TestCase):
    def test_pairs(self):
        for data, pairs in (
                (b"", {}),
                (b"a=1\n", {"a": "1"}),
                (b"a=1<<2\n", {"a": "1<<2"}),
                (b"a<<E\nx=1\n\n<<y\nE\nb<<F\nF\n", {"a": "x=1\n\n<<y", "b": ""}),
                (b"a<<E\nE \n E\nE", {"a": "E \n E"}),
                (b"a<<E\r\nx\r\nE\r\n", {"a": "x\r"}),
                (b"\n\na=\xc3\xa4\n", {"a": "\u00e4"})):
            with self.subTest(data=data):
                self.assertEqual(commands.parse_pairs(data), pairs)

    def test_malformed(self):
        for data in (b"a\n", b"=1\n", b"<<E\nx\nE\n", b"a<<\nx\n", b"a<<E\nx\n", b"a<<E\nx\n E\n", b"a=\xff\n",
                     b"a<<E\nx\nE\nrest\n"):
            with self.subTest(data=data), self.assertRaises(commands.Malformed):
                commands.parse_pairs(data)

    def test_summary_limit(self):
        self.assertEqual(len(commands.parse_summary(b"x" * commands.SUMMARY_MAX_BYTES)), commands.SUMMARY_MAX_BYTES)
        with self.assertRaises(commands.Malformed):
            commands.parse_summary(b"x" * (commands.SUMMARY_MAX_BYTES + 1))


class WorkflowCommands(unittest.TestCase):
    def test_parse(self):
        for line, expected in (
                ("::error::no", ("error", {}, "no")),
                ("  ::error file=a%2Cb,line=3,title=x%3Ay::50%25%0Amore", ("error", {"file": "a,b", "line": "3",
                                                                                     "title": "x:y"}, "50%\nmore")),
                ("::ERROR::x%250A", ("error", {}, "x%0A")),
                ("text ##[warning]late", ("warning", {}, "late")),
                ("text ::error::no", None), ("::unknown::x", None), (":: error::x", None), ("::error:x", None),
                ("##[unknown]x", None)):
            with self.subTest(line=line):
                found = commands.parse_command(line)
                self.assertEqual(found and (found.name, found.properties, found.data), expected)

    def test_log(self):
        log = commands.parse_log(["before", "::add-mask::hunter22", "::group::One", "a hunter22", "::endgroup::",
                                  "::warning::careful", "::debug::d", "::stop-commands::token123", "::error::not one",
                                  "::token123::", "::error::one"])
        self.assertEqual(log.problems, [])
        self.assertEqual(log.groups[0].lines, ["a ***"])
        self.assertEqual(log.errors, ["one"])
        self.assertEqual(log.warnings, ["careful"])
        self.assertIn("::error::not one", log.shown)

    def test_log_problems(self):
        for lines in (["::group::a"], ["::endgroup::"], ["::group::a", "::group::b", "::endgroup::", "::endgroup::"],
                      ["::error::"], ["::add-mask::"], ["::set-output name=a::1"], ["::stop-commands::group"],
                      ["::stop-commands::token123"], ["::error::x"] * 11, ["::error::" + "x" * 5000]):
            with self.subTest(lines=lines[:2]):
                self.assertNotEqual(commands.parse_log(lines).problems, [])

    def test_lines(self):
        self.assertEqual(commands.split_lines(b"a\rb\r\nc\n\nd", True), ([b"a", b"b", b"c", b"", b"d"], b""))
        self.assertEqual(commands.split_lines(b"a\r", False), ([], b"a\r"))
        self.assertEqual(commands.split_lines(b"a\nrest", False), ([b"a"], b"rest"))


class Steps(unittest.TestCase):
    """A shell script in the program's place."""

    def step(self, script, **more):
        folder = tempfile.TemporaryDirectory(prefix="harness-", dir=runner.TEMPORARY)
        self.addCleanup(folder.cleanup)
        program = pathlib.Path(folder.name, "program")
        program.write_text("#!/bin/sh\n" + script, encoding="utf-8")
        program.chmod(0o755)
        workspace = pathlib.Path(folder.name, "workspace")
        workspace.mkdir()
        (workspace / "file").write_text("here\n", encoding="utf-8")
        return runner.Step(program, workspace, events.push(), {"function-name": "f", "build-args": "A=1\nB=2"}, **more)

    def run_script(self, script, **more):
        return self.step(script, **more).run(timeout_s=20)

    def test_surroundings(self):
        run = self.run_script("""
            echo "pid $$" "$(pwd)" "$HOME" "$(cat file)"
            env | grep -c ^INPUT_FUNCTION-NAME=f
            grep -c head_commit "$GITHUB_EVENT_PATH"
            read -r line || echo "stdin is empty"
            printf 'one=1\\nmany<<X\\na\\nb\\nX\\n' >>"$GITHUB_OUTPUT"
            printf '# Done\\n' >>"$GITHUB_STEP_SUMMARY"
            echo "on stderr" >&2
            exit 3""")
        self.assertEqual(run.exit_code, 3)
        self.assertEqual(run.lines[0].text, "pid 1 /github/workspace /github/home here")
        self.assertIn("stdin is empty", run.text)
        self.assertIn(("err", "on stderr"), [(line.stream, line.text) for line in run.lines])
        self.assertEqual(run.outputs, {"one": "1", "many": "a\nb"})
        self.assertEqual(run.summary, "# Done\n")
        self.assertEqual((run.problems, run.left_behind), ([], []))

    def test_outputs_that_are_malformed_or_masked(self):
        run = self.run_script("echo nonsense >>$GITHUB_OUTPUT")
        self.assertEqual(len(run.problems), 1)
        run = self.run_script("echo ::add-mask::123456789012; echo uri=123456789012.dkr >>$GITHUB_OUTPUT")
        self.assertEqual(len(run.problems), 1)

    def test_left_behind(self):
        run = self.run_script("mkdir -p $RUNNER_TEMP/x; touch $RUNNER_TEMP/x/y $HOME/z /tmp/t")
        self.assertEqual(sorted(run.left_behind), ["home/z", "runner_temp/x", "runner_temp/x/y", "tmp/t"])

    def test_signal(self):
        step = self.step("trap 'echo caught; exit 130' INT; echo ready; sleep 0.1; while :; do sleep 0.1; done")
        step.start()
        while not step.capture.lines:
            step.capture.threads[0].join(0.01)
        step.signal(signal.SIGINT)
        run = step.finish(20)
        self.assertEqual((run.exit_code, run.lines[-1].text), (130, "caught"))

    def test_time_limit(self):
        with self.assertRaisesRegex(runner.HarnessError, "not done after"):
            self.step("echo started; sleep 30").run(timeout_s=0.5)

    def test_processes(self):
        run = self.run_script("sleep 0.31 & sleep 0.2; git --version; wait")
        self.assertIn(["sleep", "0.31"], run.processes)
        self.assertEqual(run.called("git"), [["git", "--version"]])
        self.assertEqual(run.called("buildx"), [])

    def test_buildx_is_seen_and_can_be_hidden(self):
        run = self.run_script("buildx version")
        self.assertEqual((run.exit_code, run.called("buildx")), (0, [["buildx", "version"]]))
        run = self.run_script("command -v buildx && exit 0; test -e /var/run/docker.sock && exit 0; exit 5",
                              hide=["/usr/local/bin/buildx", "/run"])
        self.assertEqual((run.exit_code, run.called("buildx")), (5, []))

    def test_not_started(self):
        step = self.step("")
        step.binary = "/nonexistent"
        self.assertEqual(step.run().exit_code, 127)

    def test_valgrind_finding_is_an_error(self):
        with self.assertRaisesRegex(runner.HarnessError, "valgrind found something"):
            self.step("exit 99", wrap="valgrind").run()

    def test_valgrind_tells_of_a_descriptor_that_stays_open(self):
        with self.assertRaisesRegex(runner.HarnessError, "Open file descriptor 7: "):
            self.run_script("exec 7</dev/zero; exit 0", wrap="valgrind")
        known = "==1== FILE DESCRIPTORS: 4 open (3 std) at exit.\n==1== Open file descriptor 9: /x\n==1==    <inherited from parent>\n==1== \n"
        self.assertEqual(runner.without_inherited_descriptors(known), "")
        self.assertIn("/y", runner.without_inherited_descriptors(known + "==1== Open file descriptor 4: /y\n==1==    at 0x1: open (x.c:2)\n"))

    def test_declared_inputs(self):
        with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
            file.write("name: x\ninputs:\n  a-b:\n    description: 'd: e'\n    default: 'it''s'\n  c:\n"
                       "    required: true\n  d:\n    default: \"1\"\noutputs:\n  e:\n    default: 2\n")
            file.flush()
            self.assertEqual(runner.declared_inputs(pathlib.Path(file.name)), {"a-b": "it's", "c": "", "d": "1"})

    def test_the_function_is_compiled_once(self):
        first = projects.function_binary()
        self.assertEqual((first, first.stat().st_mtime_ns),
                         (projects.function_binary(), first.stat().st_mtime_ns))
