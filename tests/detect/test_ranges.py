"""Ranges of characters, as the view of a text shows them: exact, and worked out in few steps."""

from __future__ import annotations

import unicodedata

import pytest
import regex

from penstock.detect import ranges
from penstock.detect.ranges import END, outside, runs, steps
from penstock.detect.syntax import MAX_STEPS, PatternError, parse
from penstock.detect.tree import Sequence, render
from penstock.detect.view import fold

EVERYTHING = (0, 0x10FFFF)


def by_hand(low: int, high: int) -> set[int]:
    folded = {fold(chr(code)) for code in range(low, high + 1)}
    return {ord(each) for each in folded if len(each) == 1 and not low <= ord(each) <= high}


@pytest.mark.parametrize(
    ("low", "high"),
    [
        (0x41, 0x5A),
        (0x80, 0xFF),
        (0xA0, 0x17F),
        (0x2C6, 0x2FF),
        (0x660, 0x669),
        (0x2000, 0x206F),
        (0x2100, 0x24FF),
        (0x3000, 0x33FF),
        (0xF900, 0xFAFF),
        (0xFE30, 0xFFEF),
        (0x1D400, 0x1D7FF),
        (0x2F800, 0x2FA1F),
        (0xE0000, 0xE0FFF),
    ],
)
def test_a_range_reads_as_what_its_characters_read_as_one_by_one(low: int, high: int) -> None:
    assert {code for first, last in outside(low, high) for code in range(first, last + 1)} == by_hand(low, high)


def test_no_character_above_the_table_reads_as_another() -> None:
    assert not [
        code
        for code in range(END, 0x110000)
        if unicodedata.decomposition(chr(code)) or unicodedata.category(chr(code)) in ("Nd", "Zs", "Pd")
    ]


def test_code_points_make_ranges_that_do_not_touch() -> None:
    assert runs([]) == []
    assert runs([7, 3, 2, 1, 9, 8, 3]) == [(1, 3), (7, 9)]


def test_the_widest_range_takes_as_many_steps_as_there_are_characters_that_fold() -> None:
    assert steps(*EVERYTHING) == len(ranges._table()[0]) < 6000
    assert outside(*EVERYTHING) == []


def test_a_wide_range_means_other_scripts_and_not_the_ascii_that_some_of_it_reads_as() -> None:
    wide = regex.compile(render(parse(r"[\u0100-\U0010ffff]{3}")), regex.VERSION0)
    assert not wide.search("abc")
    assert wide.search(fold("\u4e00\u4e8c\u4e09"))
    narrow = regex.compile(render(parse(r"[\uff21-\uff5a]{3}")), regex.VERSION0)
    assert narrow.search(fold("\uff41\uff42\uff43"))


def test_a_class_that_leaves_out_leaves_out_no_more_than_it_names() -> None:
    ascii_only = regex.compile(render(parse(r"[^\u0080-\U0010ffff]+\Z")), regex.VERSION0)
    assert ascii_only.match("What is this, Ada?")
    assert not ascii_only.match("\u00e9")
    few = regex.compile(render(parse(r"[^\u0080-\u00ff]+\Z")), regex.VERSION0)
    assert few.match("a1o2")


def test_the_same_range_many_times_is_worked_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []

    def counted(low: int, high: int) -> list[tuple[int, int]]:
        asked.append((low, high))
        return outside(low, high)

    monkeypatch.setattr("penstock.detect.syntax.outside", counted)
    parse.__wrapped__(r"[\u0000-\U0010ffff]" * 900 + r"[\u4e00-\u9fff]" * 900)
    assert asked == [EVERYTHING, (0x4E00, 0x9FFF)]


def test_very_many_wide_ranges_that_differ_are_refused_before_they_are_worked_out() -> None:
    pattern = "".join(f"[{chr(0x100 + at)}-\U0010ffff]" for at in range(20_000))
    with pytest.raises(PatternError, match="too many wide ranges that differ"):
        parse(pattern)
    some = "".join(f"[{chr(0x100 + at)}-\U0010ffff]" for at in range(50))
    assert sum(steps(0x100 + at, 0x10FFFF) for at in range(50)) < MAX_STEPS
    assert isinstance(parse(some), Sequence)
