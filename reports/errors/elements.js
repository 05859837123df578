"use strict";

const words = JSON.parse(document.getElementById("words").textContent);
const data = JSON.parse(document.getElementById("data").textContent);
const NONE = "";
const state = { language: /^ko/i.test(navigator.language) ? "ko" : "en" };

/* The words of the page in the language of now; {name} is replaced. */
function say(key, values = {}) {
  const text = words[key][state.language];
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

/* Texts of the data get in by this alone, as text and never as HTML. */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key === "style") Object.entries(value).forEach(([property, each]) => made.style.setProperty(property, each));
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children.flat(Infinity).filter((child) => child !== null));
  return made;
}

const count = (number) => number.toLocaleString(state.language);
const percent = (share, digits = 1) => (100 * share).toFixed(digits);
const sureness = (share) => (share > 0.9999 ? "> 99.99" : percent(share, share > 0.99 ? 2 : 1)) + " %";
const signed = (share) => (share > 0 ? "+" : share < 0 ? "−" : "") + percent(Math.abs(share), 2);
const labelName = (label) => (label === NONE ? say("none") : data.task === "word-spacing" ? say(label) : label);

function table(caption, columns, rows, classes = "") {
  return element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": caption },
    element("table", { class: classes },
      element("caption", {}, caption),
      element("thead", {}, element("tr", {}, columns.map((column) => element("th", { scope: "col", class: column === say("definition") ? "definition" : null }, column)))),
      element("tbody", {}, rows.map(([head, ...cells]) =>
        element("tr", {}, element("th", { scope: "row" }, head), cells)))));
}

const cell = (text, attributes = {}) => element("td", attributes, text);
const shareCell = (share) => cell(percent(share), { class: "share", style: { "--share": share } });

function figures() {
  const compared = data.against !== null;
  const interval = (ends) => (ends ? `${percent(ends[0])}–${percent(ends[1])}` : "");
  const rows = data.figures.map((figure) => [
    figure.name, cell(percent(figure.value, 2)), cell(interval(figure.interval)),
    ...(compared ? [
      cell(figure.other === null ? "" : percent(figure.other, 2)),
      cell(figure.difference ? signed(figure.difference.difference) : ""),
      cell(figure.difference ? figure.difference.interval.map(signed).join(" … ") : ""),
    ] : []),
    cell(figure.definition, { class: "definition", lang: "en" }),
  ]);
  const more = compared ? [data.against, say("difference"), say("interval")] : [];
  return table(say("figures"), ["", compared ? data.model : say("value"), say("interval"), ...more, say("definition")], rows, "headed");
}

function confusion(choose) {
  const heads = data.labels.map(labelName);
  const rows = data.confusion.map((counts, gold) => {
    const sum = counts.reduce((total, each) => total + each, 0) || 1;
    return [heads[gold], ...counts.map((number, predicted) => {
      if (!number) return cell(gold === predicted && data.labels[gold] === NONE ? "" : "·", { class: "zero" });
      const same = gold === predicted;
      const told = say("confusion_cell", { gold: heads[gold], predicted: heads[predicted], count: count(number) });
      return cell(
        element("button", {
          type: "button", "aria-label": told, title: told, style: { "--share": number / sum },
          onclick: () => choose(data.labels[gold], data.labels[predicted]),
        }, count(number)),
        { class: same ? "same" : "" });
    })];
  });
  return table(say("confusion"), [say("gold_and_predicted"), ...heads], rows, "confusion");
}

/* The parts of all tables but this one are named by the data, be it with words of the page. */
const OF_OWN_WORDS = "by_seen";

function breakdowns() {
  return data.tables.map(({ title, columns, rows }) =>
    table(say(title), ["", ...columns.map((column) => say(column))],
      rows.map(([name, numbers]) => [
        title === OF_OWN_WORDS ? say(name) : name,
        ...numbers.map((number, place) => (place === 0 ? cell(count(number)) : shareCell(number))),
      ])));
}

/* A line: the text with its marks, and the class if there is one. Marks count whole characters; an emoji is one, too. */
function line(who, { text, marks, label, score }, showText) {
  const parts = [];
  const characters = Array.from(text);
  const slice = (start, end) => characters.slice(start, end).join("");
  let done = 0;
  for (const [start, end, type, kind, sure] of showText ? marks : []) {
    if (start > done) parts.push(slice(done, start));
    const wrong = kind !== "";
    const spacing = data.task === "word-spacing";
    const classes = [wrong ? "wrong " + kind : "right", spacing ? (end > start ? "space" : "gap") : ""].join(" ").trim();
    const title = [wrong ? say(kind) : null, sure === null ? null : sureness(sure)].filter(Boolean).join(" · ");
    parts.push(element("mark", { class: classes, title, "aria-label": spacing ? title : null },
      slice(start, end), type ? element("small", {}, type) : null));
    done = end;
  }
  if (showText) parts.push(slice(done));
  if (label !== null) {
    const told = score === null ? label : `${label} (${sureness(score)})`;
    parts.unshift(element("span", { class: "answer" }, told), showText ? "  " : "");
  }
  return [element("dt", {}, who), element("dd", {}, parts)];
}

function row(each) {
  const compared = data.against !== null;
  const names = [say("gold"), compared ? data.model : say("model"), data.against];
  const classes = each.lines[0].label !== null;
  const about = element("p", { class: "about" },
    element("span", {}, element("strong", {}, `${say("sure")} ${sureness(each.sure)}`)),
    element("span", {}, each.id));
  const lines = element("dl", { class: "lines" },
    classes ? line(say("text"), { ...each.lines[0], label: null }, true) : [],
    each.lines.map((shown, number) => line(names[number], shown, !classes)));
  const errors = each.errors.map(([kind, gold, predicted, what, sure, seen, by]) => {
    const types = [...new Set([gold, predicted])].filter((label) => label !== NONE).map(labelName).join(" → ");
    return element("li", {},
      element("span", { class: "kind " + kind }, say(kind)), " ", what, data.task === "word-spacing" ? "" : ` ${types}`,
      ` · ${sureness(sure)}`, seen === null ? "" : ` · ${say(seen ? "seen" : "unseen")}`,
      compared ? ` · ${names[1 + by]}` : "");
  });
  return element("li", {}, about, lines, classes ? null : element("ul", { class: "errors" }, errors));
}
