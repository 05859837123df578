// The page: a text, and the names in it as one types.

import { Tagger } from "./tagger.js";
import { WORDS } from "./words.js";

const HUES = { PS: 340, PER: 340, LC: 140, LOC: 140, OG: 215, ORG: 215, DT: 35, DAT: 35, TI: 275, TIM: 275, QT: 185 };
const part = (id) => document.getElementById(id);
let language = navigator.language.startsWith("ko") ? "ko" : "en";
let tagger = null;
let failure = null;
let asked = false;
let busy = false;

function speak() {
  const words = WORDS[language];
  document.documentElement.lang = language;
  document.title = words.heading;
  part("heading").textContent = words.heading;
  part("about").textContent = words.about;
  part("label").textContent = words.text;
  part("language").textContent = words.other;
  part("language").lang = language === "ko" ? "en" : "ko";
  answer();
}

// One text at a time: what is typed meanwhile comes next.
async function answer() {
  asked = true;
  if (busy) return;
  busy = true;
  while (asked) {
    asked = false;
    const words = WORDS[language];
    try {
      await answerText(part("text").value, words);
    } catch (error) {
      // such as memory, of which a browser has less than a long text takes; the next text may be shorter
      part("answer").replaceChildren();
      say(words.unread(error.message ?? error));
    }
  }
  busy = false;
}

async function answerText(text, words) {
  if (failure !== null) return say(words.failed(failure));
  if (tagger === null) return say(words.loading);
  const started = performance.now();
  const names = await tagger.tag(text);
  const milliseconds = Math.round(performance.now() - started);
  part("answer").replaceChildren(...marked(text, names));
  say(names.length ? words.found(names.length, milliseconds) : words.none);
}

function say(words) {
  part("status").textContent = words;
}

function marked(text, names) {
  const parts = [];
  let covered = 0;
  for (const { start, end, label } of names) {
    parts.push(text.slice(covered, start));
    const mark = document.createElement("mark");
    mark.style.setProperty("--hue", HUES[label] ?? hueOf(label));
    const kind = document.createElement("small");
    kind.textContent = label;
    mark.append(text.slice(start, end), kind);
    parts.push(mark);
    covered = end;
  }
  parts.push(text.slice(covered));
  return parts;
}

function hueOf(label) {
  let hue = 0;
  for (const character of label) hue = (hue * 31 + character.codePointAt(0)) % 360;
  return hue;
}

part("text").value = WORDS[language].example;
part("text").addEventListener("input", answer);
part("language").addEventListener("click", () => {
  language = language === "ko" ? "en" : "ko";
  speak();
});
speak();
try {
  tagger = await Tagger.load(document.baseURI);
  window.tagger = tagger; // for whoever tries it out on the console
} catch (error) {
  failure = error.message;
}
await answer();
document.body.dataset.ready = failure === null;
