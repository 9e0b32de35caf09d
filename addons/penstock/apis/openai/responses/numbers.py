"""Sequence numbers of a Responses stream to which events are added."""

from __future__ import annotations

from penstock.exchange import JsonObject


class Numbers:
    """Numbers that always rise, none of them twice, whatever is added between the model server's own events.

    What is held back of the texts that an event ends is known only after the event was read, so room is left for all
    of it, and numbers may be left out.
    """

    def __init__(self) -> None:
        self._shift = 0
        self._free = 0
        self._last = -1

    def read(self, document: JsonObject, room: int) -> bool:
        """Takes note of the server's next event, before which up to `room` others go out. Returns whether it has
        another number now."""
        number = document.get("sequence_number")
        if not isinstance(number, int):
            return False
        self._free = number + self._shift + (0 if room else 1)
        self._shift += room
        self._last = number + self._shift
        if self._shift:
            document["sequence_number"] = self._last
        return self._shift > 0

    def added(self) -> int:
        """The number of an event that is added before the one read last, if that left room, or behind it."""
        self._free += 1
        return self._free - 1

    def ended(self) -> None:
        """The event read last went out, and there is no other."""
        self._free = self._last + 1

    def next(self) -> int:
        """The number of an event behind all that there were."""
        return max(self._free, self._last + 1)
