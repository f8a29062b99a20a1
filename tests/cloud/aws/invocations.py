"""Lambda's Invoke, and what it shares with function URLs: pick a version, wake it, run it, keep
its log.
"""

import base64
import copy
import json
import random
import time
import uuid

from . import functions
from .errors import AwsError
from .functions import LATEST

PAYLOAD_LIMIT = 6 * 1024 * 1024
TAIL_BYTES = 4096


def invoke(cloud, function, qualifier, parameters):
    """The Invoke operation."""
    payload = parameters.get("Payload") or b"{}"
    kind = parameters.get("InvocationType", "RequestResponse")
    if len(payload) > PAYLOAD_LIMIT:
        message = (
            f"Request must be smaller than {PAYLOAD_LIMIT} bytes for the InvokeFunction operation"
        )
        raise AwsError("RequestTooLargeException", message, 413)
    try:
        json.loads(payload)
    except ValueError as error:
        message = (
            f"Could not parse request body into json: Could not parse payload into json: {error}"
        )
        raise AwsError("InvalidRequestContentException", message) from None
    if kind == "Event":
        raise AwsError(
            "InvalidParameterValueException", "this cloud has no asynchronous invocations"
        )
    if kind == "DryRun":
        with cloud.lock:
            functions.pick(function, qualifier)
        return {"StatusCode": 204}
    version, outcome = run(cloud, function, qualifier, payload)
    result = {"StatusCode": 200, "Payload": outcome.payload, "ExecutedVersion": version.number}
    if outcome.failed:
        result["FunctionError"] = "Unhandled"
    if parameters.get("LogType") == "Tail":
        result["LogResult"] = base64.b64encode(outcome.log[-TAIL_BYTES:]).decode()
    return result


def run(cloud, function, qualifier, payload):
    """(the version that ran, its invoke.Outcome); AwsError when it cannot be invoked now."""
    wake_ms = cloud.settings.of(function.name, "wake_ms")
    with cloud.lock:
        version = functions.pick(function, qualifier, draw=random.random())
        functions.wake(version, cloud.settings.create_ms if wake_ms is None else wake_ms)
        served = copy.copy(version.serving or version)  # later changes are for later invocations
    if served.image is None:
        raise AwsError("ServiceException", "this cloud runs container images only", 500)
    if cloud.pools is None:
        raise AwsError("ServiceException", "this cloud runs without an engine", 500)
    named = function.arn + (f":{qualifier}" if qualifier else "")
    request_id = str(uuid.uuid4())
    outcome = cloud.pools.invoke(function, served, named, request_id, payload)
    _keep_log(cloud, function, version, outcome)
    return version, outcome


def _keep_log(cloud, function, version, outcome):
    group = (function.account, function.region, f"/aws/lambda/{function.name}")
    day = time.strftime("%Y/%m/%d", time.gmtime(cloud.clock.now()))
    number = version.number if version.number != LATEST else "$LATEST"
    stream = f"{day}/[{number}]{outcome.environment_id}"
    now = int(cloud.clock.now() * 1000)
    lines = [(now, line) for line in outcome.log.decode("utf-8", "replace").splitlines()]
    with cloud.lock:
        cloud.log_groups.setdefault(group, {}).setdefault(stream, []).extend(lines)
