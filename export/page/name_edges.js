// Where names may begin and end, as `malmoi.modeling.name_edges` has it: between whole characters, next to a visible
// one that is no emoji.

import { characters } from "./tokenizer.js";

const MARKS = "[\\p{M}\\p{Grapheme_Extend}\\u200d]*";
const SYLLABLE_AT = new RegExp(
  "(?:[\\u1100-\\u115f\\ua960-\\ua97c](?:[\\u1160-\\u11a7\\ud7b0-\\ud7c6][\\u11a8-\\u11ff\\ud7cb-\\ud7fb]?)?" +
    `|[\\uac00-\\ud7a3]|[\\u1160-\\u11ff\\ud7b0-\\ud7fb])(${MARKS})`,
  "uy",
);
const TRAILING_AT = new RegExp(`[\\u11a8-\\u11ff\\ud7cb-\\ud7fb]${MARKS}`, "uy");
const INVISIBLE = /[\p{Default_Ignorable_Code_Point}\ufff9-\ufffb\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]/u;
const ALL_INVISIBLE = new RegExp(INVISIBLE.source, "gu");
const EMOJI = new RegExp(
  "[\\p{Regional_Indicator}\\p{Emoji_Modifier}]|[#*0-9]\\ufe0f?\\u20e3|(?![#*0-9])\\p{Emoji}\\ufe0f" +
    "|(?![#*0-9©®™ℹⓂ㊗㊙‼⁉〰〽])(?:\\p{Emoji}|(?=[\\u{1f000}-\\u{1fffd}])\\p{Extended_Pictographic})",
  "u",
);
const SKIN_TONES_AT_END = /[\u{1f3fb}-\u{1f3ff}]+$/u;
const SKIN_TONE = /^[\u{1f3fb}-\u{1f3ff}]$/u;
const ONLY_SPACES = /^[\p{White_Space}\x1c-\x1f]+$/u;

export class NameEdges {
  constructor(text) {
    this.text = text;
    this.starts = [...characters(text, hangulEnd).map(([start]) => start), text.length];
  }

  // Return a name without what cannot be its edge; if nothing is left, the same place twice.
  trim(start, end) {
    if (ONLY_SPACES.test(this.text.slice(start, end))) return [start, start];
    const first = this.starts.findIndex((place) => place >= start);
    const last = this.starts.findIndex((place) => place >= end);
    let left = first;
    let right = last;
    while (left < right && this.isForeign(left, left > first)) left += 1;
    while (left < right && this.isForeign(right - 1, right < last)) right -= 1;
    let named = false;
    for (let index = left; index < right; index += 1) named ||= !this.isForeign(index, true);
    if (!named) return [start, start];
    let [begin, stop] = [this.starts[left], this.starts[right]];
    for (let next = characterAt(this.text, begin); INVISIBLE.test(next); next = characterAt(this.text, begin)) {
      begin += next.length;
    }
    for (let next = characterBefore(this.text, stop); INVISIBLE.test(next) || SKIN_TONE.test(next); ) {
      stop -= next.length;
      next = characterBefore(this.text, stop);
    }
    return [begin, stop];
  }

  isForeign(index, spaces) {
    const character = this.text.slice(this.starts[index], this.starts[index + 1]).replace(SKIN_TONES_AT_END, "");
    const visible = character.replace(ALL_INVISIBLE, "");
    return !visible || EMOJI.test(character) || (spaces && ONLY_SPACES.test(visible));
  }
}

function hangulEnd(text, start) {
  SYLLABLE_AT.lastIndex = start;
  const match = SYLLABLE_AT.exec(text);
  if (!match) return start;
  const end = start + match[0].length;
  const code = text.charCodeAt(start) - 0xac00;
  // an open syllable may be closed by a consonant that stands apart
  if (match[1] || code < 0 || code >= 11172 || code % 28) return end;
  TRAILING_AT.lastIndex = end;
  const closed = TRAILING_AT.exec(text);
  return closed ? end + closed[0].length : end;
}

const characterAt = (text, place) => String.fromCodePoint(text.codePointAt(place) ?? 0x20);

function characterBefore(text, place) {
  const low = text.charCodeAt(place - 1);
  return text.slice(place - (low >= 0xdc00 && low <= 0xdfff && place > 1 ? 2 : 1), place);
}
