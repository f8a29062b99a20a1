// Lets Node read the JSON that a package imports without saying that it is JSON.
import { readFile } from "node:fs/promises";
import * as hooks from "node:module";

export async function load(url, context, next) {
  if (!url.endsWith(".json")) return next(url, context);
  const text = await readFile(new URL(url), "utf8");
  return { format: "module", source: `export default ${text}`, shortCircuit: true };
}

// In the thread of the hooks this file is read once more, which has nothing to register.
if (!import.meta.url.includes("?hooks")) hooks.register(`${import.meta.url}?hooks`);
