"""What a person is told: annotations with their place, JSON on a command line, times that add up."""

import json

from . import case, cloud
from .serving import FunctionCase

CHECK = "GET /health -> 299"
WORKFLOW = f"""on: push
jobs:
  deploy:
    steps:
      - uses: org/lambda-fastdeploy@v1
        with:
          checks: |
            GET /health -> 200
            {CHECK}
"""


class Report(FunctionCase):
    caches = True

    def place(self, run):
        notes = [note for note in run.log.annotations if note.level == "error"]
        self.assertEqual(len(notes), 1)
        return notes[0].properties.get("file"), notes[0].properties.get("line")

    def test_place_of_a_failed_step(self):
        project, _ = self.serve()
        text = project.read("Dockerfile.lambda")
        project.write("Dockerfile.lambda", text.rstrip() + "\nRUN echo looking; exit 7\n")
        project.commit()
        run = self.deploy(project)
        self.assertExit(run, 1)
        line = len(text.rstrip().splitlines()) + 1
        self.assertEqual(self.place(run), ("Dockerfile.lambda", str(line)))
        self.assertIn("failed at “Application image” after", run.summary.splitlines()[0])
        self.assertIn(f"Dockerfile.lambda:{line}: the step", run.summary)
        failure = json.loads(run.outputs["result"])["failure"]
        self.assertEqual((failure["file"], failure["line"]), ("Dockerfile.lambda", line))

    def test_place_of_a_failed_check(self):
        project, _ = self.serve()
        project.write(".github/workflows/deploy.yml", WORKFLOW)
        project.commit()
        run = self.deploy(project, checks=f"GET /health -> 200\n{CHECK}")
        self.assertExit(run, 1)
        self.assertEqual(self.place(run), (".github/workflows/deploy.yml", "9"))
        timings = json.loads(run.outputs["timings"])
        stages = [span for span in timings["spans"] if "parent" not in span and not span["beside"]]
        share = sum(span["ms"] for span in stages) / timings["total_ms"]
        self.assertGreaterEqual(share, 0.98, "the stages do not add up to the whole run")
        self.assertLessEqual(share, 1.0)

    def test_status_and_plan_as_json(self):
        project, seeded = self.serve()
        for command, outcome in (("status", "nothing to do"), ("plan", "planned")):
            run = self.run_shell(project, command, "--json", "--function-name", self.name, "--base-repository",
                                 self.base_name, "--health-url", cloud.url_of(self.name), env=case.KEYS)
            self.assertExit(run, 0)
            said = "\n".join(line.text for line in run.lines if line.stream == "out")
            result = json.loads(said)  # nothing else is on standard output
            self.assertEqual(result["outcome"], outcome)
            self.assertEqual(result["functions"][0]["name"], self.name)
            if command == "status":
                self.assertEqual(result["functions"][0]["state"], "Active, last update Successful")
                self.assertIn("base image: not there yet", result["functions"][0]["caches"])
                self.assertTrue(result["base_image"]["reason"].startswith("not built yet"))
