"""The policies of docs/iam are enough for what they are for. That nothing of them can be left out is shown by test_minimal_policies.py."""

from . import cloud
from .policies import PolicyCase


class Enough(PolicyCase):
    def test_deploy_from_nothing_and_again(self):
        role = self.role(self.policy("deploy"))
        project = self.project()
        self.alias = "live"
        first = self.deploy_as(role, project, create_with_role=cloud.FUNCTION_ROLE)
        self.assertExit(first, 0)
        self.assertIn(f"credentials: GitHub OIDC, role {role}, account {cloud.ACCOUNT}, region {cloud.REGION}",
                      first.log.text)
        project.behave(version="2").commit("Answer differently")
        second = self.deploy_as(role, project, memory_size="512")
        self.assertExit(second, 0)
        self.assertOutputs(second, deployed="true", function_version="2")
        for run in (first, second):
            self.assertEqual(run.log.warnings, [], "something was not allowed")
        self.serves("2")

    def test_base(self):
        role = self.role(self.policy("base"))
        run = self.deploy_as(role, self.project(), command="base", function_name=None)
        self.assertExit(run, 0)
        self.assertOutputs(run, base_status="built")

    def test_plan(self):
        project, _ = self.serve("live")
        mark = self.mark()
        run = self.deploy_as(self.role(self.policy("plan")), project, command="plan")
        self.assertExit(run, 0)
        self.assertIn("application image: build", run.log.text)
        self.assertUntouched(mark)
