"""The Triton kernels as a repository of the Hub's `kernels` library."""

import ast
import importlib.metadata
import importlib.util
import inspect
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import yaml

from malmoi import kernels
from malmoi.kernels import crf_triton_choice, hub_layout
from malmoi.kernels.crf_triton import MAX_TAGS, TRITON

FUNCTIONS = {name for name in kernels.operations.__all__ if inspect.isfunction(getattr(kernels, name))}


def is_installed(distribution: str) -> bool:
    """Tell whether it is; from the root, the folder `kernels` would be found by its name."""
    try:
        return bool(importlib.metadata.version(distribution))
    except importlib.metadata.PackageNotFoundError:
        return False


needs_library = pytest.mark.skipif(
    not is_installed("kernels") or importlib.util.find_spec("triton") is None,
    reason="the kernels library or Triton is not installed; they are for Linux only",
)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    hub_layout.lay_out(tmp_path / "repository")
    return tmp_path / "repository"


def imported(file: Path) -> tuple[set[str], set[str]]:
    """Return which neighbours and which packages a file imports, wherever in it."""
    neighbours, packages = set(), set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            assert node.level == 1
            assert node.module is not None
            neighbours.add(node.module)
        elif isinstance(node, ast.ImportFrom):
            packages.add((node.module or "").split(".")[0])
        elif isinstance(node, ast.Import):
            packages |= {alias.name.split(".")[0] for alias in node.names}
    return neighbours, packages - set(sys.stdlib_module_names)


def test_files_import_each_other_torch_and_triton_alone(repository: Path) -> None:
    files = {file.stem: file for file in (repository / hub_layout.VARIANT).glob("*.py")}
    needed, waiting = set(), {"__init__"}
    while waiting:
        module = waiting.pop()
        needed.add(module)
        neighbours, packages = imported(files[module])
        assert packages <= {"torch", "triton"}
        waiting |= neighbours - needed
    assert needed == set(files)


def test_the_repository_is_what_the_library_asks_for(repository: Path) -> None:
    assert {path.name for path in repository.iterdir()} == {"README.md", "build"}
    assert [path.name for path in (repository / "build").iterdir()] == ["torch-cuda"]
    metadata = json.loads((repository / hub_layout.VARIANT / "metadata.json").read_text("utf-8"))
    assert (metadata["name"], metadata["version"]) == ("linear-chain-crf", hub_layout.VERSION)
    assert (metadata["license"], metadata["backend"]) == ("Apache-2.0", {"type": "cuda"})
    assert metadata["python-depends"] == []
    assert re.fullmatch(r"_linear_chain_crf_cuda_[0-9a-f]{7}", metadata["id"])


def test_other_code_is_another_module(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def id_of(folder: Path) -> str:
        return json.loads((folder / hub_layout.VARIANT / "metadata.json").read_text("utf-8"))["id"]

    hub_layout.lay_out(tmp_path / "again")
    assert id_of(tmp_path / "again") == id_of(repository)
    monkeypatch.setattr(hub_layout, "INIT", hub_layout.INIT + "# changed\n")
    hub_layout.lay_out(tmp_path / "changed")
    assert id_of(tmp_path / "changed") != id_of(repository)


def test_the_card_names_licence_tags_and_every_function(repository: Path) -> None:
    _, front_matter, text = (repository / "README.md").read_text("utf-8").split("---\n", 2)
    facts = yaml.safe_load(front_matter)
    assert (facts["license"], facts["library_name"]) == ("apache-2.0", "kernels")
    assert "kernel" in facts["tags"]
    assert set(re.findall(r"^\| `(\w+)` \|", text, flags=re.MULTILINE)) == FUNCTIONS
    assert set(re.findall(r"crf\.(\w+)\(", text)) <= FUNCTIONS
    assert f"At most {MAX_TAGS} tags" in text


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine").write_text("keep", "utf-8")
    with pytest.raises(SystemExit) as stopped:
        hub_layout.main([str(tmp_path)])
    assert stopped.value.code == 2
    assert "is not empty; name a folder for the repository alone." in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_the_command_says_what_it_wrote_and_how_to_publish_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "new" / "folder"
    hub_layout.main([str(folder)])
    lines = capsys.readouterr().out.splitlines()
    files = [str(path) for path in folder.rglob("*") if path.is_file()]
    assert sorted(lines[: len(files)]) == sorted(files)
    assert lines[-1] == f"hf upload --type kernel --revision v1 YOUR_NAME/linear-chain-crf {folder}"


@needs_library
@pytest.mark.slow
def test_the_library_loads_it_without_malmoi_and_it_equals_enumeration(
    repository: Path, run_without_malmoi: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    monkeypatch.setenv("LOCAL_KERNELS", f"somebody/linear-chain-crf={repository / hub_layout.VARIANT}")
    code = """
import itertools, warnings
from pathlib import Path
import torch
from kernels import get_kernel, get_local_kernel

warnings.filterwarnings("ignore", "divide by zero encountered in log")
crf = get_kernel("somebody/linear-chain-crf", version=1)
assert get_local_kernel(Path(FOLDER)) is crf
torch.manual_seed(0)
emissions = torch.randn(4, 4, 3, dtype=torch.float64)
lengths = torch.tensor([4, 0, 1, 3])
emissions[torch.arange(4)[None] >= lengths[:, None]] = torch.nan
start, transitions, end = (torch.randn(*shape, dtype=torch.float64) for shape in ((3,), (3, 3), (3,)))
transitions[2, 1] = -torch.inf
labels = torch.tensor([[0, 1, 2, 2], [-100] * 4, [1, -100, -100, -100], [2, 0, 0, 5]])
scores = [start, transitions, end]
answer = crf.expectations(emissions, lengths, *scores)
gradients = crf.loss_and_gradients(emissions, labels, lengths, *scores)
best = crf.viterbi_and_max_marginals(emissions, lengths, *scores)
assert torch.equal(best.tags, crf.viterbi(emissions, lengths, *scores))
assert torch.equal(best.scores, crf.max_marginals(emissions, lengths, *scores))
assert torch.equal(answer.tags, crf.marginals(emissions, lengths, *scores))
close = lambda ours, theirs: torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)
for row, length in enumerate(lengths.tolist()):
    assert best.tags[row, length:].eq(-100).all() and best.scores[row, length:].isneginf().all()
    assert not answer.tags[row, length:].any() and not gradients.emissions[row, length:].any()
    if not length:
        assert answer.log_partition[row] == gradients.loss[row] == 0 and not answer.steps[row].any()
        continue
    paths = torch.cartesian_prod(*[torch.arange(3)] * length).view(-1, length)
    sums = start[paths[:, 0]] + end[paths[:, -1]] + emissions[row, torch.arange(length), paths].sum(1)
    sums = sums + transitions[paths[:, :-1], paths[:, 1:]].sum(1)
    taken = torch.nn.functional.one_hot(paths, 3).double()
    marginals = torch.einsum("s,slt->lt", sums.softmax(0), taken)
    steps = torch.einsum("s,slp,sln->pn", sums.softmax(0), taken[:, :-1], taken[:, 1:])
    gold = labels[row, :length]
    uses = torch.nn.functional.one_hot(gold, 3).double()
    close(answer.log_partition[row], sums.logsumexp(0))
    close(answer.tags[row, :length], marginals)
    close(answer.steps[row], steps)
    close(gradients.loss[row], sums.logsumexp(0) - sums[(paths == gold).all(1)][0])
    close(gradients.emissions[row, :length], marginals - uses)
    close(gradients.transitions[row], steps - uses[:-1].t() @ uses[1:])
    close(gradients.start[row], (marginals - uses)[0])
    close(gradients.end[row], (marginals - uses)[-1])
    assert best.tags[row, :length].tolist() == paths[sums.argmax()].tolist()
    close(best.scores[row, :length], torch.where(taken.bool(), sums[:, None, None], -torch.inf).amax(0))
inputs = [each.clone().requires_grad_() for each in (emissions, *scores)]
loss = crf.negative_log_likelihood(inputs[0], labels, lengths, *inputs[1:])
close(loss, gradients.loss)
weights = torch.tensor([1.0, 2.0, 3.0, -1.0], dtype=torch.float64)
derivatives = torch.autograd.grad(loss @ weights, inputs)
for ours, theirs in zip(derivatives, (gradients.emissions, *gradients[2:])):
    weighted = theirs * weights.view(-1, *[1] * (theirs.dim() - 1))
    close(ours, weighted if ours.dim() == 3 else weighted.sum(0))
print(crf.__name__)
"""
    # and the example of the card, smaller and without a GPU
    [example] = re.findall(r"^```python\n(.*?)^```$", (repository / "README.md").read_text("utf-8"), re.DOTALL | re.M)
    for written, here in (("YOUR_NAME", "somebody"), ("32, 128, 13", "2, 4, 3"), ('"cuda"', '"cpu"')):
        assert written in example
        example = example.replace(written, here)
    name = run_without_malmoi(f"FOLDER = {str(repository / hub_layout.VARIANT)!r}\n{code}\n{example}").strip()
    assert name == json.loads((repository / hub_layout.VARIANT / "metadata.json").read_text("utf-8"))["id"]


def test_only_triton_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    cpu = torch.device("cpu")
    monkeypatch.setattr(crf_triton_choice, "supports", lambda device, tags: device.type == "cuda")
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    assert crf_triton_choice.choose("auto", cpu, 3) is TRITON
    assert crf_triton_choice.choose("triton", torch.device("cuda"), MAX_TAGS) is TRITON
    monkeypatch.delenv("TRITON_INTERPRET")
    assert crf_triton_choice.choose("auto", torch.device("cuda"), 3) is TRITON
    with pytest.raises(RuntimeError, match="need a GPU and Triton with a C compiler; the emissions are on cpu"):
        crf_triton_choice.choose("auto", cpu, 3)
    with pytest.raises(ValueError, match="take at most 128 tags, got 129"):
        crf_triton_choice.choose("auto", torch.device("cuda"), MAX_TAGS + 1)
    with pytest.raises(ValueError, match="must be one of auto, triton, got 'numba'"):
        crf_triton_choice.choose("numba", torch.device("cuda"), 3)
