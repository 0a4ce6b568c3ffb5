/**
 * Secrets replaced before anything is written to disk or sent: `[redacted:openai-key]`.
 *
 * Rule for rule what `hippocortex_core.redaction` does, and tested against it: a secret must not
 * depend on which way it came.  Three kinds of evidence, strongest first: the shape of a known
 * credential, the place where one stands (`Authorization:`, `https://user:…@`, a key block), and the
 * name of a field.  There is no guessing by entropy, so prose, hashes and UUIDs come through.
 *
 * Each rule names short strings of which one must occur for its pattern to be tried at all; what a
 * pattern scans ahead is bounded, so that hostile text costs no more than its length.
 */

import { SPACE, WORD, length } from "./python.js";

/**
 * @typedef {object} Rule
 * @property {string} name
 * @property {string[]} hints
 * @property {RegExp} pattern what its group `secret` matches is replaced, or all of the match
 * @property {boolean} inLower whether the hints are looked for in the text in lower case
 */

const W = `[${WORD}]`;
const S = `[${SPACE}]`;
const D = "\\p{Nd}";
const BEGIN = "(?<![A-Za-z0-9_])"; // a credential begins where a word begins
const FIELD =
  "pass(?:word|wd|phrase|code)|pwd|secret|api[_-]?key|secret[_-]?key|access[_-]?key" +
  "|private[_-]?key|account[_-]?key|signing[_-]?key|encryption[_-]?key" +
  "|client[_-]?secret|(?:auth|access|refresh|id|session|bearer|api|bot|security)[_-]?token";
const OPEN_QUOTE = "\\\\{0,8}[\"']";
const PREFIX = `(?<![A-Za-z])(?:[A-Za-z0-9]${W}{0,40}[_.-])?`; // bounded: linear on long words

/**
 * @param {string} name
 * @param {string} hints
 * @param {string} pattern
 * @param {string} flags
 * @returns {Rule}
 */
function rule(name, hints, pattern, flags = "") {
  const inLower = flags.includes("i");
  return { name, hints: hints.split(" "), pattern: new RegExp(pattern, `dgu${flags}`), inLower };
}

const KEYS = [
  rule(
    "private-key",
    "-----BEGIN",
    "-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----" +
      "(?:[^]*?-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|[^]*)",
  ),
  rule("jwt", "eyJ", `(?<![${WORD}-])eyJ[${WORD}-]{8,}\\.eyJ[${WORD}-]{8,}\\.[${WORD}-]{8,}`),
  rule("anthropic-key", "sk-ant-", `${BEGIN}sk-ant-[${WORD}-]{16,}`),
  rule(
    "openai-key",
    "sk-",
    `${BEGIN}sk-(?:(?:proj|svcacct|admin|None|or-v1)-[${WORD}-]{16,}` +
      `|(?=[${WORD}-]{0,200}${D})[A-Za-z0-9]{20,})`,
  ),
  rule("hippocortex-key", "hx_live_ hx_test_", `${BEGIN}hx_(?:live|test)_[${WORD}-]{8,}`),
  rule(
    "aws-key",
    "AKIA ASIA ABIA ACCA",
    "(?<![A-Z0-9])A(?:KIA|SIA|BIA|CCA)[A-Z2-7]{16}(?![A-Z0-9])",
  ),
  rule("gcp-key", "AIza", `${BEGIN}AIza[${WORD}-]{35}(?![${WORD}-])`),
  rule(
    "google-token",
    "ya29. GOCSPX-",
    `${BEGIN}(?:ya29\\.[${WORD}.-]{20,}|GOCSPX-[${WORD}-]{20,})`,
  ),
  rule(
    "github-token",
    "ghp_ gho_ ghu_ ghs_ ghr_ github_pat_",
    `${BEGIN}(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_${W}{22,})`,
  ),
  rule("gitlab-token", "glpat-", `${BEGIN}glpat-[${WORD}-]{20,}`),
  rule("slack-token", "xox xapp-", `${BEGIN}(?:xox[abeoprs]|xapp)-[${WORD}-]{10,}`),
  rule(
    "slack-webhook",
    "hooks.slack.com",
    `hooks\\.slack\\.com/(?:services|workflows)/(?<secret>[${WORD}/]{20,})`,
  ),
  rule(
    "stripe-key",
    "sk_live_ sk_test_ rk_live_ rk_test_ whsec_",
    `${BEGIN}(?:[sr]k_(?:live|test)_${W}{10,}|whsec_[${WORD}+/=]{16,})`,
  ),
  rule("huggingface-token", "hf_", `${BEGIN}hf_[A-Za-z0-9]{30,}`),
  rule("npm-token", "npm_", `${BEGIN}npm_[A-Za-z0-9]{36}`),
  rule("pypi-token", "pypi-AgE", `${BEGIN}pypi-AgE[${WORD}-]{40,}`),
  rule("sendgrid-key", "SG.", `${BEGIN}SG\\.[${WORD}-]{16,}\\.[${WORD}-]{16,}`),
  rule("telegram-token", ":AA", `(?<!${D})${D}{8,10}:AA[${WORD}-]{33}(?![${WORD}-])`),
  rule(
    "api-key",
    "gsk_ xai- pplx- nvapi- tvly- dop_v1_ shpat_ lin_api_",
    `${BEGIN}(?:gsk_|xai-|pplx-|nvapi-|tvly-|dop_v1_|shpat_|lin_api_)` +
      `(?=[${WORD}-]{0,200}${D})[${WORD}-]{20,}`,
  ),
];
const PLACES = [
  rule(
    "authorization",
    "authorization",
    `authorization["']?${S}*[:=]${S}*["']?(?:basic|digest|token|bearer|apikey)${S}+` +
      `(?<secret>(?!\\[redacted)[^${SPACE}"',;]{6,})`,
    "i",
  ),
  // Prose says "bearer of bad news"; a token has a digit and is long.
  rule(
    "bearer-token",
    "bearer",
    `(?<!${W})bearer${S}+(?<secret>(?=[${WORD}.~+/-]{0,200}${D})[${WORD}.~+/-]{16,}=*)`,
    "i",
  ),
  rule(
    "url-password",
    "://",
    `(?<!${W})[a-z][a-z0-9+.-]{0,20}://[^${SPACE}/:@"']{0,256}` +
      `:(?<secret>[^${SPACE}/@"']{1,256})@`,
    "i",
  ),
];
const HINTS = "pass pwd secret key token";
const FIELDS = [
  // "password": "…", also inside JSON that is itself a string.
  rule(
    "password",
    HINTS,
    `(?<quote>${OPEN_QUOTE})(?:[${WORD}.-]{0,80}[_.-])?(?:${FIELD})\\k<quote>${S}*:${S}*\\k<quote>` +
      "(?<secret>(?:(?!\\k<quote>)[^\\n])+)",
    "i",
  ),
  // PASSWORD=…, --api-key=…, ;AccountKey=…, also quoted.
  rule(
    "password",
    HINTS,
    `${PREFIX}(?:${FIELD})${S}?=${S}?(?![A-Za-z_][${WORD}.]*[(\\[])` +
      `(?:(?<quote>${OPEN_QUOTE})(?<secret>(?:(?!\\k<quote>)[^\\n])+)` +
      `|(?<bare>[^${SPACE}"'&;,)\\]}]{4,}))`,
    "i",
  ),
  // "password: hunter2", "my password is hunter2": only what no word of a language looks like.
  rule(
    "password",
    HINTS,
    `${PREFIX}(?:${FIELD})(?:${S}?:${S}*|${S}+is:?${S}+)["'\`]?(?!https?:)` +
      `(?<secret>(?=[^${SPACE}"'\`]{0,80}[A-Za-z])(?=[^${SPACE}"'\`]{0,80}${D})` +
      `[^${SPACE}"'\`,;)<>]{6,})`,
    "i",
  ),
  rule(
    "password",
    "--pass --token --secret --api --pwd",
    `--(?:${FIELD}|token)[${SPACE}=]+(?<secret>[^${SPACE}"'-][^${SPACE}"']{3,})`,
    "i",
  ),
];
const RULES = [...KEYS, ...PLACES, ...FIELDS];
const ALL_HINTS = [...new Set(RULES.flatMap((one) => one.hints).map((hint) => hint.toLowerCase()))];
const SECRET_NAME = new RegExp(
  `^(?:[^\\n]*_)?(?:${FIELD}|token|authorization|credential|passkey)$`,
  "u",
);
const HARMLESS_NAME = new RegExp(
  "^[^\\n]*(?:(?:next|page|continuation|sync|cursor|pagination|resume|max|prompt|completion|input" +
    "|output|total|stop|eos|bos|pad|sep)_?token|public_?key|key_?id)$",
  "u",
);
const NAME_HINTS = ["pass", "pwd", "secret", "key", "tok", "auth", "cred"];
const CAMEL = /(?<=[a-z0-9])(?=[A-Z])/gu;
const PLACEHOLDER = new RegExp(
  "^(?:\\[redacted:|\\$|<|\\{\\{|%\\(|\\*+\\n?$|x+\\n?$|\\.\\.\\.|your[_-]" +
    `|(?:none|null|true|false)(?!${W}))`,
  "iu",
);
const TOKEN = new RegExp(`^(?:(?=[^\\n]*${D})[^${SPACE}]{8,}|[^${SPACE}]{16,})$`, "u");
const FEW = 4;
const DEEP = 64;

/**
 * The text with every secret replaced.
 * @param {string} text
 * @returns {string}
 */
export function redactText(text) {
  const lowered = text.toLowerCase();
  if (!occurs(ALL_HINTS, lowered)) return text;
  return RULES.reduce(
    (found, { name, hints, pattern, inLower }) =>
      occurs(hints, inLower ? lowered : found) ? replaced(found, name, pattern) : found,
    text,
  );
}

/**
 * A copy of JSON data with every text cleaned and every field replaced whose name says that it
 * holds a secret.
 * @param {unknown} value
 * @param {(text: string) => string} clean
 * @param {number} depth
 * @returns {unknown}
 */
export function redact(value, clean = redactText, depth = 0) {
  if (typeof value === "string") return clean(value);
  if (depth > DEEP || typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((inner) => redact(inner, clean, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      clean(name),
      isSecretName(name) ? field(name, inner, clean, depth + 1) : redact(inner, clean, depth + 1),
    ]),
  );
}

/**
 * Whether a field of this name holds a secret: `password`, `dbPassword`, `X-API-Key`.
 * @param {string} name
 */
export function isSecretName(name) {
  if (!occurs(NAME_HINTS, name.toLowerCase())) return false;
  const snake = name.replace(CAMEL, "_").replace(/[- ]/gu, "_").toLowerCase();
  return SECRET_NAME.test(snake) && !HARMLESS_NAME.test(snake);
}

/**
 * @param {string[]} hints
 * @param {string} text
 */
function occurs(hints, text) {
  return hints.some((hint) => text.includes(hint));
}

/**
 * @param {string} name
 * @param {unknown} value
 * @param {(text: string) => string} clean
 * @param {number} depth
 * @returns {unknown}
 */
function field(name, value, clean, depth) {
  if (typeof value === "string") return secretText(name, value, clean);
  if (typeof value === "number") {
    // A count of tokens is no token.
    return /tok|key/u.test(name.toLowerCase()) ? value : placeholder("password");
  }
  if (Array.isArray(value)) return value.map((inner) => field(name, inner, clean, depth + 1));
  return redact(value, clean, depth);
}

/**
 * @param {string} name
 * @param {string} value
 * @param {(text: string) => string} clean
 */
function secretText(name, value, clean) {
  const found = clean(value);
  const kind = kindOf(name);
  // Linguists call words tokens, too.
  const word = kind === "token" && !name.toLowerCase().includes("auth") && !TOKEN.test(value);
  const harmless = word || length(value) < FEW || PLACEHOLDER.test(value);
  return found !== value || harmless ? found : placeholder(kind);
}

/** @param {string} name */
function kindOf(name) {
  const lowered = name.toLowerCase();
  if (lowered.includes("tok") || lowered.includes("auth")) return "token";
  return lowered.includes("key") && !lowered.includes("pass") ? "api-key" : "password";
}

/** @param {string} kind */
function placeholder(kind) {
  return `[redacted:${kind}]`;
}

/**
 * @param {string} text
 * @param {string} name
 * @param {RegExp} pattern
 */
function replaced(text, name, pattern) {
  let result = "";
  let position = 0;
  for (const match of text.matchAll(pattern)) {
    const spans = /** @type {RegExpIndicesArray} */ (match.indices);
    const named = spans.groups?.secret ?? spans.groups?.bare;
    const [start, end] = named ?? spans[0];
    if (named && PLACEHOLDER.test(text.slice(start, end))) continue;
    const kind = name === "password" ? kindOf(text.slice(match.index, start)) : name;
    result += text.slice(position, start) + placeholder(kind);
    position = end;
  }
  return result + text.slice(position);
}
