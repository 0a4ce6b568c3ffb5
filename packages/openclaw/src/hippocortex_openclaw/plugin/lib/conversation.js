/**
 * Who takes part in a conversation: what is captured in it is theirs, and only theirs is recalled.
 *
 * OpenClaw's session keys say so:
 *
 *     agent:main:main                                    the owner, wherever they write from
 *     agent:main:telegram:direct:123                     a direct chat that is kept apart
 *     agent:main:telegram:group:-100:topic:5             a group; its topics share a memory
 *     agent:main:openai-user:bob                         a user of the HTTP interface
 *     agent:main:subagent:5f0c…                          whoever had the subagent started
 *
 * `_conversations.py` of the importer does the same; tests/openclaw/conversations.json has the cases.
 */

import { createHash } from "node:crypto";

import { storable } from "./python.js";

/**
 * @typedef {object} Conversation
 * @property {string} agentId
 * @property {string} userId
 * @property {string} sessionId
 */

/** @typedef {"conversation" | "agent" | "shared"} Scope */

const AGENT = /^agent:([^:]+):/iu;
const SUBAGENT = /^subagent:/iu;
const INCOGNITO = /^agent:[^:]+:(?:dashboard|subagent|internal-session-effects):incognito-[^:]/iu;
const THREAD = /:(?:thread|topic):.*$/isu;
const AUDIENCES = [
  /^(?:direct|dm):./isu,
  /^[^:]+:(?:group|channel|room|slash|direct|dm):./isu,
  /^[^:]+:[^:]+:(?:direct|dm):./isu,
  /^(?:openai-user|openresponses-user|voice):./isu,
  /^acp:binding:./isu,
];
// OpenClaw keeps the case of these ids, as two that differ in it are two.
const OPAQUE = /^(matrix:(?:channel|group):|signal:group:)(.*)$/isu;
const DM = /^((?:[^:]+:){0,2})dm:/u;
const MAX_ID_BYTES = 256;

/**
 * The conversation that a hook's context names.
 * @param {{agentId?: unknown, sessionKey?: unknown, sessionId?: unknown, requesterKey?: unknown}} given
 *   `requesterKey`: the session that started a subagent.
 * @param {{scope?: Scope, userId?: string}} settings
 * @returns {Conversation}
 */
export function conversationOf(given, settings) {
  const key = text(given.sessionKey);
  const agentId = text(given.agentId) || key.match(AGENT)?.[1] || "main";
  const sessionId = text(given.sessionId) || key || `agent:${agentId}:main`;
  const owner = settings.userId || "owner";
  const apart = (settings.scope ?? "conversation") === "conversation";
  const audience = apart ? audienceOf(key, text(given.requesterKey)) : "";
  return { agentId: id(agentId), userId: id(audience || owner), sessionId: id(sessionId) };
}

/**
 * What of the memory may be recalled in it: the filters of a `synthesize`.
 * @param {Conversation} conversation
 * @param {{scope?: Scope}} settings
 */
export function recallFilter({ agentId, userId, sessionId }, settings) {
  const agent = settings.scope === "shared" ? {} : { agentId };
  return { userId, ...agent, activeSessionId: sessionId };
}

/**
 * Whether OpenClaw promised to leave no trace of the session.
 * @param {unknown} sessionKey
 */
export function isIncognito(sessionKey) {
  return INCOGNITO.test(text(sessionKey));
}

/**
 * Whether the session was started by an agent, for a task.
 * @param {unknown} sessionKey
 */
export function isSubagent(sessionKey) {
  return SUBAGENT.test(withoutAgent(text(sessionKey)));
}

/**
 * An id that the server accepts: storable text of at most 256 bytes, else its hash.
 * @param {string} value
 */
export function id(value) {
  const clean = storable(value);
  if (Buffer.byteLength(clean) <= MAX_ID_BYTES) return clean;
  return `sha256-${createHash("sha256").update(clean).digest("hex")}`;
}

/**
 * Who takes part; "" for the owner.
 * @param {string} key
 * @param {string} requesterKey
 * @returns {string}
 */
function audienceOf(key, requesterKey) {
  const rest = withoutAgent(key);
  if (SUBAGENT.test(rest)) {
    // Of unknown origin: it may work for a group, which must not learn what the owner said.
    return requesterKey ? audienceOf(requesterKey, "") : rest.toLowerCase();
  }
  if (!AUDIENCES.some((shape) => shape.test(rest))) return "";
  return folded(rest.replace(THREAD, "")).replace(DM, "$1direct:");
}

/** @param {string} key */
function withoutAgent(key) {
  let rest = key;
  while (AGENT.test(rest)) rest = rest.replace(AGENT, "");
  return rest;
}

/** @param {string} audience */
function folded(audience) {
  const opaque = audience.match(OPAQUE);
  return opaque ? opaque[1].toLowerCase() + opaque[2] : audience.toLowerCase();
}

/** @param {unknown} value */
function text(value) {
  return typeof value === "string" ? value.trim() : "";
}
