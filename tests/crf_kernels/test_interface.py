"""A saved model takes the kernels of the interface that it knows, and does without any other."""

import json
import shutil
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
import torch
from support.fresh_process import run_cold

import malmoi
from malmoi import kernels
from malmoi.configuration.model_settings import CRF_IMPLEMENTATIONS
from malmoi.kernels.crf_choice import FASTEST_FIRST
from malmoi.modeling import bilstm, linear_chain_crf
from malmoi.modeling.bilstm import installed_dropout
from malmoi.modeling.linear_chain_crf import (
    IMPLEMENTATIONS,
    KERNELS_INTERFACE,
    PYTORCH,
    LinearChainCrf,
    installed_kernels,
)

CPU = torch.device("cpu")
COMPUTE = """
torch.manual_seed(0)
crf = LinearChainCrf(4, forbidden_transitions=[[False, True, False, False]] + [[False] * 4] * 3).double()
emissions = torch.randn(3, 6, 4, dtype=torch.float64, requires_grad=True)
mask = torch.tensor([[True] * 6, [True, False, True, True, False, True], [False] * 6])
path, scores = crf.decode_with_max_marginals(emissions, mask)
loss = crf.negative_log_likelihood(emissions, path, mask)
loss.sum().backward()
answers = {
    "loss": loss.tolist(), "gradient": emissions.grad.tolist(), "transitions": crf.transitions.grad.tolist(),
    "path": path.tolist(), "scores": scores[mask].tolist(), "marginals": crf.marginals(emissions, mask).tolist(),
}
"""


def numbers() -> dict[str, list[object]]:
    """Return what a CRF computes in this process."""
    names: dict[str, object] = {"torch": torch, "LinearChainCrf": LinearChainCrf}
    exec(COMPUTE, names)
    answers = names["answers"]
    assert isinstance(answers, dict)
    return answers


def assert_same(ours: dict[str, list[object]], theirs: dict[str, list[object]]) -> None:
    assert ours.keys() == theirs.keys()
    assert ours["path"] == theirs["path"]
    for name, values in ours.items():
        torch.testing.assert_close(torch.tensor(values), torch.tensor(theirs[name]), rtol=1e-6, atol=1e-9)


def of_another_interface(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(kernels, "INTERFACE", KERNELS_INTERFACE + 1)


def that_cannot_be_imported(patch: pytest.MonkeyPatch) -> None:
    patch.delattr(malmoi, "kernels")
    patch.setitem(sys.modules, "malmoi.kernels", None)


def of_a_malmoi_without_them(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(sys.modules, "malmoi", ModuleType("malmoi"))
    patch.delitem(sys.modules, "malmoi.kernels")


@pytest.fixture(params=[of_another_interface, that_cannot_be_imported, of_a_malmoi_without_them])
def useless_kernels(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let a CRF look for the kernels anew, and find none that it can use."""
    with pytest.MonkeyPatch.context() as patch:
        request.param(patch)
        installed_kernels.cache_clear()
        yield
    installed_kernels.cache_clear()


def test_every_list_of_implementations_is_the_same() -> None:
    assert set(IMPLEMENTATIONS) == set(kernels.IMPLEMENTATIONS) == set(CRF_IMPLEMENTATIONS)


def test_the_kernels_of_this_version_are_taken() -> None:
    assert kernels.INTERFACE == KERNELS_INTERFACE
    assert installed_kernels() is kernels
    assert LinearChainCrf(3)._recursions(CPU) in FASTEST_FIRST


@pytest.fixture
def broken_kernels() -> Iterator[None]:
    """Let the import of the kernels fail, as that of an old malmoi may beside a new torch."""
    loaded = [name for name in sys.modules if f"{name}.".startswith("malmoi.kernels.")]
    with pytest.MonkeyPatch.context() as patch:
        patch.delattr(malmoi, "kernels")
        for name in loaded:
            patch.delitem(sys.modules, name)
        patch.delattr(torch.autograd, "Function")
        installed_kernels.cache_clear()
        yield
    installed_kernels.cache_clear()


@pytest.mark.usefixtures("broken_kernels")
def test_with_broken_kernels_plain_pytorch_computes_and_says_so_once() -> None:
    with pytest.warns(UserWarning, match="malmoi cannot be imported: AttributeError.*Function"):
        assert LinearChainCrf(3)._recursions(CPU) is PYTORCH
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert LinearChainCrf(3)._recursions(CPU) is PYTORCH
    assert installed_dropout() is torch.nn.Dropout


def test_the_dropout_is_of_the_same_interface(monkeypatch: pytest.MonkeyPatch) -> None:
    assert bilstm.KERNELS_INTERFACE == kernels.INTERFACE
    assert installed_dropout() is not torch.nn.Dropout
    of_another_interface(monkeypatch)
    assert installed_dropout() is torch.nn.Dropout


@pytest.mark.usefixtures("useless_kernels")
def test_without_kernels_that_fit_plain_pytorch_computes_in_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for implementation in ("auto", "torch"):
            assert LinearChainCrf(3, implementation=implementation)._recursions(CPU) is PYTORCH
        plain = numbers()
    monkeypatch.setattr(linear_chain_crf, "installed_kernels", lambda: kernels)
    assert_same(plain, numbers())


@pytest.mark.usefixtures("useless_kernels")
@pytest.mark.parametrize("implementation", ["numba", "triton", "pytorch-crf"])
def test_without_kernels_that_fit_one_warning_says_that_others_were_asked_for(implementation: str) -> None:
    crf = LinearChainCrf(3, implementation=implementation)
    with pytest.warns(UserWarning, match=f"computes with PyTorch: {implementation} needs malmoi") as caught:
        crf.decode(torch.zeros(1, 2, 3), torch.ones(1, 2))
    assert len(caught) == 1


@pytest.mark.slow
def test_without_malmoi_the_numbers_are_the_same(tmp_path: Path, run_without_malmoi: Callable[..., str]) -> None:
    folder = tmp_path / "travelling"
    folder.mkdir()
    shutil.copy(linear_chain_crf.__file__, folder)
    code = f"""
import json, torch, warnings
warnings.simplefilter("error")
from travelling.linear_chain_crf import LinearChainCrf
{COMPUTE}
print(json.dumps(answers))
"""
    assert_same(json.loads(run_without_malmoi(code)), numbers())


@pytest.mark.slow
def test_nothing_but_torch_is_imported_before_it_is_used(tmp_path: Path) -> None:
    code = """
import sys, torch, torch._dynamo
before = set(sys.modules)
import malmoi.kernels
after = {name.split(".")[0] for name in set(sys.modules) - before}
print(sorted(after - set(sys.stdlib_module_names)))
assert "numba" not in sys.modules and "torchcrf" not in sys.modules and "transformers" not in sys.modules
assert not any(name.startswith("malmoi.") and not name.startswith("malmoi.kernels") for name in sys.modules)
"""
    added = run_cold(code, folder=tmp_path).strip()
    assert added == "['malmoi']"
    assert "malmoi.kernels" in sys.modules
