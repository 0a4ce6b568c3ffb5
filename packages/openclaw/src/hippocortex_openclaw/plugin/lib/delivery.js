/**
 * Getting events to the server: written to the spool first, then sent, oldest first.
 *
 * Nothing here throws or takes longer than its caller allows; what the server does not take now
 * waits on disk, and is sent when it answers again, by this process or the next.
 */

import { bodiesOf, eventsOf } from "./batch.js";
import { Breaker } from "./breaker.js";
import { MemoryError } from "./client.js";

/** @typedef {import("./client.js").Client} Client */
/** @typedef {import("./notices.js").Notices} Notices */
/** @typedef {import("./spool.js").Spool} Spool */

const REQUEST_MS = 10_000;
/** Failures of the server on one batch after which its events are sent one by one. */
const PATIENCE = 3;
const RETRY_MS = 1_000;
/** How long to wait for another process that delivers, and how often to look. */
const LOCKED_MS = 50;
const MAX_TURNS = 40;

/** Delivers batches in order. */
export class Delivery {
  #client;
  #spool;
  #notices;
  #baseUrl;
  #breaker;
  /** @type {Promise<void> | null} */
  #draining = null;
  #again = false;
  /** @type {ReturnType<typeof setTimeout> | null} */
  #timer = null;
  /** @type {Promise<void>} */
  #writing = Promise.resolve();
  #failing = { name: "", times: 0 };
  /** Batches that are tried again in the next turn, and not before. */
  #stuck = new Set();

  /**
   * @param {Client} client
   * @param {Spool} spool
   * @param {Notices} notices
   * @param {string} baseUrl
   * @param {Breaker} breaker
   */
  constructor(client, spool, notices, baseUrl, breaker = new Breaker()) {
    this.#client = client;
    this.#spool = spool;
    this.#notices = notices;
    this.#baseUrl = baseUrl;
    this.#breaker = breaker;
  }

  /**
   * Keeps the events, and sends them if that can be done in time.
   * @param {object[]} events
   * @param {number} deadlineMs for the sending; it goes on in the background
   */
  async deliver(events, deadlineMs) {
    if (!events.length) return;
    await this.#keep(events, 0);
    await Promise.race([this.drain(), after(deadlineMs)]);
  }

  /**
   * Keeps the events for a while, in which they can be taken back; then they are sent.
   * @param {object[]} events
   * @param {number} dueMs
   * @returns {Promise<() => Promise<void>>} takes them back
   */
  async hold(events, dueMs) {
    const names = await this.#keep(events, dueMs);
    await this.#retryLater();
    return async () => {
      for (const name of names) await this.#spool.remove(name);
    };
  }

  /**
   * @param {object[]} events
   * @param {number} dueMs
   * @returns {Promise<string[]>} the names of the batches
   */
  async #keep(events, dueMs) {
    const names = /** @type {string[]} */ ([]);
    // In order, also when two turns end at once.
    const work = this.#writing.then(async () => {
      for (const body of bodiesOf(events)) names.push(await this.#spool.put(body, dueMs));
    });
    this.#writing = work.catch(() => {});
    await work;
    this.#report();
    return names;
  }

  /**
   * Sends what waits, until it is all sent or the server fails.
   * @returns {Promise<void>}
   */
  drain() {
    this.#again = true;
    this.#draining ??= this.#drainAll();
    return this.#draining;
  }

  async #drainAll() {
    await null; // whoever called has the promise before it may be over
    try {
      await this.#sendWhileAsked();
    } finally {
      this.#draining = null;
    }
    await this.#retryLater();
  }

  async #sendWhileAsked() {
    // What is put while this goes on is sent, too.
    for (let turns = 0; this.#again && turns < MAX_TURNS && this.#mayTry(); turns += 1) {
      this.#again = false;
      if (await this.#spool.exclusively((touch) => this.#sendAll(touch))) continue;
      // Another process is at it; it may not have seen what was put last.
      this.#breaker.success();
      this.#again = true;
      await after(LOCKED_MS);
    }
  }

  #mayTry() {
    return this.#breaker.permit() !== "no";
  }

  /** @param {() => Promise<void>} touch */
  async #sendAll(touch) {
    this.#stuck.clear();
    for (const { name, dueMs } of await this.#spool.waiting()) {
      if (dueMs > 0) continue;
      if (!(await this.#handled(name))) return;
      await touch();
    }
    this.#breaker.success();
    this.#notices.over("delivery", `${this.#baseUrl} answers again; what waited is delivered`);
  }

  /**
   * Whether the next batch may follow.
   * @param {string} name
   */
  async #handled(name) {
    try {
      const body = await this.#spool.read(name);
      if (body !== null && !(await this.#sent(name, body))) return false;
      if (!(await this.#spool.remove(name))) this.#stuck.add(name);
    } catch (error) {
      const { code, message } = /** @type {any} */ (error);
      this.#notices.wrong("unread", `${name} in the spool cannot be read (${code ?? message}); it stays`);
      this.#stuck.add(name);
    }
    return true;
  }

  /**
   * Whether the batch is done with.
   * @param {string} name
   * @param {string} body
   */
  async #sent(name, body) {
    try {
      const events = eventsOf(body);
      if (this.#gaveUpOn(name)) await this.#sendSingly(events);
      else await this.#send(events);
      return true;
    } catch (error) {
      this.#failed(name, /** @type {MemoryError} */ (error));
      return false;
    }
  }

  /**
   * In one request; if it is refused as a whole, in halves.
   * @param {object[]} events
   */
  async #send(events) {
    if (!events.length) return;
    try {
      const body = JSON.stringify({ events });
      const { results } = await this.#client.post("/capture/batch", body, REQUEST_MS);
      for (const one of Array.isArray(results) ? results : []) {
        if (one?.status === "error") this.#refused(one.reason);
      }
    } catch (error) {
      if (!(error instanceof MemoryError) || error.kind !== "refused") throw error;
      if (events.length === 1) return this.#refused(error.message);
      const middle = Math.floor(events.length / 2);
      await this.#send(events.slice(0, middle));
      await this.#send(events.slice(middle));
    }
  }

  /**
   * One by one, for a batch on which the server keeps failing: an event that fails while a later
   * one is taken is at fault itself.
   * @param {object[]} events
   */
  async #sendSingly(events) {
    let failing = /** @type {MemoryError[]} */ ([]);
    for (const event of events) {
      try {
        await this.#send([event]);
        failing = this.#giveUp(failing);
      } catch (error) {
        if (!isServerError(error)) throw error;
        failing.push(/** @type {MemoryError} */ (error));
      }
    }
    if (failing.length === events.length && failing.length) throw failing[0];
    this.#giveUp(failing);
  }

  /**
   * @param {MemoryError[]} errors
   * @returns {MemoryError[]} none
   */
  #giveUp(errors) {
    for (const { message } of errors) this.#refused(message);
    return [];
  }

  /** @param {string} name */
  #gaveUpOn(name) {
    return this.#failing.name === name && this.#failing.times >= PATIENCE;
  }

  /**
   * @param {string} name
   * @param {MemoryError} error
   */
  #failed(name, error) {
    const again = this.#failing.name === name ? this.#failing.times : 0;
    this.#failing = { name, times: isServerError(error) ? again + 1 : 0 };
    if (error.kind === "late") this.#breaker.trip();
    else this.#breaker.failure(error.retryAfterMs);
    this.#notices.wrong("delivery", `${trouble(error, this.#baseUrl)}; events wait on disk`);
  }

  /** @param {string} reason */
  #refused(reason) {
    this.#notices.wrong("refused", `an event cannot be stored and is left out: ${reason}`);
  }

  #report() {
    const { error, dropped } = this.#spool;
    if (error) {
      this.#notices.wrong("disk", `the spool cannot be written (${error.message}); events wait in memory`);
    } else this.#notices.over("disk");
    if (dropped) {
      this.#notices.wrong("dropped", "more events wait than there is room for (spoolMaxBytes); the oldest are dropped");
    }
  }

  async #retryLater() {
    const waiting = (await this.#spool.waiting()).filter(({ name }) => !this.#stuck.has(name));
    const [first] = waiting.sort((a, b) => a.dueMs - b.dueMs);
    if (this.#timer || !first) return;
    const pause = Math.max(first.dueMs || RETRY_MS, this.#breaker.remaining);
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.drain().catch(() => {});
    }, pause);
    this.#timer.unref?.(); // a process that has nothing else to do may end: the disk remembers
  }
}

/**
 * What is wrong, and what to do about it.
 * @param {MemoryError} error
 * @param {string} baseUrl
 */
export function trouble(error, baseUrl) {
  if (error.kind === "unreachable") {
    return `no server at ${baseUrl} (${error.message}); start it with \`hippocortex serve\``;
  }
  if (error.kind === "denied") {
    return `${baseUrl} refuses the API key (${error.message}); set HIPPOCORTEX_API_KEY or apiKey`;
  }
  return `${baseUrl} fails (${error.message})`;
}

/** @param {unknown} error */
function isServerError(error) {
  return error instanceof MemoryError && error.status === 500;
}

/** @param {number} milliseconds */
function after(milliseconds) {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds).unref?.();
  });
}
