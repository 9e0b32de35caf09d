"""Packs of guardrails: rules that ship with Penstock, or lie in a policy's own `packs/`, used by one line of a policy.

A pack is a file of guardrails, each with texts that it must find and texts that it must leave alone. `penstock check`
and `penstock test` try those; in a policy the pack's rules are guardrails like any other, named `PACK.RULE`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from penstock.policy.directory import PACKS, SUFFIXES
from penstock.policy.guardrails import ACTION, MATCH_KEY, MESSAGE, MODE, ON, Guardrail, Mode, rule, warn
from penstock.policy.marked import Mark, Node, compose
from penstock.policy.readers import ID, TEXT, Reader
from penstock.policy.reading import Reading, Unread, meant, scalar
from penstock.policy.scope import EVERYTHING, WHEN_KEY, Scope
from penstock.policy.shape import Fields, Key, Record, either, listed


@dataclass(frozen=True, slots=True)
class Example:
    """A text that a rule must find, or that its pack must leave alone."""

    text: str
    rule: str
    """The rule that it stands with."""
    found: bool
    mark: Mark


@dataclass(frozen=True, slots=True)
class Pack:
    """A pack, as a policy uses it."""

    name: str
    about: str
    guardrails: tuple[Guardrail, ...]
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class Use:
    """A pack that a policy names, and on what terms."""

    name: str
    mark: Mark
    mode: Mode = "observe"
    when: Scope = EVERYTHING
    without: tuple[str, ...] = ()


# In a policy

_TITLE: Final = "the name of a pack"


def _named(node: Node, reading: Reading) -> Use:
    given = scalar(node, reading, _TITLE)
    name = TEXT.read(given, reading)
    reading.declare("pack", name, node.mark)
    return Use(name, node.mark)


_NAME: Final = Reader(_TITLE, _named, TEXT.schema)
NAME: Final = Key("name", _NAME, "The pack.")
OBSERVED: Final = replace(MODE, default="observe", otherwise="")
WITHOUT: Final = Key("without", listed(ID), "Rules of the pack that are left out.", (), "none")


def _use(fields: Fields) -> Use:
    return replace(fields[NAME], mode=fields[OBSERVED], when=fields[WHEN_KEY], without=fields[WITHOUT])


USE: Final = Record("pack_use", "A pack, and on what terms.", (NAME, OBSERVED, WHEN_KEY, WITHOUT), _use)
PACKS_KEY: Final = Key(
    "packs",
    listed(either(_NAME, USE.reader)),
    "Packs of guardrails, by name; observed only, unless enforced.",
    (),
    "none",
)

# In the file of a pack


def _example(node: Node, reading: Reading) -> tuple[Mark, str]:
    return node.mark, TEXT.read(node, reading)


_EXAMPLES: Final = listed(Reader("text", _example, TEXT.schema))
RULE_ID: Final = Key("id", ID, "Name of the rule within the pack.")
HITS: Final = Key("hits", _EXAMPLES, "Texts that the rule must find.")
MISSES: Final = Key("misses", _EXAMPLES, "Texts that no rule of the pack may find.")


def _rule(fields: Fields) -> tuple[Guardrail, tuple[Example, ...], Mark]:
    id = fields[RULE_ID]
    examples = [Example(text, id, key is HITS, mark) for key in (HITS, MISSES) for mark, text in fields[key]]
    return rule(fields, EVERYTHING, "observe"), tuple(examples), fields.at(MATCH_KEY)


RULE: Final = Record(
    "pack_rule", "A guardrail of a pack.", (RULE_ID, ON, MATCH_KEY, ACTION, MESSAGE, HITS, MISSES), _rule
)
ABOUT: Final = Key("about", TEXT, "What the pack is for, in a sentence.")
RULES: Final = Key("guardrails", listed(RULE.reader), "Its rules.")
PACK: Final = Record("pack", "A file of a pack, `packs/NAME.yaml`.", (ABOUT, RULES), lambda fields: fields)
RECORDS: Final = (PACK, RULE)


def shipped() -> Path:
    """The folder of the packs that ship: beside the package's modules, or in the checkout that they lie in."""
    package = Path(__file__).parents[1]
    inside = package / "rules" / PACKS
    return inside if inside.is_dir() else package.parents[1] / "rules" / PACKS


class Library:
    """The packs that a policy can use: its own, and those that ship. Its own come first."""

    def __init__(self, own: Sequence[tuple[str, bytes]], reading: Reading) -> None:
        self._reading = reading
        self._own = {Path(name).stem: (str(reading.directory / name), data) for name, data in own}
        folder = shipped()
        found = folder.iterdir() if folder.is_dir() else ()
        self._shipped = {path.stem: path for path in found if path.suffix in SUFFIXES}

    def use(self, uses: Sequence[Use]) -> Iterator[Pack]:
        """The packs that are used; what is wrong with one is noted."""
        for use in uses:
            with suppress(Unread):
                yield self._pack(use)

    def _fields(self, use: Use) -> Fields:
        reading, own = self._reading, self._own.get(use.name)
        path = self._shipped.get(use.name)
        ours = path.read_bytes() if path is not None else b""
        if own is None and path is None:
            raise reading.wrong(
                use.mark, f"unknown pack '{use.name[:60]}'{meant(use.name, {*self._own, *self._shipped})}"
            )
        file, data = own or (str(path), ours)
        node = compose(file, data, reading.problems)
        if node is None:
            raise reading.wrong(use.mark, f"pack '{use.name}' cannot be read, or is empty")
        reading.trusted = data == ours
        try:
            return PACK.fields(node, reading)
        finally:
            reading.trusted = False

    def _pack(self, use: Use) -> Pack:
        reading, fields = self._reading, self._fields(use)
        rules = fields[RULES]
        ids = [rail.id for rail, _, _ in rules]
        for name in use.without:
            if name not in ids:
                reading.wrong(use.mark, f"pack '{use.name}' has no rule '{name}'{meant(name, ids)}")
        made: list[Guardrail] = []
        examples: list[Example] = []
        for rail, tried, mark in rules:
            reading.declare("guardrail", f"{use.name}.{rail.id}", mark)
            if rail.id not in use.without:
                named = replace(rail, id=f"{use.name}.{rail.id}", when=use.when, mode=use.mode)
                warn(named, mark, reading)
                made.append(named)
                examples += tried
        return Pack(use.name, fields[ABOUT], tuple(made), tuple(examples))
