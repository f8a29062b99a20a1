"""The plan of a function: which keys of its configuration, and whether its alias gets a version."""

import json

from . import cloud
from .serving import FunctionCase

NEW = {"memory_size": "512", "environment": "PASSWORD=kept-out-of-sight"}


class Plan(FunctionCase):
    def plan(self, project, *says, **inputs):
        mark = self.mark()
        run = self.deploy(project, command="plan", **inputs)
        self.assertExit(run, 0)
        self.assertUntouched(mark)
        for text in says:
            self.assertIn(text, run.text)
        return run

    def test_configuration_and_alias(self):
        self.secrets.add("kept-out-of-sight")
        project, _ = self.serve("live")
        self.plan(project, "configuration: leave", "alias live: publish a version")
        self.assertExit(self.deploy(project), 0)
        self.plan(project, "function: leave", "configuration: leave", "alias live: leave (version 2 is this one)")
        run = self.plan(project, "function: leave", "memory-size: 128 → 512", "environment: + PASSWORD",
                        "alias live: publish a version and move it there (the function changes)", **NEW)
        self.assertIn("memory-size: 128 → 512", run.summary)
        row = next(line for line in run.summary.splitlines() if line.startswith("| Alias |"))
        self.assertIn("publish a version and move it there: the function changes", row)
        planned = json.loads(run.outputs["result"])["functions"][0]
        self.assertIn("publish a version", planned["alias_plan"])
        self.assertNotIn("alias", planned["reason"])
        mark = self.mark()
        self.assertExit(self.deploy(project, **NEW), 0)
        made = cloud.operations(self.since(mark))
        self.assertIn("UpdateFunctionCode (dry run)", made, "the permission is tried where only the configuration changes")
        self.assertEqual((self.alias_target(), self.configuration()["MemorySize"]), ("3", 512))
        self.plan(project, "configuration: leave", "alias live: leave (version 3 is this one)", **NEW)
