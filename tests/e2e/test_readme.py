"""The README's own commands for a command line, to the letter but for the function's address."""

import re
import shlex

from . import case, cloud, runner


def readme_commands():
    """The arguments of each `$ build/lambda-fastdeploy …` in the README."""
    text = (runner.ROOT / "README.md").read_text(encoding="utf-8")
    return [shlex.split(line) for line in re.findall(r"^\$ build/lambda-fastdeploy (.*)$", text, re.MULTILINE)]


class Readme(case.Case):
    def take_away(self):
        """The README's names are free again."""
        self.cloud.call("lambda", "DELETE", f"/2015-03-31/functions/{self.name}")
        for repository in (self.name, "lambda-python-deps"):
            self.cloud.ecr("DeleteRepository", repositoryName=repository, force=True)

    def test_commands(self):
        self.name = "my-function"
        self.addCleanup(self.take_away)
        project = self.project(version="2")
        self.seed(project)
        done = []
        for arguments in readme_commands():
            given = [cloud.url_of(self.name) if word == "https://example.com" else word for word in arguments]
            run = self.run_shell(project, *given, env=case.KEYS)
            self.assertExit(run, 0)
            done.append(arguments[0])
        self.assertEqual(done, ["--help", "deploy", "base"])
        self.assertVersion("2")
        self.assertIn("lambda-python-deps", self.cloud.state()["repositories"])
