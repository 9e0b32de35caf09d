"""The texts of one reply: each masked at its place, what was found counted, what was said kept for the audit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

import orjson

from penstock.apis.replies.pieces import DOCUMENT, Piece, Place, UnreadableError, is_text
from penstock.errors import Refusal
from penstock.exchange import Channel as Name
from penstock.exchange import Json, JsonObject, Reply
from penstock.masking.finding import Finding, Masked
from penstock.masking.mask import Mask
from penstock.masking.reply_channel import Channel, StoppedError
from penstock.masking.reply_parts import masked_parts
from penstock.masking.vault import Restore, Vault


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
        vault: Vault | None = None,
        together: bool = False,
    ) -> None:
        """`hold`: nothing counts as said before `delivered`. `vault`: what the tokens in the reply stand for; they are
        put back in what goes out, and stay in what is kept for the audit. `together`: the judge reads all texts as one
        reply, not choice by choice."""
        self.reply = reply
        self.hold = hold
        self.flags: list[Finding] = []
        self._flowing: list[tuple[Place, str]] = []
        self._units: list[tuple[Name, str]] = []
        self._text, self._tool = text, tool
        self._judge = judge
        self._together = together
        self._vault = vault or None
        self._restore = Restore(vault) if vault else None
        self._channels: dict[Place, Channel] = {}
        self._held: dict[Name, list[str]] = {}
        self._heard: dict[Name, list[str]] = {}

    # Texts that are complete in themselves

    def every(self, pieces: Sequence[Piece]) -> bool:
        """Masks the pieces of a whole reply. Returns whether one changed."""
        parts = masked_parts(self._text, pieces, together=self._together)
        edited = False
        for at, piece in enumerate(pieces):
            edited |= self.complete(piece, parts.get(at))
        return edited

    def complete(self, piece: Piece, known: Masked | None = None) -> bool:
        """Masks a piece that nothing continues, where it stands. Returns whether it changed. `known`: its text,
        masked already."""
        place = piece.place
        mask = self._tool if place.tool else self._text
        if piece.mode == "object":
            return self._object(piece, mask)
        if piece.mode == "repeat":
            return self._repeat(piece, mask)
        if known is not None:
            masked = self._taken(known)
        else:
            masked = piece.masked(partial(self.unit, mask, json=place.form == "json"))
        self._hear(place.channel, piece.text)
        self._units.append((place.channel, masked))
        return self._put(piece, masked)

    def _put(self, piece: Piece, masked: str) -> bool:
        """Puts a whole text where it belongs, with values in the place of tokens."""
        if self._vault is not None:
            masked = Restore(self._vault, piece.place.form).whole(masked)
        if masked == piece.text:
            return False
        piece.put(masked)
        return True

    def _repeat(self, piece: Piece, mask: Mask | None) -> bool:
        """A text that was delivered before, piece by piece: masked as that was, and not counted again."""
        if mask is None:
            return self._put(piece, piece.text)
        masked = mask.whole_json(piece.text) if piece.place.form == "json" else mask.whole(piece.text)
        for finding in masked.findings:
            if finding.action == "stop":
                raise StoppedError(finding, "")
        return self._put(piece, masked.text)

    def _object(self, piece: Piece, mask: Mask | None) -> bool:
        """The arguments of a tool call as an object: strings, numbers and keys alike."""
        value = piece.value()
        masked = value if mask is None else self._masked(mask, value)
        self._hear(piece.place.channel, orjson.dumps(value).decode())
        self._units.append((piece.place.channel, orjson.dumps(masked).decode()))
        if self._restore is not None:
            masked = self._restored(self._restore, masked)
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

    def _restored(self, restore: Restore, value: Json) -> Json:
        """A value with the tokens in its strings put back."""
        match value:
            case str():
                return restore.whole(value)
            case list():
                return [self._restored(restore, item) for item in value]
            case dict():
                return {key: self._restored(restore, item) for key, item in value.items()}
            case _:
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
        return self._taken(mask.whole_json(text) if json else mask.whole(text))

    def _taken(self, masked: Masked) -> str:
        """What a whole text became, with its findings counted."""
        self._count(masked.findings)
        for finding in masked.findings:
            if finding.action == "stop":
                raise StoppedError(finding, masked.text)
        return masked.text

    # Texts that go on

    def flow(self, piece: Piece, closes: Sequence[int]) -> bool:
        """Masks the next piece of a text; with the rest of it when its choice closes. Returns whether it changed."""
        if piece.mode == "cumulative":
            return self._cumulative(piece, closes)
        place, text = piece.place, piece.text
        channel = self._channels.get(place)
        if channel is None:
            channel = self._channel(place)
        if self._judge is not None:
            self._hear(place.channel, text)
        plain = piece.mode == "flow" and not closes
        released = ""
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
        released = channel.restored(released)
        if released == text:
            return False
        piece.put(released)
        return True

    def _channel(self, place: Place) -> Channel:
        found = self._channels.get(place)
        if found is None:
            found = self._channels[place] = Channel(place, self._tool if place.tool else self._text, self._vault)
        return found

    def _cumulative(self, piece: Piece, closes: Sequence[int]) -> bool:
        """Masks what a text adds to what it was, and says again what was said of it.

        Raises: UnreadableError for a text that is not what it was with something behind it. With its last event it
            may be less: servers that stop at a word take back what they have sent of it.
        """
        channel = self._channel(piece.place)
        before, text = channel.heard or "", piece.text
        less = not text.startswith(before)
        if less and not (before.startswith(text) and piece.place.channel[0] in closes):
            raise UnreadableError
        added: list[Json] = ["" if less else text[len(before) :]]
        try:
            self.flow(Piece(added, 0, str(added[0]), piece.place, "flow"), closes)
        except StoppedError as stop:
            channel.said += stop.safe
            raise
        channel.heard = before if less else text
        said = channel.said = channel.said + str(added[0])
        if less and said == before:
            # Nothing was masked, so less of it may be said; unless that itself is now something to mask.
            said = self.unit(channel.mask, text)
        if said == text:
            return False
        piece.put(said)
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
            rest = channel.restored(rest)
            if rest:
                channel.said += rest if channel.heard is not None else ""
                yield channel.place, rest if channel.heard is None else channel.said
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
        if self._judge is not None and text:
            self._heard.setdefault(name, []).append(text)

    def judged(self) -> None:
        """Asks the judge about each choice as the model gave it, channel after channel.

        Raises: Refusal.
        """
        if self._judge is None:
            return
        heard = sorted(self._heard.items())
        indexes = sorted({name[0] for name in self._heard})
        for together in [indexes] if self._together and heard else [[index] for index in indexes]:
            parts = ["".join(texts) for name, texts in heard if name[0] in together]
            if (refusal := self._judge("\n".join(parts))) is not None:
                raise refusal

    def whole_event(self) -> None:
        """The event at hand goes out, with all that it says."""
        if self._flowing:
            for place, text in self._flowing:
                self._said(place.channel, text)
            self._flowing.clear()
        if self._units:
            for name, text in self._units:
                self._said(name, text)
            self._units.clear()

    def part_of_event(self) -> list[tuple[Place, str]]:
        """The event at hand cannot go out: what its texts that go on may still say, to be said otherwise."""
        carried = [(place, self._channels[place].said or text) for place, text in self._flowing]
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
