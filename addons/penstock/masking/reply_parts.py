"""The parts of a whole reply that clients read as one text: a value that goes across their edges is found as well.

`response.output_text` and `get_final_text()` put the parts of a message together by nothing, and people read them so.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from penstock.apis.replies.pieces import DOCUMENT, Piece
from penstock.exchange import Turn
from penstock.masking.finding import Masked
from penstock.masking.mask import Mask
from penstock.masking.together import mask_turns

_SAID: Final = frozenset({"text", "output_text", "content", "thinking", "reasoning_text", "summary_text"})
_MODES: Final = frozenset({"flow", "leaf", "unit"})
_NUMBER: Final = re.compile(r"\.\d+(?=\.|$)")


def masked_parts(mask: Mask | None, pieces: Sequence[Piece], *, together: bool) -> dict[int, Masked]:
    """Index of a piece -> its text, masked, for those that are part of a text that has several.

    `together`: all choices are one message.
    """
    found: dict[int, Masked] = {}
    if mask is None or len(pieces) < 2:
        return found
    texts: dict[tuple[int, str], list[int]] = {}
    for at, piece in enumerate(pieces):
        (choice, name), place = piece.place.channel, piece.place
        if (
            choice == DOCUMENT
            or place.tool
            or place.form != "text"
            or piece.mode not in _MODES
            or type(piece) is not Piece
        ):
            continue
        label = _NUMBER.sub("", name)
        if label.rpartition(".")[2] in _SAID:
            texts.setdefault((0 if together else choice, label), []).append(at)
    for parts in texts.values():
        if len(parts) > 1:
            turns = [Turn("assistant", pieces[at].text, ()) for at in parts]
            found |= zip(parts, mask_turns(mask, turns), strict=True)
    return found
