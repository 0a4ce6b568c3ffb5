/**
 * What outlives a reload: the host loads all of a plugin anew whenever its settings change, also
 * while an agent is at work.
 */

/**
 * Plain data, since another version of this plugin may have put it there.
 * @typedef {object} Shared
 * @property {Set<string>} open what was said to be wrong
 * @property {string} settings that were in force when it was said
 * @property {Map<string, import("./runs.js").Run>} runs
 * @property {import("./runs.js").Run[]} givenUp
 * @property {Map<string, string>} requesters
 */

// The number is for when what is kept looks different.
const KEY = Symbol.for("hippocortex.openclaw/1");
const place = /** @type {Record<symbol, Shared>} */ (/** @type {unknown} */ (globalThis));

/** @type {Shared} */
export const shared = (place[KEY] ??= {
  open: new Set(),
  settings: "",
  runs: new Map(),
  givenUp: [],
  requesters: new Map(),
});
