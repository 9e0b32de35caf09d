"""The text in a reply, piece by piece, wherever a server may put it: what is not known to be structure is text."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal, assert_never

from penstock.exchange import Channel, Json, JsonObject, Path

type Holder = JsonObject | list[Json]
type Mode = Literal["flow", "leaf", "unit", "name", "object", "key", "repeat", "cumulative"]

DOCUMENT: Final = -1
"""The choice index of text that belongs to no choice."""

# Values that say how a reply is built, not what it says. Unread only while they look the part: see `_SHAPE`.
STRUCTURE: Final = frozenset(
    {
        "id",
        "object",
        "model",
        "role",
        "type",
        "created_at",
        "modified_at",
        "expires_at",
        "digest",
        "finish_reason",
        "done_reason",
        "system_fingerprint",
        "service_tier",
        "status",
        "code",
        "owned_by",
        "remote_model",
        "remote_host",
    }
)
# Short, no spaces, no `@`, and not just digits and separators (a card number, a phone number).
_SHAPE: Final = re.compile(r"(?!\+?[\d._:-]+$)[A-Za-z0-9][A-Za-z0-9_.:/+-]{0,127}")

# The same text again in another spelling, alternatives to it, or the prompt: never beside a mask.
STRIPPED: Final = frozenset(
    {
        "logprobs",
        "top_logprobs",
        "prompt_logprobs",
        "completion_probabilities",
        "probs",
        "tokens",
        "token_ids",
        "output_ids",
        "prompt_token_ids",
        "prompt_text",
        "bytes",
        "context",
        "obfuscation",
        "routed_experts",
        "kv_transfer_params",
        "ec_transfer_params",
        "hidden_states",
        "input_messages",
        "output_messages",
        "generation_settings",
        "__verbose",
        "_debug_info",
    }
)
# Numbers that are large and mean nothing by themselves; any other number of this size is looked at as text.
_NUMBERS: Final = frozenset(
    {
        "created",
        "expires_at",
        "size",
        "size_vram",
        "total_duration",
        "load_duration",
        "prompt_eval_duration",
        "eval_duration",
        "n_params",
        "n_ctx_train",
        "n_embd",
        "seed",
    }
)
LARGE: Final = 1_000_000
"""Numbers from here on, up and down, have enough digits to be a value worth hiding."""
# Parts of a path that a channel's name does without.
_SILENT: Final = frozenset({"delta", "message", "function"})
_WORD: Final = re.compile(r"(?!.*\d{6})[A-Za-z_$][A-Za-z0-9_$]{0,63}")


class UnreadableError(Exception):
    """A reply of a shape that the reader does not know; the gateway then lets nothing of it through."""


class UnknownEventError(UnreadableError):
    """An event of a kind that the reader does not know; a policy may let these pass, and they are recorded then."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Where text flows. A reader gives the same object for the same place each time, so it is compared as that."""

    channel: Channel
    path: Path
    """From the choice (from the document, for `DOCUMENT`) to the string."""
    tool: bool = False
    """Part of a tool call: judged by the rules for tool calls."""
    form: Literal["text", "json"] = "text"


class Piece:
    """One text in a parsed event or body; `holder[key]` is where it stands (mode `key`: `key` is itself the text).

    Modes: `flow` goes on in later events; `leaf` too, but nobody knows for sure; `unit` is complete; `name` is
    complete unless a later event adds to it; `object` is a JSON value whose strings, numbers and keys are text;
    `key` is the key of an object; `repeat` is the whole of a text that was delivered on another channel already, and is
    masked like it but neither counted nor kept again; `cumulative` is a text that goes on, and each event has all of it
    so far.
    """

    __slots__ = ("holder", "key", "mode", "place", "text")

    def __init__(self, holder: Holder, key: str | int, text: str, place: Place, mode: Mode) -> None:
        self.holder = holder
        self.key = key
        self.text = text
        self.place = place
        self.mode = mode

    def put(self, value: Json) -> None:
        """Replaces the text where it stands."""
        if isinstance(self.holder, list):
            self.holder[int(self.key)] = value
        elif self.mode == "key":
            rename(self.holder, str(self.key), str(value))
        else:
            self.holder[str(self.key)] = value

    def masked(self, mask: Callable[[str], str]) -> str:
        """The text, masked; where it can be read in more than one way, in each of them."""
        return mask(self.text)

    def value(self) -> Json:
        """What stands there, for the mode `object`."""
        return self.holder[int(self.key)] if isinstance(self.holder, list) else self.holder[str(self.key)]


class Reading:
    """What an event or a whole body holds."""

    __slots__ = ("closes", "done", "edited", "error", "keys", "pieces")

    def __init__(self) -> None:
        self.pieces: list[Piece] = []
        self.closes: tuple[int, ...] = ()
        """Choices whose text ends with this event."""
        self.done = False
        """The event that the dialect promises as the last one."""
        self.error = False
        """An error in place of text."""
        self.keys = 0
        """Keys of all objects read, to compare with the raw bytes (a key that stands twice hides a value)."""
        self.edited = False


def rename(holder: JsonObject, old: str, new: str) -> None:
    """Gives a key another name in its old position; a name already there gets a number behind it."""
    name, count = new, 1
    while name in holder:
        count += 1
        name = f"{new} {count}"
    items = [(name if key == old else key, value) for key, value in holder.items()]
    holder.clear()
    holder.update(items)


def is_text(number: float) -> bool:
    """Whether a number has enough digits to be a value worth hiding (a card number without quotes)."""
    return not -LARGE < number < LARGE


def plain_word(key: str) -> bool:
    """Whether a key is an identifier, as programs choose them, and cannot hold a value worth hiding."""
    return len(key) <= 64 and _plain_word(key)


@lru_cache(4096)
def _plain_word(key: str) -> bool:
    return _WORD.fullmatch(key) is not None


class Walk:
    """Reads the parts of a document that all dialects have in common, and everything nobody has heard of."""

    def __init__(self, *, metadata: bool = False, figures: bool | None = None) -> None:
        """`metadata`: what a server says of models. No model wrote it, so structure is structure and numbers are
        numbers in objects that no dialect knows, too. `figures`: whether large numbers are only that; as `metadata`."""
        self._metadata = metadata
        self._figures = metadata if figures is None else figures
        self._passed: set[str] = set()
        self._words: set[str] = set()
        self._places: dict[tuple[int, str | Path], Place] = {}

    def structural(self, value: str) -> bool:
        """Whether a structural value looks like one; remembered, because every event repeats the same few."""
        if value in self._passed:
            return True
        if value and not _SHAPE.fullmatch(value):
            return False
        if len(self._passed) < 256:
            self._passed.add(value)
        return True

    def place(self, index: int, path: Path, *, tool: bool = False, form: Literal["text", "json"] = "text") -> Place:
        """The place of a path, the same object each time."""
        found = self._places.get((index, path))
        if found is None:
            label = ".".join(str(part) for part in path if part not in _SILENT) or str(path[-1])
            found = self._places[index, path] = Place((index, label), path, tool, form)
            if len(self._places) > 10_000:
                raise UnreadableError
        return found

    def value(self, reading: Reading, holder: Holder, key: str | int, index: int, path: Path, *, strip: bool) -> None:
        """Reads `holder[key]`, whatever it is; `path` leads to it."""
        value: Json = holder[key]  # type: ignore[index]
        match value:
            case str():
                self.string(reading, holder, key, value, index, path, known=self._metadata)
            case None | bool():
                return
            case int() | float():
                if is_text(value) and not self._figures and key not in _NUMBERS and value % 1 == 0:
                    reading.pieces.append(Piece(holder, key, str(int(value)), self.place(index, path), "unit"))
            case dict():
                self.object(reading, value, index, path, strip=strip)
            case list():
                if strip and _only_numbers(value):
                    holder[key] = None  # type: ignore[index]
                    reading.edited = True
                    return
                for at in range(len(value)):
                    self.value(reading, value, at, index, (*path, at), strip=strip)
            case _:
                assert_never(value)

    def string(
        self,
        reading: Reading,
        holder: Holder,
        key: str | int,
        value: str,
        index: int,
        path: Path,
        *,
        known: bool = True,
    ) -> None:
        """Reads a string that no dialect claims; `known`: it stands where the dialect has its structure."""
        if not value:
            return
        structure = key in STRUCTURE
        if structure and known and self.structural(value):
            return
        reading.pieces.append(Piece(holder, key, value, self.place(index, path), "unit" if structure else "leaf"))

    def object(self, reading: Reading, value: JsonObject, index: int, path: Path, *, strip: bool) -> None:
        """Reads an object that no dialect claims, its keys included."""
        reading.keys += len(value)
        for key in list(value):
            if strip and key in STRIPPED:
                self.strip(reading, value, key)
                continue
            self.value(reading, value, key, index, (*path, key), strip=strip)
            if not plain_word(key):
                reading.pieces.append(Piece(value, key, key, self.place(index, path or (key,)), "key"))

    def keyed(self, reading: Reading, value: JsonObject, index: int, path: Path = ()) -> None:
        """The keys of an object that a dialect knows, when a program would hardly choose them: a server may have put
        anything there. Called behind all that reads the values: a key is renamed."""
        if value.keys() <= self._words:
            return
        for key in value:
            if not plain_word(key):
                reading.pieces.append(Piece(value, key, key, self.place(index, path or (key,)), "key"))
            elif len(self._words) < 1024:
                self._words.add(key)

    def head(self, document: JsonObject, keys: Collection[str]) -> JsonObject:
        """What of an event may stand in one that the gateway makes: structure that looks it, which needs no mask."""
        return {key: document[key] for key in keys if key in document and self._bare(document[key])}

    def _bare(self, value: Json) -> bool:
        match value:
            case str():
                return self.structural(value)
            case list():
                return all(item.__class__ is int for item in value)
            case _:
                return not isinstance(value, dict)

    def strip(self, reading: Reading, holder: JsonObject, key: str) -> None:
        """Empties what must not stand beside a mask; the key stays, so that clients find what they expect."""
        if holder[key] is not None:
            holder[key] = None
            reading.edited = True


def _only_numbers(value: list[Json]) -> bool:
    """Whether a list is nothing but numbers, at any depth: token ids, bytes or audio, which nobody can read here."""
    if not value:
        return False
    return all(
        _only_numbers(item) if isinstance(item, list) else isinstance(item, (int, float)) and not isinstance(item, bool)
        for item in value
    )
