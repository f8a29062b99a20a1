"""GitHub's identity token for a role: the issuer signs real JWTs, STS verifies them."""

from . import cloud
from .policies import PolicyCase, document

DEFAULT = {"claims": {}, "expires_in": 300, "fail_times": 0}


class Identity(PolicyCase):
    """What the issuer says holds for the whole cloud."""

    alone = True

    def issuer(self, **values):
        self.addCleanup(self.cloud.control, "POST", "/oidc", DEFAULT)
        self.cloud.control("POST", "/oidc", {**DEFAULT, **values})

    def plan(self, trust=None, project=None, **changes):
        """A plan needs the least: what is tested is who we are."""
        role = self.role(self.policy("plan"), trust)
        return self.deploy_as(role, project or self.project(), command="plan", create_with_role=cloud.FUNCTION_ROLE, **changes)

    def refused(self, run, *words):
        self.assertExit(run, 1)
        self.assertError(run, *words)
        self.assertUntouched()

    def test_right_role(self):
        mark = self.mark()
        run = self.plan()
        self.assertExit(run, 0)
        self.assertLessEqual(self.cloud.issued_secrets(after=mark), set(run.log.masks), "not masked")
        self.assertIn(f"-deploy, account {cloud.ACCOUNT}, region", run.log.text)

    def test_issuer_that_fails_twice(self):
        self.issuer(fail_times=2)
        self.assertExit(self.plan(), 0)
        asked = [request["status"] for request in self.cloud.requests_after(self.began) if request["service"] == "oidc"]
        self.assertEqual(asked[-3:], [500, 500, 200])

    def test_wrong_audience(self):
        self.refused(self.plan(audience="https://github.com/org"), 'aud "https://github.com/org"', "audience")

    def test_wrong_subject(self):
        self.issuer(claims={"sub": "repo:org/repo:environment:staging", "environment": "staging"})
        self.refused(self.plan(), "the role's trust policy does not accept a token with",
                     'sub "repo:org/repo:environment:staging"', 'aud "sts.amazonaws.com"', 'repository "org/repo"',
                     'ref "refs/heads/main"', 'environment "staging"')

    def test_subject_of_a_pull_request(self):
        self.issuer(claims={"sub": "repo:org/repo:pull_request"})
        self.assertExit(self.plan(document("trust-pull-request")), 0)

    def test_subject_of_a_release(self):
        """The branch's role does not take it, the one for releases does: that, the branch, and no other tag."""
        project, trust = self.project(), document("trust-release")
        self.issuer(claims={"sub": "repo:org/repo:ref:refs/tags/v1.0.0"})
        self.refused(self.plan(project=project), 'sub "repo:org/repo:ref:refs/tags/v1.0.0"')
        self.assertExit(self.plan(trust, project), 0)
        self.issuer()
        self.assertExit(self.plan(trust, project), 0)
        self.issuer(claims={"sub": "repo:org/repo:ref:refs/tags/nightly"})
        self.refused(self.plan(trust, project), "the role's trust policy does not accept")

    def test_subject_with_ids(self):
        """A repository created after 15 July 2026. Another one of the same name has other ids, and is refused."""
        project, ours = self.project(), {"repository_owner_id": "123456", "repository_id": "456789"}
        pull = {"event_name": "pull_request", "ref": "refs/pull/7/merge"}
        for name, claims, subject in (
                ("trust-branch", {}, "ref:refs/heads/main"), ("trust-pull-request", pull, "pull_request"),
                ("trust-release", {}, "ref:refs/heads/main"), ("trust-release", {"ref": "refs/tags/v1.0.0"}, "ref:refs/tags/v1.0.0")):
            trust = document(name)
            with self.subTest(name, subject=subject):
                self.issuer(claims={**claims, **ours})
                self.assertExit(self.plan(trust, project), 0)
                self.issuer(claims={**claims, **ours, "repository_id": "456790"})
                self.refused(self.plan(trust, project), "the role's trust policy does not accept",
                             f'sub "repo:org@123456/repo@456790:{subject}"')
                self.issuer(claims={**claims, **ours, "repository_owner_id": "1234567"})
                self.refused(self.plan(trust, project), f'sub "repo:org@1234567/repo@456789:{subject}"')

    def test_expired_token(self):
        self.issuer(expires_in=-1)
        self.refused(self.plan(), "expired", 'sub "repo:org/repo:ref:refs/heads/main"')

    def test_signature_of_somebody_else(self):
        self.issuer(claims={"iss": "https://evil.example"})
        self.refused(self.plan(), "provider found in your account")

    def test_no_permission_for_a_token(self):
        role = self.role(self.policy("plan"))
        run = self.run_step(self.project(), keys=False, env={"AWS_REGION": cloud.REGION},
                            inputs=self.inputs(role_to_assume=role, command="plan"))
        self.refused(run, "`permissions: id-token: write`", role)

    def test_request_token_that_is_not_good(self):
        role = self.role(self.policy("plan"))
        env = {**self.identity(), "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "not-the-jobs-own-token"}
        run = self.run_step(self.project(), keys=False, env=env,
                            inputs=self.inputs(role_to_assume=role, command="plan"))
        self.refused(run, "asking GitHub for the job's OIDC token", "401")

    def test_role_of_another_account(self):
        self.refused(self.plan(allowed_account_ids="210987654321"), f"the account is {cloud.ACCOUNT}")
