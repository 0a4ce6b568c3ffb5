/**
 * The memory of one process: what all registrations of the plugin share, as the host registers a
 * plugin several times, for several purposes.
 */

import { createHash } from "node:crypto";
import { join } from "node:path";

import { Capture } from "./capture.js";
import { Client } from "./client.js";
import { conversationOf, isIncognito } from "./conversation.js";
import { Delivery } from "./delivery.js";
import { renderPack } from "./marking.js";
import { Recaller } from "./recall.js";
import { Requesters } from "./requesters.js";
import { Runs } from "./runs.js";
import { shared } from "./shared.js";
import { Spool } from "./spool.js";
import { userWords } from "./words.js";

/** @typedef {import("./conversation.js").Conversation} Conversation */
/** @typedef {import("./marking.js").Entry} Entry */
/** @typedef {import("./notices.js").Notices} Notices */
/** @typedef {import("./runs.js").Run} Run */
/** @typedef {import("./settings.js").Settings} Settings */

/** Turns that nobody asked for: they are the host's housekeeping. */
const UNASKED = new Set(["heartbeat", "cron", "memory", "overflow"]);
const SEARCH_MS = 5_000;
const STOP_MS = 1_000;

/** Recalls before a turn, captures after it. */
export class Memory {
  #settings;
  #now;
  #delivery;
  #recaller;
  #capture;
  #runs;
  #requesters;

  /**
   * @param {Settings} settings
   * @param {Notices} notices
   * @param {import("./shared.js").Shared} seen what the process has seen so far
   * @param {() => number} now milliseconds since the epoch
   */
  constructor(settings, notices, seen, now = Date.now) {
    const client = new Client(settings);
    const spool = new Spool(spoolFolder(settings), settings.spoolMaxBytes, now);
    const conversation = (/** @type {any} */ context) => this.#conversation(context);
    this.#settings = settings;
    this.#runs = new Runs(seen);
    this.#requesters = new Requesters(seen.requesters);
    this.#now = now;
    this.#delivery = new Delivery(client, spool, notices, settings.baseUrl);
    this.#recaller = new Recaller(client, settings, notices);
    this.#capture = new Capture(settings, this.#runs, this.#delivery, conversation, now);
  }

  /**
   * A run begins, or begins another attempt.
   * @param {any} event of `before_prompt_build`
   * @param {any} context
   * @returns {Promise<string>} the block for the prompt; "" for none
   */
  async begin(event, context) {
    const run = this.#runs.of(event, context, this.#now());
    if (!run.knownBegin) this.#began(run, context);
    this.#capture.takeBackVerdict(run);
    if (!run.wanted || !this.#settings.autoRecall) return "";
    // Another attempt asks the same; its prompt may be the host's own.
    run.recalled ??= this.#recall(userWords(asked(event)), context);
    return run.recalled;
  }

  /**
   * A tool was called.
   * @param {any} event of `after_tool_call`
   * @param {any} context
   */
  tool(event, context) {
    if (event.toolName === "sessions_spawn") {
      this.#requesters.add(event.result?.details?.childSessionKey, context.sessionKey);
    }
    const run = this.#runs.of(event, context, this.#now());
    if (!run.wanted || !this.#isWanted(context)) return;
    const isFull = this.#capture.tool(run, event);
    if (isFull) inBackground(this.#capture.abandon((one) => one === run));
  }

  /**
   * A run, or an attempt of it, is over.
   * @param {any} event of `agent_end`
   * @param {any} context
   */
  async end(event, context) {
    const run = this.#runs.of(event, context, this.#now());
    if (run.wanted && this.#isWanted(context)) await this.#capture.end(run, event, context);
    else this.#runs.take(run);
  }

  /**
   * A session is over: what its runs left is sent.
   * @param {any} event
   * @param {any} context
   */
  async endSession(event, context) {
    await this.#capture.abandon((run) => isSession(run, { ...event, ...context }));
  }

  /** The process is about to end. */
  async stop() {
    await this.#capture.abandon(() => true);
    await Promise.race([this.#delivery.drain(), wait(STOP_MS)]);
  }

  /** Sends what earlier processes could not. */
  start() {
    inBackground(this.#delivery.drain());
  }

  /**
   * A subagent was started.
   * @param {any} event of `subagent_spawned`
   * @param {any} context
   */
  spawned(event, context) {
    this.#requesters.add(event.childSessionKey, context.requesterSessionKey);
  }

  /**
   * What the memory has to say to an agent that asks it itself.
   * @param {string} query
   * @param {any} context
   * @param {number} [maxTokens]
   * @returns {Promise<Entry[] | null>} null if it does not answer
   */
  async search(query, context, maxTokens) {
    if (!this.serves(context)) return [];
    const timeoutMs = Math.max(SEARCH_MS, this.#settings.timeoutMs);
    return this.#recaller.ask(query, this.#conversation(context), { maxTokens, timeoutMs });
  }

  /**
   * Whether the memory is there for the agent and the session.
   * @param {any} context
   */
  serves(context) {
    if (this.#isIncognito(context.sessionKey)) return false;
    const { agents } = this.#settings;
    return !agents.length || agents.includes(this.#conversation(context).agentId.toLowerCase());
  }

  /**
   * @param {Run} run
   * @param {any} context
   */
  #began(run, context) {
    this.#requesters.add(context.sessionKey, context.inputProvenance?.sourceSessionKey);
    const wanted = this.#isWanted(context);
    Object.assign(run, { context, wanted, knownBegin: true, began: this.#now() });
    // Runs of a session come one after the other.
    inBackground(this.#capture.abandon((other) => other !== run && isSession(other, context)));
  }

  /**
   * @param {string} query
   * @param {any} context
   */
  async #recall(query, context) {
    const entries = await this.#recaller.ask(query, this.#conversation(context));
    return renderPack(entries ?? []);
  }

  /** @param {any} context */
  #isWanted(context) {
    return !UNASKED.has(context.trigger) && this.serves(context);
  }

  /** @param {unknown} sessionKey */
  #isIncognito(sessionKey) {
    return isIncognito(sessionKey) || isIncognito(this.#requesters.of(sessionKey));
  }

  /**
   * @param {any} context
   * @returns {Conversation}
   */
  #conversation({ agentId, sessionKey, sessionId }) {
    const requesterKey = this.#requesters.of(sessionKey);
    return conversationOf({ agentId, sessionKey, sessionId, requesterKey }, this.#settings);
  }
}

/** @type {Map<string, Memory>} */
const memories = new Map();

/**
 * The process's memory for these settings.
 * @param {Settings} settings
 * @param {Notices} notices
 * @returns {Memory}
 */
export function memoryFor(settings, notices) {
  const key = JSON.stringify(settings);
  const known = memories.get(key) ?? new Memory(settings, notices, shared);
  memories.set(key, known);
  return known;
}

/**
 * Events wait by server: what is meant for one must not go to another.
 * @param {Settings} settings
 */
function spoolFolder({ spoolDir, baseUrl }) {
  return join(spoolDir, createHash("sha256").update(baseUrl).digest("hex").slice(0, 24));
}

/** @param {any} event */
function asked({ currentUserMessage, prompt }) {
  // An empty one says that there is no request, whatever the prompt holds.
  if (typeof currentUserMessage === "string") return currentUserMessage;
  return typeof prompt === "string" ? prompt : "";
}

/**
 * @param {Run} run
 * @param {any} context
 */
function isSession({ context }, { sessionKey, sessionId }) {
  return sessionKey ? context.sessionKey === sessionKey : context.sessionId === sessionId;
}

/** @param {Promise<unknown>} work */
function inBackground(work) {
  work.catch(() => {});
}

/** @param {number} milliseconds */
function wait(milliseconds) {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds).unref?.();
  });
}
