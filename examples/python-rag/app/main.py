"""The function: answers events of a function URL or an HTTP API (payload format 2.0).

GET  /health                         {"status": "ok"}
POST /query      {"question": "…"}   the passage that fits the question best, and where it is from
POST /documents  {"text": "…"} or {"pdf": "<base64>"}   201 and {"id": "…"}
GET  /documents/ID                   {"id": "…", "text": "…"}
DELETE /documents/ID                 204
"""

import base64
import json
import pathlib
import re
import subprocess
import tempfile
import uuid

from app import search, store

OWN_DOCUMENTS = pathlib.Path(__file__).parent / "documents"
DOCUMENT = re.compile(r"/documents/([0-9a-f]{32})")


class BadRequest(Exception):
    """Told to the caller, with status 400."""


def passages():
    """(source, paragraph) of everything that can be asked for."""
    texts = [(path.name, path.read_text(encoding="utf-8")) for path in sorted(OWN_DOCUMENTS.glob("*.txt"))]
    texts += [(key, store.get(key)) for key in store.names()]
    return [(source, " ".join(part.split())) for source, text in texts for part in text.split("\n\n") if part.strip()]


def text_of_pdf(data):
    """The text of a PDF, by pdftotext: the system package that the base image is there for."""
    with tempfile.NamedTemporaryFile(suffix=".pdf") as file:
        file.write(data)
        file.flush()
        done = subprocess.run(["pdftotext", file.name, "-"], capture_output=True, timeout=20, check=False)
    if done.returncode != 0:
        raise BadRequest("the PDF cannot be read")
    return done.stdout.decode("utf-8", "replace")


def health(_):
    return 200, {"status": "ok", "documents": len({source for source, _ in passages()})}


def query(body):
    question = body.get("question")
    if not isinstance(question, str) or not question.strip():
        raise BadRequest("question: a text is wanted")
    found = search.best(question, passages())
    if found is None:
        return 200, {"answer": None}
    source, passage = found
    return 200, {"answer": passage, "source": source}


def add(body):
    if isinstance(body.get("pdf"), str):
        try:
            text = text_of_pdf(base64.b64decode(body["pdf"], validate=True))
        except ValueError as error:
            raise BadRequest("pdf: base64 is wanted") from error
    elif isinstance(body.get("text"), str) and body["text"].strip():
        text = body["text"]
    else:
        raise BadRequest("text or pdf is wanted")
    key = uuid.uuid4().hex
    store.put(key, text)
    return 201, {"id": key}


def show(key):
    text = store.get(key)
    return (404, {"error": "no such document"}) if text is None else (200, {"id": key, "text": text})


def remove(key):
    store.delete(key)
    return 204, None


ROUTES = {("GET", "/health"): health, ("POST", "/query"): query, ("POST", "/documents"): add}
DOCUMENT_ROUTES = {"GET": show, "DELETE": remove}


def read_body(event):
    text = event.get("body") or "{}"
    try:
        if event.get("isBase64Encoded"):
            text = base64.b64decode(text).decode()
        body = json.loads(text)
    except ValueError as error:
        raise BadRequest("the body is not JSON") from error
    if not isinstance(body, dict):
        raise BadRequest("the body is not a JSON object")
    return body


def answer(event):
    method, path = event["requestContext"]["http"]["method"], event["rawPath"]
    document = DOCUMENT.fullmatch(path)
    if document and method in DOCUMENT_ROUTES:
        return DOCUMENT_ROUTES[method](document[1])
    if (method, path) in ROUTES:
        return ROUTES[method, path](read_body(event))
    return 404, {"error": "no such path"}


def handler(event, _context):
    try:
        status, body = answer(event)
    except BadRequest as error:
        status, body = 400, {"error": str(error)}
    reply = {"statusCode": status, "headers": {"content-type": "application/json"}}
    return reply if body is None else {**reply, "body": json.dumps(body)}
