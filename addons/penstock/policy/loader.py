"""Reads a directory of YAML into a policy: all of it, or every problem at once."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from penstock.detect.syntax import PatternError
from penstock.errors import PolicyError, Problem
from penstock.policy import approvals, crosscheck, detectors, gateway, grants, guardrails, identities, masks, packs
from penstock.policy.book import Policy
from penstock.policy.canonical import fingerprint
from penstock.policy.directory import Signed, Snapshot, snapshot
from penstock.policy.format import FILE, VERSION
from penstock.policy.guardrails import REPLY, Guardrail
from penstock.policy.marked import Mark, Table, compose
from penstock.policy.masks import MaskingRule
from penstock.policy.reading import MAX_PROBLEMS, Reading, Unread, shown
from penstock.policy.screen import compile_screen
from penstock.policy.settings import Gateway, IdentitySettings, Limits, Upstream
from penstock.policy.shape import Key


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of reading a directory: a policy or an error, and the other files it looked at."""

    policy: Policy | None
    error: PolicyError | None
    other_files: tuple[tuple[Path, Signed], ...] = ()
    detectors: tuple[detectors.OwnDetector, ...] = ()
    """Those that the policy adds."""


def load(directory: Path, *, environ: Mapping[str, str] | None = None, now: float | None = None) -> Policy:
    """The policy of a directory.

    Raises: PolicyError with every problem of every file.
    """
    made = attempt(directory, environ=environ, now=now)
    if made.error is not None:
        raise made.error
    assert made.policy is not None
    return made.policy


def attempt(directory: Path, *, environ: Mapping[str, str] | None = None, now: float | None = None) -> Attempt:
    """Read a directory without raising."""
    try:
        found = snapshot(directory)
    except PolicyError as error:
        return Attempt(None, error)
    reading = Reading(directory, os.environ if environ is None else environ, time.time() if now is None else now)
    reading.detectors.update(detectors.BUILT_IN)
    files = _Files(found, reading)
    policy = files.policy()
    other_files = tuple(sorted(reading.other_files.items()))
    if policy is None or reading.problems:
        return Attempt(None, PolicyError(_sorted(reading.problems)), other_files)
    return Attempt(policy, None, other_files, files.own)


def _sorted(problems: list[Problem]) -> tuple[Problem, ...]:
    """In the order of places, each once; of very many only the first."""
    ordered = sorted(set(problems), key=lambda problem: (problem.file, problem.line, problem.column, problem.message))
    if len(ordered) > MAX_PROBLEMS:
        rest = Problem(ordered[MAX_PROBLEMS].file, 0, 0, f"and {len(ordered) - MAX_PROBLEMS} more problems")
        return (*ordered[:MAX_PROBLEMS], rest)
    return tuple(ordered)


class _Files:
    """The files of one reading, and the keys that stand in them."""

    def __init__(self, found: Snapshot, reading: Reading) -> None:
        self._found = found
        self._reading = reading
        self._tables = list(self._open())
        self.own: tuple[detectors.OwnDetector, ...] = ()

    def policy(self) -> Policy | None:
        """The whole policy; None, with problems noted, when something in it does not hold."""
        own = self.own = self.joined(detectors.DETECTORS_KEY)
        detectors.know(own, self._reading)
        settings = self._gateway()
        granted = self.joined(grants.GRANTS_KEY)
        rails = self.joined(guardrails.GUARDRAILS_KEY)
        used = tuple(packs.Library(self._found.packs, self._reading).use(self.joined(packs.PACKS_KEY)))
        parts = (
            granted,
            (*rails, *(rail for pack in used for rail in pack.guardrails)),
            self.joined(masks.MASKING_KEY),
            self.joined(approvals.APPROVALS_KEY),
        )
        self._version()
        self._reading.close()
        crosscheck.check(settings, *parts[:3], self._reading)
        if self._reading.problems or not self._compiles(parts[2], parts[1]):
            return None
        return Policy(
            fingerprint((settings, *parts, own)),
            settings,
            *parts,
            warnings=tuple(self._reading.warnings),
            signature=self._found.signature,
            other_files=tuple(sorted(self._reading.other_files.items())),
            packs=used,
        )

    def _compiles(self, masking: Sequence[MaskingRule], rails: Sequence[Guardrail]) -> bool:
        """Whether the rules about texts work together; what is compiled once here is quick when calls need it."""
        try:
            compile_screen(masking, [rail for rail in rails if rail.on & REPLY])
        except PatternError as error:
            self._reading.wrong(Mark(str(self._reading.directory), 0, 0), error.line())
            return False
        return True

    def joined[T](self, key: Key[tuple[T, ...]]) -> tuple[T, ...]:
        """A list, from every file that has it."""
        return tuple(item for _, items in self._read(key) for item in items)

    def once[T](self, key: Key[T | None]) -> T | None:
        """A value that only one file may give."""
        found = list(self._read(key))
        for mark, _ in found[1:]:
            self._reading.wrong(mark, f"'{key.name}' stands in {found[0][0]} already: keep one")
        return found[0][1] if found else None

    def _open(self) -> Iterator[Table]:
        reading = self._reading
        for name, data in self._found.files:
            node = compose(str(reading.directory / name), data, reading.problems)
            if isinstance(node, Table):
                FILE.known(node, reading)
                yield node
            elif node is not None:
                reading.wrong(node.mark, f"expected a mapping with keys of the policy, not {shown(node)}")
        for name in self._found.unread:
            reading.warn(Mark(str(reading.directory / name), 0, 0), "YAML in subfolders is not read: move it up")

    def _read[T](self, key: Key[T]) -> Iterator[tuple[Mark, T]]:
        for table in self._tables:
            entry = table.entries.get(key.name)
            if entry is not None:
                with suppress(Unread):
                    yield entry.key, key.reader.read(entry.node, self._reading)

    def _version(self) -> None:
        if not any(VERSION.name in table.entries for table in self._tables):
            self._reading.wrong(
                Mark(str(self._reading.directory), 0, 0), "no file says which format it is: add 'version: 1'"
            )
        list(self._read(VERSION))

    def _gateway(self) -> Gateway:
        upstreams: dict[str, Upstream] = {}
        for _, several in self._read(gateway.UPSTREAMS_KEY):
            upstreams |= {name: replace(upstream, name=name) for name, upstream in several.items()}
        return Gateway(
            listen=crosscheck.listeners(self.joined(gateway.LISTEN_KEY), upstreams, self._reading),
            data=Path(self.once(gateway.DATA_KEY) or "data"),
            upstreams=MappingProxyType(upstreams),
            limits=self.once(gateway.LIMITS_KEY) or Limits(),
            identity=self._identity(),
            hold_seconds=self.once(gateway.HOLD_KEY) or 60.0,
        )

    def _identity(self) -> IdentitySettings:
        parts = [fields for _, fields in self._read(identities.IDENTITY_KEY) if fields is not None]
        given = [fields for fields in parts if fields.given(identities.RESOURCE)]
        for fields in given[1:]:
            fields.wrong(identities.RESOURCE, "'resource' stands in another file already: keep one")
        return IdentitySettings(
            issuers=tuple(issuer for fields in parts for issuer in fields[identities.ISSUERS]),
            keys=tuple(key for fields in parts for key in fields[identities.KEYS]),
            resource=(given[0][identities.RESOURCE] or "") if given else "",
        )
