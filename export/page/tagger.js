// Names in a text, by an exported tagger in the browser: the same ones that `malmoi tag` finds.

import * as ort from "./ort.wasm.min.mjs";
import { NameEdges } from "./name_edges.js";
import { Tokenizer } from "./tokenizer.js";

ort.env.wasm.numThreads = 1; // more would need headers that no static server sends
ort.env.wasm.wasmPaths = new URL("./", import.meta.url).href;
ort.env.logLevel = "error";

export class Tagger {
  // Load the files of an exported model that lie at an address.
  static async load(address) {
    const read = async (name) => {
      const response = await fetch(new URL(name, address));
      if (!response.ok) throw new Error(`${name}: ${response.status} ${response.statusText}`);
      return response;
    };
    const json = async (name) => (await read(name)).json();
    const [config, file, settings, graph] = await Promise.all([
      json("config.json"),
      json("tokenizer.json"),
      json("tokenizer_config.json"),
      read("model.onnx").then((response) => response.arrayBuffer()),
    ]);
    const session = await ort.InferenceSession.create(graph, { executionProviders: ["wasm"] });
    return new Tagger(session, new Tokenizer(file, settings), config.id2label);
  }

  constructor(session, tokenizer, labels) {
    this.session = session;
    this.tokenizer = tokenizer;
    this.labels = labels;
  }

  // Return start, end and label of each name; places are counted in UTF-16.
  async tag(text) {
    const { ids, spans } = this.tokenizer.encode(text);
    if (!ids.length) return [];
    const shape = [1, ids.length];
    const { predictions } = await this.session.run(
      {
        input_ids: new ort.Tensor("int64", BigInt64Array.from(ids, BigInt), shape),
        attention_mask: new ort.Tensor("int64", new BigInt64Array(ids.length).fill(1n), shape),
      },
      ["predictions"],
    );
    const labels = Array.from(predictions.data, (index) => this.labels[index] ?? null);
    const edges = new NameEdges(text);
    return namesOf(labels, spans)
      .map(({ start, end, label }) => {
        const [first, last] = edges.trim(start, end);
        return { start: first, end: last, label };
      })
      .filter(({ start, end }) => start < end);
  }
}

// An I- that continues nothing begins no name.
function namesOf(labels, spans) {
  const names = [];
  let name = null;
  labels.forEach((label, index) => {
    const [start, end] = spans[index];
    if (label === null || start === end) return;
    if (label.startsWith("B-")) {
      name = { start, end, label: label.slice(2) };
      names.push(name);
    } else if (name !== null && label === `I-${name.label}`) {
      name.end = end;
    } else {
      name = null;
    }
  });
  return names;
}
