"""Over two hundred hostile strings, by every way on which strangers' text comes in: nothing comes out of them but text."""

import http.server
import threading
import unittest

from . import events, hostile
from .serving import FunctionCase

STRINGS = hostile.strings()
DOCKERFILE = """\
ARG BASE_IMAGE=base
FROM busybox AS talk
COPY app/ /app/
RUN cat /app/hostile && cp -r /app /copy
FROM ${BASE_IMAGE}
COPY function /function
COPY --from=talk /copy /app/
ENTRYPOINT ["/function"]
"""


class Talker(http.server.BaseHTTPRequestHandler):
    """Answers 500 with hostile text, another part of it each time."""

    asked = 0

    def do_GET(self):
        part = Talker.asked * 20 % len(STRINGS)
        Talker.asked += 1
        body = "\n".join(STRINGS[part:part + 20]).encode()
        self.send_response(500, "::error::HOSTILE999x")
        self.send_header("Content-Type", "text/plain")
        self.send_header("X-Hostile", "::error::HOSTILE998x")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Hostile(FunctionCase):
    base_stands = True
    has_own_figures = False

    def talker(self):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Talker)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return f"http://127.0.0.1:{server.server_address[1]}"

    def assertOnlyText(self, run):
        lines = [line.text for line in run.lines]
        self.assertEqual(hostile.forged(lines), [], "commands by somebody else")
        self.assertEqual(hostile.markup(run.summary), [], "alive in the summary")
        self.assertFalse([line for line in lines if "\x1b" in line or "\x07" in line or "\x08" in line])
        self.assertEqual(hostile.marks(" ".join(run.outputs)), set(), "an output's name")
        self.assertIn(run.outputs["deployed"], ("true", "false"))

    def test_build_function_answers_names_and_message(self):
        project, seeded = self.serve()
        project.write("app/hostile", "\n".join(STRINGS) + "\n").write("Dockerfile.lambda", DOCKERFILE)
        for string in STRINGS[::4]:
            name = string.replace("/", "_").encode()[:200].decode("utf-8", "ignore")
            project.write(f"app/{name}", "x")
        project.behave(version="2", print=STRINGS[0], fail=STRINGS[3])
        project.commit("\n".join(STRINGS))
        event = events.push(message="\n".join(STRINGS), sha=project.commit_id)
        run = self.deploy(project, event, health_url=self.talker(), cold_start_wait="1", refresh_invocations="0",
                          checks='GET /::error::HOSTILE997x -> 200 "::error::HOSTILE996x"')
        self.assertExit(run, 3)  # what was put back is answered for by the same server
        self.assertOnlyText(run)
        self.assertGreater(len(hostile.marks(run.text)), 200, "they were all shown")
        self.assertEqual(self.cloud.digest_of(self.name), seeded)

    def test_words_of_aws(self):
        project, _ = self.serve()
        wishes = [("GetFunction", "status", {"status": 400, "code": "X", "message": "\n".join(STRINGS[part::20])}, 1)
                  for part in range(3)]
        wishes.append(("UpdateFunctionCode", "update-failed",
                       {"reason_code": "InvalidImage", "reason": "\n".join(STRINGS[::5])}, 2))  # 1: the dry run
        for operation, fault, arg, nth in wishes:
            with self.subTest(operation=operation):
                self.cloud.fault("lambda", operation, fault, arg, nth=nth, resource=self.name)
                run = self.deploy(project)
                self.assertExit(run, 1)
                self.assertOnlyText(run)
                self.assertTrue(hostile.marks(run.text), "it was not shown")
                self.cloud.forget_faults(resource=self.name)


class TheJudge(unittest.TestCase):
    """It sees what it is there for."""

    def test_forged(self):
        for form in hostile.FORMS:
            line = form.format("error", "HOSTILE1x").split("\r")[-1].split("\x85")[-1].split("\u2028")[-1].split("\x0b")[-1]
            line = line.split("\x1b[1G")[-1]
            with self.subTest(line=line):
                self.assertEqual(hostile.forged([line]), [line])
        self.assertEqual(hostile.forged(["::error::the build says ::error::HOSTILE1x", "said :\\:error::HOSTILE1x"]), [])

    def test_markup(self):
        alive = [form.format("HOSTILE1x") for form in hostile.MARKUP[:9]]
        self.assertEqual([text for text in alive if not hostile.markup(text)], ["&lt;HOSTILE1x&gt;"][1:])
        self.assertGreater(len(STRINGS), 200)
