/**
 * Batches of events on their way, kept on disk until the server has them: first in, first out.
 *
 *     001795226510615-000001-4fd1c2a0.json   one batch: {"events": […]}, redacted, without any key
 *     drain.lock                             held by the process that delivers
 *
 * A name begins with the time from which on the batch may be sent.
 *
 * A batch is written to a temporary file, synced and renamed: it is there as a whole or not at all,
 * also after a crash.  It is deleted when the server has acknowledged it; a process that dies in
 * between sends it twice, and the idempotency keys of its events make that once.  Several processes
 * (the gateway, `openclaw agent --local`) may share the folder.  Where the disk cannot be used,
 * batches wait in memory.
 */

import { randomBytes } from "node:crypto";
import { mkdir, open, readFile, readdir, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";

/**
 * @typedef {object} Batch
 * @property {string} name
 * @property {string} body JSON
 * @property {number} size in bytes
 */

const SUFFIX = ".json";
const TEMPORARY = ".tmp";
const LOCK = "drain.lock";
const ABANDONED_MS = 60_000;
const MAX_IN_MEMORY = 500;
const MAX_BYTES_IN_MEMORY = 16 * 1_048_576;
const MAX_DUE_MS = 60_000;

/** A queue of batches. */
export class Spool {
  #folder;
  #maxBytes;
  #now;
  #made = 0;
  #token = randomBytes(4).toString("hex");
  /** @type {Batch[]} */
  #memory = [];
  /** @type {Map<string, number>} sizes of the files that were looked at */
  #sizes = new Map();

  /** Batches lost so far because too many waited. */
  dropped = 0;

  /** @type {Error | null} why the disk cannot be used, if it cannot */
  error = null;

  /**
   * @param {string} folder
   * @param {number} maxBytes beyond it the oldest are dropped
   * @param {() => number} now milliseconds since the epoch
   */
  constructor(folder, maxBytes, now = Date.now) {
    this.#folder = folder;
    this.#maxBytes = maxBytes;
    this.#now = now;
  }

  /**
   * Adds a batch at the end.
   * @param {string} body JSON
   * @param {number} dueMs how long it must not be sent yet
   * @returns {Promise<string>} its name
   */
  async put(body, dueMs = 0) {
    const name = this.#newName(dueMs);
    try {
      await this.#write(name, body);
      this.error = null;
      await this.#dropOldest();
    } catch (error) {
      this.error = /** @type {Error} */ (error);
      this.#remember({ name, body, size: Buffer.byteLength(body) });
    }
    return name;
  }

  /**
   * What waits, oldest first, and in how many milliseconds it may be sent.
   * @returns {Promise<{name: string, dueMs: number}[]>}
   */
  async waiting() {
    const kept = this.#memory.map(({ name }) => name);
    const names = [...(await this.#files()), ...kept].sort();
    const now = this.#now();
    return names.map((name) => {
      const left = Number.parseInt(name, 10) - now;
      // Nothing is held for so long: the clock was set back.
      return { name, dueMs: left > 0 && left <= MAX_DUE_MS ? left : 0 };
    });
  }

  /**
   * A batch; null if another process delivered it meanwhile.
   * @param {string} name
   * @returns {Promise<string | null>}
   * @throws {Error} it cannot be read now
   */
  async read(name) {
    const kept = this.#memory.find((batch) => batch.name === name);
    if (kept) return kept.body;
    return readFile(join(this.#folder, name), "utf8").catch(nullIfGone);
  }

  /**
   * It is done with.
   * @param {string} name
   * @returns {Promise<boolean>} whether it is gone
   */
  async remove(name) {
    this.#memory = this.#memory.filter((batch) => batch.name !== name);
    return rm(join(this.#folder, name), { force: true }).then(
      () => true,
      () => false,
    );
  }

  /**
   * Runs the work if no other process is at it; with a disk that cannot be used there is nothing
   * to share.
   * @param {(touch: () => Promise<void>) => Promise<void>} work calls `touch` while it goes on
   * @returns {Promise<boolean>} whether it ran
   */
  async exclusively(work) {
    const path = join(this.#folder, LOCK);
    const held = await this.#lock(path);
    if (held === "others") return false;
    const touch = async () => {
      const time = new Date(this.#now());
      if (held === "ours") await utimes(path, time, time).catch(() => {});
    };
    try {
      await this.#sweep();
      await work(touch);
    } finally {
      if (held === "ours") await this.#unlock(path);
    }
    return true;
  }

  /** @param {number} dueMs */
  #newName(dueMs) {
    this.#made += 1;
    const time = String(this.#now() + dueMs).padStart(15, "0");
    return `${time}-${String(this.#made).padStart(6, "0")}-${this.#token}${SUFFIX}`;
  }

  async #files() {
    const found = await readdir(this.#folder).catch(() => /** @type {string[]} */ ([]));
    return found.filter((name) => name.endsWith(SUFFIX)).sort();
  }

  /**
   * @param {string} name
   * @param {string} body
   */
  async #write(name, body) {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const path = join(this.#folder, name);
    const temporary = `${path}${TEMPORARY}`;
    try {
      const file = await open(temporary, "wx", 0o600);
      try {
        await file.writeFile(body);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => {});
      throw error;
    }
  }

  /** @param {Batch} batch */
  #remember(batch) {
    this.#memory.push(batch);
    let total = this.#memory.reduce((sum, { size }) => sum + size, 0);
    // The newest stays, whatever its size.
    while (this.#memory.length > 1 && (this.#memory.length > MAX_IN_MEMORY || total > MAX_BYTES_IN_MEMORY)) {
      total -= this.#memory.shift()?.size ?? 0;
      this.dropped += 1;
    }
  }

  async #dropOldest() {
    const files = await this.#files();
    const sizes = await Promise.all(files.map((name) => this.#sizeOf(name)));
    this.#sizes = new Map(files.map((name, n) => [name, sizes[n]]));
    let total = sizes.reduce((sum, size) => sum + size, 0);
    // The newest stays, whatever its size.
    for (let n = 0; n < files.length - 1 && total > this.#maxBytes; n += 1) {
      await this.remove(files[n]);
      total -= sizes[n];
      this.dropped += 1;
    }
  }

  /** Removes what a process that died was writing. */
  async #sweep() {
    const found = await readdir(this.#folder).catch(() => /** @type {string[]} */ ([]));
    for (const name of found.filter((one) => one.endsWith(TEMPORARY))) {
      const path = join(this.#folder, name);
      const old = await stat(path).catch(() => null);
      if (old && this.#now() - old.mtimeMs > ABANDONED_MS) await rm(path, { force: true }).catch(() => {});
    }
  }

  /**
   * A file is never written to again: it is looked at once.
   * @param {string} name
   */
  async #sizeOf(name) {
    const known = this.#sizes.get(name);
    if (known !== undefined) return known;
    const found = await stat(join(this.#folder, name)).catch(() => null);
    return found?.size ?? 0;
  }

  /**
   * @param {string} path
   * @returns {Promise<"ours" | "others" | "none">}
   */
  async #lock(path) {
    for (let tries = 0; tries < 3; tries += 1) {
      try {
        await writeFile(path, JSON.stringify(this.#holder()), { flag: "wx", mode: 0o600 });
        return "ours";
      } catch (error) {
        if (/** @type {any} */ (error).code !== "EEXIST") return "none";
      }
      if (!(await this.#isAbandoned(path))) return "others";
      // Two processes may do this at once, and then both deliver: the keys of the events make
      // that harmless.
      await rm(path, { force: true }).catch(() => {});
    }
    return "others";
  }

  /** @param {string} path */
  async #unlock(path) {
    const holder = await readHolder(path);
    if (holder?.token === this.#token) await rm(path, { force: true }).catch(() => {});
  }

  /** @param {string} path */
  async #isAbandoned(path) {
    const holder = await readHolder(path);
    const found = await stat(path).catch(() => null);
    // A time to come is that of a clock that was set back.
    if (!found || Math.abs(this.#now() - found.mtimeMs) > ABANDONED_MS) return true;
    return holder?.host === hostname() && !isAlive(holder.pid);
  }

  #holder() {
    return { pid: process.pid, host: hostname(), token: this.#token };
  }
}

/**
 * @param {any} error
 * @returns {null}
 */
function nullIfGone(error) {
  if (error.code === "ENOENT") return null;
  throw error;
}

/** @param {string} path */
async function readHolder(path) {
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch {
    return null; // gone, or not written yet
  }
}

/** @param {unknown} pid */
function isAlive(pid) {
  if (typeof pid !== "number") return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {any} */ (error).code === "EPERM";
  }
}
