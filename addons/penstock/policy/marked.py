"""YAML as marked nodes: every value knows its file, line and column, and nothing is read that people cannot see.

A subset of YAML on purpose: no tags, anchors, aliases or merge keys, one document a file, text keys, `true` and
`false` as the only booleans, decimal numbers. Whatever lies outside is a problem with a place, never a surprise.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Final

import yaml

from penstock.errors import Problem
from penstock.policy.syntax import complaint

# libyaml where the wheel has it: 13 times less CPU, and the same events.
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
MAX_BYTES: Final = 1_000_000
MAX_DEPTH: Final = 32
MAX_DIGITS: Final = 15
"""Of a number: what a double holds exactly."""

# What YAML cannot hold, and what a person cannot see in a rule (bidi controls, zero-width and tag characters):
# written as an escape in double quotes it is welcome. Zero-width joiners stay, words and emoji are spelt with them.
_UNSEEN: Final = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
    "|[\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]"
)
_UNFIT: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_INTEGER: Final = re.compile(r"[-+]?(0|[1-9][0-9]*)\Z")
_FLOAT: Final = re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))([eE][-+]?[0-9]{1,4})?\Z")


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a file; line and column count from 1."""

    file: str
    line: int
    column: int

    def problem(self, message: str) -> Problem:
        return Problem(self.file, self.line, self.column, message)

    def __str__(self) -> str:
        """As the audit shows it: the file's name and the line."""
        return f"{PurePath(self.file).name}:{self.line}"


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value as it was written; `plain` when it stood without quotes."""

    mark: Mark
    text: str
    plain: bool

    @property
    def value(self) -> bool | int | float | str | None:
        """What it means: quotes make text; otherwise null, a boolean, a number or text."""
        if not self.plain:
            return self.text
        if self.text in ("", "~", "null"):
            return None
        if self.text in ("true", "false"):
            return self.text == "true"
        if _INTEGER.match(self.text):
            return int(self.text)
        return float(self.text) if _FLOAT.match(self.text) else self.text


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    mark: Mark
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A value of a mapping, with where its key stands."""

    key: Mark
    node: Node


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping, in the order written."""

    mark: Mark
    entries: Mapping[str, Entry]


type Node = Scalar | Items | Table


class Unreadable(Exception):
    """The file cannot be read on; the problem says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def compose(file: str, data: bytes, problems: list[Problem]) -> Node | None:
    """The file's only document; adds to `problems` whatever is wrong with it. None when nothing can be read."""
    text = ""
    try:
        text = _decode(file, data)
        return _Composer(file, problems).compose(text)
    except Unreadable as error:
        problems.append(error.problem)
    except yaml.MarkedYAMLError as error:
        problems.append(complaint(file, text, error))
    return None


def _decode(file: str, data: bytes) -> str:
    if len(data) > MAX_BYTES:
        raise Unreadable(Problem(file, 0, 0, f"larger than {MAX_BYTES:,} bytes: split it into several files"))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        message = f"byte 0x{data[error.start]:02x} is not UTF-8: save the file as UTF-8"
        raise Unreadable(Problem(file, line, column, message)) from None
    if unseen := _UNSEEN.search(text):
        start = unseen.start()
        place = Problem(
            file,
            text.count("\n", 0, start) + 1,
            start - text.rfind("\n", 0, start),
            f"unseen character U+{ord(unseen[0]):04X}: write it as an escape in double quotes",
        )
        raise Unreadable(place)
    return text


@dataclass(slots=True)
class _Frame:
    """A list or mapping that is still open."""

    mark: Mark
    table: bool
    items: list[Node] = field(default_factory=list)
    entries: dict[str, Entry] = field(default_factory=dict)
    key: Node | None = None


class _Composer:
    """Builds nodes from the parser's events without recursion, so that no nesting can exhaust the stack."""

    def __init__(self, file: str, problems: list[Problem]) -> None:
        self._file = file
        self._problems = problems
        self._stack: list[_Frame] = []
        self._root: Node | None = None
        self._documents = 0

    def compose(self, text: str) -> Node | None:
        events: Iterator[yaml.Event] = yaml.parse(text, Loader=_LOADER)
        for event in events:
            self._take(event)
        if self._root is None or (isinstance(self._root, Scalar) and self._root.value is None):
            raise Unreadable(Problem(self._file, 0, 0, "nothing in it: add a key of the policy, or remove the file"))
        return self._root

    def _take(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise Unreadable(self._mark(event).problem("a second document: one a file, without '---' between"))
        elif isinstance(event, yaml.AliasEvent):
            self._note(event, f"alias '*{event.anchor}': anchors and aliases are not read, write the value out")
            self._place(Scalar(self._mark(event), "", plain=False))
        elif isinstance(event, yaml.ScalarEvent):
            self._seen(event)
            self._place(self._scalar(event))
        elif isinstance(event, yaml.SequenceStartEvent | yaml.MappingStartEvent):
            self._seen(event)
            self._open(event)
        elif isinstance(event, yaml.SequenceEndEvent | yaml.MappingEndEvent):
            self._close()

    def _seen(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent) -> None:
        if event.anchor is not None:
            self._note(event, f"anchor '&{event.anchor}': anchors and aliases are not read, write the value out")
        if event.tag is not None:
            shown = event.tag.replace("tag:yaml.org,2002:", "!!")[:80]
            self._note(event, f"tag '{shown}': tags are not read, remove it")

    def _scalar(self, event: yaml.ScalarEvent) -> Scalar:
        node = Scalar(self._mark(event), event.value, plain=not event.style)
        if unfit := _UNFIT.search(event.value):
            self._note(event, f"control character U+{ord(unfit[0]):04X} in a text")
            return Scalar(node.mark, "", plain=False)
        digits = sum(map(str.isdigit, event.value))
        if node.plain and digits > MAX_DIGITS and (_INTEGER.match(node.text) or _FLOAT.match(node.text)):
            self._note(event, f"a number of {digits} digits is too long: put it in quotes if it is text")
            return Scalar(node.mark, "0", plain=True)
        if isinstance(node.value, float) and not math.isfinite(node.value):
            self._note(event, f"the number {node.text} is too large")
            return Scalar(node.mark, "0", plain=True)
        return node

    def _open(self, event: yaml.CollectionStartEvent) -> None:
        if len(self._stack) >= MAX_DEPTH:
            raise Unreadable(self._mark(event).problem(f"nested more than {MAX_DEPTH} deep"))
        self._stack.append(_Frame(self._mark(event), isinstance(event, yaml.MappingStartEvent)))

    def _close(self) -> None:
        frame = self._stack.pop()
        self._place(Table(frame.mark, frame.entries) if frame.table else Items(frame.mark, tuple(frame.items)))

    def _place(self, node: Node) -> None:
        if not self._stack:
            self._root = node
            return
        frame = self._stack[-1]
        if not frame.table:
            frame.items.append(node)
        elif frame.key is None:
            frame.key = node
        else:
            self._enter(frame, frame.key, node)
            frame.key = None

    def _enter(self, frame: _Frame, key: Node, node: Node) -> None:
        if not isinstance(key, Scalar) or not isinstance(key.value, str):
            shown = f" '{key.text}'" if isinstance(key, Scalar) else ""
            self._problems.append(key.mark.problem(f"key{shown} is not text: put it in quotes"))
        elif key.text == "<<" and key.plain:
            self._problems.append(key.mark.problem("merge key '<<' is not read: write the values out"))
        elif (first := frame.entries.get(key.text)) is not None:
            message = f"key '{key.text[:80]}' is here a second time (first on line {first.key.line}): keep one"
            self._problems.append(key.mark.problem(message))
        else:
            frame.entries[key.text] = Entry(key.mark, node)

    def _mark(self, event: yaml.Event) -> Mark:
        mark = event.start_mark
        assert mark is not None
        return Mark(self._file, mark.line + 1, mark.column + 1)

    def _note(self, event: yaml.Event, message: str) -> None:
        self._problems.append(self._mark(event).problem(message))
