"""Plain text, masked as it arrives."""

from __future__ import annotations

from penstock.masking.finding import Finding
from penstock.masking.levels import Told
from penstock.masking.release import FOREVER, Found, Release
from penstock.masking.ruleset import RuleSet
from penstock.masking.spelled import Piece
from penstock.masking.stream import Scan
from penstock.masking.vault import Vault


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

    def add(self, rules: RuleSet, piece: Finding) -> None:
        """A piece of a value that is known to be in the text that will come."""
        rule = next(rule for rule in rules.rules if (rule.id, rule.detector) == (piece.rule, piece.detector))
        self._release.add(Found(rule, piece.start, piece.end, "", shown=rule.label))

    def feed(self, chunk: str) -> str:
        """More of the text; returns what is safe to release now."""
        raise NotImplementedError

    def flush(self) -> str:
        """The end of the text: the rest, masked."""
        raise NotImplementedError


class TextStream(MaskStream):
    """Text as it comes, and as all that is written in it in another way reads (`masking.levels`)."""

    __slots__ = ("_told",)

    def __init__(
        self, rules: RuleSet, *, whole: bool = False, vault: Vault | None = None, plain: int | None = None
    ) -> None:
        """`plain`: nothing in the text, which comes whole, is written in another way; the rules that may find anything
        in it, as bits."""
        super().__init__(vault)
        scan = Scan(rules, self._release, whole=whole, possible=plain)
        self._told = Told(scan) if plain is None else Told(scan, 0)

    def feed(self, chunk: str) -> str:
        release = self._release
        if release.stopped is not None:
            return ""
        place = release.size
        release.held += chunk
        return release.upto(self._told.feed(Piece(chunk, place, len(chunk))))

    def flush(self) -> str:
        release = self._release
        if release.stopped is not None:
            return ""
        self._told.close(release.size)
        return release.upto(FOREVER)
