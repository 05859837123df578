"""The models that come with the package: one saved folder for each task, with card, recipe and report.

The folders hold no Python: what reads them, `malmoi.inference`, is installed beside them.
"""

from pathlib import Path

FOLDER = Path(__file__).parent
NAMES = ("named-entities", "word-spacing", "sentence-classification")
"""The folders, each named after its task."""
