"""The wheel must hold what the folders hold, and the project must speak of itself alone."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from setuptools.config.pyprojecttoml import read_configuration

ROOT = Path(__file__).parents[1]
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
