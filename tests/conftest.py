"""What every test stands on: no network, repeatable examples, and the data beside the project."""

import gc
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path

import pytest
from hypothesis import settings

# Before anything imports huggingface_hub, which reads it once.
os.environ["HF_HUB_OFFLINE"] = "1"

# pytest-xdist starts a worker a processor. Libraries that would start a thread a processor in each
# worker only take the processors from each other; torch, numpy and scipy read this when imported.
if "PYTEST_XDIST_WORKER" in os.environ:
    for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(threads, "1")

# Tests that set two threads for a model of tests would see them spin for each other, in each tiny
# step, on processors that other workers need. Where they wait changes nothing that they compute.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# A test's time depends on what else the machine does, so no example has a deadline; where CI runs,
# the examples are the same every time.
settings.register_profile("project", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("project")


# What is imported stays: the collector of garbage would walk all of torch again and again.
gc.disable()


def pytest_collection_finish() -> None:
    """Begin to collect garbage, of tests alone: what was imported for them is left out."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def _caches(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Iterator[Path]]:
    """Keep the user's own cache and key out of every test; give names of caches that are none."""
    folder = tmp_path_factory.mktemp("caches")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
        patch.setenv("MASKAUDIT_CACHE", str(folder / "shared"))
        yield (folder / str(number) for number in itertools.count())


@pytest.fixture(autouse=True)
def _own_cache(_caches: Iterator[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each test an empty cache of scores: nothing that another test scored is taken."""
    monkeypatch.setenv("MASKAUDIT_CACHE", str(next(_caches)))


@pytest.fixture(autouse=True)
def _drawn_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw charts in this process: a child for every page of a test would cost it a second.

    A chart that another page had is not drawn again. The drawings are the same to the byte, which
    `tests/reports/test_figures.py` holds.
    """
    if "maskaudit.reports.html" in sys.modules:
        monkeypatch.setattr("maskaudit.reports.html.draw_all", _drawn)


def _drawn(charts: Sequence[object]) -> list[str]:
    from maskaudit.reports.charts import common, draw

    described = (common.specification(draw._described(chart)) for chart in charts)  # type: ignore[arg-type]
    return [_svg(json.dumps(specification)) for specification in described]


@cache
def _svg(text: str) -> str:
    import vl_convert

    from maskaudit.reports.charts import common

    # Values and not their text, as the engine has them: the library reads a text's last digits
    # otherwise.
    drawing: str = vl_convert.vegalite_to_svg(json.loads(text), vl_version=common.VEGA_LITE)
    return drawing


@pytest.fixture
def command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Give a function that runs a command in a folder, in this process, as from a terminal.

    A process of its own would load torch first, for seconds; that the program starts as one and
    ends with its code is held by `tests/audit/test_cli.py` and `tests/audit/cli/test_process.py`.
    """
    from maskaudit.audit.cli import main

    # The width of a terminal too, which somebody who runs the tests may export.
    for name in ("CI", "GITHUB_ACTIONS", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)

    def run(folder: Path, *words: str | Path) -> "subprocess.CompletedProcess[str]":
        said = ["maskaudit", *map(str, words)]
        capsys.readouterr()
        with monkeypatch.context() as patch:
            patch.chdir(folder)
            patch.setattr(sys, "argv", said)
            code = main._exit_code()
        return subprocess.CompletedProcess(said, code, *capsys.readouterr())

    return run


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder `shared` beside the project: data and models that it does not carry."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not folder.is_dir():
        pytest.skip("there is no folder 'shared' beside the project")
    return folder


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Keep torch to one processor: the models of tests are too small for two."""
    import torch  # a test of what needs no torch must not wait for it

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
