"""The texts of one response: which were told already, and where those that go on stand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from penstock.apis.openai.responses.events import Text
from penstock.apis.replies.pieces import DOCUMENT, Holder, Mode, Piece, Place, UnreadableError
from penstock.exchange import JsonObject, Path

_MOST: Final = 10_000


class Flow:
    """A text that goes on from event to event, and what the events say beside it."""

    __slots__ = ("around", "closed", "parts", "place", "places", "text")

    def __init__(self, index: int, text: Text, path: Path, around: JsonObject) -> None:
        self.text = text
        self.place = Place((index, text.label), path, text.tool, text.form)
        self.places = {path: self.place}
        self.around = around
        self.parts: list[str] = []
        self.closed = False

    @property
    def index(self) -> int:
        return self.place.channel[0]

    def whole(self) -> str:
        return "".join(self.parts)

    def beside(self, path: Path) -> Place:
        """The place of another string that the same events have: what nobody knows may go on, too."""
        found = self.places.get(path)
        if found is None:
            if len(self.places) > 20:
                raise UnreadableError
            label = ".".join((self.text.label, *map(str, path)))
            found = self.places[path] = Place((self.index, label), path, self.text.tool)
        return found


type Slot = tuple[str, int, str, int]
"""Item id, output index, label, and the number among several such texts of the item."""


class Told:
    """What a response has said so far. A text that is said whole after it was said in pieces is a repetition; a text
    that only ever comes whole is read, counted and kept like any other."""

    def __init__(self, echoes: Iterable[str] = ()) -> None:
        """`echoes`: texts of the request, which servers send back."""
        self._flows: dict[Slot, Flow] = {}
        self._wholes: set[tuple[bool, str, str]] = set()
        self._echoes = frozenset(echoes)

    def echo(self, text: str) -> bool:
        """Whether a text is the caller's own, as it was forwarded."""
        return text in self._echoes

    def begin(self, slot: Slot, text: Text, path: Path, around: JsonObject) -> Flow:
        """The text of a slot that had none.

        Raises: UnreadableError when there are too many.
        """
        if len(self._flows) > _MOST:
            raise UnreadableError
        # 0 is the response itself.
        begun = self._flows[slot] = Flow(len(self._flows) + 1, text, path, around)
        return begun

    def find(self, slot: Slot) -> Flow | None:
        return self._flows.get(slot)

    def holding(self, place: Place) -> Flow:
        """The text that a place belongs to.

        Raises: UnreadableError when there is none.
        """
        for flow in self._flows.values():
            if place in flow.places.values():
                return flow
        raise UnreadableError

    def open(self) -> list[Flow]:
        return [flow for flow in self._flows.values() if not flow.closed]

    def of_item(self, item: str, output: int) -> list[Flow]:
        """The open texts of one output item, by its id or its index."""
        return [
            flow
            for slot, flow in self._flows.items()
            if not flow.closed and ((item and slot[0] == item) or (output >= 0 and slot[1] == output))
        ]

    def close(self, flows: Sequence[Flow]) -> None:
        for flow in flows:
            flow.closed = True
            self._wholes.add((flow.text.tool, flow.text.form, flow.whole()))
            flow.parts.clear()

    def same(self, text: Text, value: str) -> Flow | None:
        """An open text that a whole one repeats, whatever its event says about where it stands."""
        for flow in self._flows.values():
            if not flow.closed and flow.text.label == text.label and flow.whole() == value:
                return flow
        return None

    def whole(self, holder: Holder, key: str | int, value: str, place: Place) -> Piece:
        """A text that stands there whole: a repetition if it was told before."""
        told = (place.tool, place.form, value)
        mode: Mode = "repeat" if told in self._wholes else "unit"
        self._wholes.add(told)
        return Piece(holder, key, value, place, mode)


def apart(label: str, *, index: int = DOCUMENT, text: Text | None = None, tool: bool = False) -> Place:
    """The place of a text that is complete in itself."""
    if text is None:
        return Place((index, label), (), tool)
    return Place((index, label), (), text.tool, text.form)
