const ANY = "*";
const PER_PAGE = 50;
const [KIND, GOLD, PREDICTED, WHAT, SURE, SEEN, BY] = [0, 1, 2, 3, 4, 5, 6];
Object.assign(state, { kinds: new Set(), gold: ANY, predicted: ANY, seen: ANY, source: ANY, outcome: ANY, text: "", sort: "surest", page: 0 });

for (const each of data.rows) {
  each.search = [each.id, ...each.lines.map((shown) => shown.text), ...each.errors.map((error) => error[WHAT])].join("\n").toLowerCase();
  const wrong = [0, 1].map((by) => each.errors.some((error) => error[BY] === by));
  each.outcome = wrong[0] && wrong[1] ? "both_wrong" : wrong[0] ? "only_model_wrong" : "only_other_wrong";
}

const seenName = (seen) => (seen ? "seen" : "unseen");

/* Whether one mistake of a row has all that is asked for: kind, types and the rest are of the same one. */
function matches(each, without = null) {
  const wanted = (name, value) => name === without || state[name] === ANY || state[name] === value;
  return wanted("source", each.source) && wanted("outcome", each.outcome) &&
    (state.text === "" || each.search.includes(state.text.toLowerCase())) &&
    each.errors.some((error) =>
      (without === "kinds" || state.kinds.size === 0 || state.kinds.has(error[KIND])) &&
      wanted("gold", error[GOLD]) && wanted("predicted", error[PREDICTED]) &&
      (error[SEEN] === null ? state.seen === ANY : wanted("seen", seenName(error[SEEN]))));
}

const ORDERS = {
  surest: null, // as they come
  least_sure: (rows) => rows.sort((one, other) => one.sure - other.sure),
  as_in_data: (rows) => rows.sort((one, other) => one.number - other.number),
};

function chosenRows() {
  const rows = data.rows.filter((each) => matches(each));
  return ORDERS[state.sort] ? ORDERS[state.sort](rows) : rows;
}

/* How many rows have a mistake of each kind, whatever kinds are chosen. */
function countKinds() {
  const counts = Object.fromEntries(data.kinds.map((kind) => [kind, 0]));
  for (const each of data.rows) {
    if (!matches(each, "kinds")) continue;
    for (const kind of new Set(each.errors.map((error) => error[KIND]))) counts[kind] += 1;
  }
  return counts;
}

/* What there is to choose from: value and name of each. A filter with one choice is none. */
function choices() {
  const occurring = (place) => [...new Set(data.rows.flatMap((each) => each.errors.map((error) => error[place])))];
  const types = (place) => {
    const found = occurring(place);
    return data.labels.filter((label) => found.includes(label)).map((label) => [label, labelName(label)]);
  };
  const seen = occurring(SEEN).filter((each) => each !== null).map(seenName).sort();
  const sources = [...new Set(data.rows.map((each) => each.source))].filter((each) => each !== null).sort();
  const outcomes = data.against === null ? [] : ["both_wrong", "only_model_wrong", "only_other_wrong"];
  const all = {
    gold: data.task === "word-spacing" ? [] : types(GOLD),
    predicted: data.task === "word-spacing" ? [] : types(PREDICTED),
    seen: seen.map((each) => [each, say(each)]),
    source: sources.map((each) => [each, each]),
    outcome: outcomes.map((each) => [each, say(each, { model: data.model, other: data.against })]),
  };
  return Object.entries(all).filter(([, list]) => list.length > 1);
}
