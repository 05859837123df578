const page = document.getElementById("page");

function change(values) {
  Object.assign(state, { page: 0 }, values);
  showRows();
}

function filterForm() {
  const select = (name, list, any) => element("label", {}, say(any ? `filter_${name}` : name),
    element("select", { name, onchange: (event) => change({ [name]: event.target.value }) },
      [...(any ? [[ANY, say("all")]] : []), ...list].map(([value, told]) =>
        element("option", { value, selected: state[name] === value }, told))));
  const text = element("input", {
    type: "search", name: "text", value: state.text, autocomplete: "off", spellcheck: "false",
    oninput: (event) => { clearTimeout(filterForm.waiting); filterForm.waiting = setTimeout(() => change({ text: event.target.value }), 120); },
  });
  return element("form", { role: "search", "aria-label": say("filters"), onsubmit: (event) => event.preventDefault() },
    data.kinds.length < 2 ? null : [
      element("p", { class: "label", id: "kind-label" }, say("kind")),
      element("div", { class: "kinds", role: "group", "aria-labelledby": "kind-label" }),
    ],
    element("div", { class: "filters" },
      choices().map(([name, list]) => select(name, list, true)),
      select("sort", Object.keys(ORDERS).map((order) => [order, say(order)]), false),
      element("label", { class: "text" }, say("filter_text"), text),
      element("button", { type: "button", id: "reset", onclick: reset }, say("reset"))),
    element("div", { class: "found" },
      element("p", { id: "count", role: "status", "aria-live": "polite" }), element("nav", { "aria-label": say("pages") })));
}

function reset() {
  Object.assign(state, { kinds: new Set(), gold: ANY, predicted: ANY, seen: ANY, source: ANY, outcome: ANY, text: "", page: 0 });
  renderForm();
  document.getElementById("reset").focus();
}

function renderForm() {
  page.querySelector("form").replaceWith(filterForm());
  showRows();
}

function choosePair(gold, predicted) {
  Object.assign(state, { gold, predicted, page: 0 });
  renderForm();
  goToRows();
}

function goToRows() {
  const heading = document.getElementById("sentences");
  heading.scrollIntoView();
  heading.focus({ preventScroll: true });
}

function showKinds() {
  const group = page.querySelector(".kinds");
  if (!group) return;
  const counts = countKinds();
  const focused = document.activeElement?.dataset?.kind;
  group.replaceChildren(...data.kinds.map((kind) => element("button", {
    type: "button", class: kind, "data-kind": kind, "aria-pressed": String(state.kinds.has(kind)), title: say(`${kind}_means`),
    onclick: () => {
      const kinds = new Set(state.kinds);
      if (!kinds.delete(kind)) kinds.add(kind);
      change({ kinds });
    },
  }, `${say(kind)} ${count(counts[kind])}`)));
  if (focused) group.querySelector(`[data-kind="${focused}"]`).focus();
}

function showRows() {
  showKinds();
  const rows = chosenRows();
  const last = Math.max(0, Math.ceil(rows.length / PER_PAGE) - 1);
  state.page = Math.min(state.page, last);
  const first = state.page * PER_PAGE;
  const shown = rows.slice(first, first + PER_PAGE);
  document.getElementById("count").textContent = rows.length
    ? say("shown", { first: count(first + 1), last: count(first + shown.length), chosen: count(rows.length), all: count(data.rows.length) })
    : say(data.rows.length ? "nothing_chosen" : "nothing_wrong");
  page.querySelector("ol.rows").replaceChildren(...shown.map(row));
  const step = (by) => () => { state.page += by; showRows(); goToRows(); };
  page.querySelectorAll("nav").forEach((nav) => nav.replaceChildren(
    element("button", { type: "button", disabled: state.page === 0, onclick: step(-1) }, say("previous")),
    element("span", {}, say("page", { page: count(state.page + 1), pages: count(last + 1) })),
    element("button", { type: "button", disabled: state.page === last, onclick: step(1) }, say("next"))));
}

function speak(language) {
  state.language = language;
  render();
  document.getElementById("language").focus();
}

function header() {
  const other = state.language === "ko" ? "en" : "ko";
  const wrong = data.rows.filter((each) => each.outcome !== "only_other_wrong").length;
  const values = { model: data.model, other: data.against, texts: count(data.texts), wrong: count(wrong), split: data.split, source: data.source };
  const only = (outcome) => count(data.rows.filter((each) => each.outcome === outcome).length);
  return element("header", {},
    element("div", { class: "top" },
      element("h1", {}, say("title")),
      element("button", { type: "button", id: "language", lang: other, onclick: () => speak(other) }, words.language_name[other])),
    element("p", {}, say("summary", values)),
    data.against === null ? null : element("p", {}, say("summary_against", {
      ...values, right: only("only_other_wrong"), other_right: only("only_model_wrong"), both: only("both_wrong"),
    })));
}

function render() {
  document.documentElement.lang = state.language;
  document.title = `${say("title")} · ${data.model}`;
  const name = data.task.replaceAll("-", "_");
  page.replaceChildren(
    element("a", { class: "skip", href: "#sentences" }, say("skip")),
    header(),
    element("main", {},
      element("h2", {}, say("figures")),
      figures(),
      data.against === null ? null : element("p", { class: "quiet" }, say("difference_means")),
      element("h2", {}, say("parts_heading")),
      element("div", { class: "tables" }, confusion(choosePair), ...breakdowns()),
      element("p", { class: "quiet" }, say(`tables_mean_${name}`)),
      element("h2", { id: "sentences", tabindex: -1 }, say("sentences_heading")),
      element("p", { class: "quiet" }, say(`sure_means_${name}`), " ", say(`sorted_means_${name}`)),
      filterForm(),
      element("ol", { class: "rows" }),
      element("nav", { "aria-label": say("pages_below") })));
  showRows();
}

render();
