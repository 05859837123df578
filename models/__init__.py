"""The models that come with the package: a saved folder for each task and a body, with card, recipe and report.

The folders hold no Python: what reads them, `malmoi.inference`, is installed beside them.
"""

from pathlib import Path

FOLDER = Path(__file__).parent
NAMES = ("named-entities", "word-spacing", "sentence-classification")
"""The folders of what answers texts, each named after its task."""
BODY = "language-model"
"""The folder of what answers nothing: others begin from it."""
