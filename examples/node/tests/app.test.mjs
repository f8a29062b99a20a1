// npm test
import assert from "node:assert/strict";
import test from "node:test";

import { handler } from "../app/index.mjs";

async function ask(method, path, queryStringParameters) {
  const reply = await handler({ rawPath: path, queryStringParameters, requestContext: { http: { method, path } } });
  return [reply.statusCode, JSON.parse(reply.body)];
}

test("is healthy", async () => {
  assert.deepEqual(await ask("GET", "/health"), [200, { status: "ok" }]);
});

test("rolls dice", async () => {
  const [status, body] = await ask("GET", "/dice", { sides: "2" });
  assert.equal(status, 200);
  assert.equal(body.sides, 2);
  assert.ok([1, 2].includes(body.roll));
});

test("refuses what is no die", async () => {
  for (const sides of ["1", "1001", "six", "2.5"]) {
    assert.equal((await ask("GET", "/dice", { sides }))[0], 400, sides);
  }
  assert.equal((await ask("POST", "/dice"))[0], 404);
});
