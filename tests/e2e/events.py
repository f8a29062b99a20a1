"""Webhook payloads as GitHub writes them to event.json, whole, so that nothing is read that is not there in life.

Shapes: octokit/webhooks and GitHub's documentation "Webhook events and payloads".
"""

import dataclasses
import json

ZERO = "0" * 40
SHA = "6dcb09b5b57875f334f61aebed695e2e4193db5e"
BEFORE = "9049f1265b7d61be4a8904a9a27120d2064dab3b"


@dataclasses.dataclass(frozen=True)
class Event:
    name: str
    raw: bytes | None  # of event.json; None: there is no such file
    ref: str = "refs/heads/main"
    sha: str = SHA
    head_ref: str = ""
    base_ref: str = ""

    @property
    def payload(self):
        return json.loads(self.raw)

    def but(self, **changes):
        return dataclasses.replace(self, **changes)


def _event(name, payload, **rest):
    return Event(name, json.dumps(payload, indent=2, ensure_ascii=False).encode(), **rest)


def user(login="octocat", number=583231, kind="User"):
    api = f"https://api.github.com/users/{login}"
    return {
        "login": login, "id": number, "node_id": "MDQ6VXNlcjU4MzIzMQ==", "gravatar_id": "",
        "avatar_url": f"https://avatars.githubusercontent.com/u/{number}?v=4", "url": api,
        "html_url": f"https://github.com/{login}", "followers_url": api + "/followers",
        "following_url": api + "/following{/other_user}", "gists_url": api + "/gists{/gist_id}",
        "starred_url": api + "/starred{/owner}{/repo}", "subscriptions_url": api + "/subscriptions",
        "organizations_url": api + "/orgs", "repos_url": api + "/repos", "events_url": api + "/events{/privacy}",
        "received_events_url": api + "/received_events", "type": kind, "user_view_type": "public", "site_admin": False,
    }


def repository(full_name="octo-org/hello", number=1296269, fork=False):
    owner, name = full_name.split("/")
    api = f"https://api.github.com/repos/{full_name}"
    return {
        "id": number, "node_id": "MDEwOlJlcG9zaXRvcnkxMjk2MjY5", "name": name, "full_name": full_name,
        "private": False, "owner": user(owner, 9919, "Organization"), "html_url": f"https://github.com/{full_name}",
        "description": "A function that greets", "fork": fork, "url": api, "forks_url": api + "/forks",
        "keys_url": api + "/keys{/key_id}", "teams_url": api + "/teams", "hooks_url": api + "/hooks",
        "branches_url": api + "/branches{/branch}", "tags_url": api + "/tags", "commits_url": api + "/commits{/sha}",
        "contents_url": api + "/contents/{+path}", "compare_url": api + "/compare/{base}...{head}",
        "releases_url": api + "/releases{/id}", "deployments_url": api + "/deployments",
        "created_at": "2025-01-26T19:01:12Z", "updated_at": "2026-11-20T08:14:43Z",
        "pushed_at": "2026-11-23T09:06:43Z", "git_url": f"git://github.com/{full_name}.git",
        "ssh_url": f"git@github.com:{full_name}.git", "clone_url": f"https://github.com/{full_name}.git",
        "homepage": None, "size": 108, "stargazers_count": 80, "watchers_count": 80, "language": "C",
        "has_issues": True, "has_projects": True, "has_downloads": True, "has_wiki": True, "has_pages": False,
        "forks_count": 9, "archived": False, "disabled": False, "open_issues_count": 0,
        "license": {"key": "apache-2.0", "name": "Apache License 2.0", "spdx_id": "Apache-2.0",
                    "url": "https://api.github.com/licenses/apache-2.0", "node_id": "MDc6TGljZW5zZTI="},
        "allow_forking": True, "is_template": False, "topics": ["lambda"], "visibility": "public", "forks": 9,
        "open_issues": 0, "watchers": 80, "default_branch": "main", "custom_properties": {},
    }


def organization():
    return {"login": "octo-org", "id": 9919, "node_id": "MDEyOk9yZ2FuaXphdGlvbjk5MTk=",
            "url": "https://api.github.com/orgs/octo-org", "repos_url": "https://api.github.com/orgs/octo-org/repos",
            "events_url": "https://api.github.com/orgs/octo-org/events",
            "avatar_url": "https://avatars.githubusercontent.com/u/9919?v=4", "description": ""}


def _common(full_name):
    return {"repository": repository(full_name), "organization": organization(), "sender": user()}


def commit(message, sha=SHA):
    person = {"name": "The Octocat", "email": "octocat@users.noreply.github.com", "username": "octocat"}
    return {"id": sha, "tree_id": "f9d2a07e9488b91af2641b26b9407fe22a451433", "distinct": True, "message": message,
            "timestamp": "2026-11-23T10:06:42+01:00", "url": f"https://github.com/octo-org/hello/commit/{sha}",
            "author": person, "committer": {"name": "GitHub", "email": "noreply@github.com", "username": "web-flow"}}


def push(message="Greet more warmly", sha=SHA, branch="main", full_name="octo-org/hello"):
    ref = f"refs/heads/{branch}"
    return _event("push", {
        "ref": ref, "before": BEFORE, "after": sha, **_common(full_name),
        "pusher": {"name": "octocat", "email": "octocat@users.noreply.github.com"},
        "created": False, "deleted": False, "forced": False, "base_ref": None,
        "compare": f"https://github.com/{full_name}/compare/{BEFORE[:12]}...{sha[:12]}",
        "commits": [commit(message, sha)], "head_commit": commit(message, sha)}, ref=ref, sha=sha)


def push_tag(tag="v1.0.0", message="Release 1.0.0", sha=SHA, full_name="octo-org/hello"):
    ref = f"refs/tags/{tag}"
    return _event("push", {
        "ref": ref, "before": ZERO, "after": sha, **_common(full_name),
        "pusher": {"name": "octocat", "email": "octocat@users.noreply.github.com"},
        "created": True, "deleted": False, "forced": False, "base_ref": "refs/heads/main",
        "compare": f"https://github.com/{full_name}/compare/{tag}", "commits": [],
        "head_commit": commit(message, sha)}, ref=ref, sha=sha)


def push_delete(branch="feature", full_name="octo-org/hello"):
    return _event("push", {
        "ref": f"refs/heads/{branch}", "before": BEFORE, "after": ZERO, **_common(full_name),
        "pusher": {"name": "octocat", "email": "octocat@users.noreply.github.com"},
        "created": False, "deleted": True, "forced": False, "base_ref": None,
        "compare": f"https://github.com/{full_name}/compare/{BEFORE[:12]}...{ZERO[:12]}",
        "commits": [], "head_commit": None}, ref="refs/heads/main")


def release(action="published", tag="v1.0.0", sha=SHA, full_name="octo-org/hello"):
    api = f"https://api.github.com/repos/{full_name}/releases/1"
    return _event("release", {
        "action": action, "release": {
            "url": api, "assets_url": api + "/assets", "upload_url": api + "/assets{?name,label}",
            "html_url": f"https://github.com/{full_name}/releases/tag/{tag}", "id": 1, "author": user(),
            "node_id": "RE_kwDOABPHjc4J", "tag_name": tag, "target_commitish": "main", "name": tag, "draft": False,
            "immutable": False, "prerelease": action == "prereleased", "created_at": "2026-11-23T09:00:00Z",
            "published_at": "2026-11-23T09:06:43Z", "assets": [],
            "tarball_url": f"https://api.github.com/repos/{full_name}/tarball/{tag}",
            "zipball_url": f"https://api.github.com/repos/{full_name}/zipball/{tag}", "body": "What is new"},
        **_common(full_name)}, ref=f"refs/tags/{tag}", sha=sha)


def pull_request(fork=False, head_sha=SHA, base_sha=BEFORE, title="Greet in French", target=False, merge_sha=None,
                 full_name="octo-org/hello"):
    """`target`: pull_request_target, whose GITHUB_SHA is the base's commit."""
    head_name = "mona/hello" if fork else full_name
    owner = head_name.split("/", maxsplit=1)[0]
    author = user("mona", 2) if fork else user()
    api = f"https://api.github.com/repos/{full_name}/pulls/42"
    payload = {
        "action": "synchronize", "number": 42, "pull_request": {
            "url": api, "id": 279147437, "node_id": "PR_kwDOABPHjc5q", "number": 42, "state": "open",
            "html_url": f"https://github.com/{full_name}/pull/42",
            "diff_url": f"https://github.com/{full_name}/pull/42.diff",
            "issue_url": f"https://api.github.com/repos/{full_name}/issues/42", "locked": False, "title": title,
            "user": author, "body": "Bonjour", "created_at": "2026-11-22T15:20:33Z",
            "updated_at": "2026-11-23T09:20:33Z", "closed_at": None, "merged_at": None,
            "merge_commit_sha": merge_sha, "assignee": None, "assignees": [], "requested_reviewers": [],
            "requested_teams": [], "labels": [], "milestone": None, "draft": False,
            "commits_url": api + "/commits",
            "comments_url": f"https://api.github.com/repos/{full_name}/issues/42/comments",
            "head": {"label": f"{owner}:french", "ref": "french", "sha": head_sha, "user": user(owner, 2),
                     "repo": repository(head_name, 1296270 if fork else 1296269, fork)},
            "base": {"label": "octo-org:main", "ref": "main", "sha": base_sha, "user": user("octo-org", 9919),
                     "repo": repository(full_name)},
            "author_association": "NONE" if fork else "MEMBER", "auto_merge": None, "merged": False,
            "mergeable": None, "rebaseable": None, "mergeable_state": "unknown", "merged_by": None, "comments": 0,
            "review_comments": 0, "maintainer_can_modify": fork, "commits": 1, "additions": 1, "deletions": 1,
            "changed_files": 1},
        "before": BEFORE, "after": head_sha, **_common(full_name)}
    if target:
        return _event("pull_request_target", payload, ref="refs/heads/main", sha=base_sha, head_ref="french",
                      base_ref="main")
    return _event("pull_request", payload, ref="refs/pull/42/merge", sha=merge_sha or head_sha, head_ref="french",
                  base_ref="main")


def merge_group(message="Merge pull request #42 from octo-org/french", sha=SHA, full_name="octo-org/hello"):
    ref = f"refs/heads/gh-readonly-queue/main/pr-42-{BEFORE}"
    return _event("merge_group", {
        "action": "checks_requested", "merge_group": {
            "head_sha": sha, "head_ref": ref, "base_sha": BEFORE, "base_ref": "refs/heads/main",
            "head_commit": {"id": sha, "tree_id": "f9d2a07e9488b91af2641b26b9407fe22a451433", "message": message,
                            "timestamp": "2026-11-23T09:06:42Z",
                            "author": {"name": "The Octocat", "email": "octocat@users.noreply.github.com"},
                            "committer": {"name": "GitHub", "email": "noreply@github.com"}}},
        **_common(full_name)}, ref=ref, sha=sha)


def workflow_dispatch(inputs=None, sha=SHA, full_name="octo-org/hello"):
    return _event("workflow_dispatch", {"inputs": inputs, "ref": "refs/heads/main",
                                        "workflow": ".github/workflows/deploy.yml", **_common(full_name)}, sha=sha)


def schedule(sha=SHA, full_name="octo-org/hello"):
    """No webhook stands behind a schedule; the runner writes this."""
    return _event("schedule", {"schedule": "17 3 * * *", "workflow": ".github/workflows/deploy.yml",
                               "repository": repository(full_name), "organization": organization()}, sha=sha)


def delete(branch="feature", full_name="octo-org/hello"):
    return _event("delete", {"ref": branch, "ref_type": "branch", "full_ref": f"refs/heads/{branch}",
                             "pusher_type": "user", **_common(full_name)})


def nothing():
    """No payload: another CI, or a laptop."""
    return Event("", None, ref="", sha="")
