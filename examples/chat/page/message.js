// What may be a message, by the rules of protocol.py. Pure; shared by the page and the notebook.

const CONTROL = /(?![\n\t])[\p{Cc}\p{Zl}\p{Zp}]/gu;
const ANSI = /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])/g;

// An id of our own, as the protocol wants them.
export function freshId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function clean(text) {
  text = text.replace(/\r\n?/g, "\n").replace(ANSI, "").replace(CONTROL, "").replace(/\p{Cs}/gu, "");
  return text.trim();
}

// What somebody wrote as it is said, or why it can not be: { said, why }, one of them "".
export function message(text, limits) {
  const huge = text.length > 16 * limits.text; // cleaning and counting that takes long, and makes no message of it
  const said = huge ? text : clean(text);
  const length = huge ? said.length : [...said].length;
  const lines = said.split("\n").length;
  if (!length) return { said: "", why: "That message is empty." };
  if (length > limits.text) return { said: "", why: `That is ${length.toLocaleString("en")} characters; a message holds ${limits.text.toLocaleString("en")}.` };
  if (lines > limits.lines) return { said: "", why: `That is ${lines} lines; a message holds ${limits.lines}.` };
  return { said, why: "" };
}
