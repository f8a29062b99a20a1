"""The nine ends of a run, each with its report looked at as a whole. What holds of every run's report, case.check_run asks."""

import json

from . import case, figures, nine
from .serving import FunctionCase

# What ran while something else was waited for; others may be too quick, or too late, to be seen.
BESIDE = {
    "first-deploy": {"Read the files of the base image", "Make the builder ready"},
    "nothing-changed": {"Read the files of the base image", "Ask for the health early"},
}
BEFORE_THE_LOG = "Read inputs and event"


class NineEnds(FunctionCase):
    caches = True

    @case.slow
    def test_nine_ends(self):
        project = self.project()
        nine.prepare(project)
        for ending in nine.ENDINGS:
            with self.subTest(ending.name):
                run = nine.play(self, ending, project)
                self.assertExit(run, ending.exit_code)
                self.assertEqual({name: run.outputs[name] for name in ending.outputs}, ending.outputs)
                self.check_times(ending, json.loads(run.outputs["timings"]), run)
                self.check_log(ending, run)

    def check_times(self, ending, timings, run):
        stages = [span for span in timings["spans"] if "parent" not in span]
        waited = sum(span["ms"] for span in stages if not span["beside"])
        unnamed = timings["total_ms"] - waited
        self.assertLessEqual(unnamed, max(timings["total_ms"] * figures.SHARE, figures.CLOCKS_MS), f"not all of it has a name: {stages}")
        self.assertLessEqual(timings["total_ms"], run.wall_s * 1000)
        beside = {span["name"] for span in stages if span["beside"]}
        self.assertLessEqual(BESIDE.get(ending.name, set()), beside)
        shown = [line for line in run.summary.splitlines() if line.endswith("  in parallel")]
        for name in beside:
            span = next(span for span in stages if span["name"] == name)
            is_brief = span["ms"] < 1000 and span["ms"] * 100 < timings["total_ms"]
            self.assertEqual(any(line.startswith(name) for line in shown), not is_brief, f"{name} of {span['ms']} ms")

    def check_log(self, ending, run):
        groups = [group.title for group in run.log.groups]
        self.assertEqual([BEFORE_THE_LOG, *groups], [span["name"] for span in json.loads(run.outputs["timings"])["spans"]
                                  if "parent" not in span and not span["beside"]], "a group a stage, in their order")
        self.assertLessEqual(len(run.log.annotations), 10)
        places = [note.properties.get("file") for note in run.log.annotations if note.level == "error"]
        self.assertEqual(places, {"build-failure": ["Dockerfile.lambda"]}.get(ending.name, [None] * (ending.exit_code > 0)))
