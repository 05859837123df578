"""The wheel in a fresh environment, in another folder: the models of the package answer, and nothing is fetched."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

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


@pytest.mark.slow
def test_the_three_commands_answer_after_an_install_of_the_wheel(tmp_path: Path) -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout")
    sources = tmp_path / "sources"
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (sources / name).parent.mkdir(parents=True, exist_ok=True)
            (sources / name).write_bytes((ROOT / name).read_bytes())
    build = [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", tmp_path / "dist", sources]
    subprocess.run(build, check=True, capture_output=True)
    [wheel] = (tmp_path / "dist").glob("*.whl")

    # the libraries are those of this environment; malmoi is what is installed
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    [packages] = venv.glob("lib/*/site-packages")
    libraries = [path for path in sys.path if path.endswith("site-packages")]
    (packages / "libraries.pth").write_text("".join(f"{path}\n" for path in libraries), encoding="utf-8")
    install = [venv / "bin/python", "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--ignore-installed"]
    subprocess.run([*install, wheel], check=True, capture_output=True)
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
