// The function: answers events of a function URL or an HTTP API (payload format 2.0).
//
// GET /health        {"status":"ok"}
// GET /dice?sides=6  {"sides":6,"roll":4}

import { randomInt } from "node:crypto";

const MOST_SIDES = 1000;

function reply(statusCode, body) {
  return { statusCode, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}

function roll(event) {
  const sides = Number(event.queryStringParameters?.sides ?? 6);
  if (!Number.isInteger(sides) || sides < 2 || sides > MOST_SIDES) {
    return reply(400, { error: `sides: a whole number from 2 to ${MOST_SIDES} is wanted` });
  }
  return reply(200, { sides, roll: randomInt(1, sides + 1) });
}

const routes = {
  "GET /health": () => reply(200, { status: "ok" }),
  "GET /dice": roll,
};

export async function handler(event) {
  const route = routes[`${event.requestContext.http.method} ${event.rawPath}`];
  return route ? route(event) : reply(404, { error: "no such path" });
}
