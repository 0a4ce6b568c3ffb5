/**
 * A turn as events on the wire: pure functions from what the hooks say.
 *
 * Every event has a key that the same step always gets, here and when a transcript is imported, so
 * that nothing is ever stored twice:
 *
 *     oc:<run>:user                what the user said (`:user:1`… what they added while it ran)
 *     oc:<run>:<call>:call         a call of a tool
 *     oc:<run>:<call>:result       its result
 *     oc:<run>:assistant:<time>    what the agent said, by when it began to
 *     oc:<run>:outcome             that the run failed
 */

import { id } from "./conversation.js";
import { strip } from "./python.js";
import { isTime } from "./session.js";
import { MAX_ERROR, MAX_RESULT, cleanData, cleanText, head, headAndTail } from "./text.js";
import { agentWords, textOf, userWords } from "./words.js";

/** @typedef {import("./conversation.js").Conversation} Conversation */
/** @typedef {import("./settings.js").Settings} Settings */

/**
 * @typedef {object} Event
 * @property {string} type
 * @property {string} sessionId
 * @property {object} payload
 * @property {object} metadata
 * @property {string} idempotencyKey
 * @property {string} occurredAt
 */

/**
 * What all events of a run share.
 * @typedef {object} Origin
 * @property {Conversation} conversation
 * @property {string} runId
 * @property {string} [sessionKey]
 * @property {string} [channel]
 * @property {string} [model]
 */

/**
 * A step of a run, before it is an event.
 * @typedef {object} Step
 * @property {string} key within the run
 * @property {string} type
 * @property {object} payload
 * @property {number} [at] milliseconds since the epoch
 */

/** Tools that only pass a call on to another one, and our own. */
const PASSED_ON = new Set(["tool_search", "tool_describe", "tool_call", "tool_search_code"]);
const OWN_TOOLS = new Set(["hippocortex_search"]);
const INNER_CALL = /^tool_search_code:([^:]*):.*:(\d+)$/su;
const EXIT_LINE = /^\(Command exited with code -?\d+\)$/u;
const LAST_LINES = 3;

/**
 * Whether calls of the tool say what the agent did.
 * @param {unknown} toolName
 */
export function isCaptured(toolName) {
  const name = String(toolName ?? "");
  return name !== "" && !PASSED_ON.has(name) && !OWN_TOOLS.has(name);
}

/**
 * What identifies a call within its run.
 * @param {unknown} toolCallId
 */
export function callKey(toolCallId) {
  const raw = String(toolCallId ?? "");
  const inner = raw.match(INNER_CALL);
  const plain = (inner ? inner[1] : raw).replace(/[^A-Za-z0-9]/gu, "") || "call";
  return inner ? `${plain}.${inner[2]}` : plain;
}

/**
 * The call of a tool and its result.
 * @param {any} event of `after_tool_call`
 * @param {string} call its key
 * @param {number} at when it ended
 * @param {Settings} settings
 * @returns {Step[]}
 */
export function toolSteps(event, call, at, settings) {
  const tool = cleanText(String(event.toolName), settings);
  const began = at - (Number.isFinite(event.durationMs) ? event.durationMs : 0);
  const args = cleanData(event.params ?? {}, settings);
  return [
    { key: `${call}:call`, type: "tool_call", payload: { tool, args, call_id: call }, at: began },
    {
      key: `${call}:result`,
      type: "tool_result",
      payload: { tool, ...resultOf(event, settings), call_id: call },
      at,
    },
  ];
}

/**
 * What the user and the agent said in a run.
 * @param {any[]} messages of the run
 * @param {Settings} settings
 * @returns {Step[]}
 */
export function messageSteps(messages, settings) {
  const said = new Set();
  let ordinal = 0;
  return messages.flatMap((message) => {
    const step = messageStep(message, settings);
    if (!step) return [];
    if (message.role === "assistant") {
      step.key = `assistant:${step.at ?? ordinal}`;
      ordinal += 1;
      return [step];
    }
    // The host repeats what the user said when it tries again.
    const { content } = /** @type {{content: string}} */ (step.payload);
    if (said.has(content)) return [];
    step.key = said.size ? `user:${said.size}` : "user";
    said.add(content);
    return [step];
  });
}

/**
 * How a run failed; null if it did not.  A run that ended well gets no verdict: the host cannot
 * know whether the task went well.
 * @param {any} event of `agent_end`
 * @param {any[]} messages of the run
 * @param {number} at when it ended
 * @param {Settings} settings
 * @returns {Step | null}
 */
export function failureStep(event, messages, at, settings) {
  const last = messages.filter(({ role }) => role === "assistant").at(-1);
  const broke = last?.stopReason === "error";
  if (event.success !== false && !broke) return null;
  const why = (broke && last.errorMessage) || event.error || "the run failed";
  const summary = head(cleanText(String(why), settings), MAX_ERROR);
  return { key: "outcome", type: "outcome", payload: { success: false, summary }, at };
}

/**
 * Whether the agent had nothing to say and did nothing: `NO_REPLY`, `HEARTBEAT_OK`.
 * @param {any[]} messages of the run
 */
export function isSilent(messages) {
  const texts = messages.filter(({ role }) => role === "assistant").map(rawText);
  const said = texts.filter((text) => strip(text));
  return said.length > 0 && said.every((text) => !agentWords(text));
}

/**
 * The steps as events, in the order in which they happened.
 * @param {Step[]} steps
 * @param {Origin} origin
 * @param {number} now what has no time of its own happened by now
 * @returns {Event[]}
 */
export function eventsOf(steps, origin, now) {
  const { conversation, runId } = origin;
  const metadata = metadataOf(origin);
  return inOrder(steps).map(({ key, type, payload, at }) => ({
    type,
    sessionId: conversation.sessionId,
    payload,
    metadata,
    idempotencyKey: id(`oc:${runId}:${key}`),
    occurredAt: new Date(isTime(at) ? at : now).toISOString(),
  }));
}

/**
 * @param {any} message
 * @param {Settings} settings
 * @returns {Step | null}
 */
function messageStep(message, settings) {
  const { role, timestamp } = message;
  if (role !== "user" && role !== "assistant") return null;
  const raw = rawText(message);
  const content = cleanText(role === "user" ? userWords(raw) : agentWords(raw), settings);
  if (!strip(content)) return null;
  const at = isTime(timestamp) ? { at: timestamp } : {};
  return { key: role, type: "message", payload: { role, content }, ...at };
}

/** @param {any} message */
function rawText(message) {
  return textOf(message.content);
}

/**
 * @param {any} event
 * @param {Settings} settings
 */
function resultOf(event, settings) {
  const details = event.result?.details ?? {};
  const said = rawText({ content: event.result?.content ?? event.result });
  const text = said ? cleanText(said, settings) : "";
  const error = errorOf(event, details, text, settings);
  return {
    result: headAndTail(text, MAX_RESULT),
    ...(error ? { error } : {}),
    ...(Number.isInteger(details.exitCode) ? { exit_code: details.exitCode } : {}),
  };
}

/**
 * Why the tool failed; "" if it did not.
 * @param {any} event
 * @param {any} details
 * @param {string} text
 * @param {Settings} settings
 */
function errorOf(event, details, text, settings) {
  const thrown = event.error || (details.status === "error" && (details.error || text || "failed"));
  if (thrown) return head(cleanText(String(thrown), settings), MAX_ERROR);
  if (Number.isInteger(details.exitCode) && details.exitCode !== 0) {
    return ended(`exit code ${details.exitCode}`, text);
  }
  if (typeof details.exitSignal === "string") return ended(`ended by ${details.exitSignal}`, text);
  return "";
}

/**
 * @param {string} how
 * @param {string} text
 */
function ended(how, text) {
  const lines = text
    .split("\n")
    .map(strip)
    .filter((line) => line && !EXIT_LINE.test(line));
  return head([how, lines.slice(-LAST_LINES).join("\n")].filter(Boolean).join(": "), MAX_ERROR);
}

/** @param {Origin} origin */
function metadataOf({ conversation, runId, sessionKey, channel, model }) {
  return {
    source: "openclaw",
    user_id: conversation.userId,
    agent_id: conversation.agentId,
    ...(sessionKey ? { session_key: id(sessionKey) } : {}),
    ...(runId ? { run_id: id(runId) } : {}),
    ...(channel ? { channel: id(channel) } : {}),
    ...(model ? { model: id(model) } : {}),
  };
}

/**
 * By time if all times are known; else the user, what was done, what the agent said.
 * @param {Step[]} steps
 */
function inOrder(steps) {
  const timed = steps.every(({ at }) => isTime(at));
  const place = timed ? edge : placeInTurn;
  const time = (/** @type {Step} */ { at = 0 }) => (timed ? at : 0);
  return [...steps].sort((a, b) => place(a) - place(b) || time(a) - time(b));
}

/**
 * What comes first or last whatever the clocks say.
 * @param {Step} step
 */
function edge({ key }) {
  return key === "user" ? -1 : Number(key === "outcome");
}

/** @param {Step} step */
function placeInTurn({ key, type }) {
  if (key.startsWith("user")) return 0;
  if (type === "message") return 2;
  return type === "outcome" ? 3 : 1;
}
