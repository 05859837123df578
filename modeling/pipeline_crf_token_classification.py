"""Token-classification pipeline that answers with the best tag sequence of a CRF and exact character offsets.

This file travels with every saved model, so it imports nothing but torch and transformers.
"""

import copy
from typing import Any

import torch
from transformers import TokenClassificationPipeline
from transformers.pipelines.token_classification import AggregationStrategy

UNLIMITED = int(1e30)
# what the preprocessing hands over beside the input of the model
CARRIED = ("special_tokens_mask", "offset_mapping", "sentence", "is_last", "word_ids", "word_to_chars_map")


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
        special = torch.as_tensor(output["special_tokens_mask"][0]).tolist()
        names = self.model.config.id2label or {}
        tokens = []
        for index, tag in enumerate(tags.tolist()):
            if tag < 0 or special[index]:
                continue
            start, end = offsets[index]
            if word_positions is not None:
                shift = word_positions[output["word_ids"][index]][0]
                start, end = start + shift, end + shift
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
