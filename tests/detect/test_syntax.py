"""Patterns are read as `regex` reads them, or refused with what to write instead."""

from __future__ import annotations

import pytest
import regex
from hypothesis import given

from penstock.detect.syntax import MAX_LENGTH, PatternError, parse
from penstock.detect.tree import render, walk
from tests.detect.patterns import STREAMED, TEXTS, tried


@given(STREAMED, TEXTS)
@tried(90)
def test_a_pattern_that_is_read_and_written_finds_the_same(pattern: str, text: str) -> None:
    ours = regex.compile(render(parse(pattern)), regex.VERSION0)
    theirs = regex.compile(pattern, regex.VERSION0)
    assert [match.span() for match in ours.finditer(text)] == [match.span() for match in theirs.finditer(text)]


@pytest.mark.parametrize(
    ("pattern", "found", "left"),
    [
        (r"(?i)abc", "xABCx", "ab"),
        (r"(?x) a b  # a comment" + "\n c", "abc", "ab"),
        (r"(?x:a b)c d", "abc d", "abcd"),
        (r"a(?#comment)b", "ab", "a"),
        (r"(?s-i:a.b)", "a\nb", "ab"),
        (r"(?-i:a)b", "ab", "AB"),
        (r"(?P<name>a)(?<other>b)", "ab", "a"),
        (r"[]a]", "]", "b"),
        (r"[^]a]", "b", "]"),
        (r"[a\]b]", "]", "c"),
        (r"[a-]", "-", "b"),
        (r"[\w-]", "-", "!"),
        (r"[a-\d]", "-", "b"),
        (r"[\d-a]", "-", "b"),
        (r"[\d-a-c]", "b", "d"),
        (r"[+--]", ",", "."),
        (r"[\x41-\u0043]", "B", "D"),
        (r"\x41\u0042\U00000043", "ABC", "ab"),
        (r"[\b]", "\b", "b"),
        (r"\n\t\r\f\v\a\0", "\n\t\r\f\v\a\0", "n"),
        (r"\p{Lu}\P{Lu}\pL", "Aaa", "aaa"),
        (r"a{2}b{1,}c{,2}d{0}", "aabcc", "abc"),
        (r"a*?b+?c??d*+", "ab", "c"),
        (r"(a|b|)c", "c", "d"),
        (r"\.\-\_\@\/", ".-_@/", "a"),
        (r"(a)\1", "aa", "ab"),
        (r"(?<n>a)\g<n>", "aa", "ab"),
        (r"\Aa\Z", "a", "ba"),
        (r"(?m)^a$", "b\na\nc", "ba"),
    ],
)
def test_what_is_read_means_what_it_says(pattern: str, found: str, left: str) -> None:
    compiled = regex.compile(render(parse(pattern)), regex.VERSION0)
    assert compiled.search(found)
    assert not compiled.search(left)


@pytest.mark.parametrize("flags", ["i", "s", "m", "x", "ims"])
def test_flags_from_outside_go_for_everything(flags: str) -> None:
    node = parse(" a .^b", flags)
    assert render(node).count("\\x20") == (0 if "x" in flags else 2)
    assert render(node).startswith("(?") == bool(set(flags) - {"x"})


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("(a", "bad pattern"),
        ("a**", "bad pattern"),
        ("*a", "bad pattern"),
        ("(" * 50 + "a" + ")" * 50, "groups within each other"),
        ("(" * 5000 + "a" + ")" * 5000, "bad pattern"),
        ("a" * (MAX_LENGTH + 1), "longer than"),
        ("(?:(?:(?:a|bc){60}d?){60}e?){60}", "its counts"),
        ("a{3,2}", "bad pattern"),
        ("a{x}", r"write \{"),
        ("{a}", r"write \{"),
        ("(?:foo){e<=1}", r"write \{"),
        (r"\Ga", r"\G"),
        (r"\X", "grapheme"),
        (r"a\Kb", "lookbehind"),
        (r"\R", r"\r\n"),
        (r"\m\w+\M", r"\b"),
        (r"\h", r"[ \t]"),
        (r"\N{DIGIT ONE}", "the character"),
        (r"\012", r"\x"),
        (r"[[:alpha:]]", "POSIX"),
        (r"(?|a|b)", "this kind of group"),
        (r"(?R)?a", "'R'"),
        (r"(?P<n>a)(?P=n)", "this kind of group"),
        (r"(a)(?(1)b|c)", "this kind of group"),
        (r"a(?i)b", "mid-pattern"),
        (r"(?r)ab", "'r'"),
        (r"(?a:b)", "'a'"),
        (r"\b?a", "cannot be repeated"),
        (r"(?=a)*b", "cannot be repeated"),
        ("a\u200b*", "vanishes"),
        ("[\u200b]", "vanishes"),
        ("[½]", "cannot stand in a class"),
        (r"[\q]", "bad escape"),
        (r"[\1]", "the character itself"),
    ],
)
def test_what_is_not_taken_is_refused_with_a_remedy(pattern: str, told: str) -> None:
    with pytest.raises(PatternError) as refused:
        parse(pattern)
    assert told in str(refused.value)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("می\u200cخواهم", "میخواهم"),
        ("(?:\u200ba)+", "aa"),
        ("ﬁ{2}", "fifi"),
        ("a\u00a0b", "a b"),
        ("[–—]", "-"),
        ("[０-９]{3}", "123"),
        (r"[\xa0\u2003]", " "),
        ("[a\u200bb]", "b"),
        ("[a–z]", "-"),
    ],
)
def test_patterns_are_folded_as_texts_are(pattern: str, text: str) -> None:
    assert regex.fullmatch(render(parse(pattern)), text)


def test_the_place_of_what_is_wrong_is_told() -> None:
    with pytest.raises(PatternError, match="at character 3 of"):
        parse(r"ab\X")


@pytest.mark.parametrize(
    ("pattern", "wide"), [("k", False), ("(?i)k", True), ("(?i)b", False), (r"\d", True), ("[a-z]", False)]
)
def test_whether_more_than_ascii_can_match_is_known(pattern: str, wide: bool) -> None:
    chars = [node for node in walk(parse(pattern)) if hasattr(node, "wide")]
    assert [node.wide for node in chars] == [wide]
