"""Notices that the files of a policy changed, and reads them again once they hold still."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from penstock.errors import PolicyError
from penstock.policy.book import Policy
from penstock.policy.directory import Signature, Signed, sign, signature
from penstock.policy.loader import attempt

# After so many polls in which the files never held still they are read all the same: reading them is atomic.
_PATIENCE: Final = 8

type _State = tuple[Signature, tuple[tuple[Path, Signed], ...]]


class Watcher:
    """Looks at a directory, and at the other files its policy refers to. Not for several threads at once."""

    def __init__(self, directory: Path, policy: Policy, *, environ: Mapping[str, str] | None = None) -> None:
        self.policy = policy
        """The last good one."""
        self._directory = directory
        self._environ = os.environ if environ is None else environ
        self._other_files = policy.other_files
        self._seen: _State = (policy.signature, policy.other_files)
        self._moving: _State | None = None
        self._restless = 0

    def poll(self) -> Policy | PolicyError | None:
        """A new policy, or why there is none; None when nothing changed, or has not held still for two polls yet.

        A change is told of once. To be called every half second or so; reads files, so best in a thread.
        """
        state = self._state()
        if state == self._seen:
            self._moving, self._restless = None, 0
            return None
        if state != self._moving and self._restless < _PATIENCE:
            self._moving = state
            self._restless += 1
            return None
        self._moving, self._restless = None, 0
        made = attempt(self._directory, environ=self._environ)
        self._other_files = made.other_files
        if made.policy is None:
            assert made.error is not None
            # What was read is not known here; what was seen before it is, and a later change differs from that.
            self._seen = (state[0], made.other_files)
            return made.error
        self.policy = made.policy
        self._seen = (made.policy.signature, made.policy.other_files)
        return made.policy

    def _state(self) -> _State:
        return signature(self._directory), tuple((path, sign(path)) for path, _ in self._other_files)
