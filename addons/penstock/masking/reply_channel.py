"""One channel of a reply: a text that arrives in pieces, masked, and what of it may be released."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from penstock.apis.replies.pieces import Place, UnreadableError
from penstock.masking.finding import Finding
from penstock.masking.mask import Mask
from penstock.masking.vault import Restore, Vault

_NOTHING: Final[Sequence[Finding]] = ()


class StoppedError(Exception):
    """A rule that stops the reply matched. `safe` is what may still be said at the place."""

    def __init__(self, finding: Finding, safe: str = "") -> None:
        super().__init__(finding.rule)
        self.finding = finding
        self.safe = safe


class Channel:
    """The text at one place, through the whole reply."""

    __slots__ = ("_findings", "_name", "_restore", "_seen", "_stream", "closed", "heard", "mask", "place", "said")

    def __init__(self, place: Place, mask: Mask | None, vault: Vault | None = None) -> None:
        self.place = place
        self.mask = mask
        self.closed = False
        self._stream = mask.stream(place.form) if mask is not None else None
        self._findings: list[Finding] = self._stream.findings if self._stream is not None else []
        self._restore = Restore(vault, place.form) if vault is not None else None
        self._seen = 0
        self._name = ""
        self.heard: str | None = None
        """All of a cumulative text so far; None when it is none."""
        self.said = ""
        """What was released of a cumulative text."""

    def feed(self, text: str) -> str:
        """What may be released now that `text` has arrived.

        Raises: StoppedError; UnreadableError for text behind the end (the mask of what came before is closed).
        """
        if self.closed:
            raise UnreadableError
        stream = self._stream
        if stream is None:
            return text
        released = stream.feed(text)
        if stream.stopped is not None:
            raise StoppedError(stream.stopped, released)
        return released

    def close(self) -> str:
        """The rest, masked.

        Raises: StoppedError.
        """
        stream = self._stream
        if self.closed or stream is None:
            self.closed = True
            return ""
        self.closed = True
        rest = stream.flush()
        if stream.stopped is not None:
            raise StoppedError(stream.stopped, rest)
        return rest

    def restored(self, released: str) -> str:
        """What was released, with values in the place of tokens; all of it when the text has ended."""
        if self._restore is None:
            return released
        return self._restore.feed(released) + (self._restore.flush() if self.closed else "")

    def found(self) -> Sequence[Finding]:
        """What was found since this was last asked."""
        if len(self._findings) == self._seen:
            return _NOTHING
        new = self._findings[self._seen :]
        self._seen = len(self._findings)
        return new

    def name(self, text: str) -> None:
        """A piece of a name. Servers send names whole, and some send them again with each event.

        Raises: UnreadableError for a name that comes in parts and would be masked if it came whole.
        """
        if not self._name or text == self._name:
            self._name = text
            return
        self._name += text
        if self.mask is not None and self.mask.whole(self._name).findings:
            raise UnreadableError
