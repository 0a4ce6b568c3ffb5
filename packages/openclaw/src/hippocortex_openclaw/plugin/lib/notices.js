/**
 * Lines for the host's log: one for each thing that goes wrong, not one for each turn.
 *
 * A memory that is silently off is what users of memory plugins complain of most; a log that fills
 * up comes next.
 */

import { redactText } from "./redaction.js";

/** @typedef {{debug?: Function, info?: Function, warn?: Function, error?: Function}} Logger */

const MAX_LINE = 500;

/** Says what went wrong when it begins, and when it is over. */
export class Notices {
  #log;
  #open;

  /**
   * @param {() => Logger | undefined} log
   * @param {Set<string>} open what was said to be wrong
   */
  constructor(log, open) {
    this.#log = log;
    this.#open = open;
  }

  /**
   * Something is wrong; said once until it is `over`.
   * @param {string} kind
   * @param {string} message what it means, and the fix
   */
  wrong(kind, message) {
    if (this.#open.has(kind)) return;
    this.#open.add(kind);
    this.#say("warn", message);
  }

  /**
   * It is all right again.
   * @param {string} kind
   * @param {string} message "" to say nothing
   */
  over(kind, message = "") {
    if (this.#open.delete(kind) && message) this.#say("info", message);
  }

  /**
   * Something else may be wrong from now on, and what was wrong may be right.
   * @param {string} except what has not changed
   */
  renew(except) {
    for (const kind of this.#open) if (kind !== except) this.#open.delete(kind);
  }

  /**
   * A defect of this plugin: it never reaches the agent, but it must not stay unseen.
   * @param {string} where
   * @param {unknown} error
   */
  defect(where, error) {
    const said = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const line = said.split("\n").slice(0, 3).join(" ").trim();
    if (this.#open.has(`defect ${where}`)) return;
    this.#open.add(`defect ${where}`);
    this.#say("error", `${where} failed: ${line}`);
  }

  /**
   * @param {"info" | "warn" | "error"} level
   * @param {string} message
   */
  #say(level, message) {
    try {
      const line = redactText(message.replace(/\s+/gu, " ")).slice(0, MAX_LINE);
      this.#log()?.[level]?.(`hippocortex: ${line}`);
    } catch {
      // A logger that throws must not cost a turn either.
    }
  }
}
