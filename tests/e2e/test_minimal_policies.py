"""Nothing of the policies of docs/iam can be left out: without any one action a run fails and names it, or a documented
feature is lost and the log says so. One test for each action of each policy."""

from . import case, cloud
from .policies import PolicyCase, document, permissions, without

EXPECTS_2 = 'GET /health -> 200 "\\"version\\":\\"2\\""'

# Where a run goes on without an action: what its log says.
LOST = {
    "ecr:GetLifecyclePolicy": "may lack", "ecr:GetRepositoryPolicy": "may lack", "ecr:ListImages": "may lack",
    "logs:FilterLogEvents": "the function's log would be shown here",
    "lambda:ListTags": "cannot be remembered", "lambda:TagResource": "cannot be remembered",
}
# (policy, action or None for any other): the run that needs it most.
SCENARIOS = {
    ("deploy", None): "update",
    **dict.fromkeys([("deploy", action) for action in (
        "lambda:CreateFunction", "iam:PassRole", "ecr:CreateRepository", "ecr:PutLifecyclePolicy",
        "ecr:SetRepositoryPolicy", "lambda:CreateAlias")], "from_nothing"),
    **dict.fromkeys([("deploy", action) for action in (
        "ecr:ListImages", "ecr:GetLifecyclePolicy", "ecr:GetRepositoryPolicy")], "half_made"),
    ("deploy", "logs:FilterLogEvents"): "failing",
    ("deploy", "lambda:DeleteAlias"): "failing_alias",
    ("base", None): "base",
    **dict.fromkeys([("base", action) for action in (
        "ecr:DescribeRepositories", "ecr:ListImages", "ecr:GetLifecyclePolicy", "ecr:GetRepositoryPolicy")],
                    "base_half_made"),
    ("plan", None): "plan",
    ("plan", "ecr:GetAuthorizationToken"): "plan_from_nothing",
}


@case.slow
class Minimal(PolicyCase):
    def from_nothing(self, policy):
        self.alias = "live"
        return self.deploy_as(self.role(policy), self.project(), create_with_role=cloud.FUNCTION_ROLE)

    def update(self, policy):
        project, _ = self.serve("live")
        return self.deploy_as(self.role(policy), project, memory_size="512")

    def half_made(self, policy):
        project, _ = self.serve("live")
        self.cloud.create_repository(self.base_name)
        return self.deploy_as(self.role(policy), project)

    def failing(self, policy):
        project, _ = self.serve()
        project.behave(version="2", health=500).commit("Break it")
        return self.deploy_as(self.role(policy), project)

    def failing_alias(self, policy):
        project, _ = self.serve()
        self.alias = "live"
        return self.deploy_as(self.role(policy), project, checks=EXPECTS_2)

    def base(self, policy):
        return self.deploy_as(self.role(policy), self.project(), command="base", function_name=None)

    def base_half_made(self, policy):
        self.cloud.create_repository(self.base_name)
        return self.base(policy)

    def plan(self, policy):
        project, _ = self.serve("live")
        self.assertExit(self.deploy(project), 0)
        project.write("base/packages.txt", "mesa\n").commit("Change the base")
        return self.deploy_as(self.role(policy), project, command="plan")

    def plan_from_nothing(self, policy):
        return self.deploy_as(self.role(policy), self.project(), command="plan")

    def without(self, name, sid, action):
        scenario = getattr(self, SCENARIOS.get((name, action)) or SCENARIOS[name, None])
        run = scenario(without(self.policy(name), sid, action))
        self.assertIn(action, run.log.text, "what is missing is not said")
        if run.exit_code == 0:
            self.assertIn(action, LOST, "nothing was missing")
            self.assertIn(LOST[action], run.log.text)


def add_tests():
    for name in ("deploy", "base", "plan"):
        for sid, action in permissions(document(name)):
            def test(self, arguments=(name, sid, action)):
                self.without(*arguments)
            setattr(Minimal, f"test_{name}_{sid}_{action.replace(':', '_')}", test)


add_tests()
