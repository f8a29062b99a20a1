"""python3 -m e2e.summaries FOLDER: plays the nine ends of a run (nine.py) and writes what each has left into FOLDER, for people
to look at: <name>.md, the summary; <name>.log, the log as GitHub shows it; <name>.json, the output `result`.
"""

import pathlib
import sys

from . import case, cloud, nine, projects, serving


class Summaries(serving.FunctionCase):
    folder_of_results = None

    def runTest(self):
        self.name, self.base_name = "text2sql", "text2sql-base"
        if self.cloud.function(self.name):
            self.name, self.base_name = case.unique("text2sql"), case.unique("text2sql-base")
        project = self.project()
        nine.prepare(project)
        for self.ending in nine.ENDINGS:
            run = nine.play(self, self.ending, project)
            self.assertExit(run, self.ending.exit_code)

    def check_run(self, run):
        """First everything is kept, so that what is wrong can be looked at."""
        for suffix, text in (("md", run.summary), ("log", run.log.text + "\n"), ("json", run.outputs["result"] + "\n")):
            (self.folder_of_results / f"{self.ending.name}.{suffix}").write_text(text, encoding="utf-8")
        print(f"{self.ending.name}: exit {run.exit_code}, {run.wall_s:.1f} s", flush=True)
        super().check_run(run)


def main():
    Summaries.folder_of_results = pathlib.Path(sys.argv[1])
    Summaries.folder_of_results.mkdir(parents=True, exist_ok=True)
    if len(sys.argv) > 2:
        case.Options.binary = pathlib.Path(sys.argv[2]).resolve()
    cloud.Cloud().create_role(cloud.FUNCTION_ROLE)
    projects.function_binary()
    result = Summaries().run()
    for _, text in [*result.failures, *result.errors]:
        print(text)
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
