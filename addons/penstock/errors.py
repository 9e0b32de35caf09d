"""The one family of errors; each knows what a person can do about it.

Two branches matter. A `Refusal` is an answer to a caller: it carries the HTTP status and a code, and its text is
safe to send (never a secret, a matched value, a stack or an internal address). Everything else is for whoever
runs the gateway: subject, place and remedy, printed in one line.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final


class PenstockError(Exception):
    """Base of every error the project raises on purpose; `advice` says what to do next, or is empty."""

    advice: str = ""

    def __init__(self, message: str, *, advice: str = "") -> None:
        super().__init__(message)
        if advice:
            self.advice = advice

    def line(self) -> str:
        """The whole error in one line, for a terminal."""
        text = " ".join(str(self).split())
        return f"{text} ({self.advice})" if self.advice else text


class ConfigurationError(PenstockError):
    """The gateway cannot start or go on as it is configured."""


class StoreError(PenstockError):
    """The audit cannot be read or written."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in one place of the policy."""

    file: str
    line: int
    """1-based; 0 when the problem has no place of its own."""
    column: int
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{place}: {self.message}"


class PolicyError(ConfigurationError):
    """The policy does not hold; every problem found is in `problems`."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


# What a refusal is called, and the status it has when nothing more is known (design: http.md).
STATUS: Final = {
    "no_credential": 401,
    "invalid_token": 401,
    "not_granted": 403,
    "policy_violation": 403,
    "approval_pending": 403,
    "approval_denied": 403,
    "rate_limited": 429,
    "body_too_large": 413,
    "invalid_request": 400,
    "unknown_endpoint": 404,
    "not_served": 403,
    "gateway_error": 503,
    "upstream_unreachable": 502,
    "upstream_timeout": 504,
}


@dataclass(eq=False)
class Refusal(PenstockError):
    """An answer other than the model's; raised anywhere in the chain, rendered once in the caller's dialect."""

    code: str
    message: str
    status: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    advice: str = field(default="")

    def __post_init__(self) -> None:
        Exception.__init__(self, self.message)
        if not self.status:
            self.status = STATUS[self.code]


def invalid(message: str) -> Refusal:
    """A request that cannot be read exactly one way (400)."""
    return Refusal("invalid_request", message)


def failed() -> Refusal:
    """The gateway's own failure (503); says nothing of its cause."""
    return Refusal("gateway_error", "The gateway could not process this request.")
