"""Hypothesis strategies: patterns of the kind that is admitted, and texts that they may find something in."""

from __future__ import annotations

import os

from hypothesis import settings
from hypothesis import strategies as st


def tried(count: int) -> settings:
    """So many examples, times what `FUZZ` says in the environment: a long run looks deeper."""
    return settings(max_examples=count * int(os.environ.get("FUZZ", "1")), deadline=None)


ALPHABET = "ab1 .-@\n\u00e9"

_CHARS = st.sampled_from(
    (
        "a",
        "b",
        "a",
        "b",
        "1",
        r"\.",
        " ",
        "-",
        "@",
        "é",
        r"\n",
        ".",
        r"\w",
        r"\d",
        r"\s",
        r"\W",
        "[ab]",
        "[^a]",
        "[b1.]",
    )
)
_COUNTS = st.sampled_from(("?", "{0,2}", "{1,3}", "{2}", "{0,4}", "{1,2}", "{2,5}"))
_AHEAD = st.sampled_from(("(?=%s)", "(?!%s)"))
_BEHIND = st.sampled_from(("(?<=%s)", "(?<!%s)"))
_EDGE = st.sampled_from((r"\b", r"\B", "$", r"\Z", "(?m:$)"))
_START = st.sampled_from((r"\b", r"\B", "^", "(?m:^)", r"\A"))


def _node(modes: tuple[str, ...]) -> st.SearchStrategy[str]:
    mode = st.sampled_from(modes)
    repeated = st.builds(lambda chars, count, how: f"{chars}{count}{how}", _CHARS, _COUNTS, mode)

    def grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.one_of(
            st.builds(lambda a, b: a + b, inner, inner),
            st.builds(lambda a, b: f"(?:{a}|{b})", inner, inner),
            st.builds(lambda a, count, how: f"(?:{a}){count}{how}", inner, _COUNTS, mode),
            st.builds(lambda a: f"(?>{a})", inner),
            st.builds(lambda look, a: look % a, _AHEAD, inner),
            st.builds(lambda a: f"(?i:{a})", inner),
            _EDGE,
        )

    return st.recursive(st.one_of(_CHARS, repeated), grown, max_leaves=6)


def _pattern(modes: tuple[str, ...], *, back: bool) -> st.SearchStrategy[str]:
    node = _node(modes)
    before = st.one_of(st.just(""), st.just(""), _START, st.builds(lambda look, a: look % a, _BEHIND, _CHARS))
    if back:
        node = st.one_of(node, st.builds(lambda a, look, c, b: a + look % c + b, node, _BEHIND, _CHARS, node))
    whole = st.builds(lambda edge, a, b: edge + a + b, before, node, node)
    return st.one_of(whole, whole, st.builds(lambda a, b: f"{a}|{b}", whole, whole))


STREAMED = st.one_of(_pattern(("", "", "?", "+"), back=False), _pattern(("", "+"), back=True))
"""Patterns that are exact in streams, unless they match the empty text."""

TEXTS = st.text(st.sampled_from(ALPHABET), max_size=24)
WILD = st.text(
    st.one_of(
        st.sampled_from(ALPHABET + "AB٣Ｋ\u212a\u0130\u200b\u00a0\u3000\U0001f600"),
        st.characters(codec=None),
    ),
    max_size=24,
)
"""Any Unicode, lone surrogates too."""
