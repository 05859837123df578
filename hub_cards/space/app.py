"""What a Space of Hugging Face runs: `python app.py`. Its models are those of `models.json` in the same folder."""

from pathlib import Path

from malmoi.hub_cards.space.interface import launch
from malmoi.hub_cards.space.loaded_models import load_models
from malmoi.hub_cards.space.model_list import read_model_list


def main() -> None:
    """Load the models and serve them where Gradio's own environment variables say, as a Space sets them."""
    folder = Path(__file__).parent
    launch(load_models(read_model_list(folder / "models.json"), folder=folder))


if __name__ == "__main__":
    main()
