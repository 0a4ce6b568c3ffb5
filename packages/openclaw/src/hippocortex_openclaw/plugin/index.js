/**
 * Hippocortex for OpenClaw: recalls before every turn, captures after it.
 *
 * This file only tells the host which of its hooks lead where; nothing happens until one is called.
 * The host calls `register` several times in a process, also only to see what there is, and loads the
 * files anew when the settings change.
 */

import { memoryFor } from "./lib/memory.js";
import { Notices } from "./lib/notices.js";
import { readSettings, stateDirOf } from "./lib/settings.js";
import { shared } from "./lib/shared.js";
import { TOOL, corpusOf, promptSection, toolFactory } from "./lib/supplements.js";

/** More than the plugin's own deadlines, so that the host never has to give up on a hook. */
const GRACE_MS = 1_500;

/** @type {any} */
let logger;
const notices = new Notices(() => logger, shared.open);

export default {
  id: "hippocortex",
  name: "Hippocortex",
  description: "A memory that learns from experience, through a Hippocortex server",

  /** @param {any} api */
  register(api) {
    logger = api.logger ?? logger;
    const settings = readSettings(api.pluginConfig, process.env, stateDirOf(api, process.env));
    if (isLive(api)) warn(api, settings);
    if (!settings.baseUrl) return;
    const memory = memoryFor(settings, notices);
    registerHooks(api, memory, settings);
    api.registerTool?.(toolFactory(memory), { names: [TOOL] });
    api.registerMemoryPromptSupplement?.(promptSection);
    api.registerMemoryCorpusSupplement?.(corpusOf(memory));
  },
};

/**
 * @param {any} api
 * @param {import("./lib/memory.js").Memory} memory
 * @param {import("./lib/settings.js").Settings} settings
 */
function registerHooks(api, memory, settings) {
  const timeoutMs = settings.timeoutMs + GRACE_MS;
  const on = (/** @type {string} */ hook, /** @type {Function} */ handler) =>
    api.on?.(hook, safely(hook, handler), { timeoutMs });

  on("before_prompt_build", async (/** @type {any} */ event, /** @type {any} */ context) => {
    const block = await memory.begin(event, context);
    return block ? { prependContext: block } : undefined;
  });
  on("subagent_spawned", (/** @type {any} */ event, /** @type {any} */ context) =>
    memory.spawned(event, context),
  );
  // The host tells anybody of tools, but of what is said only those who may know.
  if (mayListen(api)) {
    on("after_tool_call", (/** @type {any} */ event, /** @type {any} */ context) =>
      memory.tool(event, context),
    );
  }
  on("gateway_start", () => memory.start());
  if (!settings.autoCapture) return;
  on("agent_end", (/** @type {any} */ event, /** @type {any} */ context) =>
    memory.end(event, context),
  );
  for (const hook of ["session_end", "before_reset"]) {
    on(hook, (/** @type {any} */ event, /** @type {any} */ context) =>
      memory.endSession(event, context),
    );
  }
  on("gateway_stop", () => memory.stop());
}

/**
 * A memory never breaks a turn: what goes wrong is logged, and the host goes on without it.
 * @param {string} hook
 * @param {Function} handler
 */
function safely(hook, handler) {
  return async (/** @type {any} */ event, /** @type {any} */ context) => {
    try {
      return await handler(event ?? {}, context ?? {});
    } catch (error) {
      notices.defect(hook, error);
      return undefined;
    }
  };
}

/**
 * What the user should know: a memory that is silently off helps nobody.
 * @param {any} api
 * @param {import("./lib/settings.js").Settings} settings
 */
function warn(api, settings) {
  const inForce = JSON.stringify(settings);
  if (inForce !== shared.settings) notices.renew("access");
  shared.settings = inForce;
  for (const warning of settings.warnings) notices.wrong(warning, warning);
  if (mayListen(api)) notices.over("access", "may recall and capture now");
  else {
    notices.wrong(
      "access",
      "may neither recall nor capture: run `openclaw config set " +
        "plugins.entries.hippocortex.hooks.allowConversationAccess true`",
    );
  }
}

/**
 * Whether the user lets the plugin know what is said; where nothing is known of that, the host sees
 * to it.
 * @param {any} api
 */
function mayListen(api) {
  const entry = api.config?.plugins?.entries?.hippocortex;
  return !entry || entry.hooks?.allowConversationAccess === true;
}

/** @param {any} api */
function isLive(api) {
  return (api.registrationMode ?? "full") === "full";
}
