// The tokenizers of malmoi that have one token per syllable or character, from their tokenizer.json.
//
// Their patterns are those of Oniguruma; what they match is said here once more, for regular expressions of JavaScript
// and its segmenter of characters. A tokenizer with another pattern is refused. Places in a text are counted as
// JavaScript does, in UTF-16.

const CONTROL = "\\x00-\\x08\\x0E-\\x1B\\x7F-\\x84\\x86-\\x9F";
const ONIGURUMA_CONTROL = CONTROL.replaceAll(/\\x(..)/g, "\\x{$1}");
const MARKS = "[\\p{M}\\p{Grapheme_Extend}]*";
const SYLLABLE = "[\u1100-\u115f\ua960-\ua97c][\u1160-\u11a7\ud7b0-\ud7c6][\u11a8-\u11ff\ud7cb-\ud7fb]?";

const CHARACTER = `${SYLLABLE}${MARKS}|\\X`;
const INVISIBLE = `[\\p{Default_Ignorable_Code_Point}\\x{FFF9}-\\x{FFFB}${ONIGURUMA_CONTROL}&&[^\u200d]]`;
const IDLE_JOINER =
  "(?<![\\p{Extended_Pictographic}\\p{Emoji_Modifier}])\u200d|\u200d(?!\\p{Extended_Pictographic})";
const SPACE = "\\r\\n|\\s";
const PATTERNS = new Map([
  [INVISIBLE, `(?!\u200d)[\\p{Default_Ignorable_Code_Point}\\u{FFF9}-\\u{FFFB}${CONTROL}]`],
  [IDLE_JOINER, IDLE_JOINER],
  [SPACE, "\\r\\n|\\p{White_Space}"],
]);
// a conjoining jamo that is no part of a syllable
const LONE_JAMO = /^(?:\(\?<!\[[\u1100-\ud7fb-]+\]\))?[\u1100-\ud7fb](?:\(\?!\[[\u1100-\ud7fb-]+\]\))?$/;

const SYLLABLE_AT = new RegExp(SYLLABLE + MARKS, "uy");
const SEGMENTER = new Intl.Segmenter("en", { granularity: "grapheme" });
const SPACES_BEFORE = /^[\p{White_Space}\x1c-\x1f]+/u;

// Cut a text at every boundary of a character as Unicode has it, but where `first` matches, behind that.
export function characters(text, first) {
  const bounds = new Set();
  for (const { index } of SEGMENTER.segment(text)) bounds.add(index);
  const found = [];
  for (let start = 0; start < text.length; ) {
    let end = first(text, start);
    if (end <= start) {
      end = start + 1;
      while (end < text.length && !bounds.has(end)) end += 1;
    }
    found.push([start, end]);
    start = end;
  }
  return found;
}

export class Tokenizer {
  constructor(file, settings) {
    const steps = file.normalizer?.type === "Sequence" ? file.normalizer.normalizers : [];
    const split = file.pre_tokenizer;
    const known =
      steps.length > 0 &&
      split?.type === "Split" && split.pattern.Regex === CHARACTER && split.behavior === "Isolated" && !split.invert &&
      file.model.type === "WordLevel" &&
      settings.split_special_tokens === true;
    if (!known) throw new Error("tokenizer.json: only tokenizers of syllables run in the browser.");
    this.steps = steps.map(step);
    this.vocabulary = new Map(Object.entries(file.model.vocab));
    this.unknown = this.vocabulary.get(file.model.unk_token);
  }

  // Return the tokens of a text, and where each stands in it.
  encode(text) {
    let pieces = [];
    let place = 0;
    for (const character of text) {
      pieces.push([character, place, place + character.length]);
      place += character.length;
    }
    for (const change of this.steps) pieces = change(pieces);
    const normalized = pieces.map(([character]) => character).join("");
    const pieceAt = new Map();
    let at = 0;
    pieces.forEach(([character], index) => {
      pieceAt.set(at, index);
      at += character.length;
      pieceAt.set(at, index + 1);
    });
    const ids = [];
    const spans = [];
    let covered = 0;
    for (const [start, end] of characters(normalized, syllableEnd)) {
      const first = pieces[pieceAt.get(start)][1];
      const last = pieces[pieceAt.get(end) - 1][2];
      ids.push(this.vocabulary.get(normalized.slice(start, end)) ?? this.unknown);
      // as `token_spans` of malmoi: a space before a token is none of it, and no character belongs to two tokens
      let begin = Math.min(Math.max(first, covered), last);
      const visible = text.slice(begin, last).replace(SPACES_BEFORE, "");
      if (visible) begin = last - visible.length;
      spans.push([begin, last]);
      if (begin < last) covered = last;
    }
    return { ids, spans };
  }
}

function syllableEnd(text, start) {
  SYLLABLE_AT.lastIndex = start;
  const match = SYLLABLE_AT.exec(text);
  return match ? start + match[0].length : start;
}

function step(description) {
  if (description.type === "NFD") return decompose;
  const pattern = description.type === "Replace" ? description.pattern.Regex : undefined;
  const source = PATTERNS.get(pattern) ?? (LONE_JAMO.test(pattern ?? "") ? pattern : undefined);
  if (source === undefined) throw new Error("tokenizer.json: only tokenizers of syllables run in the browser.");
  const expression = new RegExp(source, "gu");
  return (pieces) => replace(pieces, expression, description.content);
}

// What takes the place of several characters stands where the last of them stood.
function replace(pieces, expression, content) {
  const text = pieces.map(([character]) => character).join("");
  if (text.search(expression) < 0) return pieces;
  const changed = [];
  let index = 0;
  let at = 0;
  for (const match of text.matchAll(expression)) {
    for (; at < match.index; index += 1) {
      changed.push(pieces[index]);
      at += pieces[index][0].length;
    }
    for (const end = match.index + match[0].length; at < end; index += 1) at += pieces[index][0].length;
    const [, start, stop] = pieces[index - 1];
    for (const character of content) changed.push([character, start, stop]);
  }
  changed.push(...pieces.slice(index));
  return changed;
}

// Marks may change places among each other; the places in the text stay in their order.
function decompose(pieces) {
  const places = [];
  for (const [character, start, end] of pieces) {
    for (const _ of character.normalize("NFD")) places.push([start, end]);
  }
  const text = pieces.map(([character]) => character).join("").normalize("NFD");
  return Array.from(text, (character, index) => [character, ...places[index]]);
}
