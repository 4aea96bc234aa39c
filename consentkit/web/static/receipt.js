/* Checks the receipt on this page in the person's own browser, and says what it found.
 *
 * The steps are those of `consentkit receipt`, in their order, and each file has one
 * spelling only. Whatever is missing, late or unknown is never told as "holds". The keys
 * come from the page, so from whom the receipt is to hold against: the page says so.
 * All words stand in data- attributes of the page, in its language.
 */

const place = document.getElementById("consentkit-check");
const page = place.dataset;
const ED25519 = 1; // the type of a key in its vkey (C2SP signed-note)
const NUMBER = "(0|[1-9][0-9]{0,18})";
const encoder = new TextEncoder();

class DoesNotHold extends Error {}
class CannotCheck extends Error {}

function say(outcome, words) {
  place.dataset.outcome = outcome;
  place.textContent = words;
}

function check(step, holds) {
  if (!holds) throw new DoesNotHold(step);
}

function same(some, others) {
  return some.length === others.length && some.every((byte, at) => byte === others[at]);
}

function join(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function readText(step, bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new DoesNotHold(step);
  }
}

/* Base64 in its only spelling: `atob` takes others. */
function readBase64(step, text) {
  let raw = "";
  try {
    raw = atob(text);
  } catch {
    throw new DoesNotHold(step);
  }
  check(step, btoa(raw) === text);
  return Uint8Array.from(raw, (character) => character.charCodeAt(0));
}

function toHex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function hash(...parts) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", join(...parts)));
}

async function readKey(vkey) {
  const [name, id] = vkey.split("+", 2);
  const raw = readBase64("form", vkey.slice(name.length + id.length + 2));
  const named = await hash(encoder.encode(`${name}\n`), raw);
  check("form", raw[0] === ED25519 && toHex(named.slice(0, 4)) === id);
  try {
    const key = await crypto.subtle.importKey(
      "raw", raw.slice(1), { name: "Ed25519" }, false, ["verify"],
    );
    return { name, id, key };
  } catch {
    throw new CannotCheck();
  }
}

/* The text of a signed note, if one of the keys signed it and none of them failed. */
async function openNote(step, note, keys) {
  const end = note.lastIndexOf("\n\n");
  check(step, end > 0 && note.endsWith("\n") && !/[\0-\x09\x0b-\x1f]/.test(note));
  const text = note.slice(0, end + 1);
  let good = 0;
  for (const line of note.slice(end + 2, -1).split("\n")) {
    const [dash, name, encoded, ...more] = line.split(" ");
    check(step, dash === "\u2014" && name && encoded && !more.length);
    const raw = readBase64(step, encoded);
    check(step, raw.length > 4);
    const id = toHex(raw.slice(0, 4));
    const known = keys.find((each) => each.name === name && each.id === id);
    if (!known) continue;
    check(step, await crypto.subtle.verify(
      "Ed25519", known.key, raw.slice(4), encoder.encode(text),
    ));
    good += 1;
  }
  check(step, good > 0);
  return text;
}

/* RFC 9162, 2.1.3.2 */
async function rootOf(leafHash, index, size, path) {
  let node = index;
  let last = size - 1n;
  let result = leafHash;
  check("inclusion", index < size);
  for (const sibling of path) {
    check("inclusion", last > 0n);
    if (node & 1n || node === last) {
      result = await hash([1], sibling, result);
      while (node && !(node & 1n)) {
        node >>= 1n;
        last >>= 1n;
      }
    } else {
      result = await hash([1], result, sibling);
    }
    node >>= 1n;
    last >>= 1n;
  }
  check("inclusion", last === 0n);
  return result;
}

function readProof(file) {
  const end = file.indexOf("\n\n");
  const [header, extra, index, ...path] = file.slice(0, Math.max(end, 0)).split("\n");
  check("form", header === "c2sp.org/tlog-proof@v1" && extra?.startsWith("extra "));
  const number = new RegExp(`^index ${NUMBER}$`).exec(index);
  check("form", number && path.length <= 63);
  const hashes = path.map((line) => readBase64("form", line));
  check("form", hashes.every((each) => each.length === 32));
  return {
    leaf: readBase64("form", extra.slice(6)),
    index: BigInt(number[1]),
    path: hashes,
    checkpoint: file.slice(end + 2),
  };
}

async function verify(bytes) {
  const keys = await Promise.all(page.keys.split(" ").map(readKey));

  // 1. form: it is a proof, and it is about the entry that this page shows
  const proof = readProof(readText("form", bytes));
  const leafHash = await hash([0], proof.leaf);
  check("page", toHex(leafHash) === page.entry && String(proof.index) === page.index);

  // 2. checkpoint: signed by the log
  const ofLog = keys.filter((each) => each.name === page.log);
  const tree = await openNote("checkpoint", proof.checkpoint, ofLog);
  const lines = new RegExp(`^(.+)\n${NUMBER}\n(.+)\n$`).exec(tree);
  check("checkpoint", lines && lines[1] === page.log);
  const root = readBase64("checkpoint", lines[3]);

  // 3. inclusion: the entry is in that tree
  const found = await rootOf(leafHash, proof.index, BigInt(lines[2]), proof.path);
  check("inclusion", root.length === 32 && same(found, root));

  // 4. collector: the entry was signed by who takes answers for that log
  const collectors = keys.filter((each) => each.name.startsWith(`${page.log}/collector/`));
  const leaf = await openNote("collector", readText("collector", proof.leaf), collectors);
  const [kind, body, ...more] = leaf.split("\n");
  check("collector", kind === "consentkit/leaf@v1" && same(more, [""]));
  check("collector", JSON.parse(body).log === page.log);
}

async function load() {
  const answer = await fetch(page.proof, { cache: "no-store" });
  if (!answer.ok) throw new Error(`${answer.status}`);
  return new Uint8Array(await answer.arrayBuffer());
}

async function run() {
  if (!globalThis.crypto?.subtle) throw new CannotCheck(); // none over plain HTTP
  await verify(await load());
}

const STEPS = {
  form: page.failsForm,
  page: page.failsPage,
  checkpoint: page.failsCheckpoint,
  inclusion: page.failsInclusion,
  collector: page.failsCollector,
};

say("busy", page.saysBusy);
run().then(
  () => say("holds", page.saysHolds),
  (error) => {
    if (error instanceof DoesNotHold) say("fails", STEPS[error.message]);
    else if (error instanceof CannotCheck) say("unable", page.saysUnable);
    else say("unread", page.saysUnread);
  },
);
