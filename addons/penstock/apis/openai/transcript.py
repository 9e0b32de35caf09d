"""Replies that say what was said: transcripts as one text, in segments and words, as events and as subtitles."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Literal

from penstock.apis.api import Packed
from penstock.apis.dialects import OPENAI
from penstock.apis.openai.reply import OpenAiReader
from penstock.apis.openai.subtitles import Subtitles, is_subtitles
from penstock.apis.replies.aligned import aligned
from penstock.apis.replies.media import note_usage
from penstock.apis.replies.pieces import (
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
from penstock.apis.replies.reader import Reader
from penstock.apis.wire import sse
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

    def __init__(self) -> None:
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
        for holder, text in zip(self._holders, aligned(texts, str(value)), strict=True):
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


def _letters(text: str) -> str:
    """A text without its spaces, which servers put between segments as they like."""
    return "".join(text.split())
