"""What framers of streams have in common: events with their raw bytes, and a largest size of one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Final, NamedTuple

MAX_EVENT: Final = 8_000_000
"""Bytes of one event; a server that sends more is not answering a chat."""


class Event(NamedTuple):
    """One event, or a block that is none: comments and empty lines have no `data`."""

    raw: bytes
    """Every byte of it, its end included."""
    data: bytes | None
    name: str = ""
    plain: bool = True
    """True when raw holds no text that `data` and `name` do not show: one `data` line, at most one `event` line."""


class Framer(ABC):
    """Feed it bytes as they come, in any cut, and it returns the events that are complete.

    `overflow` is set, and nothing more is returned, when an event is larger than the limit.
    """

    def __init__(self, limit: int = MAX_EVENT) -> None:
        self.overflow = False
        self._buffer = b""
        self._limit = limit

    @abstractmethod
    def feed(self, data: bytes) -> list[Event]:
        """The events that `data` completes, in order."""

    def flush(self) -> list[Event]:
        """What is left at the end of the stream, as an event with the end that it lacks: others may follow it."""
        left, self._buffer = self._buffer, b""
        return self._bounded([self._event(left + self._end_of(left))] if left else [])

    @abstractmethod
    def _end_of(self, raw: bytes) -> bytes:
        """What an event lacks at its end."""

    @abstractmethod
    def _event(self, raw: bytes) -> Event:
        """One event, from its bytes."""

    def _bounded(self, events: list[Event]) -> list[Event]:
        """The events before the first that is too large, the one that is still to come included."""
        if self.overflow:
            return []
        for at, event in enumerate(events):
            if len(event.raw) > self._limit:
                self.overflow = True
                return events[:at]
        self.overflow = len(self._buffer) > self._limit
        return events
