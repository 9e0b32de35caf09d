"""A frozen set of masking rules, and what it does to a text."""

from __future__ import annotations

from collections.abc import Sequence

from penstock.detect.view import fold
from penstock.masking.fields import FieldRule
from penstock.masking.finding import Action, Finding, Form, Masked, MaskRule
from penstock.masking.json_text import JsonStream
from penstock.masking.levels import spells
from penstock.masking.ruleset import RuleSet
from penstock.masking.sniff import ProseStream, SniffStream, is_document
from penstock.masking.text import MaskStream, TextStream
from penstock.masking.vault import Vault

__all__ = ["Action", "Finding", "Form", "Mask", "MaskRule", "MaskStream", "Masked"]


class Mask:
    """A frozen, compiled set of rules: safe to share between threads, cheap to make streams from."""

    def __init__(self, rules: Sequence[MaskRule], fields: Sequence[FieldRule] = ()) -> None:
        """Raises `PatternError` for a pattern that cannot be read, `FieldError` for a pointer that means nothing."""
        self.rules = tuple(rules)
        self._compiled = RuleSet(self.rules, fields)
        self._sniffs = bool(self._compiled.fields)

    def ready(self) -> Mask:
        """Itself, with all its patterns compiled: the first text does not have to wait for that."""
        for rule in self._compiled.rules:
            rule.ready()
        return self

    def whole(self, text: str, vault: Vault | None = None, also: Sequence[Finding] = ()) -> Masked:
        """Mask a whole text. A `stop` finding cuts it where the match starts. The vault keeps what tokens stand for.

        `also`: pieces of values that are known to be there; their label stands in their place.
        """
        document = self._sniffs and is_document(text)
        fielded = document or (self._sniffs and _may_hold(text))
        possible = None if fielded or also else self._possible(text)
        if possible == 0:
            return Masked(text, ())
        if possible is not None:
            return _masked(TextStream(self._compiled, whole=True, vault=vault, plain=possible), text)
        made = JsonStream if document else ProseStream if fielded else TextStream
        stream = made(self._compiled, whole=True, vault=vault)
        for piece in also:
            stream.add(self._compiled, piece)
        return _masked(stream, text)

    def whole_json(self, text: str, vault: Vault | None = None) -> Masked:
        """Mask JSON text that stands in a string (tool-call arguments); it stays valid JSON if it was."""
        if not self._sniffs and self._possible(text) == 0:
            return Masked(text, ())
        return _masked(JsonStream(self._compiled, whole=True, vault=vault), text)

    def _possible(self, text: str) -> int | None:
        """The bits of the rules that may find something; None: something in the text may be written in another way."""
        return None if spells(text) else self._compiled.possible_in(fold(text))

    def stream(self, form: Form = "text") -> MaskStream:
        """A masker for one text that arrives in pieces. Raises `PatternError` for rules that cannot mask a stream."""
        rules = self._compiled.for_streams()
        if form == "text" and self._sniffs:
            return SniffStream(rules)
        return TextStream(rules) if form == "text" else JsonStream(rules)


def _may_hold(text: str) -> bool:
    """Whether there may be a document somewhere in a text."""
    return "{" in text or "[" in text


def _masked(stream: MaskStream, text: str) -> Masked:
    out = stream.feed(text) + stream.flush()
    return Masked(text if out == text else out, tuple(stream.findings))
