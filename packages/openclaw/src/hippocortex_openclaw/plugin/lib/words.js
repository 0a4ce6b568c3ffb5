/**
 * What somebody said, without what the host and other memories put around it.
 *
 * A prompt is the user's words in an envelope, behind blocks of metadata and recalled memory.  None
 * of that is evidence; captured, it would come back as memory of every turn.  `_words.py` of the
 * importer does the same; tests/openclaw/words.json has the cases.
 */

import { withoutMemory } from "./marking.js";
import { strip } from "./python.js";

const CONTEXT_MARKER = "⟦openclaw:ctx⟧";
const BLOCKS = [
  /<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>>[^]*?(?:<<<END_OPENCLAW_INTERNAL_CONTEXT>>>|$)/gu,
  // Memories of other plugins.
  /(?:^Context:[ \t]*\n)?<(active_memory_plugin|relevant-memories|relevant_memories|supermemory-context)>[^]*?(?:<\/\1>|$(?![^]))/gmu,
];
// "Context: ⟦…⟧" says that everything from here on is the host's.
const TRAILING_CONTEXT = /^[ \t]*Context: ⟦openclaw:ctx⟧[ \t]*$[^]*/mu;
const CONTEXT_BLOCK =
  /^[^\n]*⟦openclaw:ctx⟧[ \t]*(?:\n|$)(?:[ \t]*```json[ \t]*\n[^]*?(?:^[ \t]*```[ \t]*(?:\n|$)|$(?![^]))|(?:[^\n]*\S[^\n]*(?:\n|$))*)/gmu;
const HOST_LINES = [
  /^System: \[\d{4}-\d{2}-\d{2} [^\]\n]*\][^\n]*(?:\n|$)/gmu,
  /^[ \t]*\[message_id: [^\]\n]+\][ \t]*(?:\n|$)/gimu,
];
// A subagent's first message, around its task.
const TASK = /^\[Subagent Context\] [^]*?\n\[Subagent Task\]\s*/u;
const TASK_END = "\n\nBegin. Execute the assigned task to completion.";
// Says that somebody else's message was passed on; stands before it or after it.
const PASSED_ON =
  /^\[Inter-session message\] [^\n]*(?:\nThis content was routed by OpenClaw [^\n]*)?(?:\n|$)/gmu;
const TRAILER = "\nRuntime: agent=";
// "[Telegram Ann +30s Sun 2026-01-18 00:20:12 CST] ", "[Sat 2026-11-21 10:00 UTC] "
const ENVELOPE = /^\[[^\]\n]{0,200}\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}[^\]\n]{0,60}\]\s*/u;
/** What an agent answers when there is nothing to say. */
const SILENCE = /^(?:HEARTBEAT_OK|NO_REPLY)[.!]?$/u;
/** What a part that is not text is remembered as; its bytes are never kept. */
const MEDIA = new Map([
  ["image", "[image]"],
  ["audio", "[audio]"],
  ["video", "[video]"],
  ["file", "[file]"],
  ["document", "[file]"],
]);

/**
 * The words of a message's content: a text, or a list of parts.
 * @param {unknown} content
 * @returns {string}
 */
export function textOf(content) {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content.map(partText).filter(Boolean).join("\n");
}

/**
 * The words that a user said.
 * @param {string} raw
 * @returns {string}
 */
export function userWords(raw) {
  let text = withoutMemory(raw);
  for (const block of BLOCKS) text = text.replace(block, "");
  if (text.includes(CONTEXT_MARKER)) {
    text = text.replace(TRAILING_CONTEXT, "").replace(CONTEXT_BLOCK, "");
  }
  for (const line of HOST_LINES) text = text.replace(line, "");
  const words = strip(withoutTrailer(strip(text.replace(PASSED_ON, ""))).replace(ENVELOPE, ""));
  return taskOf(words);
}

/** @param {string} words */
function taskOf(words) {
  if (!TASK.test(words)) return words;
  const task = words.replace(TASK, "");
  return strip(task.endsWith(TASK_END) ? task.slice(0, -TASK_END.length) : task);
}

/**
 * The words that an agent said; "" if it only reported that there was nothing to say.
 * @param {string} raw
 * @returns {string}
 */
export function agentWords(raw) {
  const text = strip(withoutMemory(raw));
  return SILENCE.test(text) ? "" : text;
}

/** @param {string} text */
function withoutTrailer(text) {
  const at = `\n${text}`.lastIndexOf(TRAILER);
  return at < 0 || text.includes("\n", at) ? text : text.slice(0, Math.max(0, at - 1));
}

/** @param {any} part */
function partText(part) {
  if (typeof part === "string") return part;
  if (typeof part?.text === "string" && (part.type ?? "text") === "text") return part.text;
  return MEDIA.get(part?.type) ?? "";
}
