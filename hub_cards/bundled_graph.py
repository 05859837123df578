"""Write the graphs by which the models of the package answer without torch.

python -m malmoi.hub_cards.bundled_graph

Each lies beside the weights of its model and refers to them (`shared_weights`), so that the package holds them once.
"""

from pathlib import Path

from malmoi.data.standard_streams import write_utf8
from malmoi.export.graph import build_graph, tie_to_tokenizer
from malmoi.hub_cards.shared_weights import share_weights
from malmoi.inference.exported_folder import GRAPH
from malmoi.inference.loading import load_model
from malmoi.inference.model_folder import TOKENIZER
from malmoi.inference.weights_header import WEIGHTS
from malmoi.models import FOLDER, NAMES


def write_graph(folder: Path) -> Path:
    """Write the graph of a saved model into its folder, and return its file.

    Args:
        folder: The folder.

    Raises:
        UserError: If it holds no model for which there is a graph.
    """
    graph = build_graph(load_model(folder, None).model.float())
    tie_to_tokenizer(graph, (folder / TOKENIZER).read_bytes())
    share_weights(graph, folder / WEIGHTS)
    file = folder / GRAPH
    file.write_bytes(graph.SerializeToString(deterministic=True))
    return file


if __name__ == "__main__":
    write_utf8()
    for name in NAMES:
        written = write_graph(FOLDER / name)
        print(f"{written.stat().st_size:>12,}  {written}")
