"""Whether the events of a stream repeat the text that came before: SGLang does, unless it was started not to."""

from __future__ import annotations

from typing import Final, Literal

from penstock.exchange import JsonObject

_CERTAIN: Final = 16
"""Characters of a text that is repeated as a whole by no chance."""


class _Seen:
    """What one text was in the events before."""

    __slots__ = ("held", "last", "tokens")

    def __init__(self) -> None:
        self.held: list[str] = []
        """Texts of the events that were not let out."""
        self.last = ""
        self.tokens = 0


class Growth:
    """Tells one kind of stream from the other, for all the texts in it.

    The two would be masked differently, so nothing is said before it is known: the first event is held until the
    second. Counts of tokens tell (`output_ids` has all of them, or the new ones), or else the texts themselves.
    """

    def __init__(self, cumulative: bool | None = None) -> None:
        self._cumulative = cumulative
        self._texts: dict[int, _Seen] = {}

    def read(
        self, index: int, text: str, event: JsonObject, *, hold: bool, ended: bool
    ) -> tuple[Literal["cumulative", "flow"] | None, str]:
        """How to read the text of an event (None: not yet), and what to say in its place.

        Without `hold` every event goes out as it came.
        """
        if self._cumulative is False:
            seen = self._texts.pop(index, None)
            return "flow", "".join(seen.held) + text if seen is not None else text
        if self._cumulative:
            return "cumulative", text
        seen = self._texts.setdefault(index, _Seen())
        self._cumulative = self._tell(seen, text, event, ended=ended)
        if self._cumulative is False:
            return self.read(index, text, event, hold=hold, ended=ended)
        if self._cumulative or ended or not hold:
            # The only event of a text, or one that could be either, is read as most servers mean it.
            return "cumulative", text
        seen.held.append(text)
        return None, ""

    def _tell(self, seen: _Seen, text: str, event: JsonObject, *, ended: bool) -> bool | None:
        """Whether the stream is cumulative; None when this event could be of either kind."""
        before, seen.last = seen.last, text
        tokens, ids = _tokens(event), event.get("output_ids")
        known, seen.tokens = seen.tokens, tokens
        if isinstance(ids, list) and 0 < known < tokens:
            if len(ids) > tokens - known:
                return True
            if not ended or _cut(event):
                return False
            # The last token may be a stop that is taken back: then the count of those that are left says nothing.
        if not text.startswith(before):
            # Less than before at the end: a stop word was taken back. No new text has nothing to begin with.
            return ended and bool(text) and before.startswith(text)
        if len(before) >= _CERTAIN and text != before:
            return True
        return None


def _cut(event: JsonObject) -> bool:
    """Whether a text ends where it does for its length."""
    meta = event.get("meta_info")
    reason = meta.get("finish_reason") if isinstance(meta, dict) else None
    return isinstance(reason, dict) and reason.get("type") == "length"


def _tokens(event: JsonObject) -> int:
    meta = event.get("meta_info")
    count = meta.get("completion_tokens") if isinstance(meta, dict) else None
    return count if isinstance(count, int) else 0
