/**
 * Runs under way: what was done so far, until the host says that the run is over.
 *
 * The host tells of tools while a run goes on, and of what was said at its end, perhaps once for
 * each attempt.  Runs that never end (a crash of the model's harness, a stop) are given up when the
 * next run of their session begins, or the session ends; how many are kept, and how much of each, is
 * bounded.
 */

/** @typedef {import("./events.js").Step} Step */

/**
 * @typedef {object} Run
 * @property {string} runId
 * @property {boolean} named whether the host said its id
 * @property {any} context of the hook that told of it first
 * @property {number} began milliseconds since the epoch
 * @property {boolean} knownBegin whether it was seen to begin
 * @property {boolean} wanted whether it is captured
 * @property {Step[]} tools not yet sent
 * @property {number} size of them, in characters of JSON
 * @property {Map<string, number>} calls how often each id of a call occurred
 * @property {Set<string>} sent the keys of the steps that were sent
 * @property {Promise<() => Promise<void>> | null} verdict that it failed: takes it back
 * @property {Promise<string> | null} recalled the block that was recalled for it
 */

const MAX_RUNS = 200;
const MAX_STEPS = 2_000;
const MAX_SIZE = 4_000_000;

/** The runs that the process has seen, those spoken of last at the end. */
export class Runs {
  #runs;
  #givenUp;

  /** @param {{runs: Map<string, Run>, givenUp: Run[]}} kept */
  constructor({ runs, givenUp }) {
    this.#runs = runs;
    this.#givenUp = givenUp;
  }

  /**
   * The run that a hook is about, made if it is new.
   * @param {any} event
   * @param {any} context
   * @param {number} now
   * @returns {Run}
   */
  of(event, context, now) {
    const said = event.runId || context.runId;
    const runId = String(said || context.sessionId || context.sessionKey || "unknown");
    const run = this.#runs.get(runId) ?? newRun(runId, Boolean(said), context, now);
    this.#runs.delete(runId);
    this.#runs.set(runId, run);
    this.#giveUpOldest();
    return run;
  }

  /**
   * Keeps the steps until the run ends.
   * @param {Run} run
   * @param {Step[]} steps
   * @returns {boolean} whether the run has as many as shall be kept: they should be sent
   */
  note(run, steps) {
    run.size += JSON.stringify(steps).length;
    run.tools.push(...steps);
    return run.size > MAX_SIZE || run.tools.length > MAX_STEPS;
  }

  /**
   * What was done since the last time.
   * @param {Run} run
   * @returns {Step[]}
   */
  take(run) {
    run.size = 0;
    return run.tools.splice(0);
  }

  /**
   * Those of the steps that were not sent yet; from now on they count as sent.
   * @param {Run} run
   * @param {Step[]} steps
   * @returns {Step[]}
   */
  unsent(run, steps) {
    const fresh = steps.filter(({ key }) => !run.sent.has(key));
    for (const { key } of fresh) run.sent.add(key);
    return fresh;
  }

  /**
   * An attempt is over.  Without an id from the host, the next one is another run.
   * @param {Run} run
   */
  ended(run) {
    if (!run.named) this.#runs.delete(run.runId);
  }

  /**
   * The runs with something left to send that nobody will end.
   * @param {(run: Run) => boolean} isOver
   * @returns {Run[]}
   */
  abandoned(isOver) {
    const over = [...this.#runs.values()].filter(isOver);
    return [...this.#givenUp.splice(0), ...over].filter((run) => run.tools.length > 0);
  }

  /** The one that was not spoken of for longest, if there are too many. */
  #giveUpOldest() {
    const [oldest] = this.#runs.values();
    if (this.#runs.size <= MAX_RUNS) return;
    this.#runs.delete(oldest.runId);
    this.#givenUp.push(oldest);
    if (this.#givenUp.length > MAX_RUNS) this.#givenUp.shift();
  }
}

/**
 * @param {string} runId
 * @param {boolean} named
 * @param {any} context
 * @param {number} now
 * @returns {Run}
 */
function newRun(runId, named, context, now) {
  return {
    runId,
    named,
    context,
    began: now,
    knownBegin: false,
    wanted: true,
    tools: [],
    size: 0,
    calls: new Map(),
    sent: new Set(),
    verdict: null,
    recalled: null,
  };
}
