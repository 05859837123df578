"""The wheel must hold what the folders hold, and the project must speak of itself alone."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from setuptools.config.pyprojecttoml import read_configuration

ROOT = Path(__file__).parents[2]
SETUPTOOLS = read_configuration(ROOT / "pyproject.toml", expand=False)["tool"]["setuptools"]
FOLDERS = SETUPTOOLS["package-dir"]


def test_every_folder_with_code_is_a_package() -> None:
    rooms = {folder.split("/")[0] for folder in FOLDERS.values()}
    found = {
        str(path.parent.relative_to(ROOT))
        for room in rooms
        for path in (ROOT / room).rglob("*")
        # `hub_cards/examples` and `benchmarks/results` are for readers of the project and not part of the package
        if path.is_file() and not {"__pycache__", "examples", "results"} & set(path.parts)
    }
    assert found == set(FOLDERS.values())
    assert set(SETUPTOOLS["packages"]) == set(FOLDERS)
    assert all((ROOT / room / "py.typed").is_file() for room in rooms)


@pytest.mark.slow
def test_the_wheel_holds_every_file(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)],
        check=True,
        capture_output=True,
    )
    names = set(zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist())
    for package, folder in FOLDERS.items():
        for path in (ROOT / folder).iterdir():
            if path.is_file():
                assert f"{package.replace('.', '/')}/{path.name}" in names
    assert not [name for name in names if name.startswith("tests") or name == "malmoi/__init__.py"]


def test_the_versions_of_python_are_the_same_everywhere() -> None:
    project = read_configuration(ROOT / "pyproject.toml", expand=False)["project"]
    named = [re.fullmatch(r"Programming Language :: Python :: 3\.(\d+)", entry) for entry in project["classifiers"]]
    minors = [int(found[1]) for found in named if found]
    first, last = min(minors), max(minors)
    assert minors == list(range(first, last + 1)) == list(range(10, 15))
    assert project["requires-python"] == f">=3.{first},<3.{last + 1}"
    assert f"(3, {first}) <= sys.version_info[:2] <= (3, {last})" in (ROOT / "Makefile").read_text(encoding="utf-8")
    for readme, words in (("README.md", f"3.{first} to 3.{last}"), ("README.ko.md", f"3.{first}~3.{last}")):
        text = (ROOT / readme).read_text(encoding="utf-8")
        assert f"Python {words}" in text
        # and how to do without CUDA
        assert "https://download.pytorch.org/whl/cpu" in text


def test_what_has_no_wheel_for_the_newest_python_is_left_out_there() -> None:
    extras = read_configuration(ROOT / "pyproject.toml", expand=False)["project"]["optional-dependencies"]
    [gensim] = map(Requirement, extras["embeddings"])
    assert gensim.marker is not None
    assert [gensim.marker.evaluate({"python_version": version}) for version in ("3.13", "3.14")] == [True, False]
    pinned = [line for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines() if line.startswith("gensim")]
    assert [Requirement(line).marker is not None for line in pinned] == [True]


def tracked_files() -> list[Path]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in listing.stdout.split("\0") if name]


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a checkout")
def test_no_file_names_a_path_of_one_machine() -> None:
    pattern = re.compile(r"(^|[^\w./~-])/(work|home|root|Users|tmp/bash)[/.]")
    for path in tracked_files():
        if path.suffix in {".py", ".md", ".yaml", ".toml", ".txt", ""} and path.is_file() and path != Path(__file__):
            assert not pattern.search(path.read_text(encoding="utf-8")), path


def test_files_that_travel_with_a_model_import_nothing_of_malmoi() -> None:
    for path in [*(ROOT / "modeling").glob("*.py"), *(ROOT / "configuration").glob("*.py")]:
        if path.name in ("__init__.py",) or (
            path.parent.name == "modeling" and path.name.startswith("configuration_")
        ):
            continue
        assert "import malmoi" not in path.read_text(encoding="utf-8")
        assert "from malmoi" not in path.read_text(encoding="utf-8")
