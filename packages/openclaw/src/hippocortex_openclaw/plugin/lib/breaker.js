/**
 * A circuit breaker: what keeps failing is left alone for a while.
 *
 *     closed ──(3 failures in a row, or one trip)──► open ──(cool-down)──► half-open
 *        ▲                                            ▲                        │
 *        └────────────────── success ─────────────────┼──── failure ───────────┘
 *                                                     └ the cool-down doubles
 *
 * While half-open, one probe is let through and everybody else is still refused.
 */

const THRESHOLD = 3;
const COOLDOWN_MS = 5_000;
const MAX_COOLDOWN_MS = 60_000;

/** Decides whether a call may be made. */
export class Breaker {
  #now;
  #failures = 0;
  #cooldown = 0;
  #until = 0;
  #probing = false;

  /** @param {() => number} now milliseconds that only grow */
  constructor(now = () => performance.now()) {
    this.#now = now;
  }

  /** Milliseconds until a call may be made; 0 if one may be made now. */
  get remaining() {
    return this.#cooldown ? Math.max(0, this.#until - this.#now()) : 0;
  }

  /**
   * May a call be made: yes, as the one probe, or no.  Whoever gets "go" or "probe" must report
   * `success`, `failure` or `trip`.
   * @returns {"go" | "probe" | "no"}
   */
  permit() {
    if (!this.#cooldown) return "go";
    if (this.#probing || this.#now() < this.#until) return "no";
    this.#probing = true;
    return "probe";
  }

  /** A call went well. */
  success() {
    this.#failures = 0;
    this.#cooldown = 0;
    this.#probing = false;
  }

  /**
   * A call failed.
   * @param {number} retryAfterMs the least time to leave it alone, once it opens
   */
  failure(retryAfterMs = 0) {
    this.#failures += 1;
    if (this.#failures >= THRESHOLD || this.#probing) this.#open(retryAfterMs);
  }

  /** A call failed so badly that no second one shall try. */
  trip() {
    this.#open(0);
  }

  /** @param {number} retryAfterMs */
  #open(retryAfterMs) {
    // Calls that were under way when it opened say nothing new.
    if (this.#cooldown && !this.#probing) return;
    this.#cooldown = Math.min(this.#cooldown * 2, MAX_COOLDOWN_MS) || COOLDOWN_MS;
    this.#probing = false;
    // What the server asks for is honoured, but nobody can silence a memory for hours.
    this.#until = this.#now() + Math.max(this.#cooldown, Math.min(retryAfterMs, MAX_COOLDOWN_MS));
  }
}
