/** Which messages of a session belong to a run: the host gives all that there are. */

/** By how much a clock may be set back without anybody looking twice. */
const CLOCK_MS = 60_000;
const LAST_TIME = Date.UTC(9999, 11, 31);

/**
 * The messages of a run.
 * @param {unknown} messages
 * @param {number} since when the run began, in milliseconds since the epoch; NaN if unknown
 * @param {number} now
 * @returns {any[]}
 */
export function messagesOfRun(messages, since, now) {
  const all = Array.isArray(messages) ? messages.filter((one) => one && typeof one === "object") : [];
  const first = firstSince(all, since, now + CLOCK_MS);
  if (first >= 0) return all.slice(askedAt(all, first));
  const last = all.slice(Math.max(0, all.map(({ role }) => role).lastIndexOf("user")));
  // What was answered long before the run is another run's: this one came to nothing.
  const isAnswered = (/** @type {any} */ { role, timestamp }) => role === "assistant" && timestamp < since - CLOCK_MS;
  return last.some(isAnswered) ? [] : last;
}

/**
 * The first message of the run, looked for from the end: if the clock was set back, earlier ones
 * have later times.  -1 if none has a time of the run.
 * @param {any[]} messages
 * @param {number} since
 * @param {number} until
 */
function firstSince(messages, since, until) {
  let first = -1;
  for (let at = messages.length - 1; at >= 0; at -= 1) {
    const { role, timestamp } = messages[at];
    if (timestamp >= since && timestamp <= until) first = at;
    // What the user says arrives whenever it likes.
    else if (isTime(timestamp) && role !== "user") break;
  }
  return first;
}

/**
 * Where what the user asked for stands, if not among what is new: when the host tries again, it
 * reads the user's message from its store, with the time at which it arrived.
 * @param {any[]} messages
 * @param {number} first the first that is new
 */
function askedAt(messages, first) {
  if (messages[first].role === "user") return first;
  for (let at = first - 1; at >= 0 && messages[at].role !== "assistant"; at -= 1) {
    if (messages[at].role === "user") return at;
  }
  return first;
}

/**
 * Whether it is a time, in milliseconds since the epoch.
 * @param {unknown} value
 * @returns {value is number}
 */
export function isTime(value) {
  return typeof value === "number" && value > 0 && value < LAST_TIME;
}
