"""Texts to mask, and ways of cutting them: shared by the tests of streams."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hypothesis import strategies as st

from penstock.detect.detector import detector
from penstock.masking.mask import Form, Mask, Masked, MaskRule, MaskStream
from tests.detect.test_builtin import FOUND, IN_CONTEXT, LEFT_ALONE

BASIC = [detector(name) for name in FOUND]
"""Detectors of every make: bounded and swallowed, with checks and measures, with words of context and without."""
ALL = Mask([MaskRule(known.name, known) for known in BASIC])

VALUES = [value for values in FOUND.values() for value in values if len(value) < 1000]
TALK = [
    *("".join(case) for cases in IN_CONTEXT.values() for case in cases),
    *(text for texts in LEFT_ALONE.values() for text in texts),
    *(
        " ",
        ", ",
        ". ",
        "\n",
        "",
        "the quick brown fox",
        "ssn ",
        "call ",
        "aws secret ",
        "1",
        "12",
        "a",
        "@",
        ":",
        "-",
        "+",
    ),
    *(
        "\u200b",
        "\u00ad",
        "ﬁ",
        "４１１１ ",
        "🙂\ufe0f",
        "é",
        "邮箱",
        "\ud800",
        "x" * 70,
        "=",
        "sk-",
        "eyJ",
        "--",
        "\\",
        "\\u0040",
    ),
]
PIECES = st.one_of(st.sampled_from(VALUES), st.sampled_from(TALK))
PARTS = st.builds(lambda piece, a, b: piece[min(a, b) : max(a, b)], PIECES, st.integers(0, 40), st.integers(0, 40))
TEXTS = st.lists(st.one_of(PIECES, PIECES, PARTS), max_size=7).map("".join)
CUTS = st.one_of(st.just([1]), st.lists(st.integers(0, 9), min_size=1, max_size=8), st.just([60]))
"""Lengths of the chunks, again and again."""


def chunks(text: str, cuts: Sequence[int]) -> list[str]:
    """A text in pieces of these lengths, over and over."""
    pieces: list[str] = []
    at, turn = 0, 0
    while at < len(text):
        size = cuts[turn % len(cuts)] if any(cuts) else 1
        pieces.append(text[at : at + size])
        at += size
        turn += 1
    return pieces


def streamed(mask: Mask, pieces: Iterable[str], form: Form = "text") -> tuple[Masked, MaskStream]:
    """What a stream makes of a text, and the stream."""
    stream = mask.stream(form)
    text = "".join([*map(stream.feed, pieces), stream.flush()])
    return Masked(text, tuple(stream.findings)), stream


def differs(mask: Mask, text: str, cuts: Sequence[int], form: Form = "text") -> str:
    """How masking a text in pieces differs from masking it whole; empty: in nothing."""
    whole = mask.whole(text) if form == "text" else mask.whole_json(text)
    pieces, stream = streamed(mask, chunks(text, cuts), form)
    stopped = next((finding for finding in whole.findings if finding.action == "stop"), None)
    if pieces == whole and stream.stopped == stopped:
        return ""
    return f"whole:  {whole}\npieces: {pieces}\n{stream.stopped}"
