/** Requests to the server: JSON over `fetch`, within a deadline, with errors that say what to do. */

const MAX_ANSWER_BYTES = 16 * 1_048_576;

/**
 * Why there is no answer.
 *
 * - `unreachable`: no connection, or it broke
 * - `late`: no answer within the deadline
 * - `denied`: the key is missing, wrong, or may not do this
 * - `refused`: the request can never succeed
 * - `failed`: the server cannot answer now
 *
 * @typedef {"unreachable" | "late" | "denied" | "refused" | "failed"} Failure
 */

/** A request that failed. */
export class MemoryError extends Error {
  /**
   * @param {Failure} kind
   * @param {string} message
   * @param {{status?: number, retryAfterMs?: number}} more
   */
  constructor(kind, message, { status = 0, retryAfterMs = 0 } = {}) {
    super(message);
    this.name = "MemoryError";
    this.kind = kind;
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

/** Talks to one server with one key. */
export class Client {
  #settings;
  #fetch;

  /**
   * @param {{baseUrl: string, apiKey: string}} settings
   * @param {typeof fetch} fetcher
   */
  constructor(settings, fetcher = (input, init) => fetch(input, init)) {
    this.#settings = settings;
    this.#fetch = fetcher;
  }

  /**
   * The `data` of the answer.
   * @param {string} path
   * @param {string} body JSON
   * @param {number} timeoutMs for all of it
   * @returns {Promise<any>}
   * @throws {MemoryError} there is none
   */
  async post(path, body, timeoutMs) {
    const aborter = new AbortController();
    const timer = setTimeout(() => aborter.abort(), timeoutMs);
    try {
      const answer = await this.#fetch(`${this.#settings.baseUrl}${path}`, {
        method: "POST",
        headers: this.#headers(),
        body,
        signal: aborter.signal,
        redirect: "error", // the key is for this server only
      });
      return dataOf(answer, await limited(answer));
    } catch (error) {
      if (error instanceof MemoryError) throw error;
      if (aborter.signal.aborted) {
        throw new MemoryError("late", `no answer within ${timeoutMs / 1000} s`);
      }
      throw new MemoryError("unreachable", causeOf(error));
    } finally {
      clearTimeout(timer);
    }
  }

  #headers() {
    const { apiKey } = this.#settings;
    const json = { "content-type": "application/json", accept: "application/json" };
    return apiKey ? { ...json, authorization: `Bearer ${apiKey}` } : json;
  }
}

/**
 * The text of an answer, if it is not absurdly long.
 * @param {Response} answer
 */
async function limited(answer) {
  const chunks = [];
  let size = 0;
  for await (const chunk of /** @type {any} */ (answer.body ?? [])) {
    size += chunk.length;
    if (size > MAX_ANSWER_BYTES) throw new MemoryError("failed", "the answer is too large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/**
 * @param {Response} answer
 * @param {string} content
 */
function dataOf(answer, content) {
  const envelope = parsed(content);
  if (answer.ok && envelope?.ok === true && typeof envelope.data === "object" && envelope.data) {
    return envelope.data;
  }
  if (answer.ok || answer.status === 404 || answer.status === 405) {
    throw new MemoryError("failed", "what answers there is no Hippocortex server; check baseUrl");
  }
  const said = String(envelope?.error?.message ?? "").slice(0, 300);
  const message = said ? `HTTP ${answer.status}: ${said}` : `HTTP ${answer.status}`;
  const retryAfterMs = 1000 * (Number(answer.headers.get("retry-after")) || 0);
  throw new MemoryError(kindOf(answer.status, said), message, {
    status: answer.status,
    retryAfterMs,
  });
}

/** @param {string} content */
function parsed(content) {
  try {
    return JSON.parse(content);
  } catch {
    return null;
  }
}

/**
 * @param {number} status
 * @param {string} said by a server of ours; "" if something else answered
 * @returns {Failure}
 */
function kindOf(status, said) {
  if (status === 401 || status === 403) return "denied";
  // A proxy knows what is too large for it, but not what can never be stored.
  if (status === 413 || (said && [400, 409, 422].includes(status))) return "refused";
  return "failed";
}

/** @param {any} error */
function causeOf(error) {
  // "fetch failed" says nothing; its cause does.
  const cause = error?.cause?.code ?? error?.cause?.message ?? error?.message ?? error;
  return String(cause).slice(0, 200);
}
