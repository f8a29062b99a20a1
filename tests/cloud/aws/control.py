"""The control port: settings, faults, the journal, and what a person would do behind the program's
back.
"""

import json
import re
import traceback

from . import functions, images, oidc, repositories
from .cloud import ACCOUNTS, REGIONS, Role
from .errors import AwsError, ControlError
from .functions import LATEST, Alias, Function, Version
from .iam import Policy
from .server import Response, TooLarge

BODY_LIMIT = 8 * 1024 * 1024
ROLE = re.compile(r"arn:aws:iam::(\d{12}):role/\S+")
MASK = "***"


class Control:
    def __init__(self, cloud, parts_alive):
        """`parts_alive()` -> {part's name: does it answer}."""
        self._cloud = cloud
        self._parts_alive = parts_alive
        self._table = [
            ("GET", re.compile("/health"), self._health),
            ("POST", re.compile("/reset"), self._reset),
            ("GET", re.compile("/settings"), lambda _: cloud.settings.all()),
            ("POST", re.compile("/settings"), self._settings),
            ("POST", re.compile("/settings/([^/]+)"), self._settings_of),
            ("GET", re.compile("/requests"), lambda _: cloud.journal.all()),
            ("GET", re.compile("/requests/last"), lambda _: {"n": cloud.journal.last()}),
            ("POST", re.compile("/requests/after/([0-9]+)"), lambda _, n: cloud.journal.since(int(n))),
            ("DELETE", re.compile("/requests"), lambda _: cloud.journal.clear()),
            ("GET", re.compile("/faults"), lambda _: cloud.faults.all()),
            ("POST", re.compile("/faults"), cloud.faults.order),
            ("POST", re.compile("/faults/forget"), cloud.faults.forget),
            ("DELETE", re.compile("/faults"), lambda _: cloud.faults.clear()),
            ("GET", re.compile("/state"), self._state),
            ("POST", re.compile("/functions"), self._make_function),
            ("POST", re.compile("/functions/([^/]+)"), self._change_function),
            ("POST", re.compile("/repositories"), self._make_repository),
            ("POST", re.compile("/repositories/(.+)/lose-blob"), self._lose_blob),
            ("POST", re.compile("/roles"), self._make_role),
            ("POST", re.compile("/keys"), self._make_key),
            ("POST", re.compile("/secrets/after/([0-9]+)"), self._show_issued),
            ("GET", re.compile("/oidc"), self._show_oidc),
            ("POST", re.compile("/oidc"), self._set_oidc),
        ]

    def serve(self, request):
        try:
            value = self._dispatch(request)
        except ControlError as error:
            return _json(error.status, {"error": str(error)})
        except AwsError as error:
            return _json(error.status, {"error": error.message, "code": error.code})
        except TooLarge:
            return _json(413, {"error": "too large"})
        except Exception as error:  # noqa: BLE001 - a fault of ours is told to the test
            traceback.print_exc()
            return _json(500, {"error": repr(error)})
        if isinstance(value, Response):
            return value
        return _json(200, {"done": True} if value is None else value)

    def _dispatch(self, request):
        for method, pattern, action in self._table:
            match = pattern.fullmatch(request.path)
            if match and method == request.method:
                data = request.read(BODY_LIMIT)
                try:
                    body = json.loads(data) if data else {}
                except ValueError:
                    raise ControlError("the body is not JSON") from None
                return (
                    action(body, *match.groups())
                    if method == "POST" and match.groups()
                    else action(body)
                )
        raise ControlError(f"no {request.method} {request.path} here", 404)

    def _health(self, _body):
        parts = self._parts_alive()
        return _json(200 if all(parts.values()) else 503, parts)

    def _reset(self, _body):
        self._cloud.reset()
        self._cloud.journal.clear()

    def _show_issued(self, _body, n):
        with self._cloud.lock:
            return sorted(secret for secret, at in self._cloud.issued.items() if at > int(n))

    def _settings_of(self, body, function):
        with self._cloud.lock:
            self._cloud.settings.change_of(function, body)

    def _settings(self, body):
        self._cloud.change_settings(body)
        return self._cloud.settings.all()

    # State

    def _state(self, _body):
        cloud = self._cloud
        with cloud.lock:
            return {
                "repositories": {
                    _short(key): _show_repository(each) for key, each in cloud.repositories.items()
                },
                "functions": {
                    _short(key): _show_function(each) for key, each in cloud.functions.items()
                },
                "roles": sorted(cloud.roles),
                "settings": cloud.settings.all(),
                "faults": cloud.faults.all(),
            }

    # Functions

    def _make_function(self, body):
        fields = _fields(
            body,
            "name",
            "image",
            "alias",
            "environment",
            "architecture",
            "package",
            "role",
            "memory",
            "timeout",
            "account",
            "region",
            "tags",
            "configuration",
        )
        cloud, name = self._cloud, _needed(fields, "name")
        account, region = _place(fields)
        package = fields.get("package", "Image")
        settings = {
            "Role": fields.get("role", f"arn:aws:iam::{account}:role/lambda"),
            **fields.get("configuration", {}),
        }
        for member, setting in (("memory", "MemorySize"), ("timeout", "Timeout")):
            if member in fields:
                settings[setting] = fields[member]
        if fields.get("environment"):
            settings["Environment"] = {"Variables": fields["environment"]}
        version = Version(
            LATEST, settings, [fields.get("architecture", "x86_64")], update_status="Successful"
        )
        function = Function(
            account, region, name, package, version, tags=dict(fields.get("tags") or {})
        )
        if package == "Image":
            self._give_image(function, version, _needed(fields, "image"))
        else:
            settings.update({"Runtime": "python3.12", "Handler": "app.handler", **settings})
            version.code_sha256, version.code_size = (
                "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
                262,
            )
        with cloud.lock:
            if (account, region, name) in cloud.functions:
                raise ControlError(f"function {name} is there already", 409)
            functions.stamp(cloud, version)
            functions.touch(version)
            function.created_at = cloud.clock.now()
            cloud.functions[(account, region, name)] = function
            hosts = [function.url_host()]
            if fields.get("alias"):
                published = functions.mint(function, None, 0)
                functions.settle(published)
                function.aliases[fields["alias"]] = Alias(fields["alias"], published.number)
                hosts.append(function.url_host(fields["alias"]))
            if cloud.hosts:
                cloud.hosts.add(*hosts)
            return _show_function(function)

    def _give_image(self, function, version, image):
        if ".dkr.ecr." not in image:
            image = f"{repositories.registry_host(function.account, function.region)}/{image}"
        version.image = images.inspect(self._cloud, None, image, function.arn)
        version.code_sha256 = version.image.sha256

    def _change_function(self, body, name):
        fields = _fields(
            body,
            "environment",
            "image",
            "state",
            "state_reason",
            "state_reason_code",
            "last_update_status",
            "reason_code",
            "reason",
            "environment_hidden",
            "architecture",
            "configuration",
            "tags",
            "account",
            "region",
            "alias",
            "version",
            "in_progress_ms",
        )
        account, region = _place(fields)
        function = functions.find(self._cloud, account, region, name)
        with self._cloud.lock:
            if "alias" not in fields and fields.get("version", LATEST) != LATEST:
                self._change_version(function, fields)
                return _show_function(function)
            latest = functions.settle(function.latest)
            if "alias" in fields:
                function.aliases[fields["alias"]] = Alias(
                    fields["alias"], _needed(fields, "version")
                )
            if "tags" in fields:
                function.tags = dict(fields["tags"])
            self._change_latest(function, latest, fields)
            functions.stamp(self._cloud, latest)
            functions.touch(latest)
            return _show_function(function)

    @staticmethod
    def _change_version(function, fields):
        """A published version is frozen, but for its state."""
        _fields(
            fields, "version", "state", "state_reason", "state_reason_code", "account", "region"
        )
        _needed(fields, "state")
        version = function.versions.get(str(fields["version"]))
        if version is None:
            raise functions.missing(f"{function.arn}:{fields['version']}")
        _set_state(functions.settle(version), fields)
        functions.renew(version)
        functions.touch(version)

    def _change_latest(self, function, latest, fields):
        serving = functions.copy.copy(latest)
        functions.before_update(latest)
        latest.serving = None
        if "environment" in fields:
            latest.settings["Environment"] = {"Variables": fields["environment"]}
        latest.settings.update(fields.get("configuration", {}))
        if "architecture" in fields:
            latest.architectures = [fields["architecture"]]
        if "image" in fields:
            self._give_image(function, latest, fields["image"])
        if "environment_hidden" in fields:
            latest.environment_hidden = bool(fields["environment_hidden"])
        if "state" in fields:
            _set_state(latest, fields)
        if "last_update_status" in fields:
            latest.update_status = fields["last_update_status"]
            latest.update_reason = (fields.get("reason"), fields.get("reason_code"))
        if "in_progress_ms" in fields:
            latest.serving = serving
            functions.begin_update(latest, fields["in_progress_ms"])
        function.changed = True

    # Repositories, roles, keys

    def _make_repository(self, body):
        fields = _fields(body, "name", "immutable", "account", "region", "exclusions", "policy")
        account, region = _place(fields)
        repository = repositories.create(self._cloud, account, region, _needed(fields, "name"))
        with self._cloud.lock:
            repository.mutability = "IMMUTABLE" if fields.get("immutable") else "MUTABLE"
            repository.exclusions = list(fields.get("exclusions") or [])
            if repository.exclusions:
                repository.mutability += "_WITH_EXCLUSION"
            if fields.get("policy"):
                repository.policy = Policy(fields["policy"], resource_based=True)
                repository.policy_text = json.dumps(fields["policy"])
            return _show_repository(repository)

    def _lose_blob(self, body, name):
        fields = _fields(body, "digest", "account", "region")
        repository = repositories.find(self._cloud, *_place(fields), name)
        if not self._cloud.storage.delete_blob(repository.upstream, _needed(fields, "digest")):
            raise ControlError("no such blob", 404)

    def _make_role(self, body):
        fields = _fields(body, "arn", "trust", "policy", "external_id")
        match = ROLE.fullmatch(_needed(fields, "arn"))
        if not match:
            raise ControlError("arn is not a role's")
        trust = (
            Policy(fields["trust"], trust=True)
            if fields.get("trust")
            else self._cloud.default_trust(match[1])
        )
        policy = Policy(fields["policy"]) if fields.get("policy") else None
        role = Role(fields["arn"], match[1], trust, policy, fields.get("external_id"))
        with self._cloud.lock:
            self._cloud.roles[role.arn] = role

    def _make_key(self, body):
        fields = _fields(body, "id", "secret", "policy", "account")
        policy = Policy(fields["policy"]) if fields.get("policy") else None
        with self._cloud.lock:
            self._cloud.add_key(
                _needed(fields, "id"),
                _needed(fields, "secret"),
                fields.get("account", ACCOUNTS[0]),
                policy,
            )

    # OIDC

    def _show_oidc(self, _body):
        url = f"{oidc.ISSUER}{oidc.TOKEN_PATH}?api-version=2.0"
        return {"request_url": url, "request_token": self._cloud.oidc_request_token}

    def _set_oidc(self, body):
        fields = _fields(body, "claims", "expires_in", "fail_times")
        with self._cloud.lock:
            if "claims" in fields:
                self._cloud.oidc_claims = dict(fields["claims"])
            self._cloud.oidc_expires_in = fields.get("expires_in", self._cloud.oidc_expires_in)
            self._cloud.oidc_fail_times = fields.get("fail_times", self._cloud.oidc_fail_times)


def _set_state(version, fields):
    version.state = fields["state"]
    idle = "The function is idle." if version.state == "Inactive" else None
    code = "Idle" if version.state == "Inactive" else None
    version.state_reason = (
        fields.get("state_reason", idle),
        fields.get("state_reason_code", code),
    )
    version.settles_at = None


def _fields(body, *known):
    if not isinstance(body, dict):
        raise ControlError("the body is an object")
    unknown = sorted(set(body) - set(known))
    if unknown:
        raise ControlError(f"unknown member {unknown[0]!r}; there are: {', '.join(known)}")
    return body


def _needed(fields, name):
    if not fields.get(name):
        raise ControlError(f"{name} is needed")
    return fields[name]


def _place(fields):
    account, region = fields.get("account") or ACCOUNTS[0], fields.get("region") or REGIONS[0]
    if account not in ACCOUNTS or region not in REGIONS:
        raise ControlError(f"accounts are {', '.join(ACCOUNTS)}; regions are {', '.join(REGIONS)}")
    return account, region


def _short(key):
    """The name alone, in the first account and region; else account/region/name."""
    account, region, name = key
    return name if (account, region) == (ACCOUNTS[0], REGIONS[0]) else "/".join(key)


def _show_repository(repository):
    return {
        "name": repository.name,
        "uri": repository.uri,
        "immutable": repository.mutability.startswith("IMMUTABLE"),
        "exclusions": repository.exclusions,
        "scan_on_push": repository.scan_on_push,
        "lifecycle": json.loads(repository.lifecycle_text) if repository.lifecycle_text else None,
        "policy": json.loads(repository.policy_text) if repository.policy_text else None,
        "tags": dict(sorted(repository.tags.items())),
        "images": {
            digest: {"media_type": each.media_type, "size": each.size, "pushed_at": each.pushed_at}
            for digest, each in repository.images.items()
        },
    }


def _show_version(function, version):
    shown = functions.show(function, version)
    if "Variables" in shown.get("Environment", {}):
        shown["Environment"] = {"Variables": dict.fromkeys(shown["Environment"]["Variables"], MASK)}
    return {
        "digest": version.image.digest if version.image else None,
        "image": version.image.resolved_uri if version.image else None,
        "state": version.state,
        "last_update_status": version.update_status,
        "revision_id": version.revision_id,
        "configuration": shown,
    }


def _show_function(function):
    return {
        "name": function.name,
        "arn": function.arn,
        "package": function.package_type,
        "url": f"https://{function.url_host()}/",
        **_show_version(function, function.latest),
        "versions": {
            number: _show_version(function, each) for number, each in function.versions.items()
        },
        "aliases": {name: _show_alias(each) for name, each in function.aliases.items()},
        "tags": dict(function.tags),
    }


def _show_alias(alias):
    functions.settle_alias(alias)
    return {"version": alias.version, "weights": alias.weights, "revision_id": alias.revision_id}


def _json(status, value):
    return Response(
        status, [("Content-Type", "application/json")], json.dumps(value).encode() + b"\n"
    )
