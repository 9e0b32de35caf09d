"""Text that may be a JSON document, for masks by field: its first character shows whether it is one."""

from __future__ import annotations

from penstock.masking.documents import Documents
from penstock.masking.finding import Finding
from penstock.masking.json_text import JsonStream
from penstock.masking.ruleset import RuleSet
from penstock.masking.spelled import Piece
from penstock.masking.text import MaskStream, TextStream
from penstock.masking.vault import Vault

_BLANK = " \t\n\r"


def is_document(text: str) -> bool:
    """Whether a text starts like an object or a list of JSON."""
    return text.lstrip(_BLANK)[:1] in ("{", "[")


class ProseStream(TextStream):
    """Plain text, in which fields are looked for in the JSON documents that it has."""

    __slots__ = ("_documents",)

    def __init__(self, rules: RuleSet, *, whole: bool = False, vault: Vault | None = None) -> None:
        super().__init__(rules, whole=whole, vault=vault)
        self._documents = Documents(rules.fields, self._release)

    def feed(self, chunk: str) -> str:
        release = self._release
        if release.stopped is not None:
            return ""
        place = release.size
        release.held += chunk
        self._documents.read(chunk, place)
        settled = self._documents.settled(place + len(chunk))
        return release.upto(min(settled, self._told.feed(Piece(chunk, place, len(chunk)))))

    def flush(self) -> str:
        self._documents.close(self._release.size)
        return super().flush()


class SniffStream(MaskStream):
    """Text as it arrives, read as JSON when it starts like a document; what stops being JSON is masked as text."""

    __slots__ = ("_blank", "_rules", "_stream")

    def __init__(self, rules: RuleSet) -> None:
        super().__init__()
        self._rules = rules
        self._blank = ""
        """Space in front, until something comes."""
        self._stream: MaskStream | None = None

    @property
    def stopped(self) -> Finding | None:
        return self._stream.stopped if self._stream is not None else None

    def feed(self, chunk: str) -> str:
        if self._stream is None:
            self._blank += chunk
            if not self._blank.strip(_BLANK):
                return ""
            chunk, self._blank = self._blank, ""
            self._choose(document=is_document(chunk))
        assert self._stream is not None
        return self._stream.feed(chunk)

    def flush(self) -> str:
        if self._stream is None:
            self._choose(document=False)
            assert self._stream is not None
            return self._stream.feed(self._blank) + self._stream.flush()
        return self._stream.flush()

    def _choose(self, *, document: bool) -> None:
        self._stream = JsonStream(self._rules) if document else ProseStream(self._rules)
        self._stream.findings = self.findings
        self._stream._release.findings = self.findings
