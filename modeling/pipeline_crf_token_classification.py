"""Token-classification pipeline that answers with the best tag sequence of a CRF and exact character offsets.

This file travels with every saved model, so it imports nothing but torch and transformers.
"""

import copy
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import torch
from transformers import TokenClassificationPipeline
from transformers.pipelines.token_classification import AggregationStrategy

UNLIMITED = int(1e30)
# what the preprocessing hands over beside the input of the model
CARRIED = ("special_tokens_mask", "offset_mapping", "sentence", "is_last", "word_ids", "word_to_chars_map")


def token_spans(text: str, offsets: Iterable[Sequence[int]]) -> list[tuple[int, int]]:
    """Return which characters each token stands for, so that no character belongs to two tokens.

    Byte-level and SentencePiece tokenizers count the space before a word as part of its first token, and give all
    pieces of one character the same place. The space is taken off unless it is all there is, and a character
    belongs to its first piece.

    Args:
        text: The text.
        offsets: Start and end of each token, as the tokenizer gives them.

    Returns:
        Start and end of each token; `(0, 0)` for a token without text, as `[CLS]`, and `(end, end)` for a further
        piece of the character before `end`.
    """
    spans: list[tuple[int, int]] = []
    covered = 0
    for start, end in offsets:
        start = max(start, covered)
        if start >= end:
            spans.append((end, end))
            continue
        covered = end
        characters = text[start:end]
        visible = characters.lstrip()
        spans.append((end - len(visible) if visible else start, end))
    return spans


class CrfTokenClassificationPipeline(TokenClassificationPipeline):
    """`pipeline("token-classification")` for taggers with a CRF.

    Tags are those of the Viterbi path, scores the posterior probabilities of these tags, `word` the very characters of
    the text. A name may begin and end anywhere within a word, so a josa is never part of it. `aggregation_strategy` is
    `"none"` (one entry per token) or `"simple"` (one per name). A text is never cut if the model has no length limit.
    """

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        assert self.tokenizer is not None  # the base class has refused to go without
        has_no_limit = getattr(self.model.config, "max_position_embeddings", None) is None
        if has_no_limit and self.tokenizer.model_max_length < UNLIMITED:
            self.tokenizer = copy.deepcopy(self.tokenizer)
            self.tokenizer.model_max_length = UNLIMITED

    def _sanitize_parameters(  # type: ignore[override]
        self, aggregation_strategy: Any = None, **kwargs: Any
    ) -> tuple[dict, dict, dict]:
        preprocess, forward, postprocess = super()._sanitize_parameters(
            aggregation_strategy=aggregation_strategy, **kwargs
        )
        strategy = postprocess.get("aggregation_strategy", AggregationStrategy.NONE)
        if strategy not in (AggregationStrategy.NONE, AggregationStrategy.SIMPLE):
            raise ValueError(
                f'`aggregation_strategy="{strategy.value}"` widens names to whole words and takes in the josa; '
                'use "simple" or "none".'
            )
        return preprocess, forward, postprocess

    def preprocess(  # type: ignore[override]
        self, sentence: Any, offset_mapping: Any = None, **parameters: Any
    ) -> Iterator[dict[str, Any]]:
        """Tokenize one text; a text without any token becomes one token of padding, which can stand in a batch."""
        for inputs in super().preprocess(sentence, offset_mapping=offset_mapping, **parameters):
            if inputs["input_ids"].size(1) == 0:
                padding = self.model.config.pad_token_id or 0
                inputs["input_ids"] = torch.full((1, 1), padding)
                inputs["attention_mask"] = torch.zeros(1, 1, dtype=torch.long)
                inputs["special_tokens_mask"] = torch.ones(1, 1, dtype=torch.long)
                inputs["offset_mapping"] = torch.zeros(1, 1, 2, dtype=torch.long)
            yield inputs

    def _forward(self, model_inputs: dict[str, Any]) -> dict[str, Any]:  # type: ignore[override]
        carried = {name: model_inputs.pop(name, None) for name in CARRIED}
        output = self.model(**model_inputs)
        return {"logits": output["logits"], "predictions": output["predictions"], **carried, **model_inputs}

    def postprocess(  # type: ignore[override]
        self,
        all_outputs: list[dict[str, Any]],
        aggregation_strategy: AggregationStrategy = AggregationStrategy.NONE,
        ignore_labels: list[str] | None = None,
    ) -> list[dict[str, Any]]:
        """Turn the outputs of one text, one for each chunk of it, into entities."""
        ignored = ["O"] if ignore_labels is None else ignore_labels
        text = all_outputs[0]["sentence"]
        word_positions = all_outputs[0].get("word_to_chars_map")
        entities: list[dict[str, Any]] = []
        for output in all_outputs:
            tokens = self._tokens(output, text, word_positions)
            if aggregation_strategy == AggregationStrategy.SIMPLE:
                tokens = _join(tokens, text)
            entities += [e for e in tokens if e.get("entity", e.get("entity_group")) not in ignored]
        return self.aggregate_overlapping_entities(entities) if len(all_outputs) > 1 else entities

    def _tokens(self, output: dict[str, Any], text: str, word_positions: list | None) -> list[dict[str, Any]]:
        """Return one entry for each token of a chunk that carries a tag."""
        tags = output["predictions"][0]
        scores = output["logits"][0].float().softmax(-1).gather(1, tags.clamp(min=0)[:, None])[:, 0].tolist()
        offsets = torch.as_tensor(output["offset_mapping"][0]).tolist()
        if word_positions is not None:
            shifts = [0 if word is None else word_positions[word][0] for word in output["word_ids"]]
            offsets = [(start + shift, end + shift) for (start, end), shift in zip(offsets, shifts)]
        spans = token_spans(text, offsets)
        special = torch.as_tensor(output["special_tokens_mask"][0]).tolist()
        names = self.model.config.id2label or {}
        tokens = []
        for index, tag in enumerate(tags.tolist()):
            if tag < 0 or special[index]:
                continue
            start, end = spans[index]
            if start == end:
                continue
            tokens.append(
                {
                    "entity": names[tag],
                    "score": scores[index],
                    "index": index,
                    "word": text[start:end],
                    "start": start,
                    "end": end,
                }
            )
        return tokens


def _join(tokens: list[dict[str, Any]], text: str) -> list[dict[str, Any]]:
    """Join the tokens of each name; the score of a name is the mean over its tokens."""
    names: list[list[dict[str, Any]]] = []
    for token in tokens:
        tag = token["entity"]
        continues = names and (
            tag == names[-1][-1]["entity"] == "O"
            or (tag.startswith("I-") and names[-1][-1]["entity"] in (tag, "B-" + tag[2:]))
        )
        if continues:
            names[-1].append(token)
        else:
            names.append([token])
    return [
        {
            "entity_group": name[0]["entity"].removeprefix("B-").removeprefix("I-"),
            "score": sum(token["score"] for token in name) / len(name),
            "word": text[name[0]["start"] : name[-1]["end"]],
            "start": name[0]["start"],
            "end": name[-1]["end"],
        }
        for name in names
    ]
