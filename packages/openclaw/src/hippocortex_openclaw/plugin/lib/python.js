/**
 * What Python's strings do that JavaScript's do not: the memory's own redaction, marking and
 * rendering are written in Python, and what they make of a text must be made of it here, too.
 */

/** Inside a character class: what Python's `\s` matches. */
export const SPACE =
  "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";

/** Inside a character class: what Python's `\w` matches. */
export const WORD = "\\p{L}\\p{N}_";

const START = new RegExp(`^[${SPACE}]+`, "u");
const END = new RegExp(`[${SPACE}]+$`, "u");
const LINE_END = /\r\n|[\n\v\f\r\x1c-\x1e\x85\u2028\u2029]/u;
// A pair is one character to a pattern with the `u` flag: what this finds stands alone.
const LONE_SURROGATE = /\p{Cs}/gu;

/**
 * Without white space at both ends.
 * @param {string} text
 */
export function strip(text) {
  return stripEnd(text.replace(START, ""));
}

/**
 * Without white space at the end.
 * @param {string} text
 */
export function stripEnd(text) {
  // A pattern that looks for the end from everywhere would take its time over a lot of spaces.
  let end = text.length;
  while (end > 0 && END.test(text[end - 1])) end -= 1;
  return text.slice(0, end);
}

/**
 * The lines, without what ends them.
 * @param {string} text
 * @returns {string[]}
 */
export function splitLines(text) {
  const lines = text.split(LINE_END);
  if (lines[lines.length - 1] === "") lines.pop();
  return lines;
}

/**
 * Characters, not the halves that JavaScript counts.
 * @param {string} text
 */
export function length(text) {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

/**
 * Text that the server can store: no lone surrogates and no NUL.
 * @param {string} text
 */
export function storable(text) {
  return text.replace(LONE_SURROGATE, "?").replaceAll("\0", "\ufffd");
}
