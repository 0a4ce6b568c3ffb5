/** Events as the bodies of requests, and back. */

const BATCH_EVENTS = 200;
const BATCH_BYTES = 2 * 1_048_576;

/**
 * The bodies of requests that hold the events, each within what a server takes.
 * @param {object[]} events
 */
export function bodiesOf(events) {
  const bodies = /** @type {string[]} */ ([]);
  let texts = /** @type {string[]} */ ([]);
  let size = 0;
  const close = () => {
    if (texts.length) bodies.push(`{"events":[${texts.join(",")}]}`);
    texts = [];
    size = 0;
  };
  for (const text of events.map((event) => JSON.stringify(event))) {
    const bytes = Buffer.byteLength(text);
    if (texts.length === BATCH_EVENTS || size + bytes > BATCH_BYTES) close();
    texts.push(text);
    size += bytes;
  }
  close();
  return bodies;
}

/**
 * The events that a body holds.
 * @param {string} body
 * @returns {object[]}
 */
export function eventsOf(body) {
  try {
    const { events } = JSON.parse(body);
    return Array.isArray(events) ? events : [];
  } catch {
    return []; // damaged: nothing of it can ever be sent
  }
}
