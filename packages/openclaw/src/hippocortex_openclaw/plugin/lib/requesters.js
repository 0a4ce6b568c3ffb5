/** Who had a subagent started: what it learns and may recall is theirs. */

import { isSubagent } from "./conversation.js";

const MAX_KNOWN = 1_000;
const MAX_DEPTH = 8;

/** Sessions of subagents, and the sessions that started them. */
export class Requesters {
  #known;

  /** @param {Map<string, string>} known the sessions that started others, by these */
  constructor(known) {
    this.#known = known;
  }

  /**
   * A session started a subagent; the first to be told of counts.
   * @param {unknown} child
   * @param {unknown} requester
   */
  add(child, requester) {
    if (typeof child !== "string" || typeof requester !== "string" || !requester) return;
    if (!isSubagent(child) || child === requester || this.#known.has(child)) return;
    this.#known.set(child, requester);
    const [oldest] = this.#known.keys();
    if (this.#known.size > MAX_KNOWN) this.#known.delete(oldest);
  }

  /**
   * Who is behind a session in the end: subagents may start subagents.
   * @param {unknown} sessionKey
   * @returns {string | undefined}
   */
  of(sessionKey) {
    let key = this.#known.get(String(sessionKey));
    for (let depth = 0; depth < MAX_DEPTH && key && this.#known.has(key); depth += 1) {
      key = this.#known.get(key);
    }
    return key;
  }
}
