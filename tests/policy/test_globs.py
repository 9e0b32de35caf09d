"""Globs: whole names, in linear time."""

from __future__ import annotations

import fnmatch
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.policy.globs import Glob


@pytest.mark.parametrize(
    ("glob", "name", "matches"),
    [
        ("llama3", "llama3", True),
        ("llama3", "llama3.2", False),
        ("llama3*", "llama3.2", True),
        ("llama3.2*", "llama3x2", False),
        ("*", "anything/at:all", True),
        ("**", "anything", True),
        ("qwen?:7b", "qwen2:7b", True),
        ("qwen?:7b", "qwen:7b", False),
        ("*b*b", "ab", False),
        ("*b*b", "abb", True),
        ("a*a", "a", False),
        ("[a-z]", "b", False),
        ("[a-z]", "[a-z]", True),
        ("Llama3", "llama3", False),
        ("a\nb*", "a\nbc", True),
        ("llama3", "llama3:latest", True),
        ("llama3:latest", "llama3", True),
        ("library/llama3", "registry.ollama.ai/library/llama3", True),
        ("llama3", "evil/llama3", False),
        ("llama3", "llama3:latest:latest", False),
    ],
)
def test_a_glob_matches_the_whole_name_letter_by_letter(glob: str, name: str, matches: bool) -> None:
    assert Glob(glob).matches(name) is matches


@pytest.mark.parametrize("name", ["llama3", "LLAMA3", "Llama3:latest", "registry.ollama.ai/library/llama3:latest"])
def test_a_restriction_reaches_every_spelling_of_a_model(name: str) -> None:
    assert Glob("Llama3").reaches(name)
    assert Glob("llama3:latest").reaches(name)
    assert Glob("LLAMA*").reaches(name)
    assert not Glob("llama2").reaches(name)


def test_everything_is_stars_only() -> None:
    assert Glob("*").everything
    assert Glob("***").everything
    assert not Glob("*a").everything


def test_many_stars_on_a_long_name_take_no_time() -> None:
    assert not Glob("*a" * 100 + "*b").matches("a" * 100_000)


@settings(max_examples=300, deadline=None)
@given(st.text("ab?*", max_size=8), st.text("ab", max_size=10))
def test_a_glob_means_what_fnmatch_means(glob: str, name: str) -> None:
    assert Glob(glob).matches(name) is (re.match(fnmatch.translate(glob), name) is not None)
