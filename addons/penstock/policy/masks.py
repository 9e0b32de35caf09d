"""Masking rules: what must not be seen, in prompts, in replies and in the record."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal, assert_never

from penstock.detect.value import Detector
from penstock.masking.fields import FieldError, FieldRule, compiled
from penstock.masking.mask import MaskRule
from penstock.policy.detectors import DETECTOR
from penstock.policy.marked import Node, Table
from penstock.policy.readers import NUMBER, SECRET, TEXT, Reader, choice, declared, whole
from penstock.policy.reading import Reading
from penstock.policy.scope import WHEN_KEY, Scope
from penstock.policy.settings import Secret
from penstock.policy.shape import Fields, Key, Record, listed
from penstock.verdict import Match

type Masked = Literal["prompt", "completion", "record"]

MIN_KEY: Final = 16
"""Characters of the key of `hash`, at least."""


@dataclass(frozen=True, slots=True)
class Label:
    """`[EMAIL]`."""


@dataclass(frozen=True, slots=True)
class Redact:
    """`[REDACTED]`: not even the kind of value shows."""


@dataclass(frozen=True, slots=True)
class Partial:
    """Stars, but for a few characters at the ends; never more than half of the value is kept."""

    keep_first: int
    keep_last: int


@dataclass(frozen=True, slots=True)
class Hash:
    """`[EMAIL:9f86d081884c]`: the same value gives the same hash, and without the key nobody can try values."""

    key: Secret


@dataclass(frozen=True, slots=True)
class Token:
    """`[EMAIL_1]`, and in the reply the value again: the model never sees it, its caller does."""


type With = Label | Redact | Partial | Hash | Token


def replacer(style: With, detector: Detector) -> Callable[[str], str] | None:
    """What stands in place of a value; None for the detector's label."""
    match style:
        case Label() | Token():
            return None
        case Redact():
            return lambda _: "[REDACTED]"
        case Partial(first, last):
            return lambda value: partial(value, first, last)
        case Hash(key):
            secret = key.reveal().encode()
            return lambda value: f"[{detector.label}:{digest(secret, value)}]"
        case _:
            assert_never(style)


def partial(value: str, first: int, last: int) -> str:
    spare = len(value) // 2
    last = min(last, spare)
    first = min(first, spare - last)
    return value[:first] + "*" * (len(value) - first - last) + value[len(value) - last :]


def digest(key: bytes, value: str) -> str:
    return hmac.new(key, value.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class MaskingRule:
    """Values of some detectors, and what stands in their place."""

    id: str
    on: frozenset[Masked]
    when: Scope
    detect: tuple[Detector, ...]
    fields: tuple[str, ...]
    """JSON Pointer globs."""
    style: With
    where: str = field(compare=False)
    min_confidence: float = 0.0

    def rules(self) -> list[MaskRule]:
        token = isinstance(self.style, Token)
        return [
            MaskRule(self.id, known, "mask", replacer(self.style, known), token, min_confidence=self.min_confidence)
            for known in self.detect
        ]

    def hides(self) -> list[FieldRule]:
        """What is masked by where it stands."""
        if not self.fields:
            return []
        match self.style:
            case Label():
                return [FieldRule(self.id, self.fields)]
            case Redact():
                return [FieldRule(self.id, self.fields, text="[REDACTED]")]
            case Partial(first, last):
                return [FieldRule(self.id, self.fields, lambda value: partial(value, first, last))]
            case Hash(key):
                secret = key.reveal().encode()
                return [FieldRule(self.id, self.fields, lambda value: f"[FIELD:{digest(secret, value)}]")]
            case Token():
                raise AssertionError("refused when it was loaded")
            case _:
                assert_never(self.style)

    def matched(self) -> Match:
        """How the verdict reports that it is in force."""
        return Match(self.id, "masking", self.where, "mask")


# The format

_ON: Final[Reader[Masked]] = choice("prompt", "completion", "record", of="subject")
_STYLE: Final[Reader[str]] = choice("label", "redact", of="style")

KEEP_FIRST: Final = Key("keep_first", whole(0, 16), "Characters left at the start.", 0)
KEEP_LAST: Final = Key("keep_last", whole(0, 16), "Characters left at the end.", 0)
KEY: Final = Key("key", SECRET, f"At least {MIN_KEY} characters that only this gateway knows.")
PARTIAL: Final = Record(
    "partial", "Leave a few characters.", (KEEP_FIRST, KEEP_LAST), lambda f: Partial(f[KEEP_FIRST], f[KEEP_LAST])
)


def _hash(fields: Fields) -> Hash:
    if len(fields[KEY].reveal()) < MIN_KEY:
        raise fields.wrong(KEY, f"the key has fewer than {MIN_KEY} characters: values could be guessed")
    return Hash(fields[KEY])


HASH: Final = Record("hash", "A keyed hash (HMAC-SHA-256) of the value.", (KEY,), _hash)
PARTIAL_KEY: Final[Key[Partial | None]] = Key("partial", PARTIAL.reader, "Leave a few characters.", None, "not")
HASH_KEY: Final[Key[Hash | None]] = Key("hash", HASH.reader, "A keyed hash of the value.", None, "not")
TOKEN: Final = Record("token", "A token that the reply gives back as the value.", (), lambda _: Token())
TOKEN_KEY: Final[Key[Token | None]] = Key(
    "token", TOKEN.reader, "A token, put back in the reply for this caller. Prompts only.", None, "not"
)


def _style(fields: Fields) -> With:
    given = [style for style in (fields[PARTIAL_KEY], fields[HASH_KEY], fields[TOKEN_KEY]) if style is not None]
    if len(given) != 1:
        raise fields.reading.wrong(fields.mark, "expected exactly one of partial, hash, token")
    return given[0]


STYLE: Final = Record("with", "What stands in place of a value.", (PARTIAL_KEY, HASH_KEY, TOKEN_KEY), _style)


def _read_with(node: Node, reading: Reading) -> With:
    if isinstance(node, Table):
        return STYLE.read(node, reading)
    return Redact() if _STYLE.read(node, reading) == "redact" else Label()


_WITH: Final[Reader[With]] = Reader(
    "label, redact, {partial: ...}, {hash: ...} or {token: {}}",
    _read_with,
    lambda definitions: {"anyOf": [_STYLE.schema(definitions), STYLE.schema(definitions)]},
)

ID_KEY: Final = Key("id", declared("masking"), "Name of the rule.")
ON: Final = Key(
    "on",
    listed(_ON),
    "`prompt`: before a model reads it. `completion`: replies and tool calls. `record`: the audit.",
)
DETECT: Final = Key(
    "detect", listed(DETECTOR), "Detectors whose values are masked.", (), "none; detect or fields must be given"
)
WITH: Final = Key("with", _WITH, "What stands in place of a value.", Label(), "label")


def _confidence(node: Node, reading: Reading) -> float:
    number = NUMBER.read(node, reading)
    if not 0 <= number <= 1:
        raise reading.wrong(node.mark, f"expected a number from 0 to 1, got {number}")
    return float(number)


MIN_CONFIDENCE: Final = Key(
    "min_confidence",
    Reader("a number from 0 to 1", _confidence, lambda _: {"type": "number", "minimum": 0, "maximum": 1}),
    "Values of which a detector is less sure stay; `penstock detectors` tells the confidence, `penstock scan` of each.",
    0.0,
    "0",
)


def _read_pointer(node: Node, reading: Reading) -> str:
    text = TEXT.read(node, reading)
    try:
        compiled(text)
    except FieldError as error:
        raise reading.wrong(node.mark, f"'{text[:60]}' is no pointer to a field: {error}") from None
    return text


_POINTER: Final[Reader[str]] = Reader(
    "a JSON Pointer glob (/customer/ssn, /**/password)", _read_pointer, lambda _: {"type": "string", "pattern": "^/."}
)
FIELDS: Final = Key(
    "fields",
    listed(_POINTER),
    "Fields of JSON that are masked whatever they hold: in tool arguments, and in JSON that a text is or has in it.",
    (),
    "none; detect or fields must be given",
)


def _masking(fields: Fields) -> MaskingRule:
    rule = MaskingRule(
        id=fields[ID_KEY],
        on=frozenset(fields[ON]),
        when=fields[WHEN_KEY],
        detect=fields[DETECT],
        fields=fields[FIELDS],
        style=fields[WITH],
        where=str(fields.mark),
        min_confidence=fields[MIN_CONFIDENCE],
    )
    for known in rule.detect:
        if (most := known.sureness(spoken_for=bool(known.context))) < rule.min_confidence:
            raise fields.wrong(MIN_CONFIDENCE, f"detector '{known.name}' is never as sure: at most {most:g}")
    if not rule.detect and not rule.fields:
        raise fields.wrong(ID_KEY, f"masking rule '{rule.id}' says not what: add detect: or fields:")
    if rule.fields and isinstance(rule.style, Token):
        raise fields.wrong(WITH, "a field cannot become a token: use label, redact, partial or hash")
    if isinstance(rule.style, Token) and ("prompt" not in rule.on or "completion" in rule.on):
        raise fields.wrong(WITH, "tokens stand for values in prompts, and replies give these back: use on: [prompt]")
    for known in rule.detect if "completion" in rule.on else ():
        if not known.streamable:
            why = fields.reading.unstreamable.get(known.name, "")
            raise fields.wrong(DETECT, f"detector '{known.name}' cannot mask replies: {why}")
    return rule


MASKING: Final = Record(
    "masking", "What must not be seen.", (ID_KEY, ON, WHEN_KEY, DETECT, MIN_CONFIDENCE, WITH, FIELDS), _masking
)
MASKING_KEY: Final = Key("masking", listed(MASKING.reader), "What must not be seen.", (), "nothing")
