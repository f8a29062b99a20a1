"""The nine ends that a run can come to, played one after the other with one function: what their reports are looked at by."""

import dataclasses
import signal
import typing

from . import cloud, events

BASE = """\
FROM busybox
RUN echo "installing poppler and cairo" && sleep 0.5
COPY base/ /opt/base/
"""
APPLICATION = """\
ARG BASE_IMAGE=base
FROM busybox AS assets
COPY app/ /app/
RUN echo "packing the assets" && sleep 0.3 && sort /app/behaviour >/assets
FROM ${BASE_IMAGE}
COPY function /function
COPY app/ /app/
COPY --from=assets /assets /assets
ENTRYPOINT ["/function"]
"""
BREAKAGE = ("RUN echo \"packing the assets\"", "RUN echo \"no space for tiktoken 0.7\" >&2; exit 3; echo \"packing the assets\"")
CHECKS = 'GET /health -> 200 "ok"\nGET /items/42 -> 200 "found"'
STORAGE_CHECKS = 'POST /files {"name":"probe"} -> 201 "id"\nGET /items/$1.id -> 200 "found"'


@dataclasses.dataclass(frozen=True)
class Ending:
    name: str
    message: str  # of the commit; "": the commit before
    exit_code: int
    outputs: dict
    change: typing.Callable = lambda project: None  # of the project
    event: typing.Callable = lambda message, sha: events.push(message, sha)
    inputs: dict = dataclasses.field(default_factory=dict)
    is_cancelled: bool = False  # the runner ends it while the function is being updated


def pull_request(_message, sha):
    return events.pull_request(head_sha=sha, merge_sha=sha)


ENDINGS = (
    Ending("first-deploy", "Answer questions about sales", 0,
           {"base-status": "built", "image-built": "built", "deployed": "true", "storage-tests": "skipped"}),
    Ending("nothing-changed", "", 0,
           {"base-status": "found", "image-built": "reused", "deployed": "false", "health": "ok"}),
    Ending("code-change", "Answer questions about stock, too", 0,
           {"base-status": "found", "image-built": "built", "deployed": "true"},
           lambda project: project.behave(version="2"), inputs={"checks": CHECKS, "memory-size": "256"}),
    Ending("plan", "Read tables from PDF files", 0, {"deployed": "false"},
           lambda project: project.write("base/packages.txt", "poppler\ncairo\npango\n"), pull_request),
    Ending("base-change", "", 0, {"base-status": "built", "image-built": "built", "deployed": "true"}),
    Ending("storage-tests", "Release 1.4", 0,
           {"base-status": "found", "image-built": "built", "deployed": "true", "storage-tests": "run"},
           lambda project: project.behave(version="4"),
           lambda message, sha: events.push_tag("v1.4.0", message, sha),
           {"checks": CHECKS, "storage-checks": STORAGE_CHECKS}),
    Ending("build-failure", "Count tokens", 1, {"base-status": "found", "deployed": "false", "rolled-back": "false"},
           lambda project: project.behave(version="5").replace("Dockerfile.lambda", *BREAKAGE)),
    Ending("health-rollback", "Count tokens, second try", 1,
           {"image-built": "built", "deployed": "false", "rolled-back": "true", "health": "failed"},
           lambda project: project.replace("Dockerfile.lambda", *reversed(BREAKAGE)).behave(
               version="5", health="500", print="ImportError: No module named 'tiktoken'")),
    Ending("cancelled", "Count tokens, third try", 130, {"deployed": "false", "rolled-back": "true"},
           lambda project: project.behave(version="6"), is_cancelled=True),
)


def prepare(project):
    project.write("Dockerfile.lambda.base", BASE).write("Dockerfile.lambda", APPLICATION)


def play(test, ending, project):
    """The run of one of them; `test` is a FunctionCase."""
    ending.change(project)
    if ending.message:
        project.commit(ending.message)
    inputs = {"baseline": "32m", "cold-start-wait": "1", **ending.inputs}
    if ending.name != "first-deploy":
        inputs["create-with-role"] = None
    event = ending.event(ending.message or "Go on", project.commit_id)
    inputs = test.inputs(**{name.replace("-", "_"): value for name, value in inputs.items()})
    mark = test.mark()
    step = test.step(project, event, inputs=inputs).start()
    if ending.is_cancelled:
        test.until(lambda: is_updating(test, mark), "the update")
        step.signal(signal.SIGINT)
    return test.finish(step)


def is_updating(test, mark):
    return "UpdateFunctionCode" in cloud.operations(test.since(mark))
