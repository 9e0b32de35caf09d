"""Plain text, masked as it arrives."""

from __future__ import annotations

from penstock.detect.view import view
from penstock.masking.escapes import Level, Piece, escape
from penstock.masking.finding import Finding
from penstock.masking.release import FOREVER, Release
from penstock.masking.ruleset import RuleSet
from penstock.masking.stream import Scan
from penstock.masking.vault import Vault

_BELOW: int = 0
"""Levels of escapes that are read below the first one."""


class MaskStream:
    """One text, masked as it arrives: for every chunking the pieces add up to what the whole text gives."""

    __slots__ = ("_release", "findings")

    def __init__(self, vault: Vault | None = None) -> None:
        self._release = Release(vault)
        self.findings = self._release.findings
        """What was found in what is released; a value that is still being swallowed ends where it began."""

    @property
    def stopped(self) -> Finding | None:
        """Set when a `stop` rule matched: nothing from the start of the match on is ever released."""
        return self._release.stopped

    def feed(self, chunk: str) -> str:
        """More of the text; returns what is safe to release now."""
        raise NotImplementedError

    def flush(self) -> str:
        """The end of the text: the rest, masked."""
        raise NotImplementedError


class TextStream(MaskStream):
    """Text as it comes, and as its backslash escapes read (`masking.escapes`)."""

    __slots__ = ("_below", "_scan")

    def __init__(self, rules: RuleSet, *, whole: bool = False, vault: Vault | None = None) -> None:
        super().__init__(vault)
        self._scan = Scan(rules, self._release, whole=whole)
        self._below: Level | None = None

    def feed(self, chunk: str) -> str:
        release = self._release
        if release.stopped is not None:
            return ""
        place = release.size
        release.held += chunk
        if self._below is None and "\\" in chunk:
            self._below = Level(self._scan.copy(escape), _BELOW)
        if chunk.isascii():
            limit = self._scan.feed(chunk, place, len(chunk))
        else:
            seen = view(chunk)
            limit = self._scan.feed(seen.text, place, len(chunk), seen.start, seen.end)
        if self._below is not None:
            limit = min(limit, self._below.feed(Piece(chunk, place, len(chunk))))
            if self._below.is_as(self._scan):
                self._below = None
        return release.upto(limit)

    def flush(self) -> str:
        release = self._release
        if release.stopped is not None:
            return ""
        self._scan.close(release.size)
        if self._below is not None:
            self._below.close(release.size)
        return release.upto(FOREVER)
