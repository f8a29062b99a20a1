"""The command status: what is there, in a few lines; nothing is changed, and nothing of it is an error."""

from .serving import FunctionCase


class Status(FunctionCase):
    caches = True

    def status(self, project, **inputs):
        mark = self.mark()
        run = self.deploy(project, command="status", **inputs)
        self.assertExit(run, 0)
        self.assertOutputs(run, deployed="false")
        self.assertEqual(run.log.errors, [])
        self.assertUntouched(mark)
        return run

    def test_missing_function(self):
        run = self.status(self.project())
        for text in ("function: not there", "application image: not built yet",
                     f"cache of the application image: {self.name}:buildcache is not there yet"):
            self.assertIn(text, run.text)

    def test_zip_function(self):
        self.cloud.create_function(self.name, "", package="Zip")
        self.assertIn("a zip package", self.status(self.project(), health_url=None).text)

    def test_after_a_deployment(self):
        project, _ = self.serve("live")
        self.assertExit(self.deploy(project), 0)
        run = self.status(project)
        self.assertOutputs(run, health="ok")
        for text in ("alias live: version 2", "is there", "last verified: 2",
                     f"cache of the application image: {self.name}:buildcache is there"):
            self.assertIn(text, run.text)
