"""The texts of one reply: each masked at its place, what was found counted, what was said kept for the audit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import orjson

from penstock.apis.pieces import DOCUMENT, Piece, Place, is_text
from penstock.errors import Refusal
from penstock.exchange import Channel as Name
from penstock.exchange import Json, JsonObject, Reply
from penstock.masking.finding import Finding, Masked
from penstock.masking.mask import Mask
from penstock.masking.reply_channel import Channel, StoppedError


class ReplyTexts:
    """Every channel of a reply. Methods that mask raise StoppedError when a rule stops the reply."""

    def __init__(
        self,
        reply: Reply,
        text: Mask | None,
        tool: Mask | None,
        judge: Callable[[str], Refusal | None] | None,
        *,
        hold: bool,
    ) -> None:
        """`hold`: nothing counts as said before `delivered`."""
        self.reply = reply
        self.hold = hold
        self.flags: list[Finding] = []
        self._flowing: list[tuple[Place, str]] = []
        self._units: list[tuple[Name, str]] = []
        self._text, self._tool = text, tool
        self._judge = judge
        self._channels: dict[Place, Channel] = {}
        self._held: dict[Name, list[str]] = {}
        self._heard: dict[Name, list[str]] = {}

    # Texts that are complete in themselves

    def complete(self, piece: Piece) -> bool:
        """Masks a piece that nothing continues, where it stands. Returns whether it changed."""
        place = piece.place
        mask = self._tool if place.tool else self._text
        if piece.mode == "object":
            return self._object(piece, mask)
        masked = self.unit(mask, piece.text, json=place.form == "json")
        self._hear(place.channel, piece.text)
        self._units.append((place.channel, masked))
        if masked == piece.text:
            return False
        piece.put(masked)
        return True

    def _object(self, piece: Piece, mask: Mask | None) -> bool:
        """The arguments of a tool call as an object: strings, numbers and keys alike."""
        value = piece.value()
        masked = value if mask is None else self._masked(mask, value)
        self._hear(piece.place.channel, orjson.dumps(value).decode())
        self._units.append((piece.place.channel, orjson.dumps(masked).decode()))
        if masked == value:
            return False
        piece.put(masked)
        return True

    def _masked(self, mask: Mask, value: Json) -> Json:
        if isinstance(value, str):
            return self.unit(mask, value)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return self._number(mask, value)
        if isinstance(value, list):
            return [self._masked(mask, item) for item in value]
        if isinstance(value, dict):
            out: JsonObject = {}
            for key, item in value.items():
                name = masked = self.unit(mask, key)
                count = 1
                while name in out:
                    count += 1
                    name = f"{masked} {count}"
                out[name] = self._masked(mask, item)
            return out
        return value

    def _number(self, mask: Mask, value: float) -> Json:
        """A number is text when its digits are a value to hide (a card number without quotes)."""
        if not is_text(value):
            return value
        text = orjson.dumps(value).decode()
        masked = self.unit(mask, text)
        return value if masked == text else masked

    def unit(self, mask: Mask | None, text: str, *, json: bool = False) -> str:
        """A whole text, masked."""
        if mask is None or not text:
            return text
        masked: Masked = mask.whole_json(text) if json else mask.whole(text)
        self._count(masked.findings)
        for finding in masked.findings:
            if finding.action == "stop":
                raise StoppedError(finding, masked.text)
        return masked.text

    # Texts that go on

    def flow(self, piece: Piece, closes: Sequence[int]) -> bool:
        """Masks the next piece of a text; with the rest of it when its choice closes. Returns whether it changed."""
        place, text = piece.place, piece.text
        channel = self._channels.get(place)
        if channel is None:
            channel = self._channels[place] = Channel(place, self._tool if place.tool else self._text)
        if self._judge is not None:
            self._hear(place.channel, text)
        plain = piece.mode == "flow" and not closes
        try:
            released = channel.feed(text) if plain else self._released(channel, piece, closes)
        except StoppedError as stop:
            released = stop.safe
            raise
        finally:
            if found := channel.found():
                self._count(found)
            if released:
                self._flowing.append((place, released))
        if released == text:
            return False
        piece.put(released)
        return True

    def _released(self, channel: Channel, piece: Piece, closes: Sequence[int]) -> str:
        text = piece.text
        if piece.mode == "name":
            channel.name(text)
            return self.unit(channel.mask, text)
        if piece.mode == "leaf":
            # Nobody knows whether it goes on: masked as if it did not, and as if it did.
            text = self.unit(channel.mask, text)
        released = channel.feed(text)
        if closes and channel.place.channel[0] in closes:
            try:
                return released + channel.close()
            except StoppedError as stop:
                raise StoppedError(stop.finding, released + stop.safe) from None
        return released

    def rests(self, choices: Iterable[int] | None = None) -> Iterable[tuple[Place, str]]:
        """Closes the channels of some choices (None: all), giving the rest of each text that has one."""
        for channel in self._channels.values():
            if channel.closed or not (choices is None or channel.place.channel[0] in choices):
                continue
            try:
                rest, stopped = channel.close(), None
            except StoppedError as stop:
                rest, stopped = stop.safe, stop
            self._count(channel.found())
            if rest:
                self._said(channel.place.channel, rest)
                yield channel.place, rest
            if stopped is not None:
                raise stopped

    def pending(self) -> bool:
        """Whether a choice has text that was not closed."""
        return any(not channel.closed and place.channel[0] != DOCUMENT for place, channel in self._channels.items())

    # Findings, judgement, the audit

    def _count(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            if finding.action == "mask":
                self.reply.masked[finding.detector] = self.reply.masked.get(finding.detector, 0) + 1
            elif finding.action == "flag":
                self.flags.append(finding)

    def _hear(self, name: Name, text: str) -> None:
        if self._judge is not None:
            self._heard.setdefault(name, []).append(text)

    def judged(self) -> None:
        """Asks the judge about each choice as the model gave it, channel after channel.

        Raises: Refusal.
        """
        if self._judge is None:
            return
        for index in sorted({name[0] for name in self._heard}):
            parts = ["".join(texts) for name, texts in sorted(self._heard.items()) if name[0] == index]
            if (refusal := self._judge("\n".join(parts))) is not None:
                raise refusal

    def whole_event(self) -> None:
        """The event at hand goes out, with all that it says."""
        for place, text in self._flowing:
            self._said(place.channel, text)
        for name, text in self._units:
            self._said(name, text)
        self.no_event()

    def part_of_event(self) -> list[tuple[Place, str]]:
        """The event at hand cannot go out: what its texts that go on may still say, to be said otherwise."""
        carried = list(self._flowing)
        self._units.clear()
        self.whole_event()
        return carried

    def no_event(self) -> None:
        """Nothing of the event at hand goes out."""
        self._flowing.clear()
        self._units.clear()

    def _said(self, name: Name, text: str) -> None:
        """A text is in what goes out, or in what is held."""
        texts = self._held if self.hold else self.reply.texts
        known = texts.get(name)
        if known is None:
            known = texts[name] = []
        known.append(text)

    def delivered(self) -> None:
        """What is held goes out."""
        for name, texts in self._held.items():
            self.reply.texts.setdefault(name, []).extend(texts)
        self._held.clear()
