"""Replies that say what was said: transcripts as one text, in segments and words, as events and as subtitles."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from difflib import SequenceMatcher
from typing import Final, Literal

from penstock.apis import sse
from penstock.apis.api import Packed
from penstock.apis.dialects import OPENAI
from penstock.apis.media_reply import note_usage
from penstock.apis.openai.reply import OpenAiReader
from penstock.apis.openai.subtitles import Subtitles, is_subtitles
from penstock.apis.pieces import (
    DOCUMENT,
    STRIPPED,
    Holder,
    Piece,
    Place,
    Reading,
    UnknownEventError,
    UnreadableError,
    Walk,
)
from penstock.apis.reader import Reader
from penstock.exchange import Json, JsonObject, Reply

DELTA: Final = "transcript.text.delta"
DONE: Final = "transcript.text.done"
SEGMENT: Final = "transcript.text.segment"
_KINDS: Final = frozenset({DELTA, DONE, SEGMENT, "error"})
# The text again, word by word and as token ids.
_AGAIN: Final = STRIPPED | {"words"}


class TranscriptReader(Reader):
    """OpenAI's transcriptions and translations, with vLLM's stream of chat-like chunks."""

    dialect = OPENAI
    events = frozenset({"", "message", "error", DELTA, DONE, SEGMENT})
    plain = frozenset({"text/plain", "text/vtt", "text/srt", "application/x-subrip"})
    END = b"[DONE]"

    def __init__(self, choices: int = 1) -> None:
        """`choices`: see `ReplyReader`; only chunks have them."""
        self.choices = choices
        self._walk = Walk()
        self._subtitles: Subtitles | None = None
        self._chunks = OpenAiReader()
        self._chunked = False
        self._said: list[str] = []
        self._last: dict[str, JsonObject] = {}

    def unpack(self, media: str, body: bytes, headers: Mapping[str, str]) -> Json:
        """Subtitles, whatever the call asked for: times on lines of their own are nothing else."""
        if media not in self.plain or not is_subtitles(text := body.decode("utf-8")):
            return None
        self._subtitles = Subtitles(text)
        return [*self._subtitles.cues]

    def pack(self, document: Json) -> Packed:
        if self._subtitles is None:
            raise UnreadableError
        return Packed((), self._subtitles.text(document).encode())

    def read(self, document: Json, reply: Reply, *, strip: bool) -> Reading:
        if self._subtitles is not None:
            return self._cues(self._subtitles)
        if not isinstance(document, dict):
            raise UnreadableError
        if "choices" in document:
            self._chunked = True
            return self._chunks.read(document, reply, strip=strip)
        kind = document.get("type")
        if kind is not None and not isinstance(kind, str):
            raise UnreadableError
        if isinstance(kind, str) and kind not in _KINDS:
            raise UnknownEventError(kind)
        if isinstance(kind, str):
            self._last[kind] = document
        reading = Reading()
        self._object(reading, document, kind, strip=strip)
        reading.error = kind == "error" or document.get("error") is not None
        for piece in reading.pieces:
            if piece.mode == "leaf":  # speakers, languages, ids: none of them goes on in the next event
                piece.mode = "unit"
        if kind == DONE:
            reading.closes = (0,)
        note_usage(document.get("usage"), reply)
        return reading

    def _cues(self, subtitles: Subtitles) -> Reading:
        reading = Reading()
        if subtitles.cues:
            reading.pieces.append(Cut(subtitles.cues, self._walk.place(0, ("subtitles",))))
        return reading

    def _object(self, reading: Reading, document: JsonObject, kind: Json, *, strip: bool) -> None:
        reading.keys += len(document)
        for key, value in document.items():
            if value is None or key == "type":
                continue
            if key in ("text", "delta") and isinstance(value, str):
                self._text(reading, document, key, value, kind)
            elif key == "segments" and isinstance(value, list):
                self._segments(reading, value, document.get("text"), strip=strip)
            elif strip and key in _AGAIN:
                self._walk.strip(reading, document, key)
            else:
                self._walk.value(reading, document, key, DOCUMENT, (key,), strip=strip)
        self._walk.keyed(reading, document, DOCUMENT)

    def _text(self, reading: Reading, document: JsonObject, key: str, value: str, kind: Json) -> None:
        """Deltas and the segments of a stream go on from event to event; the whole text says the deltas again."""
        mode: Literal["flow", "unit", "repeat"] = "unit"
        path: tuple[str, ...] = (key,)
        if kind == DELTA:
            mode = "flow"
            self._said.append(value)
        elif kind == SEGMENT:
            mode, path = "flow", ("segment", key)
        elif kind == DONE and value == "".join(self._said):
            mode = "repeat"
        if value:
            reading.pieces.append(Piece(document, key, value, self._walk.place(0, path), mode))

    def _segments(self, reading: Reading, segments: list[Json], whole: Json, *, strip: bool) -> None:
        """One text in parts: a value may begin in one and end in the next. `whole`: the same in one piece, if it is."""
        texts: list[JsonObject] = []
        for at, segment in enumerate(segments):
            if not isinstance(segment, dict):
                raise UnreadableError
            reading.keys += len(segment)
            for key, value in segment.items():
                if key == "text" and isinstance(value, str):
                    texts.append(segment)
                elif value is None:
                    continue
                elif strip and key in _AGAIN:
                    self._walk.strip(reading, segment, key)
                else:
                    self._walk.value(reading, segment, key, DOCUMENT, ("segments", at, key), strip=strip)
            self._walk.keyed(reading, segment, DOCUMENT, ("segments", at))
        if texts:
            place = self._walk.place(0, ("segments", "text"))
            again = isinstance(whole, str) and _letters("".join(str(each["text"]) for each in texts)) == _letters(whole)
            reading.pieces.append(Joined(texts, place, again=again))

    def carry(self, place: Place, text: str) -> bytes:
        if self._chunked:
            return self._chunks.carry(place, text)
        key = str(place.path[-1])
        kind = SEGMENT if place.path[0] == "segment" else DELTA
        return sse.encode({**self._last.get(kind, {}), "type": kind, key: text})


class Joined(Piece):
    """The texts of several objects as one text; what it becomes is spread over them again."""

    __slots__ = ("_holders",)

    def __init__(self, holders: list[JsonObject], place: Place, *, again: bool) -> None:
        joined = "".join(str(holder["text"]) for holder in holders)
        first: Holder = holders[0]
        super().__init__(first, "text", joined, place, "repeat" if again else "unit")
        self._holders = holders

    def put(self, value: Json) -> None:
        texts = [str(holder["text"]) for holder in self._holders]
        for holder, text in zip(self._holders, spread(texts, str(value)), strict=True):
            holder["text"] = text


class Cut(Piece):
    """The texts of several cues as one, a space between them. Nobody knows whether the space was said, or whether a
    value goes on from one cue to the next without any; so they are masked without it, and then with it."""

    __slots__ = ("_holders",)

    def __init__(self, holders: list[JsonObject], place: Place) -> None:
        super().__init__(holders[0], "text", " ".join(str(holder["text"]) for holder in holders), place, "unit")
        self._holders = holders

    def masked(self, mask: Callable[[str], str]) -> str:
        parts = [str(holder["text"]) for holder in self._holders]
        glued = "".join(parts)
        said = mask(glued)
        return mask(self.text if said == glued else " ".join(aligned(parts, said)))

    def put(self, value: Json) -> None:
        texts = [str(holder["text"]) for holder in self._holders]
        spaced = [f"{text} " for text in texts[:-1]] + texts[-1:]
        for holder, text in zip(self._holders, aligned(spaced, str(value)), strict=True):
            holder["text"] = text.strip()


def aligned(parts: list[str], whole: str) -> list[str]:
    """As `spread`, with the words that still are where several parts changed in their own part, too."""
    found, at = spread(parts, whole), 0
    while at < len(parts):
        end = at + 1
        if found[at] != parts[at]:
            while end < len(parts) and parts[end] and not found[end]:
                end += 1
            found[at:end] = _by_words(parts[at:end], found[at])
        at = end
    return found


def _by_words(parts: list[str], whole: str) -> list[str]:
    words, found = _WORDS.findall(whole), [""] * len(parts)
    old = [(word, index) for index, part in enumerate(parts) for word in _WORDS.findall(part)]
    if len(parts) == 1 or len(words) * len(old) > _MANY:
        return [whole, *found[1:]]
    where: dict[int, int] = {}
    for was, now, size in SequenceMatcher(None, [word for word, _ in old], words, False).get_matching_blocks():
        where |= {now + step: old[was + step][1] for step in range(size)}
    here = 0
    for at, word in enumerate(words):
        here = where.get(at, here)
        found[here] += word
    return found


def spread(parts: list[str], whole: str) -> list[str]:
    """`whole`, cut into as many parts: those that still stand in it stay, what lies between goes to the first changed.

    Joined again they are always `whole`, so that nothing is said that was not to be said.
    """
    found = [""] * len(parts)
    at, changed = 0, None
    for index, part in enumerate(parts):
        here = whole.find(part, at) if changed is not None and len(part) >= _SURE else at
        if part and here >= 0 and whole.startswith(part, here):
            if changed is not None:
                found[changed] += whole[at:here]
            found[index], at, changed = part, here + len(part), None
        elif changed is None:
            changed = index
    rest = whole[at:]
    if rest:
        found[changed if changed is not None else -1] += rest
    return found


_SURE: Final = 8
"""Characters of a part from which on it is taken for the same one when it is found again."""


def _letters(text: str) -> str:
    """A text without its spaces, which servers put between segments as they like."""
    return "".join(text.split())


_WORDS: Final = re.compile(r"\w+|\s+|[^\w\s]")
_MANY: Final = 1_000_000
"""Pairs of words that are compared to find out which part says what."""
