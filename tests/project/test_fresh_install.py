"""The wheel in a fresh environment, in another folder: the models of the package answer, and nothing is fetched."""

import os
import re
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from malmoi.export.exported_model import export_model

ROOT = Path(__file__).parents[2]
NETWORK = re.compile(r"(HF_|HUGGING|TRANSFORMERS_|PYTHON).*|.*_proxy", re.IGNORECASE)
# whatever asks for an address or a connection is written down
WATCH = """
import socket

def refuse(*arguments, **options):
    with open({file!r}, "a") as asked:
        print(arguments, file=asked)
    raise OSError("there is no network in this test")

socket.getaddrinfo = socket.create_connection = socket.socket.connect = refuse
"""
CODE = """
from malmoi import Classifier, Spacer, Tagger
print(len(Tagger()(["손흥민은 춘천에서 태어났다."])), Spacer()("비가왔다.").removed, Classifier()("좋다").label)
"""


ALONE = ("onnxruntime", "tokenizers", "numpy", "regex")
"""What exported models need of their own, and none of what these name as requirements."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from what is checked in."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout")
    folder = tmp_path_factory.mktemp("wheel")
    sources = folder / "sources"
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (sources / name).parent.mkdir(parents=True, exist_ok=True)
            (sources / name).write_bytes((ROOT / name).read_bytes())
    build = [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", folder / "dist", sources]
    subprocess.run(build, check=True, capture_output=True)
    [built] = (folder / "dist").glob("*.whl")
    return built


def install(wheel: Path, venv: Path) -> Path:
    """Install the wheel alone in a new environment, and return where its packages lie."""
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    [packages] = venv.glob("lib/*/site-packages")
    pip = [venv / "bin/python", "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--ignore-installed"]
    subprocess.run([*pip, wheel], check=True, capture_output=True)
    return packages


def with_requirements(name: str) -> set[str]:
    """Return the names of a distribution and of all that it requires here."""
    found, asked = set(), [name]
    while asked:
        current = canonicalize_name(asked.pop())
        if current not in found:
            found.add(current)
            needed = map(Requirement, distribution(current).requires or ())
            asked += [each.name for each in needed if each.marker is None or each.marker.evaluate({"extra": ""})]
    return found


@pytest.mark.slow
def test_exported_models_need_five_libraries(wheel: Path, tmp_path: Path) -> None:
    packages = install(wheel, tmp_path / "venv")
    needed = {*ALONE, *with_requirements("typer")}
    assert not {"torch", "transformers", "huggingface-hub", "pyyaml"} & needed
    for name in needed:
        for file in distribution(name).files or ():
            top = file.parts[0]
            if not top.endswith(".dist-info") and top != ".." and not (packages / top).exists():
                (packages / top).symlink_to(distribution(name).locate_file(top))
    export_model("bundled:named-entities", tmp_path / "exported", sentences=["손흥민은 춘천에서 태어났다."])
    for model in (["exported"], []):
        done = subprocess.run(
            [tmp_path / "venv/bin/malmoi", "tag", *model, "손흥민은 춘천에서 태어났다."],
            cwd=tmp_path,
            env={"PATH": os.defpath, "PYTHONIOENCODING": "utf-8", "LANG": "C.UTF-8"},
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=100,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == "<손흥민:PS>은 <춘천:LC>에서 태어났다.\n"
    # the page of the documentation names the same ones
    for page in ("docs/without-torch.md", "docs/without-torch.ko.md"):
        text = (ROOT / page).read_text(encoding="utf-8")
        assert f"pip install typer\npip install --no-deps . {' '.join(ALONE)}\n" in text


@pytest.mark.long
def test_the_three_commands_answer_after_an_install_of_the_wheel(wheel: Path, tmp_path: Path) -> None:
    # the libraries are those of this environment; malmoi is what is installed
    venv = tmp_path / "venv"
    packages = install(wheel, venv)
    libraries = [path for path in sys.path if path.endswith("site-packages")]
    (packages / "libraries.pth").write_text("".join(f"{path}\n" for path in libraries), encoding="utf-8")
    (packages / "sitecustomize.py").write_text(WATCH.format(file=str(tmp_path / "asked")), encoding="utf-8")

    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    environment = {name: value for name, value in os.environ.items() if not NETWORK.fullmatch(name)}
    environment |= {"HOME": str(tmp_path), "PYTHONIOENCODING": "utf-8"}

    def answers(*command: str) -> str:
        done = subprocess.run(
            [venv / "bin" / command[0], *command[1:]],
            cwd=elsewhere,
            env=environment,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    models = packages / "malmoi/models"
    before = sorted((path, path.stat().st_mtime) for path in models.glob("*/*"))
    assert before
    text = "손흥민은 춘천에서 태어났다."
    assert re.sub(r"[<>]|:[A-Z]+", "", answers("malmoi", "tag", text)) == f"{text}\n"
    assert answers("malmoi", "space", text.replace(" ", "")).replace(" ", "") == f"{text}\n".replace(" ", "")
    assert answers("malmoi", "classify", text).split("\t")[2] == f"{text}\n"
    assert answers("python", "-c", CODE).startswith("1 [] ")
    assert not (tmp_path / "asked").exists(), (tmp_path / "asked").read_text(encoding="utf-8")
    assert sorted((path, path.stat().st_mtime) for path in models.glob("*/*")) == before
    assert list(elsewhere.iterdir()) == []
