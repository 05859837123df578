"""What a shell completes, asked in the way in which the shells ask."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from malmoi.recipes.recipe import recipe_names


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """The command as a program that is called malmoi."""
    program = tmp_path / "bin" / "malmoi"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable}\nfrom malmoi.commands.main import main\n\nmain()\n", encoding="utf-8")
    program.chmod(0o755)
    return program


def run(*command: str | Path, **environment: str) -> str:
    """Run a program and return what it prints."""
    result = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, **environment}, encoding="utf-8", timeout=300
    )
    assert result.stderr == ""
    return result.stdout


def completed(program: Path, line: str, shell: str = "bash") -> list[str]:
    """Return what completes the last word of a line, with the answer of zsh reduced to the words."""
    words = line.split(" ")
    how = {
        "bash": {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)},
        "zsh": {"_TYPER_COMPLETE_ARGS": line},
        "fish": {"_TYPER_COMPLETE_ARGS": line, "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
    }
    answer = run(program, _MALMOI_COMPLETE=f"complete_{shell}", **how[shell])
    if shell == "zsh":
        answer = answer.removeprefix("_arguments '*: :((").strip().removesuffix("))'").replace('"', "")
    return answer.splitlines()


def test_commands_are_completed(program: Path) -> None:
    assert completed(program, "malmoi c") == ["classify", "compare", "compare-embeddings", "convert"]
    assert "train" in completed(program, "malmoi ")


def test_options_are_completed(program: Path) -> None:
    assert completed(program, "malmoi tag runs/demo --b") == ["--batch_size", "--batch-size", "--bf16"]
    assert completed(program, "malmoi --install") == ["--install-completion"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
@pytest.mark.parametrize("command", ["train", "compare-embeddings"])
def test_recipes_are_completed(program: Path, shell: str, command: str) -> None:
    expected = [name for name in recipe_names() if name.startswith("klue-ner-bert")]
    assert len(expected) > 1
    assert completed(program, f"malmoi {command} klue-ner-bert", shell) == expected


def test_keys_are_completed_once_each(program: Path) -> None:
    assert completed(program, "malmoi keys lr_scheduler_") == ["lr_scheduler_kwargs", "lr_scheduler_type"]
    assert completed(program, "malmoi keys embedding_si") == ["embedding_size"]  # a key of two architectures
    assert completed(program, "malmoi keys no_such") == [""]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_for_a_shell_is_shown(program: Path, shell: str) -> None:
    script = run(program, "--show-completion", shell, _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    assert f"_MALMOI_COMPLETE=complete_{shell}" in script


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_completes_a_recipe_once_it_is_installed(program: Path, tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path), "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"}
    said = run(program, "--install-completion", "bash", **home, _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    assert "bash completion installed" in said
    asks = (
        'source "$HOME/.bashrc"; COMP_WORDS=(malmoi train kmou-ner-bi); COMP_CWORD=2; '
        '_malmoi_completion malmoi; echo "${COMPREPLY[@]}"'
    )
    assert run("bash", "--norc", "-c", asks, **home) == "kmou-ner-bi-lstm-crf\n"


def test_help_has_two_lines_about_it(program: Path) -> None:
    lines = run(program, "--help", COLUMNS="120").splitlines()
    options = [line.split()[0] for line in lines if line.startswith("  -")]
    assert options == ["--version", "--install-completion", "--show-completion", "-h,"]
