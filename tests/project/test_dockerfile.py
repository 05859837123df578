"""The Dockerfile, read as Docker reads it: no root, a check of health, and a command that exists."""

import json
import re
import shlex
from pathlib import Path

import pytest
from setuptools.config.pyprojecttoml import read_configuration
from typer.main import get_command

from malmoi.commands.main import app
from malmoi.service.api import make_api
from malmoi.service.limits import Limits
from malmoi.service.text_service import TextService

ROOT = Path(__file__).parents[2]
PROJECT = read_configuration(ROOT / "pyproject.toml", expand=False)["project"]


def instructions() -> list[tuple[str, str]]:
    """Return each instruction and what follows it, without comments, in one line."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    lines = filter(None, map(str.strip, text.replace("\\\n", " ").splitlines()))
    return [(name.upper(), " ".join(rest.split())) for name, _, rest in (line.partition(" ") for line in lines)]


INSTRUCTIONS = instructions()
LAST_STAGE = INSTRUCTIONS[max(n for n, (name, _) in enumerate(INSTRUCTIONS) if name == "FROM") :]


def only(name: str) -> str:
    """Return what follows an instruction that the last stage has once."""
    [rest] = [rest for found, rest in LAST_STAGE if found == name]
    return rest


def test_every_instruction_is_one_of_docker() -> None:
    known = "FROM ENV RUN WORKDIR COPY USER EXPOSE HEALTHCHECK STOPSIGNAL ENTRYPOINT".split()  # noqa: SIM905
    assert {name for name, _ in INSTRUCTIONS} <= set(known)


def test_the_base_is_named_by_a_tag_with_a_python_that_is_supported() -> None:
    stages = set()
    for name, rest in INSTRUCTIONS:
        if name == "FROM":
            image, _, stage = rest.partition(" AS ")
            found = re.fullmatch(r"python:(3\.\d+)-slim-\w+", image)
            assert found, image
            assert f"Programming Language :: Python :: {found[1]}" in PROJECT["classifiers"]
            stages.add(stage)
        if "--from=" in rest:
            assert re.findall(r"--from=(\w+)", rest)[0] in stages


def test_it_does_not_run_as_root() -> None:
    user, _, group = only("USER").partition(":")
    assert user.isdigit()  # a number, so that an orchestrator can tell
    assert int(user) > 0
    assert int(group) > 0
    names = [name for name, _ in LAST_STAGE]
    assert names.index("USER") < names.index("ENTRYPOINT")
    assert f"--owner {user} --group {group} /var/cache/malmoi" in dict(LAST_STAGE[:4])["RUN"]
    assert not [rest for _, rest in INSTRUCTIONS if re.search(r"sudo|chmod|777|(?i:token|passw|secret)", rest)]


def test_its_health_is_asked_where_it_listens() -> None:
    port = only("EXPOSE")
    path = re.findall(rf"http://127\.0\.0\.1:{port}(/\w+)'", only("HEALTHCHECK"))
    assert path == ["/health"]
    api = make_api(TextService([], Limits()))
    assert path[0] in api.openapi()["paths"]
    command = json.loads(only("HEALTHCHECK").partition(" CMD ")[2])
    assert command[:2] == ["python", "-c"]
    compile(command[2], "HEALTHCHECK", "exec")


def test_it_starts_the_service_for_other_machines() -> None:
    program, name, *arguments = json.loads(only("ENTRYPOINT"))  # as a list: signals reach the service, not a shell
    assert program in PROJECT["scripts"]
    assert only("STOPSIGNAL") == "SIGTERM"
    context = get_command(app).commands[name].make_context(name, [*arguments, "models/klue"])  # type: ignore[attr-defined]
    assert {key: context.params[key] for key in ("api", "host", "port", "models")} == {
        "api": True,
        "host": "0.0.0.0",
        "port": int(only("EXPOSE")),
        "models": ["models/klue"],
    }


def test_what_is_installed_exists_and_is_pinned() -> None:
    installs = [shlex.split(rest) for name, rest in INSTRUCTIONS if name == "RUN" and rest.startswith("pip install")]
    assert [words[2] for words in installs] == ["torch", ".[api,fast]"]
    for words in installs:
        assert (ROOT / words[words.index("--constraint") + 1]).is_file()
    assert {"api", "fast"} <= set(PROJECT["optional-dependencies"])
    pinned = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert re.search(r"^torch==", pinned, re.MULTILINE)


@pytest.mark.parametrize("needed", ["pyproject.toml", "README.md", "LICENSE", "setup.py", "constraints.txt"])
def test_what_the_build_needs_is_not_kept_from_it(needed: str) -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert needed not in ignored
    rooms = {path.parent.name for path in ROOT.glob("*/py.typed")}
    assert not rooms & set(ignored)
