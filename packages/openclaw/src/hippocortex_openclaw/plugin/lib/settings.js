/** The plugin's settings: what the host's configuration says, else the environment, else defaults. */

import { homedir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";

/**
 * @typedef {object} Settings
 * @property {string} baseUrl without a slash at the end; "" if it cannot be used
 * @property {string} apiKey "" for none
 * @property {boolean} autoRecall
 * @property {boolean} autoCapture
 * @property {boolean} captureTools
 * @property {number} maxTokens of a recalled text
 * @property {number} timeoutMs that a turn waits for the memory
 * @property {"conversation" | "agent" | "shared"} scope
 * @property {string} userId
 * @property {string[]} agents in lower case, as the host names them; empty: all
 * @property {string[]} sections empty: all
 * @property {number | undefined} minConfidence
 * @property {string} spoolDir
 * @property {number} spoolMaxBytes
 * @property {boolean} redact
 * @property {string[]} warnings for the log: what is wrong with the settings, and what to do
 */

const DEFAULT_URL = "http://127.0.0.1:8377/v1";
const SCOPES = ["conversation", "agent", "shared"];

/**
 * Reads the settings; what is of the wrong type counts as missing, as the manifest's schema has
 * told the user so already.
 * @param {unknown} config `plugins.entries.hippocortex.config`
 * @param {Record<string, string | undefined>} env
 * @param {string} stateDir OpenClaw's
 * @returns {Readonly<Settings>}
 */
export function readSettings(config, env, stateDir) {
  const given = /** @type {Record<string, unknown>} */ (isObject(config) ? config : {});
  const warnings = /** @type {string[]} */ ([]);
  const baseUrl = readUrl(text(given.baseUrl) || text(env.HIPPOCORTEX_BASE_URL), warnings);
  const apiKey = readKey(given.apiKey, env, warnings);
  if (apiKey && baseUrl.startsWith("http://") && !isLocal(baseUrl)) {
    warnings.push(`the API key goes to ${baseUrl} unencrypted; use https://`);
  }
  return Object.freeze({
    baseUrl,
    apiKey,
    autoRecall: given.autoRecall !== false,
    autoCapture: given.autoCapture !== false,
    captureTools: given.captureTools !== false,
    maxTokens: within(given.maxTokens, 64, 32_000, 1_500),
    timeoutMs: within(given.timeoutMs, 100, 10_000, 2_000),
    scope: /** @type {Settings["scope"]} */ (
      SCOPES.includes(text(given.scope)) ? given.scope : "conversation"
    ),
    userId: text(given.userId) || "owner",
    agents: texts(given.agents).map((name) => name.toLowerCase()),
    sections: texts(given.sections),
    minConfidence: typeof given.minConfidence === "number" ? given.minConfidence : undefined,
    spoolDir: folder(text(given.spoolDir), stateDir),
    spoolMaxBytes: within(given.spoolMaxBytes, 65_536, Number.MAX_SAFE_INTEGER, 64 * 1_048_576),
    redact: given.redact !== false,
    warnings,
  });
}

/**
 * OpenClaw's state folder, as OpenClaw finds it.
 * @param {any} api
 * @param {Record<string, string | undefined>} env
 */
export function stateDirOf(api, env) {
  try {
    const said = api?.runtime?.state?.resolveStateDir?.(env);
    if (text(said)) return said;
  } catch {
    // Some modes of registration have no runtime.
  }
  return text(env.OPENCLAW_STATE_DIR) || join(homedir(), ".openclaw");
}

/**
 * @param {string} given
 * @param {string[]} warnings
 */
function readUrl(given, warnings) {
  let url;
  try {
    url = new URL(given || DEFAULT_URL);
  } catch {
    url = null;
  }
  if (!url || !/^https?:$/u.test(url.protocol)) {
    warnings.push(
      "baseUrl must be an http(s):// URL: the memory is reached through `hippocortex serve`; " +
        "nothing is recalled or captured",
    );
    return "";
  }
  if (url.username || url.password) warnings.push("the user and password in baseUrl are not used");
  const path = url.pathname.replace(/\/+$/u, "");
  return `${url.protocol}//${url.host}${path || "/v1"}`;
}

/**
 * @param {unknown} given
 * @param {Record<string, string | undefined>} env
 * @param {string[]} warnings
 */
function readKey(given, env, warnings) {
  if (given !== undefined && given !== null && typeof given !== "string") {
    // A SecretRef reaches plugins unresolved in some ways of running.
    warnings.push('apiKey must be a text; write "${HIPPOCORTEX_API_KEY}" and set that variable');
  }
  const said = text(given);
  const key = said && !said.startsWith("${") ? said : text(env.HIPPOCORTEX_API_KEY);
  if (/^[\x21-\x7e]*$/u.test(key)) return key;
  // It cannot even be sent; and the error would be about the server, and hold the key.
  warnings.push(
    "the API key holds characters that no key has and is not used: copy it again, as a whole, " +
      "to HIPPOCORTEX_API_KEY or apiKey",
  );
  return "";
}

/** @param {string} baseUrl */
function isLocal(baseUrl) {
  return /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/u.test(new URL(baseUrl).hostname);
}

/**
 * @param {string} path
 * @param {string} stateDir
 */
function folder(path, stateDir) {
  if (!path) return join(stateDir, "hippocortex", "spool");
  if (path.startsWith("~/")) return join(homedir(), path.slice(2));
  return isAbsolute(path) ? path : resolve(stateDir, path);
}

/**
 * @param {unknown} value
 * @param {number} least
 * @param {number} most
 * @param {number} otherwise
 */
function within(value, least, most, otherwise) {
  if (typeof value !== "number" || !Number.isFinite(value)) return otherwise;
  return Math.min(most, Math.max(least, Math.floor(value)));
}

/** @param {unknown} value */
function text(value) {
  return typeof value === "string" ? value.trim() : "";
}

/** @param {unknown} value */
function texts(value) {
  return Array.isArray(value) ? value.map(text).filter(Boolean) : [];
}

/** @param {unknown} value */
function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
