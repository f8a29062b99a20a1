"""python3 -m unittest discover -s tests -t . (needs what requirements.txt names)"""

import json
import os
import tempfile
import unittest

FOLDER = tempfile.TemporaryDirectory()
os.environ["STORAGE_FOLDER"] = FOLDER.name
os.environ.pop("STORAGE_BUCKET", None)

from app import main  # noqa: E402


def ask(method, path, body=None):
    event = {"version": "2.0", "rawPath": path, "requestContext": {"http": {"method": method, "path": path}},
             "isBase64Encoded": False, **({} if body is None else {"body": json.dumps(body)})}
    reply = main.handler(event, None)
    return reply["statusCode"], json.loads(reply["body"]) if "body" in reply else None


class App(unittest.TestCase):
    def test_health(self):
        self.assertEqual(ask("GET", "/health"), (200, {"status": "ok", "documents": 2}))

    def test_query(self):
        status, found = ask("POST", "/query", {"question": "When do I get my refund?"})
        self.assertEqual((status, found["source"]), (200, "returns.txt"))
        self.assertIn("five working days", found["answer"])
        self.assertEqual(ask("POST", "/query", {"question": "zebra"}), (200, {"answer": None}))

    def test_documents(self):
        status, made = ask("POST", "/documents", {"text": "The zebra is striped."})
        self.assertEqual(status, 201)
        path = "/documents/" + made["id"]
        self.assertEqual(ask("GET", path), (200, {"id": made["id"], "text": "The zebra is striped."}))
        self.assertEqual(ask("POST", "/query", {"question": "Zebras?"})[1]["source"], made["id"])
        self.assertEqual(ask("DELETE", path), (204, None))
        self.assertEqual(ask("GET", path)[0], 404)

    def test_refusals(self):
        for method, path, body in (("POST", "/query", {}), ("POST", "/query", []), ("POST", "/documents", {}),
                                   ("POST", "/documents", {"pdf": "no base64!"})):
            self.assertEqual(ask(method, path, body)[0], 400, (path, body))
        self.assertEqual(ask("GET", "/else")[0], 404)
        self.assertEqual(ask("GET", "/documents/../etc")[0], 404)


if __name__ == "__main__":
    unittest.main()
