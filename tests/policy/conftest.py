"""What the policy's tests share: a directory of rules made from texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from penstock.errors import PolicyError
from penstock.policy import Policy, load

type Write = Callable[..., Path]
type Load = Callable[..., Policy]
type Problems = Callable[..., list[str]]

BASE = """
version: 1
listen: [{mode: reverse, port: 8080, upstream: lab}]
upstreams: {lab: {replicas: ["http://127.0.0.1:11434"]}}
"""
NOW = 1_800_000_000.0


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write files of a policy: `write(BASE, grants=...)` makes a.yaml, grants.yaml."""

    def writing(*texts: str, **named: str) -> Path:
        folder = tmp_path / "rules"
        folder.mkdir(exist_ok=True)
        files = {chr(ord("a") + index): text for index, text in enumerate(texts)} | named
        for name, text in files.items():
            (folder / f"{name}.yaml").write_text(dedent(text), encoding="utf-8")
        return folder

    return writing


@pytest.fixture
def loaded(write: Write) -> Load:
    """The policy of BASE and these texts."""

    def loading(*texts: str, environ: Mapping[str, str] | None = None) -> Policy:
        return load(write(BASE, *texts), environ=environ or {}, now=NOW)

    return loading


@pytest.fixture
def problems(write: Write) -> Problems:
    """The problems of BASE and one text, as `line:column: message`, or `b.yaml...` when they have no line."""

    def finding(text: str, *, environ: Mapping[str, str] | None = None) -> list[str]:
        folder = write(BASE, text)
        try:
            load(folder, environ=environ or {}, now=NOW)
        except PolicyError as error:
            prefix = f"{folder}/b.yaml:"
            return [str(problem).removeprefix(prefix).removeprefix(f"{folder}/") for problem in error.problems]
        return []

    return finding


RULES = Path(__file__).parents[2] / "rules"


@pytest.fixture
def shipped() -> dict[str, bytes]:
    """The files of the policy that ships, by name."""
    return {path.name: path.read_bytes() for path in sorted(RULES.glob("*.yaml"))}
