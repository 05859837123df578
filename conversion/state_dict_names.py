"""Find the layers of a tagger in an old state dict, whatever its author called them.

The parameters of torch and pytorch-crf have fixed names, so they tell which layer they belong to: `word_embeds.weight`
and `module.embedding.weight` are embeddings, `hidden2tag.weight` with `hidden2tag.bias` is a linear layer.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from malmoi.data.notice import list_names, show_value
from malmoi.data.user_error import UserError

EMBEDDINGS, LSTM, LINEAR, CRF = "embeddings.word_embeddings", "lstm", "classifier", "crf"
"""The names of the layers in `BiLstmCrfForTokenClassification`."""
LAYERS = {
    EMBEDDINGS: "an embedding (such as word_embeds.weight)",
    LSTM: "an LSTM (such as lstm.weight_ih_l0)",
    LINEAR: "a linear layer with a bias (such as hidden2tag.weight, hidden2tag.bias)",
    CRF: "a CRF of pytorch-crf (such as crf.transitions)",
}
LSTM_PARAMETER = re.compile(r"(weight|bias)_(ih|hh)_l\d+(_reverse)?")
LONGEST = 100
"""Characters of the name of a weight that an error shows."""
CRF_PARAMETERS = {"start_transitions", "end_transitions", "transitions"}


def find_layers(tensors: Mapping[str, Tensor], path: Path) -> dict[str, str]:
    """Return the name of each layer in a state dict, by the name that malmoi has for it.

    Args:
        tensors: The state dict.
        path: Its file.

    Raises:
        UserError: If a layer is missing, there are two of a kind, or something belongs to none.
    """
    parameters: defaultdict[str, dict[str, Tensor]] = defaultdict(dict)
    for name, tensor in tensors.items():
        module, _, parameter = name.rpartition(".")
        parameters[module][parameter] = tensor
    layers: dict[str, str] = {}
    for module, own in parameters.items():
        layer = _layer_of(own)
        if layer is None:
            names = list_names([_join(module, parameter) for parameter in own], length=LONGEST)
            raise UserError(f"{path}: {names} belongs to no part of embedding, LSTM, linear layer and CRF.")
        if layer in layers:
            raise UserError(
                f"{path}: expected one layer of a kind, got both {show_value(layers[layer])} and {show_value(module)}."
            )
        layers[layer] = module
    for layer, description in LAYERS.items():
        if layer not in layers:
            raise UserError(f"{path}: it holds no weights of {description}.")
    return layers


def rename(tensors: Mapping[str, Tensor], layers: Mapping[str, str]) -> dict[str, Tensor]:
    """Return a state dict under the names that malmoi has for its layers, as `find_layers` has found them."""
    own_names = {module: layer for layer, module in layers.items()}
    renamed = {}
    for name, tensor in tensors.items():
        module, _, parameter = name.rpartition(".")
        renamed[_join(own_names[module], parameter)] = tensor
    return renamed


def check_shapes(
    tensors: Mapping[str, Tensor], layers: Mapping[str, str], expected: Mapping[str, Tensor], path: Path
) -> None:
    """Check that a renamed state dict fits a model.

    Args:
        tensors: The state dict under the names of malmoi.
        layers: The names of the layers in the file, for messages.
        expected: The state dict of the model.
        path: The file.

    Raises:
        UserError: If a tensor is missing, of another shape, or not wanted; the message has the names of the file.
    """

    def named(names: set[str]) -> str:
        parts = ((layer, name.removeprefix(f"{layer}.")) for name in names for layer in layers if _in(name, layer))
        return list_names(sorted(_join(layers[layer], parameter) for layer, parameter in parts), length=LONGEST)

    if missing := expected.keys() - tensors.keys():
        raise UserError(
            f"{path}: it lacks {named(missing)}; expected a bidirectional LSTM with biases and a CRF of pytorch-crf."
        )
    if unexpected := tensors.keys() - expected.keys():
        raise UserError(f"{path}: {named(unexpected)} belongs to no part of embedding, LSTM, linear layer and CRF.")
    for name, tensor in tensors.items():
        if tensor.shape != expected[name].shape:
            raise UserError(
                f"{path}: {named({name})} is {tuple(tensor.shape)}, but beside the other weights it must be "
                f"{tuple(expected[name].shape)}."
            )


def sizes_of(tensors: Mapping[str, Tensor]) -> dict[str, int]:
    """Return the sizes of a renamed state dict, by the names of a configuration, and its number of labels."""
    vocab_size, embedding_size = tensors[f"{EMBEDDINGS}.weight"].shape
    num_labels, hidden_size = tensors[f"{LINEAR}.weight"].shape
    layers = [name for name in tensors if re.fullmatch(rf"{LSTM}\.weight_ih_l\d+", name)]
    return {
        "vocab_size": vocab_size,
        "embedding_size": embedding_size,
        "hidden_size": hidden_size,
        "num_hidden_layers": len(layers),
        "num_labels": num_labels,
    }


def _layer_of(parameters: Mapping[str, Tensor]) -> str | None:
    """Return the kind of layer that has these parameters."""
    if all(LSTM_PARAMETER.fullmatch(name) for name in parameters):
        return LSTM
    if CRF_PARAMETERS & parameters.keys():
        return CRF
    if "weight" in parameters and parameters["weight"].dim() == 2:
        return {frozenset({"weight"}): EMBEDDINGS, frozenset({"weight", "bias"}): LINEAR}.get(frozenset(parameters))
    return None


def _in(name: str, layer: str) -> bool:
    return name.startswith(f"{layer}.")


def _join(module: str, parameter: str) -> str:
    return f"{module}.{parameter}" if module else parameter
