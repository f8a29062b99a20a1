"""A build of 5,000 steps and 100 MB of output: summary, outputs and memory stay small, and what matters is still there."""

import json
import os
import pathlib
import threading
import time

from . import case, commands, endless_build, figures, runner
from .serving import FunctionCase

STEPS = 5000
BYTES = 100_000_000
FEED = pathlib.Path(__file__).with_name("endless_build.py")
ENDLESS = f'[ "$1" = build ] && exec python3 -I -S {FEED} {STEPS} {BYTES}\nexec "$REAL" "$@"\n'
MEMORY_MAX = 48_000_000
OUTPUTS_MAX = 1_000_000  # of a job, as UTF-16
PROCESSOR_S_MAX = 10  # of the program's own


class Usage:
    """The most memory and the processor time that a process has had, as the kernel counts them, looked at until its end."""

    def __init__(self, pid):
        self.pid, self.most, self.processor_s = pid, 0, 0.0
        self.thread = threading.Thread(target=self.look_again, daemon=True)
        self.thread.start()

    def look_again(self):
        while True:
            try:
                status = pathlib.Path(f"/proc/{self.pid}/status").read_text(encoding="ascii", errors="replace")
                times = pathlib.Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii", errors="replace")
            except OSError:
                return
            ticks = times.rpartition(")")[2].split()[11:13]  # in user mode and in the kernel's
            self.processor_s = sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")
            for line in status.splitlines():
                if line.startswith("VmHWM:"):
                    self.most = int(line.split()[1]) * 1024
            time.sleep(0.02)


@case.slow
class Sizes(FunctionCase):
    alone = True
    needs_speed = True

    def test_endless_build(self):
        project, _ = self.serve()
        text = project.read("Dockerfile.lambda")
        project.write("Dockerfile.lambda", text + f"RUN make part-{STEPS}\n").commit()
        step = self.step(project, inputs=self.wanted(), shims={"buildx": ENDLESS})
        step.capture_by = runner.Counter
        step.start()
        usage = Usage(step.pid)
        run = step.finish()
        print(f"     {step.capture.bytes} bytes of log in {run.wall_s:.1f} s, {usage.processor_s:.1f} s of"
              f" the processor's, {usage.most} bytes of memory,"
              f" {len(run.summary.encode())} of summary, {len(run.outputs['result'])} of result")
        self.assertExit(run, 1)
        self.assertEqual(run.problems, [])
        self.assertGreater(step.capture.bytes, BYTES, "not all of the output was shown")
        self.assertTrue(0 < usage.processor_s < PROCESSOR_S_MAX, usage.processor_s)
        self.assertTrue(1_000_000 < usage.most < MEMORY_MAX, usage.most)
        self.check_summary(run)
        self.check_outputs(run)
        self.assertFalse([line for line in step.capture.seen if commands.parse_command(line.decode()) and b"wheel" in line])

    def check_summary(self, run):
        summary = run.summary
        self.assertLess(len(summary.encode()), commands.SUMMARY_MAX_BYTES)
        self.assertIn(f"RUN make part-{STEPS} ended with status 2", summary)
        self.assertIn("```text\n0123456789 collecting", summary, "its output begins with a whole line")
        self.assertIn("wheel 000198", summary, "the end of what the failed step said")
        for shown in ("[1/5000]", "[5000/5000]", "FAILED"):
            self.assertIn(shown, summary)
        self.assertRegex(summary, rf"\[{STEPS // 3}/5000\] RUN make part-{STEPS // 3} +{endless_build.LONG_S}\.\d s", "the slowest")
        self.assertRegex(summary, r"\d+ more steps")
        self.assertNotIn("Shortened to fit", summary, "it fits without being cut further")

    def check_outputs(self, run):
        self.assertLess(sum(len(value.encode("utf-16-le")) for value in run.outputs.values()), OUTPUTS_MAX)
        result = json.loads(run.outputs["result"])
        self.assertEqual(result["base_image"]["steps"], STEPS)
        self.assertGreater(result["timings"]["left_out"], 4000)
        self.assertEqual(list(figures.schema_problems(figures.load_schema("result.schema.json"), result)), [])
