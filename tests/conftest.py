"""What holds for every test: what runs when, what runs together, and that nothing is passed over in CI."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, settings

from scripts.model.answers import ANSWERS
from scripts.model.llama_server import LlamaServer, start_llama
from scripts.model.ollama_server import OllamaServer, start_ollama
from scripts.model.tiny_gguf import write_model

MODEL_KEY: Final = "the-model-servers-own-key"
CI: Final = os.environ.get("CI", "").lower() == "true"

# The ordinary run tries the same examples each time; the nightly one looks for new ones.
settings.register_profile(
    "ordinary", deadline=None, derandomize=True, max_examples=60, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("nightly", deadline=None, max_examples=2000, suppress_health_check=[HealthCheck.too_slow])


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--nightly", action="store_true", help="also run the slow tests, with many more examples")


def pytest_configure(config: pytest.Config) -> None:
    settings.load_profile("nightly" if config.getoption("--nightly") else "ordinary")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the slow ones for the night, and keep those on one worker that share the machine's network."""
    if not config.getoption("--nightly"):
        slow = [item for item in items if item.get_closest_marker("nightly")]
        if slow:
            config.hook.pytest_deselected(items=slow)
            items[:] = [item for item in items if not item.get_closest_marker("nightly")]
    for item in items:
        if item.get_closest_marker("root") and not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group("root"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI a skipped test is a failed one: something was missing that should have been there."""
    report = yield
    if CI and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"skipped, which CI does not allow: {reason}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a file that is skipped as a whole."""
    report = yield
    if CI and report.outcome == "skipped":
        report.outcome = "failed"
        report.longrepr = f"skipped, which CI does not allow: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("e2e")


@pytest.fixture(scope="session")
def llama(folder: Path) -> Iterator[LlamaServer]:
    """llama.cpp with the model that says what `scripts/model/answers.py` lists."""
    model = write_model(folder / "tiny.gguf", ANSWERS)
    with start_llama(model, api_key=MODEL_KEY, log=folder / "llama.log") as server:
        yield server


@pytest.fixture(scope="session")
def facade(llama: LlamaServer, folder: Path) -> Iterator[OllamaServer]:
    """Ollama's API over the same llama.cpp."""
    with start_ollama(llama, log=folder / "ollama.log") as server:
        yield server
