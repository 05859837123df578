"""Token classification with a CRF and exact offsets. Written by malmoi 0.1.0 into every saved tagger with a CRF."""

import copy
import types
from collections.abc import Collection, Iterable, Iterator
from typing import Any

import torch
from transformers import TokenClassificationPipeline
from transformers.pipelines.token_classification import AggregationStrategy

from .name_edges import UNLIMITED, token_spans, trim_name

WINDOWS = {"return_overflowing_tokens": True, "padding": True}  # for the tokenizer, of a long text
CARRIED = ("special_tokens_mask", "offset_mapping", "sentence", "is_last", "given_offsets")  # goes past the model


class CrfTokenClassificationPipeline(TokenClassificationPipeline):
    """`pipeline("token-classification")` for taggers with a CRF.

    Tags are those of the Viterbi path, scores the posterior probabilities of these tags, `word` the very characters of
    the text. A name may begin and end anywhere within a word, so a josa is never part of it. `aggregation_strategy` is
    `"none"` (one entry per token) or `"simple"` (one per name: neighbours of one type, but `B-` begins another).

    A text is never cut: what is longer than the model reads at once is read in windows with `stride` tokens in common,
    by default a quarter; each token is taken from the window in which it is farthest from an edge. Words
    (`is_split_into_words=True`) are read as the text that they make, joined by `delimiter`, a space by default.
    """

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        if self.tokenizer is None or not self.tokenizer.is_fast:
            given = "none" if self.tokenizer is None else type(self.tokenizer).__name__
            raise ValueError(f"`tokenizer` must be a fast one, which gives character offsets, got {given}.")
        length = UNLIMITED if (limit := self._window_size()) is None else limit
        if self.tokenizer.model_max_length != length:
            self.tokenizer = copy.deepcopy(self.tokenizer)  # the user's own is left as it is
            self.tokenizer.model_max_length = length
        if limit is not None:
            longer = "가 " * 2 * limit
            windows = self.tokenizer(longer, truncation=True, return_attention_mask=True, **WINDOWS)
            whole = self.tokenizer(longer, truncation=False, verbose=False)["input_ids"]
            if sum(map(sum, windows["attention_mask"])) < len(whole):  # huggingface/tokenizers#2091
                raise ValueError("This `tokenizers` loses the end of long texts; `pip install -U tokenizers`.")
            self._preprocess_params.setdefault("tokenizer_params", {**WINDOWS, "stride": limit // 4})

    def __call__(self, inputs: Any, **kwargs: Any) -> Any:  # type: ignore[override]
        """Tag one text, or several, also in a column of a table; answers are those of the stock pipeline."""
        if isinstance(inputs, Iterable) and not isinstance(inputs, (str, bytes, dict, torch.utils.data.Dataset)):
            if getattr(inputs, "ndim", 1) != 1 or hasattr(inputs, "column_names"):  # tables give names, or rows
                raise ValueError(f"Give a text, several, or a column of a table, not {type(inputs).__name__}.")
            inputs = list(inputs) if isinstance(inputs, Collection) else (text for text in inputs)
        if isinstance(inputs, types.GeneratorType) and kwargs.get("is_split_into_words"):
            # the stock pipeline looks through all of them to see what they are, and then none is left
            return super(TokenClassificationPipeline, self).__call__(inputs, **kwargs)
        one = isinstance(inputs, str) or (isinstance(inputs, list) and len(inputs) == 1)
        if kwargs.get("offset_mapping") and not one and not kwargs.get("is_split_into_words"):
            raise ValueError("`offset_mapping` says where the tokens of one text are; give one text at a time.")
        return super().__call__(inputs, **kwargs)

    def _window_size(self) -> int | None:
        """Return how many tokens a window holds, special tokens among them; `None` if there is no limit."""
        limit = self.model.config.max_tokens()
        return None if limit is None else min(limit, self.tokenizer.model_max_length)  # type: ignore[union-attr]

    def _sanitize_parameters(  # type: ignore[override]
        self, aggregation_strategy: Any = None, stride: int | None = None, **kwargs: Any
    ) -> tuple[dict, dict, dict]:
        if isinstance(asked := aggregation_strategy, str) and asked.upper() not in AggregationStrategy.__members__:
            raise ValueError(f'`aggregation_strategy` must be "simple" or "none", got {asked!r}.')
        preprocess, forward, postprocess = super()._sanitize_parameters(aggregation_strategy=asked, **kwargs)
        if stride is not None and (limit := self._window_size()) is not None:
            longest = limit - self.tokenizer.num_special_tokens_to_add() - 1  # type: ignore[union-attr]
            if not 0 <= stride <= longest:
                raise ValueError(f"`stride` must be from 0 to {longest} for windows of {limit} tokens, got {stride}.")
            preprocess["tokenizer_params"] = {**WINDOWS, "stride": stride}
        strategy = postprocess.get("aggregation_strategy", AggregationStrategy.NONE)
        if strategy not in (AggregationStrategy.NONE, AggregationStrategy.SIMPLE):
            taken_in = "widens names to whole words and takes in the josa"
            raise ValueError(f'`aggregation_strategy="{strategy.value}"` {taken_in}; use "simple" or "none".')
        return preprocess, forward, postprocess

    def preprocess(  # type: ignore[override]
        self, sentence: Any, offset_mapping: Any = None, tokenizer_params: Any = None, **parameters: Any
    ) -> Iterator[dict[str, Any]]:
        """Tokenize one text; a text without any token becomes one token of padding, which can stand in a batch."""
        delimiter = parameters.pop("delimiter", None)
        if parameters.pop("is_split_into_words", False):
            if not isinstance(sentence, (list, tuple)) or not all(isinstance(word, str) for word in sentence):
                rule = "With `is_split_into_words=True` a text must be a list of its words"
                raise ValueError(f"{rule}, got {sentence!r}.")
            sentence = (" " if delimiter is None else delimiter).join(sentence)
        parameters |= {"offset_mapping": offset_mapping, "is_split_into_words": False}
        own_params = dict(tokenizer_params or {})  # the base class writes into it
        for number, inputs in enumerate(super().preprocess(sentence, tokenizer_params=own_params, **parameters)):
            if offset_mapping is not None and number:
                raise ValueError("`offset_mapping` is for texts that the model reads at once; this one is longer.")
            inputs["given_offsets"] = offset_mapping is not None
            if inputs["input_ids"].size(1) == 0:
                nothing, padding = torch.zeros(1, 1, dtype=torch.long), self.model.config.pad_token_id or 0
                inputs.update(input_ids=nothing + padding, attention_mask=nothing)
                inputs.update(special_tokens_mask=nothing + 1, offset_mapping=nothing.new_zeros(1, 1, 2))
            yield inputs

    def _forward(self, model_inputs: dict[str, Any]) -> dict[str, Any]:  # type: ignore[override]
        carried = {name: model_inputs.pop(name, None) for name in CARRIED}
        output = self.model.eval()(**model_inputs, return_dict=True)  # one that comes from training has no answers
        return {"predictions": output["predictions"], "marginals": output["marginals"], **carried, **model_inputs}

    def postprocess(  # type: ignore[override]
        self, all_outputs: list, aggregation_strategy: Any = AggregationStrategy.NONE, ignore_labels: Any = None
    ) -> list[dict[str, Any]]:
        """Turn the outputs of one text, one for each window of it, into entities."""
        ignored = ["O"] if ignore_labels is None else ignore_labels
        text = all_outputs[0]["sentence"]
        windows = [self._tokens(output, text) for output in all_outputs]
        entities = windows[0] if len(windows) == 1 else _merge(windows)
        if aggregation_strategy == AggregationStrategy.SIMPLE:
            entities = _join(entities, text)
        return [entity for entity in entities if entity.get("entity", entity.get("entity_group")) not in ignored]

    def _tokens(self, output: dict[str, Any], text: str) -> list[dict[str, Any]]:
        """Return one entry for each token of a window that carries a tag."""
        tags = output["predictions"][0]
        scores = output["marginals"][0].gather(1, tags.clamp(min=0)[:, None])[:, 0].tolist()
        offsets = torch.as_tensor(output["offset_mapping"][0]).tolist()
        spans = offsets if output["given_offsets"] else token_spans(text, offsets)
        special = torch.as_tensor(output["special_tokens_mask"][0]).tolist()
        names = self.model.config.label_names()
        return [
            {"entity": names[tag], "score": scores[i], "index": i, "word": text[start:end], "start": start, "end": end}
            for i, (tag, (start, end)) in enumerate(zip(tags.tolist(), spans))
            if tag >= 0 and not special[i] and start < end
        ]


def _merge(windows: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Return each token once, from the window in which it is farthest from an edge, in the order of the text."""
    best: dict[int, tuple[int, dict[str, Any]]] = {}
    for window in windows:
        for place, token in enumerate(window):
            distance = min(place, len(window) - 1 - place)
            if token["start"] not in best or best[token["start"]][0] < distance:
                best[token["start"]] = distance, token
    return [token for _, (_, token) in sorted(best.items())]


def _join(tokens: list[dict[str, Any]], text: str) -> list[dict[str, Any]]:
    """Join the tokens of each name; the score of a name is the mean over its tokens."""
    names: list[list[dict[str, Any]]] = []
    last_type = None
    for token in tokens:
        prefix, own_type = _prefix_and_type(token["entity"])
        if not names or prefix == "B" or own_type != last_type:
            names.append([])
        names[-1].append(token)
        last_type = own_type
    entities = []
    for name in names:
        group = _prefix_and_type(name[0]["entity"])[1]
        start, end = whole = name[0]["start"], name[-1]["end"]
        start, end = trim_name(text, *whole) if group != "O" else whole
        scores = [token["score"] for token in name if token["start"] < end and token["end"] > start]
        if scores:  # otherwise it is nothing that a name may be
            score, place = sum(scores) / len(scores), {"start": start, "end": end}
            entities.append({"entity_group": group, "score": score, "word": text[start:end], **place})
    return entities


def _prefix_and_type(label: str) -> tuple[str, str]:
    """Return `B` or `I` and the type of a label; one without prefix goes on, as in the stock pipeline."""
    return (label[0], label[2:]) if label.startswith(("B-", "I-")) else ("I", label)
