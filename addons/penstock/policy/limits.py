"""How much a caller may use under a grant: requests and tokens in a sliding window, and calls at the same time.

Exact within a thousandth of the window, in memory, without a clock of its own: every method is told the time.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from penstock.policy.amounts import RATE, Rate
from penstock.policy.readers import whole
from penstock.policy.shape import Fields, Key, Record

# Entries of a window closer together than this part of it are counted as one, at the later of their times.
_RESOLUTION: Final = 1024
_SWEEP_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Quota:
    """The limits of one grant, for each of its callers; None: not limited."""

    requests: Rate | None = None
    tokens: Rate | None = None
    concurrent: int | None = None


UNLIMITED: Final = Quota()


@dataclass(slots=True)
class _Entry:
    begun: float
    at: float
    amount: int


@dataclass(slots=True)
class Window:
    """What was used in the last `seconds`; nothing is forgotten too early."""

    seconds: float
    used: int = 0
    _entries: deque[_Entry] = field(default_factory=deque[_Entry])

    def add(self, amount: int, now: float) -> None:
        self.used += amount
        last = self._entries[-1] if self._entries else None
        if last is not None and now - last.begun < self.seconds / _RESOLUTION:
            last.at, last.amount = now, last.amount + amount
        else:
            self._entries.append(_Entry(now, now, amount))

    def expire(self, now: float) -> None:
        """Drop what lies a whole window back."""
        while self._entries and self._entries[0].at <= now - self.seconds:
            self.used -= self._entries.popleft().amount

    def wait(self, limit: int, now: float) -> float:
        """Seconds until less than `limit` is used; 0 when it is less already."""
        wait = 0.0
        excess = self.used - limit + 1
        for entry in self._entries:
            if excess <= 0:
                break
            excess -= entry.amount
            wait = entry.at + self.seconds - now
        return wait


@dataclass(slots=True)
class _Account:
    """What one caller uses of one grant."""

    requests: Window = field(default_factory=lambda: Window(0.0))
    tokens: Window = field(default_factory=lambda: Window(0.0))
    running: int = 0
    now: float = 0.0

    def see(self, quota: Quota, now: float) -> float:
        """Bring the account to this moment and this quota; time never goes backwards here."""
        self.now = max(self.now, now)
        self.requests.seconds = quota.requests.seconds if quota.requests is not None else 0.0
        self.requests.expire(self.now)
        self.tokens.seconds = quota.tokens.seconds if quota.tokens is not None else 0.0
        self.tokens.expire(self.now)
        return self.now

    def wait(self, quota: Quota, now: float) -> float:
        wait = 0.0
        if quota.requests is not None and self.requests.used >= quota.requests.count:
            wait = self.requests.wait(quota.requests.count, now)
        if quota.tokens is not None and self.tokens.used >= quota.tokens.count:
            wait = max(wait, self.tokens.wait(quota.tokens.count, now))
        if quota.concurrent is not None and self.running >= quota.concurrent:
            wait = max(wait, 1.0)
        return wait

    def idle(self, now: float) -> bool:
        self.requests.expire(now)
        self.tokens.expire(now)
        return not self.running and not self.requests.used and not self.tokens.used


@dataclass(slots=True, eq=False)
class Lease:
    """One call that runs under a grant; to be ended once it is over, however it ended."""

    _account: _Account | None

    def end(self, *, tokens: int, now: float) -> None:
        """Free the caller's place and charge the tokens. A second time does nothing."""
        account, self._account = self._account, None
        if account is None:
            return
        account.running -= 1
        account.now = max(account.now, now)
        if tokens > 0 and account.tokens.seconds:
            account.tokens.add(tokens, account.now)


class Limits:
    """Every caller's use of every grant. It outlives reloads of the policy. Not for use from several threads."""

    def __init__(self) -> None:
        self._accounts: dict[tuple[str, str], _Account] = {}
        self._swept = -math.inf

    def take(self, caller: str, grant: str, quota: Quota, now: float) -> int | None:
        """Count a call in, or say after how many seconds there may be room; nothing is counted then.

        Every call that is counted in ends by `lease(caller, grant).end(...)`.
        """
        self._sweep(now)
        account = self._accounts.get((caller, grant))
        if account is None:
            account = self._accounts[caller, grant] = _Account()
        now = account.see(quota, now)
        if wait := account.wait(quota, now):
            return max(1, math.ceil(wait))
        account.running += 1
        if quota.requests is not None:
            account.requests.add(1, now)
        return None

    def lease(self, caller: str, grant: str) -> Lease:
        """The lease of a call that `take` has just counted in; take it once for each."""
        return Lease(self._accounts.get((caller, grant)))

    def _sweep(self, now: float) -> None:
        if now - self._swept < _SWEEP_SECONDS:
            return
        self._swept = now
        for key in [key for key, account in self._accounts.items() if account.idle(max(now, account.now))]:
            del self._accounts[key]

    @property
    def remembered(self) -> int:
        """How many pairs of caller and grant are in use, or were lately."""
        return len(self._accounts)


# The format

REQUESTS: Final[Key[Rate | None]] = Key("requests", RATE, "Calls in any such time.", None, "not limited")
TOKENS: Final[Key[Rate | None]] = Key(
    "tokens", RATE, "Tokens of prompts and replies, charged when a reply ends.", None, "not limited"
)
CONCURRENT: Final[Key[int | None]] = Key(
    "concurrent", whole(1, 100_000), "Calls at the same time, held ones included.", None, "not limited"
)


def _quota(fields: Fields) -> Quota:
    return Quota(fields[REQUESTS], fields[TOKENS], fields[CONCURRENT])


QUOTA: Final = Record("quota", "How much each caller may use under a grant.", (REQUESTS, TOKENS, CONCURRENT), _quota)
QUOTA_KEY: Final = Key("limits", QUOTA.reader, "How much each caller may use.", UNLIMITED, "not limited")
