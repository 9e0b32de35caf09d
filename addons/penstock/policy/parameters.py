"""What a grant says about a call's parameters: allow, deny, bounds, values and defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from penstock.exchange import Call, Json, Operation
from penstock.policy.readers import ID, JSON, NUMBER, Reader, choice
from penstock.policy.shape import Fields, Key, Record, either, listed, mapped

# The operations whose calls a default is filled into; others do not take generation parameters.
GENERATING: Final = frozenset({Operation.CHAT, Operation.COMPLETE})

type Over = Literal["deny", "clamp"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A rule about one parameter."""

    allow: bool = True
    min: int | float | None = None
    max: int | float | None = None
    values: tuple[Json, ...] = ()
    """The only values allowed; empty: any."""
    default: Json = None
    over: Over = "deny"


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a call's parameters do not fit."""

    name: str
    message: str


@dataclass(frozen=True, slots=True)
class Change:
    """A value the grant sets in place of the caller's, or where there was none."""

    name: str
    action: Literal["clamp", "default"]
    value: Json


def settle(rules: Mapping[str, Parameter], call: Call) -> Refused | tuple[Change, ...]:
    """What becomes of the call's parameters under these rules.

    A parameter that is null counts as left out, unless a rule denies it. An unusual parameter needs a rule.
    """
    changes: list[Change] = []
    for name in call.parameters:
        rule = rules.get(name)
        if rule is None and name in call.unusual:
            return Refused(name, f"The parameter '{name[:60]}' is not granted.")
        if rule is not None and not rule.allow:
            return Refused(name, f"The parameter '{name}' is not granted.")
    for name, rule in rules.items():
        value = call.parameters.get(name)
        if value is None:
            if rule.default is not None and call.operation in GENERATING:
                changes.append(Change(name, "default", rule.default))
            continue
        found = _fit(rule, name, value)
        if isinstance(found, Refused):
            return found
        if found is not None:
            changes.append(found)
    return tuple(changes)


def _fit(rule: Parameter, name: str, value: Json) -> Refused | Change | None:
    if rule.values and not any(same(value, allowed) for allowed in rule.values):
        return Refused(name, f"The parameter '{name}' does not have one of the values that are granted.")
    if rule.min is None and rule.max is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return Refused(name, f"The parameter '{name}' must be a number.")
    nearest = _nearest(rule, value)
    if nearest is None:
        return None
    if rule.over == "clamp":
        return Change(name, "clamp", nearest)
    bound = f"at most {rule.max}" if nearest == rule.max else f"at least {rule.min}"
    return Refused(name, f"The parameter '{name}' may be {bound}.")


def _nearest(rule: Parameter, value: int | float) -> int | float | None:
    """The nearest value within the bounds, or None when `value` is within them.

    With `max` alone a value below zero is over it: servers read -1 as no limit at all.
    """
    if rule.max is not None and (value > rule.max or (rule.min is None and value < 0)):
        return rule.max
    if rule.min is not None and value < rule.min:
        return rule.min
    return None


def same(one: Json, other: Json) -> bool:
    """Equal as JSON: 1 is 1.0, but true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[name]) for name, value in one.items())
    return one == other


# The format

_OVER: Final[Reader[Over]] = choice("deny", "clamp", of="over")
_WORD: Final[Reader[str]] = choice("allow", "deny", of="parameter rule")

MIN: Final[Key[int | float | None]] = Key("min", NUMBER, "Lowest value.", None, "none; with `max`, zero")
MAX: Final[Key[int | float | None]] = Key("max", NUMBER, "Highest value.", None, "none")
VALUES: Final = Key("values", listed(JSON), "The only values allowed.", (), "any")
DEFAULT: Final = Key("default", JSON, "Filled in when a chat or completion leaves it out.", None, "left out")
OVER: Final = Key("over", _OVER, "A value outside the bounds is refused, or set to the nearest bound.", "deny")


def _bounds(fields: Fields) -> Parameter:
    rule = Parameter(True, fields[MIN], fields[MAX], fields[VALUES], fields[DEFAULT], fields[OVER])
    if rule.min is not None and rule.max is not None and rule.min > rule.max:
        raise fields.wrong(MIN, f"min {rule.min} is above max {rule.max}: no value would fit")
    if rule.over == "clamp" and rule.min is None and rule.max is None:
        raise fields.wrong(OVER, "over: clamp needs min or max to clamp to")
    if fields.given(DEFAULT):
        if rule.default is None:
            raise fields.wrong(DEFAULT, "a default of null fills in nothing: remove it")
        if _fit(rule, "default", rule.default) is not None:
            raise fields.wrong(DEFAULT, "the default is not a value that this rule allows")
    return rule


BOUNDS: Final = Record("parameter", "Bounds of one parameter.", (MIN, MAX, VALUES, DEFAULT, OVER), _bounds)


def _parameters() -> Reader[dict[str, Parameter]]:
    word: Reader[Parameter] = Reader(
        _WORD.title,
        lambda node, reading: Parameter(allow=_WORD.read(node, reading) == "allow"),
        _WORD.schema,
    )
    return mapped(either(word, BOUNDS.reader), names=ID)


PARAMETERS: Final = Key(
    "parameters",
    _parameters(),
    "Rules by canonical name (`max_tokens`): `allow`, `deny`, or bounds. An unusual parameter needs a rule.",
    {},
    "ordinary ones allowed",
)
