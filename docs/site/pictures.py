"""Pictures that lie elsewhere in the repository, where what made them keeps them, become part of the site."""

from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File, Files

ELSEWHERE = "../benchmarks/results/scaling.png"


@event_priority(-200)  # after the languages have been told apart
def on_files(files: Files, config: MkDocsConfig, **_: Any) -> Files:
    """Add the picture to the files of the site."""
    picture = Path(config.docs_dir) / ELSEWHERE
    files.append(File.generated(config, picture.name, abs_src_path=str(picture)))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Point a page to the picture in the site."""
    return markdown.replace(ELSEWHERE, Path(ELSEWHERE).name)
