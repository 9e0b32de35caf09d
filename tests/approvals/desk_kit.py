"""What the tests of the desk share: people, a clock that they set, and a journal that can refuse."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from penstock.approvals.desk import Desk
from penstock.approvals.digest import Held
from penstock.approvals.note import Note
from penstock.approvals.shelf import Bounds
from penstock.caller import Caller
from penstock.errors import StoreError
from penstock.policy.settings import ApprovalRule

START = 1_800_000_000.0


def someone(subject: str, *groups: str, issuer: str = "corp", expires: float = START + 86_400) -> Caller:
    return Caller(issuer, subject, frozenset(groups), "oidc", expires)


ALICE = someone("alice", "corp:data-science")
SAM = someone("sam", "corp:security")
TESS = someone("tess", "corp:security", "corp:leads")
OTTO = someone("otto", "corp:oncall")
EVE = someone("eve", "corp:data-science")

RULE = ApprovalRule(
    "risky",
    approvers=frozenset({"corp:security", "corp:leads"}),
    quorum=1,
    expires=900.0,
    reason_required=False,
    break_glass=frozenset({"corp:oncall"}),
)
TWO = replace(RULE, id="two", quorum=2)
HOURLY = replace(RULE, id="hourly", grant_for=3600.0, grant_scope=frozenset({"caller", "rule"}))

HELD = Held(
    exchange="X1",
    caller=ALICE,
    method="POST",
    upstream="lab",
    path="/v1/chat/completions",
    operation="chat",
    model="llama3.2",
    body=b'{"model":"llama3.2"}',
    policy="p" * 64,
    rules=("bulk-export",),
    message="Bulk export needs a ticket.",
    prompt="user: export all customers",
)


@dataclass
class Clock:
    now: float = START

    def __call__(self) -> float:
        return self.now


@dataclass
class Journal:
    """Keeps the notes; refuses while `full`."""

    notes: list[Note] = field(default_factory=list[Note])
    full: bool = False

    def __call__(self, note: Note) -> None:
        if self.full:
            raise StoreError("no space left")
        self.notes.append(note)

    @property
    def events(self) -> list[str]:
        return [note.event for note in self.notes]


class Bench:
    """A desk with its clock and journal."""

    def __init__(self, bounds: Bounds = Bounds()) -> None:
        self.clock, self.journal = Clock(), Journal()
        self._count = 0
        self.desk = Desk(self.clock, self.journal, ids=self._next, bounds=bounds)

    def _next(self) -> str:
        self._count += 1
        return f"T{self._count}"

    def later(self, seconds: float) -> None:
        self.clock.now += seconds
