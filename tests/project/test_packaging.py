"""The wheel must hold what the folders hold, and the project must speak of itself alone."""

import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from setuptools.compat.py310 import tomllib
from setuptools.config.pyprojecttoml import read_configuration

from malmoi.models import BODY, NAMES

ROOT = Path(__file__).parents[2]
SETUPTOOLS = read_configuration(ROOT / "pyproject.toml", expand=False)["tool"]["setuptools"]
FOLDERS = SETUPTOOLS["package-dir"]
LARGEST_WHEEL = 50_000_000


def test_every_folder_with_code_is_a_package() -> None:
    rooms = {folder.split("/")[0] for folder in FOLDERS.values()}
    found = {
        str(path.parent.relative_to(ROOT))
        for room in rooms
        for path in (ROOT / room).rglob("*")
        # `hub_cards/examples` and `benchmarks/results` are for readers of the project and not part of the package
        if path.is_file() and not {"__pycache__", "examples", "results"} & set(path.parts)
    }
    # the models are data of `malmoi.models`, in folders with the names of their tasks
    found -= {f"models/{name}" for name in (*NAMES, BODY)}
    assert found == set(FOLDERS.values())
    assert set(SETUPTOOLS["packages"]) == set(FOLDERS)
    assert all((ROOT / room / "py.typed").is_file() for room in rooms)


def tracked_files() -> list[Path]:
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / name for name in listing.stdout.split("\0") if name and (ROOT / name).is_file()]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project, without what was built in it before: setuptools would pack that, too."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout")
    folder = tmp_path_factory.mktemp("checkout")
    for path in tracked_files():
        target = folder / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    return folder


def built(checkout: Path, *arguments: str) -> Path:
    """Build in the copy and return where the results are."""
    output = checkout.with_name(f"{checkout.name}-built{''.join(arguments)}")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(output), *arguments, str(checkout)]
    subprocess.run(command, check=True, capture_output=True)
    return output


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.slow
def test_what_is_built_holds_what_it_should(checkout: Path) -> None:
    results = built(checkout)  # an sdist, and a wheel from that
    [wheel], [sdist] = results.glob("*.whl"), results.glob("*.tar.gz")
    version = read_configuration(ROOT / "pyproject.toml", expand=False)["project"]["version"]
    # the wheel: every file of every room but the measurements and the tables of names, and what every wheel has
    files = {
        f"{package.replace('.', '/')}/{path.name}"
        for package, folder in FOLDERS.items()
        for path in (checkout / folder).iterdir()
        if path.is_file() and not f"{package}.".startswith("malmoi.benchmarks.") and path.suffix != ".tsv"
    } | {f"malmoi/{path.relative_to(checkout).as_posix()}" for path in (checkout / "models").glob("*/*")}
    assert {"malmoi/__init__.py", "malmoi/py.typed", "malmoi/modeling/py.typed", "malmoi/recipes/demo.yaml"} < files
    of_wheel = ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE", "top_level.txt")
    assert wheel.stat().st_size < LARGEST_WHEEL
    assert not [name for name in contents(wheel) if name.endswith(".tsv")]  # 0.9 MB that `make models` alone reads
    assert set(contents(wheel)) == files | {f"malmoi-{version}.dist-info/{name}" for name in of_wheel}
    # the sdist: the whole project
    with tarfile.open(sdist) as archive:
        names = {member.name.split("/", 1)[1] for member in archive.getmembers() if member.isfile()}
    made = {"PKG-INFO", "setup.cfg", *(name for name in names if name.startswith("malmoi.egg-info/"))}
    assert names - made == {path.relative_to(ROOT).as_posix() for path in tracked_files()}
    # and without an sdist between, the wheel is the same
    [direct] = built(checkout, "--wheel").glob("*.whl")
    assert contents(direct) == contents(wheel)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["lenient", "strict"])
def test_an_editable_install_has_the_measurements(mode: str, checkout: Path, tmp_path: Path) -> None:
    code = f"""
from setuptools import build_meta
build_meta.build_editable({str(tmp_path)!r}, config_settings={{"editable_mode": {mode!r}}})
"""
    # -I: packages of others may have the name of a folder here
    subprocess.run([sys.executable, "-I", "-c", code], cwd=checkout, check=True, capture_output=True)
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as archive:
        archive.extractall(tmp_path)
    # as if that were the only folder of site-packages
    find = "import site, sys; from importlib.util import find_spec; site.addsitedir(sys.argv[1]); "
    find += "print(*(find_spec(name).origin for name in sys.argv[2:]), sep='\\n')"
    names = ["malmoi", "malmoi.benchmarks.crf", "malmoi.modeling"]
    command = [sys.executable, "-I", "-S", "-c", find, str(tmp_path), *names]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    files = ["front_door/__init__.py", "benchmarks/crf.py", "modeling/__init__.py"]
    assert [Path(path).resolve() for path in shown] == [(checkout / name).resolve() for name in files]


def test_the_version_is_in_one_place() -> None:
    project = read_configuration(ROOT / "pyproject.toml", expand=False)["project"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= set(citation)  # what its schema asks for
    assert (citation["cff-version"], citation["type"]) == ("1.2.0", "software")
    assert citation["authors"] == [{"name": "The malmoi authors"}]
    assert (citation["version"], citation["license"]) == (project["version"], project["license"])
    # wherever else a version of malmoi stands, it is that of something which was made once
    written = re.compile(rf"""version["']?\]?\s*[:=]\s*["']?{re.escape(project["version"])}\b""")
    files = [path for path in ROOT.glob("*") if path.suffix in {".toml", ".cff", ".py", ".md", ".yml", ".yaml"}]
    files += [path for folder in FOLDERS.values() for path in (ROOT / folder).glob("*.py")]
    named = {path.name for path in files if written.search(path.read_text(encoding="utf-8"))}
    assert named == {"pyproject.toml", "CITATION.cff"}


def test_no_room_can_be_imported_by_accident() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        lint = tomllib.load(file)["tool"]["ruff"]["lint"]
    assert "TID" in lint["select"]
    assert set(lint["flake8-tidy-imports"]["banned-api"]) == {folder.split("/")[0] for folder in FOLDERS.values()}


def test_types_are_checked_in_every_room() -> None:
    said = subprocess.run(["make", "--dry-run", "check"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    [rooms] = re.findall(r"for room in (.*?);", said)
    assert {*rooms.split(), "front_door"} == {folder.split("/")[0] for folder in FOLDERS.values()}
    assert "front_door/__init__.py build/mypy/malmoi/__init__.py" in said


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


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a checkout")
def test_no_file_names_a_path_of_one_machine() -> None:
    pattern = re.compile(r"(^|[^\w./~-])/(work|home|root|Users|tmp/bash)[/.]")
    for path in tracked_files():
        if (
            path.suffix in {".py", ".ipynb", ".md", ".yaml", ".toml", ".txt", ""}
            and path.is_file()
            and path != Path(__file__)
        ):
            assert not pattern.search(path.read_text(encoding="utf-8")), path
