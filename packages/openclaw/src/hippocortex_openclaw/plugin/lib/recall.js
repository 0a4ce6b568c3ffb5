/**
 * Asking a memory that may be slow, wrong or gone: a deadline, a circuit breaker, no exceptions.
 *
 * A memory that hangs costs one deadline.  Then the breaker is open and recall returns at once with
 * nothing; after the cool-down one question is asked in the background, without anybody waiting for
 * its answer, and a good one closes the breaker.
 */

import { Breaker } from "./breaker.js";
import { MemoryError } from "./client.js";
import { recallFilter } from "./conversation.js";
import { trouble } from "./delivery.js";
import { strip } from "./python.js";
import { cleanText } from "./text.js";

/** @typedef {import("./client.js").Client} Client */
/** @typedef {import("./conversation.js").Conversation} Conversation */
/** @typedef {import("./marking.js").Entry} Entry */
/** @typedef {import("./notices.js").Notices} Notices */
/** @typedef {import("./settings.js").Settings} Settings */

const QUERY_CHARS = 8_000;
const SECTION = /^[a-z_]{1,40}$/u;

/** Asks one memory. */
export class Recaller {
  #client;
  #settings;
  #notices;
  #breaker;

  /**
   * @param {Client} client
   * @param {Settings} settings
   * @param {Notices} notices
   * @param {Breaker} breaker
   */
  constructor(client, settings, notices, breaker = new Breaker()) {
    this.#client = client;
    this.#settings = settings;
    this.#notices = notices;
    this.#breaker = breaker;
  }

  /**
   * What the memory has to say to the question; null if it does not answer.
   * @param {string} query
   * @param {Conversation} conversation
   * @param {{maxTokens?: number, timeoutMs?: number}} options
   * @returns {Promise<Entry[] | null>}
   */
  async ask(query, conversation, options = {}) {
    const asked = question(query, this.#settings);
    if (!asked) return [];
    const permit = this.#breaker.permit();
    if (permit === "no") return null;
    const answer = this.#call(bodyOf(asked, conversation, this.#settings, options), options);
    return permit === "probe" ? null : answer;
  }

  /**
   * @param {string} body
   * @param {{timeoutMs?: number}} options
   */
  async #call(body, { timeoutMs = this.#settings.timeoutMs }) {
    try {
      const data = await this.#client.post("/synthesize", body, timeoutMs);
      this.#breaker.success();
      this.#notices.over("recall", "the memory answers again");
      return entriesOf(data);
    } catch (error) {
      this.#failed(/** @type {MemoryError} */ (error));
      return null;
    }
  }

  /** @param {MemoryError} error */
  #failed(error) {
    if (error.kind === "refused") this.#breaker.success(); // it answers; the question was wrong
    else if (error.kind === "late") this.#breaker.trip();
    else this.#breaker.failure(error.retryAfterMs);
    this.#notices.wrong(
      "recall",
      `${trouble(error, this.#settings.baseUrl)}; nothing is recalled meanwhile`,
    );
  }
}

/**
 * The query as it may leave the process: without secrets, and not too long; "" if blank.
 * @param {string} query
 * @param {Settings} settings
 */
export function question(query, settings) {
  const text = strip(cleanText(query, settings));
  if (text.length <= QUERY_CHARS) return text;
  const half = QUERY_CHARS / 2;
  // A task is stated first or last.
  return cleanText(`${text.slice(0, half)}\n${text.slice(-half)}`, settings);
}

/**
 * @param {string} query
 * @param {Conversation} conversation
 * @param {Settings} settings
 * @param {{maxTokens?: number}} options
 */
function bodyOf(query, conversation, settings, { maxTokens = settings.maxTokens }) {
  const { sections, minConfidence } = settings;
  return JSON.stringify({
    query,
    options: {
      maxTokens,
      ...(sections.length ? { sections } : {}),
      ...(minConfidence === undefined ? {} : { minConfidence }),
      ...recallFilter(conversation, settings),
    },
  });
}

/**
 * The entries of a pack, whatever the server sent.
 * @param {any} data
 * @returns {Entry[]}
 */
function entriesOf(data) {
  if (!Array.isArray(data?.entries)) throw new MemoryError("failed", "the answer is no pack");
  return data.entries.filter(
    (/** @type {any} */ entry) =>
      typeof entry?.content === "string" && SECTION.test(String(entry.section)),
  );
}
