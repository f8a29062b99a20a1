"""Roles with the policies of docs/iam, their placeholders replaced by a test's own names, and runs that assume them by
GitHub's identity token."""

import copy
import json

from . import cloud, runner
from .serving import FunctionCase

FOLDER = runner.ROOT / "docs/iam"
ROLE_NAME = "my-function-role"  # the placeholder of the role that the function itself gets


def document(name, **names):
    """docs/iam/<name>.json with the placeholders replaced."""
    text = (FOLDER / f"{name}.json").read_text(encoding="utf-8")
    for placeholder, own in names.items():
        text = text.replace(placeholder.replace("_", "-"), own)
    return json.loads(text)


def listed(value):
    return value if isinstance(value, list) else [value]


def permissions(policy):
    """(statement's Sid, action) for everything that it allows."""
    return [(statement["Sid"], action) for statement in policy["Statement"] for action in listed(statement["Action"])]


def without(policy, sid, action):
    """The policy less one action of one statement."""
    policy = copy.deepcopy(policy)
    for statement in policy["Statement"]:
        if statement["Sid"] == sid:
            statement["Action"] = [each for each in listed(statement["Action"]) if each != action]
    policy["Statement"] = [statement for statement in policy["Statement"] if statement["Action"]]
    return policy


class PolicyCase(FunctionCase):
    """Every run assumes a role of its own test by OIDC; there are no other keys."""

    caches = True

    def policy(self, name):
        # The longest placeholder first: the others are parts of it.
        return document(name, my_function_role=cloud.FUNCTION_ROLE.rsplit("/", maxsplit=1)[1],
                        my_function=self.name, lambda_python_deps=self.base_name)

    def role(self, policy, trust=None, suffix="deploy"):
        """A role with this policy, trusted as docs/iam says; its ARN."""
        arn = f"arn:aws:iam::{cloud.ACCOUNT}:role/{self.name}-{suffix}"
        self.cloud.create_role(arn, policy, trust or document("trust-branch"))
        return arn

    def identity(self):
        """What a job with `permissions: id-token: write` gets."""
        oidc = self.cloud.control("GET", "/oidc")
        self.secrets.add(oidc["request_token"])
        return {"AWS_REGION": cloud.REGION, "ACTIONS_ID_TOKEN_REQUEST_URL": oidc["request_url"],
                "ACTIONS_ID_TOKEN_REQUEST_TOKEN": oidc["request_token"]}

    def deploy_as(self, arn, project, **changes):
        step = {name: changes.pop(name) for name in ("env", "event", "job", "shims") if name in changes}
        env = {**self.identity(), **step.pop("env", {})}
        return self.run_step(project, step.pop("event", None), keys=False, env=env,
                             inputs=self.wanted(role_to_assume=arn, **changes), **step)
