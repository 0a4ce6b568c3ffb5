/** Texts and data as they may leave the process: no recalled memory, no secrets, no media, bounded. */

import { withoutMemory } from "./marking.js";
import { storable } from "./python.js";
import { redact, redactText } from "./redaction.js";

/** Characters of one text that are kept; a page of a book has 2,000. */
export const MAX_TEXT = 200_000;
/** Characters of a tool's result that are kept: how it begins, and how it ended. */
export const MAX_RESULT = 4_000;
/** Characters of a message of failure that are kept. */
export const MAX_ERROR = 500;

const MAX_DATA_BYTES = 200_000;
const TEXT_LIMITS = [MAX_RESULT, 400, 40];
const MAX_DEPTH = 48;
const MAX_ITEMS = 20_000;
const MEDIA_FROM = 512;
const SAMPLE = 4_096;
const DATA_URL = /^data:([\p{L}\p{N}_.+/-]{0,80})[^,]{0,80};base64,/u;
const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}\s*$/u;

/** @typedef {{redact: boolean}} Cleaning */

/**
 * The text as it may leave the process.
 * @param {string} raw
 * @param {Cleaning} settings
 * @returns {string}
 */
export function cleanText(raw, settings) {
  const media = raw.length > MEDIA_FROM ? mediaOf(raw) : "";
  if (media) return media;
  // Cut twice: a secret must not be cut in half before it is found.
  const kept = withoutMemory(raw.slice(0, 2 * MAX_TEXT));
  const clean = settings.redact ? redactText(kept) : kept;
  const cut =
    clean.length > MAX_TEXT ? `${clean.slice(0, MAX_TEXT)}… [cut at 200,000 characters]` : clean;
  return storable(cut);
}

/**
 * Any value as JSON data that may leave the process, and that is no larger than an event may be.
 * @param {unknown} value
 * @param {Cleaning} settings
 * @returns {any}
 */
export function cleanData(value, settings) {
  const data = jsonOf(value);
  const texts = (/** @type {string} */ text) => cleanText(text, settings);
  const clean = settings.redact ? redact(data, texts) : mapTexts(data, texts);
  for (const limit of TEXT_LIMITS) {
    const bounded = mapTexts(clean, (text) => headAndTail(text, limit));
    if (Buffer.byteLength(JSON.stringify(bounded) ?? "") <= MAX_DATA_BYTES) return bounded;
  }
  return "[too large]";
}

/**
 * The beginning and the end of a text that is too long.
 * @param {string} text
 * @param {number} limit
 */
export function headAndTail(text, limit) {
  if (text.length <= limit) return text;
  const half = limit / 2;
  const left = (text.length - limit).toLocaleString("en-US");
  return storable(
    `${text.slice(0, half)}\n[… ${left} characters left out …]\n${text.slice(-half)}`,
  );
}

/**
 * @param {string} text
 * @param {number} limit
 */
export function head(text, limit) {
  return text.length <= limit ? text : storable(`${text.slice(0, limit - 1)}…`);
}

/**
 * What stands for encoded media, which no memory can use; "" for a text.
 * @param {string} text
 */
function mediaOf(text) {
  const url = text.match(DATA_URL);
  if (url) return `[${url[1] || "data"}, ${bytes(text.length - url[0].length)} bytes]`;
  const encoded = BASE64.test(text.slice(0, SAMPLE)) && BASE64.test(text);
  return encoded ? `[base64, ${bytes(text.length)} bytes]` : "";
}

/** @param {number} characters */
function bytes(characters) {
  return Math.floor((characters * 3) / 4).toLocaleString("en-US");
}

/**
 * A copy as plain JSON data, whatever the value is: a tool may be called with anything.
 * @param {unknown} value
 */
function jsonOf(value) {
  let left = MAX_ITEMS;
  const seen = new Set();
  /** @type {(one: any, depth: number) => any} */
  const copy = (one, depth) => {
    if (one === null || typeof one === "string" || typeof one === "boolean") return one;
    if (typeof one === "number") return Number.isFinite(one) ? one : String(one);
    if (typeof one === "bigint") return String(one);
    if (typeof one !== "object") return null;
    left -= 1;
    if (left < 0 || depth > MAX_DEPTH || seen.has(one)) return "[left out]";
    if (ArrayBuffer.isView(one)) return `[${one.byteLength} bytes]`;
    if (one instanceof Date) return Number.isNaN(one.getTime()) ? null : one.toISOString();
    if (one instanceof Error) return String(one);
    seen.add(one);
    const items = Array.isArray(one)
      ? one.map((inner) => copy(inner, depth + 1))
      : Object.fromEntries(
          Object.entries(one)
            .filter(([, inner]) => inner !== undefined && typeof inner !== "function")
            .map(([name, inner]) => [name, copy(inner, depth + 1)]),
        );
    seen.delete(one); // shared is not circular
    return items;
  };
  return copy(value, 0);
}

/**
 * @param {any} data
 * @param {(text: string) => string} change
 * @returns {any}
 */
function mapTexts(data, change) {
  if (typeof data === "string") return change(data);
  if (Array.isArray(data)) return data.map((inner) => mapTexts(inner, change));
  if (data === null || typeof data !== "object") return data;
  return Object.fromEntries(
    Object.entries(data).map(([name, inner]) => [change(name), mapTexts(inner, change)]),
  );
}
