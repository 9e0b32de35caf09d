"""The texts of a prompt, masked together: a value that is split over parts or messages is found as well.

The texts of a role are read once more in one piece, joined by nothing and by a space. Only what goes across an edge
counts there, and not where a text alone already has a value at that edge (`bob@example.com`, and the next message
begins with a word). Of a long text only its ends matter.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from penstock.exchange import Turn
from penstock.masking.finding import Finding, Masked
from penstock.masking.mask import Mask
from penstock.masking.vault import Vault

_REACH: Final = 512
"""Characters of the longest value that is found across an edge, on either side of it."""
_BREAK: Final = "\n" * 64
"""In place of the middle of a long text: no value goes across it, and no word speaks for one."""


def mask_turns(mask: Mask, turns: Sequence[Turn], vault: Vault | None = None) -> list[Masked]:
    """Each turn's text, masked."""
    made = [_alone(mask, turn, vault) for turn in turns]
    roles: dict[tuple[str, str], list[int]] = {}
    for index, turn in enumerate(turns):
        if turn.form == "text" and turn.text:
            roles.setdefault((turn.kind, turn.role), []).append(index)
    for indexes in roles.values():
        texts = [turns[index].text for index in indexes]
        for at, pieces in _across(mask, texts, [made[index].findings for index in indexes]):
            made[indexes[at]] = mask.whole(texts[at], vault, pieces)
    return made


def _alone(mask: Mask, turn: Turn, vault: Vault | None) -> Masked:
    return mask.whole_json(turn.text, vault) if turn.form == "json" else mask.whole(turn.text, vault)


def _across(
    mask: Mask, texts: Sequence[str], alone: Sequence[Sequence[Finding]]
) -> Iterator[tuple[int, list[Finding]]]:
    """Index of a text -> the pieces of values in it that go across an edge."""
    if len(texts) < 2:
        return
    found: dict[int, list[Finding]] = {}
    for between in ("", " "):
        for finding in _joined(mask, texts, between):
            if not any(_known(piece, alone[at]) for at, piece in finding):
                for at, piece in finding:
                    found.setdefault(at, []).append(piece)
    yield from sorted(found.items())


def _known(piece: Finding, alone: Sequence[Finding]) -> bool:
    """Whether the text alone has all of a piece."""
    return any(each.start <= piece.start and piece.end <= each.end for each in alone)


def _joined(mask: Mask, texts: Sequence[str], between: str) -> Iterator[list[tuple[int, Finding]]]:
    """Every value that goes across an edge, in its pieces: the index of the text, and the place in that."""
    spans: list[tuple[int, int, int, int]] = []
    """Of each stretch: where it begins and ends in the whole, its text, and where it begins in that."""
    parts: list[str] = []
    size = 0
    for at, text in enumerate(texts):
        ends = [(0, text)] if len(text) <= 2 * _REACH else [(0, text[:_REACH]), (len(text) - _REACH, text[-_REACH:])]
        for number, (start, part) in enumerate(ends):
            glue = _BREAK if number else between if at else ""
            parts += [glue, part]
            size += len(glue)
            spans.append((size, size + len(part), at, start))
            size += len(part)
    for finding in mask.whole("".join(parts)).findings:
        pieces = [
            (at, Finding(finding.rule, finding.detector, finding.action, place, place + end - start))
            for first, last, at, offset in spans
            if (start := max(first, finding.start)) < (end := min(last, finding.end))
            for place in [start - first + offset]
        ]
        if len({at for at, _ in pieces}) > 1:
            yield pieces
