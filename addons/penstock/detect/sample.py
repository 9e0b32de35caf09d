"""Texts that a pattern finds, or nearly: what it is tried out with."""

from __future__ import annotations

from random import Random

from penstock.detect.tree import Back, Chars, Choice, Edge, Group, Look, Node, Repeat, Sequence

_LIKED = "aA1b2 c.-_@:/"
_MOST = 12
"""Times that a sample repeats something beyond what it must."""


def character(chars: Chars, random: Random) -> str:
    """One of the characters of a class."""
    liked = [each for each in _LIKED if chars.ascii >> ord(each) & 1]
    if liked and random.random() < 0.8:
        return random.choice(liked)
    codes = [code for code in range(128) if chars.ascii >> code & 1]
    return chr(random.choice(codes)) if codes else "\u00e9"


def sample(node: Node, random: Random) -> str:
    """A text that the pattern finds, unless what it looks at around itself is against it."""
    match node:
        case Chars():
            return character(node, random)
        case Edge() | Look() | Back():
            return ""
        case Group(item):
            return sample(item, random)
        case Repeat(item, low, high):
            most = low + _MOST if high is None else min(high, low + _MOST)
            return "".join(sample(item, random) for _ in range(random.choice((low, random.randint(low, most)))))
        case Sequence(items):
            return "".join(sample(item, random) for item in items)
        case Choice(branches):
            return sample(random.choice(branches), random)


def mixture(node: Node, random: Random, length: int) -> str:
    """Samples, whole and broken off, one after the other, some characters exchanged."""
    text = ""
    while len(text) < length:
        piece = sample(node, random) or "a"
        if random.random() < 0.4:
            piece = piece[: random.randint(1, len(piece))]
        if random.random() < 0.3:
            at = random.randrange(len(piece))
            piece = piece[:at] + random.choice(_LIKED + "\n\u00e9") + piece[at + 1 :]
        text += piece + random.choice(("", "", " ", "\n", random.choice(_LIKED)))
    return text[:length]
