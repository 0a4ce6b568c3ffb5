/** From what the hooks tell of runs to events that are delivered. */

import { isSubagent } from "./conversation.js";
import {
  callKey,
  eventsOf,
  failureStep,
  isCaptured,
  isSilent,
  messageSteps,
  toolSteps,
} from "./events.js";
import { messagesOfRun } from "./session.js";

/** @typedef {import("./conversation.js").Conversation} Conversation */
/** @typedef {import("./delivery.js").Delivery} Delivery */
/** @typedef {import("./runs.js").Run} Run */
/** @typedef {import("./runs.js").Runs} Runs */
/** @typedef {import("./settings.js").Settings} Settings */

const FLUSH_MS = 1_000;
/** How long after a failed attempt the host may still make another one. */
const VERDICT_MS = 3_000;

/** Captures runs. */
export class Capture {
  #settings;
  #runs;
  #delivery;
  #conversation;
  #now;

  /**
   * @param {Settings} settings
   * @param {Runs} runs
   * @param {Delivery} delivery
   * @param {(context: any) => Conversation} conversation that a context names
   * @param {() => number} now
   */
  constructor(settings, runs, delivery, conversation, now) {
    this.#settings = settings;
    this.#runs = runs;
    this.#delivery = delivery;
    this.#conversation = conversation;
    this.#now = now;
  }

  /**
   * A tool was called.
   * @param {Run} run
   * @param {any} event of `after_tool_call`
   * @returns {boolean} whether so much was done that it should be sent now
   */
  tool(run, event) {
    const { autoCapture, captureTools } = this.#settings;
    if (!autoCapture || !captureTools || !isCaptured(event.toolName)) return false;
    const steps = toolSteps(event, nextCall(run, event), this.#now(), this.#settings);
    return this.#runs.note(run, steps);
  }

  /**
   * A run, or an attempt of it, is over.
   * @param {Run} run
   * @param {any} event of `agent_end`
   * @param {any} context
   */
  async end(run, event, context) {
    const tools = this.#runs.take(run);
    const now = this.#now();
    const began = run.knownBegin ? run.began : now - Number(event.durationMs ?? Number.NaN);
    const messages = messagesOfRun(event.messages, began, now);
    const failure = failureStep(event, messages, now, this.#settings);
    this.takeBackVerdict(run);
    this.#runs.ended(run);
    if (isSilent(messages) && !tools.length && !failure) return;
    const origin = this.#origin(run, context, messages);
    if (failure) run.verdict = this.#delivery.hold(eventsOf([failure], origin, now), VERDICT_MS);
    const steps = [...messageSteps(spoken(messages, run), this.#settings), ...tools];
    const events = eventsOf(this.#runs.unsent(run, steps), origin, now);
    await Promise.all([this.#delivery.deliver(events, this.#settings.timeoutMs), run.verdict]);
  }

  /**
   * An attempt that failed is no failure of the run if the host makes another one.
   * @param {Run} run
   */
  takeBackVerdict(run) {
    const { verdict } = run;
    run.verdict = null;
    verdict?.then((takeBack) => takeBack()).catch(() => {});
  }

  /**
   * Sends what was done in runs that nobody will end.
   * @param {(run: Run) => boolean} isOver
   */
  async abandon(isOver) {
    const events = this.#runs.abandoned(isOver).flatMap((run) => {
      const tools = this.#runs.take(run);
      const steps = run.wanted ? this.#runs.unsent(run, tools) : [];
      return eventsOf(steps, this.#origin(run, run.context, []), this.#now());
    });
    await this.#delivery.deliver(events, FLUSH_MS);
  }

  /**
   * @param {Run} run
   * @param {any} context
   * @param {any[]} messages
   * @returns {import("./events.js").Origin}
   */
  #origin(run, context, messages) {
    const runId = run.named ? run.runId : `${run.runId}@${messages[0]?.timestamp ?? run.began}`;
    return {
      conversation: this.#conversation(context),
      runId,
      sessionKey: text(context.sessionKey),
      channel: text(context.channel),
      model: modelOf(messages),
    };
  }
}

/**
 * The messages without what only looks like the user's: the host writes to its sessions, too.
 * @param {any[]} messages
 * @param {Run} run
 */
function spoken(messages, { context }) {
  if (isSubagent(context.sessionKey)) return messages; // there it is the task
  const asked = messages.find(({ role }) => role === "user");
  const foreign = isForeign(context.inputProvenance);
  return messages.filter(
    (message) =>
      message.role !== "user" || !(isForeign(message.provenance) || (foreign && message === asked)),
  );
}

/**
 * The key of a call; an id that comes again in the run is another call.
 * @param {Run} run
 * @param {any} event
 */
function nextCall(run, event) {
  const call = callKey(event.toolCallId);
  const times = run.calls.get(call) ?? 0;
  run.calls.set(call, times + 1);
  return times ? `${call}#${times}` : call;
}

/** @param {any[]} messages */
function modelOf(messages) {
  return messages.map(({ role, model }) => (role === "assistant" ? text(model) : "")).find(Boolean);
}

/** @param {any} provenance */
function isForeign(provenance) {
  return provenance?.kind === "inter_session" || provenance?.kind === "internal_system";
}

/** @param {unknown} value */
function text(value) {
  return typeof value === "string" ? value : "";
}
