"""Subtitles as SRT, WebVTT and LRC: the text in the cues, as one; times, numbers and line ends stay as they came."""

from __future__ import annotations

import re
from typing import Final

from penstock.apis.replies.pieces import UnreadableError
from penstock.exchange import Json, JsonObject

_TIME: Final = r"(?:[0-9]{1,3}:)?[0-9]{1,2}:[0-9]{2}[.,][0-9]{1,3}"
_SETTING: Final = r"(?:align|line|position|region|size|vertical):[a-z0-9%.,-]{1,32}"
_TIMING: Final = rf"[ \t]*{_TIME}[ \t]+-->[ \t]+{_TIME}(?:[ \t]+{_SETTING})*[ \t]*"
# What a line of a cue may have between its words: the time of the next one, a tag without a name.
_INLINE: Final = rf"<{_TIME}>|</?[bciu]>|\[[0-9]{{1,3}}:[0-9]{{2}}(?:\.[0-9]{{1,3}})?\]"

_LINES: Final = re.compile(r"(\r\n|\n|\r)")
_PARTS: Final = re.compile(rf"({_INLINE})")
_TIMED: Final = re.compile(rf"^(?:{_TIMING}$|\[[0-9]{{1,3}}:[0-9]{{2}}(?:\.[0-9]{{1,3}})?\])", re.MULTILINE)
_TIMING_LINE: Final = re.compile(_TIMING)
_INLINE_PART: Final = re.compile(_INLINE)
_NUMBER: Final = re.compile(r"[ \t]*[0-9]{1,6}[ \t]*")
_HEAD: Final = "WEBVTT"
_MARK: Final = "\ufeff"


class Subtitles:
    """One file of them. `cues` are objects with a `text` each, a part of a line between two of what is no text; what
    they have in the end is written where they stood."""

    def __init__(self, text: str) -> None:
        self.cues: list[JsonObject] = []
        self._frames: list[str] = []
        """What stands before each cue, and behind the last one."""
        frame: list[str] = []
        lines = _LINES.split(text)
        for at in range(0, len(lines), 2):
            end = lines[at + 1] if at + 1 < len(lines) else ""
            below = lines[at + 2] if at + 2 < len(lines) else ""
            if _is_frame(lines[at], below, first=at == 0):
                frame.append(lines[at])
            else:
                self._line(lines[at], frame)
            frame.append(end)
        self._frames.append("".join(frame))

    def _line(self, line: str, frame: list[str]) -> None:
        for part in _PARTS.split(line):
            core = part.strip()
            if not core or _INLINE_PART.fullmatch(part):
                frame.append(part)
                continue
            before, _, after = part.partition(core)
            self._frames.append("".join((*frame, before)))
            self.cues.append({"text": core})
            frame[:] = [after]

    def text(self, cues: Json) -> str:
        """The file with the texts that the cues have now.

        Raises: UnreadableError when they are not the same cues.
        """
        if not isinstance(cues, list) or len(cues) != len(self.cues):
            raise UnreadableError
        found: list[str] = []
        for frame, cue in zip(self._frames, cues, strict=False):
            said = cue.get("text") if isinstance(cue, dict) else None
            if not isinstance(said, str):
                raise UnreadableError
            found += (frame, said)
        return "".join((*found, self._frames[-1]))


def is_subtitles(text: str) -> bool:
    """Whether a text has a cue's times on a line; servers send them as plain text as well."""
    return _TIMED.search(text.replace("\r", "\n")) is not None


def _is_frame(line: str, below: str, *, first: bool) -> bool:
    """Whether a line says nothing: the times of a cue, its number above them, the name of the format."""
    if first and line.removeprefix(_MARK).rstrip() == _HEAD:
        return True
    if _NUMBER.fullmatch(line):
        return _TIMING_LINE.fullmatch(below) is not None
    return not line.strip() or _TIMING_LINE.fullmatch(line) is not None
