"""Guardrails: what may be said, by callers and by models."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from penstock.policy.marked import Mark, Node
from penstock.policy.match import MATCH
from penstock.policy.matcher import Matcher
from penstock.policy.readers import TEXT, Reader, choice, declared, reference
from penstock.policy.reading import Reading
from penstock.policy.scope import WHEN_KEY, Scope
from penstock.policy.shape import Fields, Key, Record, either, listed
from penstock.policy.subject import On
from penstock.verdict import Match

type Act = Literal["deny", "hold", "flag"]
type Mode = Literal["enforce", "observe"]

# What a reply holds; on these a guardrail ends the reply or flags it.
REPLY: Final[frozenset[On]] = frozenset({"completion", "tool_call"})
MESSAGES: Final = {"deny": "This call is not allowed by policy.", "hold": "This call needs an approval.", "flag": ""}


@dataclass(frozen=True, slots=True)
class Action:
    """What becomes of a call that the rule hits; a hold may name the approval rule that it waits for."""

    act: Act
    approval: str | None = None


@dataclass(frozen=True, slots=True)
class Guardrail:
    """One rule about what is said."""

    id: str
    on: frozenset[On]
    when: Scope
    match: Matcher
    action: Action
    message: str
    mode: Mode
    where: str = field(compare=False)
    asked: frozenset[On] = field(init=False, compare=False, repr=False)
    """What of a call it reads."""
    needs: frozenset[str] | None = field(init=False, compare=False, repr=False)
    """As its match says."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "asked", self.on - {"completion"})
        object.__setattr__(self, "needs", self.match.needs)

    @property
    def streams(self) -> bool:
        """It can judge a reply while it passes."""
        return self.match.detectors is not None

    @property
    def stops(self) -> bool:
        """A hit ends the reply."""
        return self.action.act != "flag" and self.mode == "enforce"

    def matched(self) -> Match:
        """How the verdict reports a hit."""
        return Match(self.id, "guardrail", self.where, self.action.act, self.mode)


# The format

_ON: Final[Reader[On]] = choice("prompt", "completion", "tool_call", "parameters", "operation", of="subject")
_ACT: Final[Reader[Act]] = choice("deny", "hold", "flag", of="action")
_MODE: Final[Reader[Mode]] = choice("enforce", "observe", of="mode")


def _read_act(node: Node, reading: Reading) -> Action:
    return Action(_ACT.read(node, reading))


HOLD: Final = Key("hold", reference("approval"), "The approval rule that it waits for.")
HOLD_FOR: Final = Record("hold", "A hold that names its approval rule.", (HOLD,), lambda f: Action("hold", f[HOLD]))

ID_KEY: Final = Key("id", declared("guardrail"), "Name of the rule, as the audit shows it.")
ON: Final = Key(
    "on",
    listed(_ON),
    "What it reads: `prompt`, `completion`, `tool_call` (a model's calls of tools, in requests and replies), "
    "`parameters`, `operation`.",
)
MATCH_KEY: Final = Key("match", MATCH, "What it looks for.")
ACTION: Final = Key(
    "action",
    either(Reader(_ACT.title, _read_act, _ACT.schema), HOLD_FOR.reader),
    "`deny`, `flag` (reported only), or `hold` until someone approves: `{hold: APPROVAL}`.",
)
MESSAGE: Final[Key[str | None]] = Key(
    "message", TEXT, "What the caller reads; never the matched text.", None, "a general one"
)
MODE: Final = Key("mode", _MODE, "`observe`: reported, without any effect.", "enforce")


def rule(fields: Fields, when: Scope, mode: Mode) -> Guardrail:
    """The rule that stands in a mapping of the policy or of a pack."""
    on, match, action = frozenset(fields[ON]), fields[MATCH_KEY], fields[ACTION]
    if strange := sorted(on - match.reads):
        raise fields.wrong(MATCH_KEY, f"this match cannot read: {', '.join(strange)} (see `on`)")
    if on & REPLY and action.act == "hold":
        raise fields.wrong(ACTION, "a reply cannot be held: use deny, or hold what is asked (on: prompt)")
    if action == Action("hold"):
        fields.reading.unnamed_holds.append(fields.at(ACTION))
    return Guardrail(
        id=fields[ID_KEY],
        on=on,
        when=when,
        match=match,
        action=action,
        message=fields[MESSAGE] or MESSAGES[action.act],
        mode=mode,
        where=str(fields.mark),
    )


def _guardrail(fields: Fields) -> Guardrail:
    rail = rule(fields, fields[WHEN_KEY], fields[MODE])
    warn(rail, fields.at(MATCH_KEY), fields.reading)
    return rail


def warn(rail: Guardrail, mark: Mark, reading: Reading) -> None:
    """Tell of a rule for which replies have to wait."""
    if rail.on & REPLY and not rail.streams and rail.stops:
        message = f"guardrail '{rail.id}' needs whole texts: replies it applies to are delivered only when complete"
        reading.warn(mark, message)


GUARDRAIL: Final = Record(
    "guardrail",
    "What may be said.",
    (ID_KEY, ON, WHEN_KEY, MATCH_KEY, ACTION, MESSAGE, MODE),
    _guardrail,
)
GUARDRAILS_KEY: Final = Key("guardrails", listed(GUARDRAIL.reader), "What may be said.", (), "everything")
