"""Detectors that a policy adds, and the names by which rules speak of every detector."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from penstock.detect.checks import CHECKS
from penstock.detect.detector import DETECTORS, custom
from penstock.detect.syntax import PatternError
from penstock.detect.value import Detector
from penstock.policy.marked import Node
from penstock.policy.readers import BOOLEAN, TEXT, Reader, choice, declared, worded
from penstock.policy.reading import Reading, Unread, meant
from penstock.policy.shape import Fields, Key, Record, listed
from penstock.policy.terms import FILE, LIST, Listed, compiled


@dataclass(frozen=True, slots=True)
class OwnDetector:
    """A detector as the policy defines it."""

    name: str
    pattern: str | None
    label: str | None
    check: str
    context: tuple[str, ...]
    terms: str
    """What tells one list of terms from another; empty when it has a pattern."""
    detector: Detector = field(compare=False)
    unstreamable: str = field(default="", compare=False)
    """Why it cannot mask a stream; empty when it can."""


def _known(node: Node, reading: Reading) -> Detector:
    name = TEXT.read(node, reading)
    found = reading.detectors.get(name)
    if found is None and name in reading.names("detector"):
        raise Unread(name)  # it is there, with a problem of its own
    if found is None:
        raise reading.wrong(node.mark, f"unknown detector '{name[:60]}'{meant(name, reading.detectors)}")
    return found


DETECTOR: Final = Reader("the name of a detector", _known, lambda _: {"type": "string", "minLength": 1})
BUILT_IN: Final = {known.name: known for known in DETECTORS}

_CHECK: Final[Reader[str]] = choice(*CHECKS, of="check")


def _label(text: str) -> str | None:
    return text if text.replace("_", "").isalnum() and text.isascii() and text == text.upper() else None


NAME: Final = Key("name", declared("detector"), "How rules call it.")
PATTERN: Final[Key[str | None]] = Key(
    "pattern", TEXT, "What the value looks like; every repetition bounded.", None, "or terms, or terms_file"
)
TERMS: Final[Key[Listed | None]] = Key("terms", LIST, "The values themselves, up to 100,000.", None, "or terms_file")
TERMS_FILE: Final[Key[Listed | None]] = Key(
    "terms_file", FILE, "The same, a file with one a line; lines that begin with `#` are comments.", None, "or terms"
)
IGNORE_CASE: Final = Key("ignore_case", BOOLEAN, "Terms are found in any case of letters.", True, "true")
WHOLE_WORDS: Final = Key(
    "whole_words", BOOLEAN, "Terms are not found within words: no letter, digit or `_` at their edges.", True, "true"
)
LABEL: Final[Key[str | None]] = Key(
    "label",
    worded("a label (CAPITALS, digits, '_')", _label, {"type": "string", "pattern": "^[A-Z0-9_]+$"}),
    "What stands in its place, in brackets.",
    None,
    "the name in capitals",
)
CHECK: Final = Key("check", _CHECK, "A test that a candidate must pass.", "none")
CONTEXT: Final = Key(
    "context",
    listed(TEXT),
    "Words, one of which must stand shortly before the value, or a value of the same rule that was found there.",
    (),
    "none",
)


def _own(fields: Fields) -> OwnDetector:
    name, pattern, unstreamable = fields[NAME], fields[PATTERN], ""
    if name in BUILT_IN:
        raise fields.wrong(NAME, f"the detector '{name}' is built in: choose another name")
    if sum(fields.given(key) for key in (PATTERN, TERMS, TERMS_FILE)) != 1:
        raise fields.reading.wrong(fields.mark, "expected exactly one of pattern, terms, terms_file")
    if (written := fields[TERMS] or fields[TERMS_FILE]) is not None:
        return _termed(fields, written)
    for key in (IGNORE_CASE, WHOLE_WORDS):
        if fields.given(key):
            raise fields.wrong(key, f"'{key.name}' is about terms: write it into the pattern, (?i) or \\b")
    assert pattern is not None

    def made(*, streamable: bool) -> Detector:
        context, check = fields[CONTEXT], fields[CHECK]
        return custom(name, pattern, label=fields[LABEL], check=check, context=context, streamable=streamable)

    try:
        found = made(streamable=True)
    except PatternError as error:
        unstreamable = error.line()
        try:
            found = made(streamable=False)
        except PatternError as final:
            raise fields.wrong(PATTERN, final.line()) from None
    return OwnDetector(name, pattern, fields[LABEL], fields[CHECK], fields[CONTEXT], "", found, unstreamable)


def _termed(fields: Fields, written: Listed) -> OwnDetector:
    name, label, context = fields[NAME], fields[LABEL], fields[CONTEXT]
    if fields.given(CHECK):
        raise fields.wrong(CHECK, "a term is what it is: 'check' goes with a pattern")
    options = {key.name: fields[key] for key in (IGNORE_CASE, WHOLE_WORDS)}
    terms = compiled(written, fields.reading, **options)
    found = Detector(name, label or name.upper(), terms.pattern, terms=terms, context=context)
    return OwnDetector(name, None, label, fields[CHECK], context, terms.digest, found)


def know(own: Iterable[OwnDetector], reading: Reading) -> None:
    """From here on rules may name these."""
    for detector in own:
        reading.detectors[detector.name] = detector.detector
        if detector.unstreamable:
            reading.unstreamable[detector.name] = detector.unstreamable


OWN: Final = Record(
    "detector",
    "A detector beside the built-in ones.",
    (NAME, PATTERN, TERMS, TERMS_FILE, IGNORE_CASE, WHOLE_WORDS, LABEL, CHECK, CONTEXT),
    _own,
)
DETECTORS_KEY: Final = Key("detectors", listed(OWN.reader), "Detectors beside the built-in ones.", (), "none")
