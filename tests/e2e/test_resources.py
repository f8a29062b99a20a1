"""A machine that has too little of something: an error that names it, an exit code that is right, no output file with half a value, and the function answers."""

import subprocess

from . import case
from .serving import FunctionCase

PAGE = 4096
FULL = "No space left on device"


class ResourceCase(FunctionCase):
    base_stands = True

    def ready(self, project, **changes):
        return self.step(project, inputs=self.wanted(**changes))

    def finish_anyhow(self, step):
        """Whatever the machine lacked: it ended by itself, said why it failed, and left what the runner takes."""
        run = step.run()
        self.runs.append(run)
        self.assertNoSecret(run)
        self.assertEqual(run.problems, [], "the runner would not have taken this")
        self.assertEqual(run.left_behind, [], "files are left behind")
        self.assertIn(run.exit_code, (0, 1), "exit code")
        if run.exit_code == 1:
            self.assertErrorsHaveHelp(run)
        return run

    def assertNamed(self, run, *words):
        """It failed, and its first error says so."""
        self.assertExit(run, 1)
        self.assertTrue(run.log.errors, "no error")
        for word in words:
            self.assertIn(word, run.log.errors[0])

    def assertStillAnswers(self, run, before="0", after="1"):
        self.serves(after if run.outputs.get("deployed") == "true" or run.exit_code == 0 else before)

    def assertPlainRunArrives(self, project):
        run = self.run_step(project, inputs=self.wanted())
        self.assertExit(run, 0)
        self.serves("1")


class Disk(ResourceCase):
    def test_full_disk_for_temporary_files(self):
        project, _ = self.serve()
        step = self.ready(project)
        step.small = {"runner_temp": 0, "tmp": 0}
        run = self.finish_anyhow(step)
        self.assertNamed(run, FULL)
        self.assertEqual(run.outputs["deployed"], "false")
        self.serves("0")
        self.assertPlainRunArrives(project)

    def test_little_space_for_temporary_files(self):
        """Wherever it runs out, from the first file on: all of the run or nothing of it."""
        project, _ = self.serve()
        for pages in (1, 2, 3, 5, 8, 16):
            with self.subTest(pages=pages):
                step = self.ready(project, skip_unchanged="false")
                step.small = {"runner_temp": pages * PAGE, "tmp": PAGE}
                run = self.finish_anyhow(step)
                if run.exit_code != 0:
                    self.assertNamed(run, "space")
                    self.serves("0")
        self.assertExit(self.runs[-1], 0)
        self.serves("1")

    def test_nothing_to_build_needs_no_space(self):
        project, _ = self.serve()
        self.assertPlainRunArrives(project)
        step = self.ready(project)
        step.small = {"runner_temp": 0, "tmp": 0, "home": 0}
        self.assertExit(self.finish_anyhow(step), 0)

    def test_full_disk_for_outputs_and_summary(self):
        """The deployment is done, but the steps behind it cannot know of it: the step fails, and says what could not be written."""
        project, _ = self.serve()
        step = self.ready(project)
        step.small = {"file_commands": 0}
        run = self.finish_anyhow(step)
        self.assertNamed(run, "could not be written", FULL)
        self.assertEqual((run.outputs, run.state, run.summary), ({}, {}, ""))
        self.serves("1")
        self.assertPlainRunArrives(project)

    def test_little_space_for_outputs_and_summary(self):
        """What is there is whole."""
        project, _ = self.serve()
        whole = self.run_step(project, inputs=self.wanted())
        self.assertExit(whole, 0)
        for pages in (1, 2, 3, 4, 6, 64):
            with self.subTest(pages=pages):
                step = self.ready(project)
                step.small = {"file_commands": pages * PAGE}
                run = self.finish_anyhow(step)
                self.assertTrue(set(run.outputs) <= set(whole.outputs))
                for name in ("image-digest", "function-arn"):
                    self.assertIn(run.outputs.get(name), (None, whole.outputs[name]))
                if run.exit_code == 0:
                    self.assertEqual(set(run.outputs), set(whole.outputs))
                    self.assertTrue(run.summary.endswith("\n"))
                else:
                    self.assertNamed(run, "could not be written", FULL)
        self.assertExit(self.runs[-1], 0)

    def test_full_disk_for_the_build_context(self):
        """Nothing is written where the checkout is."""
        project, _ = self.serve()
        disk = self.folder / "disk"
        disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "none", str(disk)], check=True)
        self.addCleanup(subprocess.run, ["umount", str(disk)], check=True)
        subprocess.run(["cp", "-a", f"{project.folder}/.", str(disk)], check=True)
        filled = subprocess.run(["dd", "if=/dev/zero", f"of={disk}/filler", "bs=64k"], capture_output=True, text=True, check=False)
        self.assertIn(FULL, filled.stderr)
        step = self.ready(project)
        step.workspace = str(disk)
        run = self.finish_anyhow(step)
        self.check_run(run)
        self.assertExit(run, 0)
        self.serves("1")

    def test_read_only_workspace(self):
        project, _ = self.serve()
        step = self.ready(project)
        step.read_only = ["/github/workspace"]
        run = self.finish_anyhow(step)
        self.check_run(run)
        self.assertExit(run, 0)
        self.serves("1")

    def test_limit_of_a_files_size(self):
        """`ulimit -f`: a write beyond it must not end the program by a signal."""
        project, _ = self.serve()
        for size in (0, 512):
            with self.subTest(size=size):
                step = self.ready(project)
                step.limits = {"fsize": size}
                run = self.finish_anyhow(step)
                self.assertNamed(run)
                self.serves("0")
        self.assertPlainRunArrives(project)


class Descriptors(ResourceCase):
    base_stands = False

    def test_few_descriptors(self):
        """From so few that nothing can be opened to enough: an error that names it, or all is done."""
        project, _ = self.serve()
        codes = {}
        least = 24 if case.Options.wrap == "valgrind" else 4  # it needs some itself
        for count in (4, 8, 12, 16, 24, 64):
            if count < least:
                continue
            with self.subTest(descriptors=count):
                step = self.ready(project, skip_unchanged="false")
                step.limits = {"nofile": count}
                run = self.finish_anyhow(step)
                codes[count] = run.exit_code
                if run.exit_code != 0:
                    self.assertTrue(run.log.errors, "no error")
                    self.serves("1" if 0 in codes.values() else "0")
        self.assertEqual(codes[64], 0, codes)
        if least == 4:
            self.assertEqual(codes[4], 1, codes)
        self.assertPlainRunArrives(project)


class Streams(ResourceCase):
    def deployed(self, streams):
        """What a run with such streams left; nobody reads its log."""
        project, _ = self.serve()
        step = self.ready(project)
        step.streams = streams
        run = step.run()
        self.runs.append(run)
        self.assertEqual((run.problems, run.left_behind), ([], []))
        self.assertExit(run, 0)
        self.assertEqual(run.outputs["deployed"], "true")
        self.assertIn("| ", run.summary)
        for text in (run.summary, *run.outputs.values()):
            self.assertNotIn("::group::", text, "a line of the log is in a file")
        self.assertNoSecret(run)
        self.serves("1")
        return run

    def test_closed_standard_output(self):
        self.assertEqual([line for line in self.deployed({1: None}).lines if line.stream == "out"], [])

    def test_everything_closed(self):
        self.assertEqual(self.deployed({0: None, 1: None, 2: None}).lines, [])

    def test_standard_output_on_a_full_disk(self):
        self.deployed({1: "/dev/full"})

    def test_both_on_a_full_disk(self):
        self.deployed({1: "/dev/full", 2: "/dev/full"})

    def test_result_that_cannot_be_printed(self):
        """--json is what the caller asked for: that it could not be written is no success."""
        project, _ = self.serve()
        for stream in (None, "/dev/full"):
            with self.subTest(stream=stream):
                step = self.step(project, arguments=("status", "--json", "--function-name", self.name), inputs={},
                                 github=False)
                step.streams = {1: stream}
                run = step.run()
                self.runs.append(run)
                self.assertExit(run, 1)
                self.assertIn("JSON", "\n".join(line.text for line in run.lines if line.stream == "err"))
