// A host for the plugin under any Node: commands come as lines of JSON, answers go as lines of JSON.
//
//   node host.mjs <plugin folder>
//   {"op": "register", "config": {…}, "mode": "full", "host": {…}}
//   {"op": "reload", "copy": "<another folder with the same files>"}
//   {"op": "hook", "name": "agent_end", "event": {…}, "context": {…}}
//   {"op": "call", "module": "redaction", "name": "redactText", "args": […]}
//
// An answer holds the result, or the error, and what was logged since the last one.

import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { join } from "node:path";

const folder = process.argv[2];
const pluginIn = async (place) => (await import(pathToFileURL(join(place, "index.js")).href)).default;
let plugin = await pluginIn(folder);

let log = [];
let registered = [];
const say = (level) => (message) => log.push({ level, message: String(message) });
const logger = { debug: say("debug"), info: say("info"), warn: say("warn"), error: say("error") };

function register({ config, mode = "full", host = {} }) {
  const one = { mode, hooks: [], tools: [], prompts: [], corpora: [] };
  const api = {
    id: "hippocortex",
    registrationMode: mode,
    pluginConfig: config,
    config: host.config,
    logger: host.logger === "throws" ? { warn: () => { throw new Error("no log"); } } : logger,
    runtime: host.runtime === false ? undefined : { state: { resolveStateDir: () => host.stateDir ?? "" } },
    on: (name, handler, options) => one.hooks.push({ name, handler, options }),
    registerTool: (tool, options) => one.tools.push({ tool, options }),
    registerMemoryPromptSupplement: (builder) => one.prompts.push(builder),
    registerMemoryCorpusSupplement: (corpus) => one.corpora.push(corpus),
  };
  const returned = plugin.register(api);
  registered.push(one);
  return {
    returned: returned === undefined ? null : String(returned),
    hooks: Object.fromEntries(one.hooks.map(({ name, options }) => [name, options])),
    tools: one.tools.map(({ options }) => options),
    prompts: one.prompts.length,
    corpora: one.corpora.length,
  };
}

// As in the host, a hook runs in the registration that came last.
const latest = () => registered[registered.length - 1];

// JSON has no cycles, bytes or functions; a tool's arguments may have them.
function revived(value) {
  if (value?.$cycle) { const made = { name: "ring" }; made.self = made; return made; }
  if (value?.$bytes) return Buffer.alloc(value.$bytes);
  if (value?.$bigint) return BigInt(value.$bigint);
  if (Array.isArray(value)) return value.map(revived);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, revived(inner)]));
}

async function hook({ name, event, context }) {
  const found = latest().hooks.filter((one) => one.name === name);
  const results = [];
  for (const { handler } of found) results.push(await handler(revived(event), revived(context)));
  return results.length ? (results[0] ?? null) : "no such hook";
}

async function tool({ context, params }) {
  const made = latest().tools[0].tool(context);
  if (!made) return null;
  const { execute, ...described } = made;
  return params === undefined ? described : await execute("id", params);
}

const operations = {
  register,
  hook,
  tool,
  // Several at once, as a gateway has several sessions.
  all: async ({ commands }) => Promise.all(commands.map((one) => operations[one.op](one))),
  prompt: ({ tools }) => latest().prompts[0]({ availableTools: new Set(tools) }),
  corpus: ({ name, given }) => latest().corpora[0][name](given),
  call: async ({ module, name, args }) => {
    const lib = await import(pathToFileURL(join(folder, "lib", `${module}.js`)).href);
    return lib[name](...args);
  },
  node: () => process.versions.node,
  // As the host does when the settings change: nothing of the files that were loaded is used again.
  reload: async ({ copy }) => void (plugin = await pluginIn(copy)),
};

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  let answer;
  const began = performance.now();
  try {
    answer = { result: (await operations[command.op](command)) ?? null };
  } catch (error) {
    answer = { error: String(error?.stack ?? error) };
  }
  const tookMs = performance.now() - began;
  process.stdout.write(`${JSON.stringify({ ...answer, tookMs, log: log.splice(0) })}\n`);
}
