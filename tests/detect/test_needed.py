"""Words that a match needs: where they are missing, there is none."""

from __future__ import annotations

from pathlib import Path

import pytest
import regex
from hypothesis import given

from penstock.detect.builtin import DETECTORS
from penstock.detect.needed import Wordbook, needed
from penstock.detect.view import fold
from tests.detect.patterns import STREAMED, TEXTS, tried

PROMPTS = (Path(__file__).parents[1] / "policy" / "prompts.txt").read_text(encoding="utf-8").splitlines()
PACKS = sorted((Path(__file__).parents[2] / "rules" / "packs").glob("*.yaml"))


def in_pack(path: Path) -> list[str]:
    import yaml

    found: list[str] = []
    pending: list[object] = [yaml.safe_load(path.read_text(encoding="utf-8"))]
    while pending:
        match pending.pop():
            case {**entries}:
                pattern = entries.get("pattern", ())
                found += [pattern] if isinstance(pattern, str) else []
                pending += [value for key, value in entries.items() if key != "cases"]
            case [*items]:
                pending += items
            case _:
                pass
    return found


@given(STREAMED, TEXTS)
@tried(300)
def test_every_match_has_a_word_of_each_set(pattern: str, text: str) -> None:
    for flags in (0, regex.IGNORECASE):
        for match in regex.compile(pattern, regex.VERSION0 | flags).finditer(text):
            assert all(any(word in match[0].casefold() for word in words) for words in needed(pattern))


@pytest.mark.parametrize("path", PACKS, ids=lambda path: path.stem)
def test_what_a_pattern_of_a_pack_finds_is_a_candidate(path: Path) -> None:
    patterns = in_pack(path)
    book = Wordbook([(pattern, pattern) for pattern in patterns if needed(pattern)])
    for prompt in PROMPTS:
        text = fold(prompt)
        found = {pattern for pattern in patterns if needed(pattern) and regex.search(pattern, text, regex.VERSION0)}
        assert found <= book.candidates(text), prompt


@pytest.mark.parametrize(
    ("pattern", "sets"),
    [
        (r"(?i:\bignore\b.{0,20}\b(?:previous|prior)\b.{0,9}instructions?)", [{"ignore"}, {"previous", "prior"}, {"instruction", "instructions"}]),
        ("(?:drop|truncate) table", [{"drop table", "truncate table"}]),
        ("[Pp]assw[o0]rd", [{"passw0rd", "password"}]),
        ("STRASSE|Straße", [{"strasse"}]),
        (r"\u0438\u0433\u043d\u043e\u0440.*", [{"игнор"}]),
        ("忽略.{0,4}指令", [{"忽略"}, {"指令"}]),
        ("hf_[a-z]{20}", [{"hf_"}]),
        ("(?:secret){2,3}x", [{"secret"}]),
        ("(?:secret)?x|[0-9]{4}", []),
        ("abc|[0-9]", []),
        ("a.{0,3}b", []),
        (r"(secret)\1?", [{"secret"}]),
        ("(unbalanced", []),
    ],
)  # fmt: skip
def test_needed(pattern: str, sets: list[set[str]]) -> None:
    assert [set(words) for words in needed(pattern)] == sets


def test_most_shipped_keys_are_known_by_a_word() -> None:
    keys = [known for known in DETECTORS if known.kind == "secret"]
    assert sum(1 for known in keys if needed(known.pattern)) > len(keys) * 0.6


def test_a_book_of_nothing_has_no_candidates() -> None:
    assert not Wordbook([])
    assert Wordbook([]).candidates("anything") == frozenset()
