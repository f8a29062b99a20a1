"""Lambda's aliases."""

import re

from . import functions, paging
from .errors import AwsError
from .functions import LATEST, Alias

NUMBER = re.compile(r"[0-9]+")


class Aliases:
    def __init__(self, cloud, target):
        """`target(caller, parameters, call)` -> (function, qualifier)."""
        self._cloud = cloud
        self._target = target

    def create_alias(self, caller, parameters, call):
        function, _ = self._target(caller, parameters, call)
        name = parameters["Name"]
        with self._cloud.lock:
            if name in function.aliases:
                raise AwsError(
                    "ResourceConflictException", f"Alias already exists: {function.arn}:{name}", 409
                )
            weights = _weights(parameters)
            _check_targets(function, parameters["FunctionVersion"], weights)
            alias = Alias(
                name, parameters["FunctionVersion"], parameters.get("Description", ""), weights
            )
            function.aliases[name] = alias
            if self._cloud.hosts:
                self._cloud.hosts.add(function.url_host(name))
            return functions.show_alias(function, alias)

    def get_alias(self, caller, parameters, call):
        function, alias = self._find(caller, parameters, call)
        with self._cloud.lock:
            return functions.show_alias(function, alias)

    def update_alias(self, caller, parameters, call):
        """What is not given stays as it is, the caller's weights too. The answer tells nothing of the
        transition that it begins.
        """
        function, alias = self._find(caller, parameters, call)
        transition_ms = self._cloud.settings.of(function.name, "alias_transition_ms")
        with self._cloud.lock:
            functions.settle_alias(alias)
            functions.check_revision(alias, parameters.get("RevisionId"))
            version = parameters.get("FunctionVersion", alias.version)
            changing = alias.settles_at is not None
            weights = {} if changing else alias.weights
            if parameters.get("RoutingConfig") is not None:
                weights = _weights(parameters)
            _check_targets(function, version, weights)
            if weights and transition_ms:
                raise AwsError(
                    "InvalidParameterValueException",
                    "Invalid alias configuration for Provisioned Concurrency",
                )
            alias.description = parameters.get("Description", alias.description)
            functions.touch(alias)
            if changing and version == alias.version and not weights:
                return functions.show_alias(function, alias)
            serving = alias.serving
            alias.version, alias.weights, alias.settles_at = version, weights, None
            shown = functions.show_alias(function, alias)
            functions.begin_transition(alias, serving, transition_ms)
            return shown

    def delete_alias(self, caller, parameters, call):
        function, _ = self._target(caller, parameters, call)
        with self._cloud.lock:
            function.aliases.pop(
                parameters["Name"], None
            )  # AWS answers 204 when there is none, too

    def list_aliases(self, caller, parameters, call):
        function, _ = self._target(caller, parameters, call)
        wanted = parameters.get("FunctionVersion")
        with self._cloud.lock:
            aliases = [function.aliases[name] for name in sorted(function.aliases)]
            shown = [
                functions.show_alias(function, each)
                for each in aliases
                if wanted in (None, each.version)
            ]
        found, marker = paging.page(shown, parameters.get("Marker"), parameters.get("MaxItems", 50))
        return {"Aliases": found, "NextMarker": marker}

    def _find(self, caller, parameters, call):
        function, _ = self._target(caller, parameters, call)
        alias = function.aliases.get(parameters["Name"])
        if alias is None:
            raise AwsError(
                "ResourceNotFoundException",
                f"Cannot find alias arn: {function.arn}:{parameters['Name']}",
                404,
            )
        return function, alias


def _weights(parameters):
    return dict((parameters.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {})


def _check_targets(function, version, weights):
    for number in (version, *weights):
        if number != LATEST and number not in function.versions:
            raise functions.missing(f"{function.arn}:{number}")
    if not weights:
        return
    if LATEST in (version, *weights):
        raise AwsError(
            "InvalidParameterValueException",
            "$LATEST is not supported for an alias pointing to more than 1 version",
        )
    if version in weights:
        raise AwsError(
            "InvalidParameterValueException",
            "Routing weights cannot name the version that the alias points to",
        )
    if len(weights) > 1:
        raise AwsError(
            "InvalidParameterValueException",
            "Number of items in AdditionalVersionWeights cannot be greater than 1",
        )
