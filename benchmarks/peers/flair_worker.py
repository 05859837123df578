"""Trains and tags with flair in the environment of flair, and answers on standard output.

It cannot be imported where flair is not installed, and needs nothing of this package: `flair_tagger.py` starts this
file with the Python of that environment. Every line that comes in and every line that goes out is a JSON object:

    {"do": "load", "labels": [...], "sentences": [{"tokens": [...], "names": [[start, end, type], ...]}, ...],
     "embedding_size": 128, "hidden_size": 128, "batch_size": 32, "threads": 2}  ->  {"flair": ..., "parameters": ...}
    {"do": "train"}                                                   ->  {"seconds": ..., "loss": ...}
    {"do": "tag", "numbers": [0, 1], "batch_size": 32}                ->  {"seconds": ..., "names": ...}

Whatever goes wrong is answered as {"error": ...}.
"""

import json
import os
import sys
import time
from typing import Any

import flair
import torch
from flair.data import Dictionary, Sentence
from flair.embeddings import OneHotEmbeddings
from flair.models import SequenceTagger

LEARNING_RATE = 1e-3
MAX_GRAD_NORM = 5.0
TAG_TYPE = "ner"
loaded: dict[str, Any] = {}


def load(request: dict[str, Any]) -> dict[str, Any]:
    """Build the tagger; `hidden_size` is that of one direction. Nothing is dropped out, as in the model beside it."""
    torch.manual_seed(0)
    torch.set_num_threads(request["threads"])
    flair.device = torch.device("cpu")
    characters, types = Dictionary(), Dictionary(add_unk=False)
    for token in sorted({token for sentence in request["sentences"] for token in sentence["tokens"]}):
        characters.add_item(token)
    for name in request["labels"]:
        types.add_item(name)
    types.span_labels = True
    tagger = SequenceTagger(
        OneHotEmbeddings(characters, embedding_length=request["embedding_size"]),
        types,
        TAG_TYPE,
        tag_format="BIO",
        hidden_size=request["hidden_size"],
        reproject_embeddings=False,
        word_dropout=0.0,
        locked_dropout=0.0,
    )
    sentences = [with_names(sentence) for sentence in request["sentences"]]
    optimizer = torch.optim.AdamW(tagger.parameters(), lr=LEARNING_RATE, fused=True)
    order = torch.Generator().manual_seed(0)
    loaded.update(request, tagger=tagger, labelled=sentences, optimizer=optimizer, order=order)
    count = sum(parameter.numel() for parameter in tagger.parameters())
    return {"flair": flair.__version__, "torch": torch.__version__, "parameters": count}


def with_names(sentence: dict[str, Any]) -> Sentence:
    """Return a sentence of flair with its names."""
    made = Sentence(sentence["tokens"])
    for start, end, name in sentence["names"]:
        made[start:end].add_label(TAG_TYPE, name)
    return made


def train(request: dict[str, Any]) -> dict[str, Any]:
    """Train on every sentence once, in random order. The sentences of flair are made beforehand."""
    tagger, optimizer, sentences = loaded["tagger"], loaded["optimizer"], loaded["labelled"]
    tagger.train()
    order = torch.randperm(len(sentences), generator=loaded["order"]).tolist()
    size, losses = loaded["batch_size"], []
    started = time.perf_counter()
    for start in range(0, len(order), size):
        batch = [sentences[number] for number in order[start : start + size]]
        optimizer.zero_grad()
        loss, _ = tagger.forward_loss(batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(tagger.parameters(), MAX_GRAD_NORM)
        optimizer.step()
        losses.append(loss.item())
        for sentence in batch:
            sentence.clear_embeddings()
    return {"seconds": time.perf_counter() - started, "loss": sum(losses) / len(losses)}


def tag(request: dict[str, Any]) -> dict[str, Any]:
    """Tag some of the sentences, from their tokens to their names; the sentences of flair are made anew."""
    tagger = loaded["tagger"]
    tagger.eval()
    tokens = [loaded["sentences"][number]["tokens"] for number in request["numbers"]]
    started = time.perf_counter()
    sentences = [Sentence(part) for part in tokens]
    tagger.predict(sentences, mini_batch_size=request["batch_size"])
    names = [
        [(span[0].idx - 1, span[-1].idx, span.get_label(TAG_TYPE).value) for span in sentence.get_spans(TAG_TYPE)]
        for sentence in sentences
    ]
    return {"seconds": time.perf_counter() - started, "names": names}


COMMANDS = {"load": load, "train": train, "tag": tag}


def main() -> None:
    """Answer requests until there are no more."""
    # flair logs to standard output, which belongs to the answers
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = COMMANDS[request["do"]](request)
        except Exception as error:  # the other process must not wait for ever
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer, ensure_ascii=False), file=answers, flush=True)


if __name__ == "__main__":
    main()
