"""Masking a text that arrives in pieces, exactly as if it had come whole.

The promise: for every way of cutting a text into pieces, what `feed` and `flush` return adds up to what `Mask.whole`
makes of the text; no character is released that can still become part of a value; and nothing else is held back.

**What the whole text means.** A rule scans from the left: `R.search(text, p)`, and goes on at the end of what it finds;
where the match is empty or its check fails, at the character after its start. So the outcome of a rule is settled by
the outcome of its pattern R at each place where a match may start, from left to right. (A value that ended a little
before speaks for the next one as a word of context does: in a column only the first one stands below such a word.)

**What is settled.** Take a place `i` of the text so far, and let R explore from there: path after path, in its own
order, until one succeeds. If it never asks for a character beyond the end of the text so far, then more text changes
nothing: it explores the same paths to the same success or failure. If it does ask, the outcome is open. Of all places
we want the leftmost open one.

**How `regex` tells.** With `partial=True` it reports a partial match when a path runs into the end of the text. Three
things keep that from being the answer, and the pending twin `P = (?>R')[\\s\\S](?!)` mends each:
- a full match anywhere hides a pending one before it: `(?!)` makes P fail in the end, so P has no full match;
- a match that could still grow counts as full: `(?>...)` keeps the order of R's paths and allows no second choice, so
  that P asks for the end exactly where R does on its way to its first success (or, one character more, where that
  success ends at the very end);
- anchors and word edges never report the end: R' has lookarounds in their place, which do.
Then `P.search(text, p, partial=True).start()` is the leftmost open place from p on, and every match of R that starts
before it is final. What R' may not contain (a lookbehind in mid-pattern after a lazy repeat, say, where `regex` looks
ahead for its next literal) is refused by `detect.admission`, which also runs each policy's pattern through both ways.

**What may be released.** Everything before the leftmost open place of all rules: a value that starts there or later
cannot reach back. Values found already are known by then, and `masking.release` replaces them.

**Left context.** Lookbehinds, and words of context before a value, read text that is released already. As much of it
is kept as the most far-sighted rule needs, always at least one character: an anchor at the start of the text looks
for a character before it, so it never matches where the buffer merely was cut.

**Cost.** A rule with nothing open runs only when a piece brings characters that its matches can begin with, and
sleeps through words that cannot be a match yet (`masking.watch`); one with something open resumes there. Only the last
`span` places can be open, as many characters as R' can look at. A long piece is asked first which rules can find
anything in it (`detect.prefilter`). Patterns that are admitted for streams are bounded, so what is held is bounded too;
values without a bound (`Detector.until`) are swallowed, not held.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import regex

from penstock.masking.release import FOREVER, Found, Release
from penstock.masking.rule import REACH, Judge, Rule
from penstock.masking.ruleset import ESCAPE_REACH, RuleSet
from penstock.masking.watch import Watcher

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from penstock.detect.terms import Hit

_LONG: Final = 192
"""A piece from which on it pays to ask first which rules can find anything in it."""
PATIENCE: Final = 50_000
"""Candidates of one rule in one text that may turn out to be none, two seconds' work. Such a text is written to keep
the gateway busy; every further candidate is taken for a value."""
_ROOM: Final = 512
"""Settled characters that may gather in a buffer before they are cut away."""

# A backslash that begins an escape, and what there is of the escape; with the first half of a surrogate pair before it.
_ESCAPE: Final = regex.compile(
    r"(?<!\\)(?:\\\\){0,16}+((?:\\u[dD][89abAB][0-9A-Fa-f]{2})?\\(?:u[0-9A-Fa-f]{0,3})?)\Z", regex.VERSION0
)


def _in_escape(text: str, at: int) -> int:
    """Where the escape begins that a place stands in; the place itself when it stands in none.

    In `\\nbob@example.com` the value seems to begin with the `n`. What replaces it must not leave the backslash behind,
    which would make another escape of what follows; so the backslash is replaced, and held back, with it.
    """
    if text.rfind("\\", max(0, at - 5), at) < 0:
        return at
    found = _ESCAPE.search(text[max(0, at - ESCAPE_REACH) : at])
    return at - len(found[1]) if found else at


class Scan:
    """The rules over one view of a text. What they find goes to a `Release`; `feed` returns what is settled."""

    __slots__ = (
        "_accept",
        "_active",
        "_before",
        "_buffer",
        "_end",
        "_ended",
        "_open",
        "_place",
        "_possible",
        "_release",
        "_rules",
        "_settled",
        "_spent",
        "_start",
        "_swallowing",
        "_watcher",
        "_whole",
        "spell",
    )

    def __init__(
        self,
        rules: RuleSet,
        release: Release,
        place: int = 0,
        before: str = "",
        spell: Callable[[str], str] | None = None,
        whole: bool = False,
        accept: Callable[[Found], bool] | None = None,
        possible: int | None = None,
    ) -> None:
        self._rules = rules
        self._release = release
        self._accept = accept
        """Whether a finding counts; None: each does."""
        self._before = before
        """What stands before this text and may be its context."""
        self.spell: Final = spell
        """How a replacement is written where it stands."""
        self._whole = whole
        """Everything is there before anything needs to be known: nothing is settled before the end."""
        self._possible = possible
        """The bits of the rules that may find something in the whole text; None: it is to be asked yet."""
        self._buffer = ""
        self._place = place
        """Where `buffer[0]` stands in the original text, unless it is told character for character:"""
        self._start: list[int] | None = None
        self._end: list[int] | None = None
        self._settled = 0
        """The leftmost open place of all rules, in the buffer."""
        self._open: dict[int, int] = {}
        """Rule -> its leftmost open place, for those that have one."""
        self._active = 0
        """The bits of those rules."""
        self._watcher = Watcher(rules.watch)
        self._swallowing: dict[int, Found] = {}
        self._ended: dict[int, int] = {}
        """Rule -> where its last value ended, in the buffer or before it: the next may be in the same column."""
        self._spent: dict[int, int] = {}
        """Candidates of a rule that were none."""

    def feed(
        self, text: str, place: int, size: int, start: Sequence[int] | None = None, end: Sequence[int] | None = None
    ) -> int:
        """Take in a piece of the view, which stands for `size` characters of the original text, at `place`.

        `start`, `end`: of each character, from `place` on, unless it is told character for character. Returns up to
        where the original text is settled.
        """
        if self._settled > self._rules.behind + _ROOM:
            self._forget()
        edge = len(self._buffer)
        if start is not None or self._start is not None or place != self._place + edge:
            self._follow(text, place, start, end)
        buffer = self._buffer = self._buffer + text
        if self._whole:
            return 0
        length = len(buffer)
        opened, possible = self._open, -1
        if length - edge < _LONG:
            active = self._watcher.woken(text, edge, self._active, opened)
        else:
            active = self._watcher.all_woken(text, self._active, opened)
            possible = self._rules.possible(buffer[self._settled :])
        if lonely := active & self._rules.needy & ~self._active:
            active = self._without(lonely, active, edge)
        if active:
            self._active = 0
            for rule in self._rules.chosen(active):
                at = opened.pop(rule.index, edge)
                # Nearly always nothing is found; this is `_settle`, for that case.
                far = length - rule.span
                pending = rule.pending(buffer, far if far > at else at, None, None, True)
                limit = length if pending is None else pending.start()
                if rule.index in self._swallowing or (
                    limit > at
                    and length - at >= rule.least
                    and rule.bit & possible
                    and rule.search(buffer, at) is not None
                ):
                    limit = self._settle(rule, at)
                if limit < length or rule.index in self._swallowing:
                    opened[rule.index] = limit
                    self._active |= rule.bit
        settled = min(opened.values()) if self._active else length
        if self._watcher.runs:
            settled = min(settled, self._watcher.runs[0][0])
        self._settled = settled
        if buffer.rfind("\\", max(0, settled - 5), settled) >= 0:
            begun = _in_escape(buffer, settled)
            if begun < settled:
                return self._starts(begun)
        if settled < length:
            return self._starts(settled)
        # What has no character in the view belongs to no value, but whether a swallowed one goes on is not known yet.
        return self._ends(length) if self._swallowing else place + size

    def _without(self, lonely: int, active: int, edge: int) -> int:
        """Of the active rules, those that have a word of context before any place from which they would have to look.

        The others, of those that are `lonely` (they need one, and had nothing open), find nothing that starts in the
        text so far, whatever follows: what stands before these places is known.
        """
        opened = self._open
        start = min((opened.get(rule.index, edge) for rule in self._rules.chosen(lonely)), default=edge)
        window = self._buffer[max(0, start - REACH) :]
        if start < REACH and self._before:
            window = self._before[-REACH:] + window
        lonely &= ~self._rules.spoken_for(window)
        for rule in self._rules.chosen(lonely):
            if start - self._ended.get(rule.index, -REACH - 1) <= REACH:
                lonely &= ~rule.bit
        for rule in self._rules.chosen(lonely):
            opened.pop(rule.index, None)
        return active & ~lonely

    def close(self, place: int) -> None:
        """The text ends, at `place` of the original."""
        if self._whole:
            self._active = self._rules.possible(self._buffer) if self._possible is None else self._possible
            if needy := self._active & self._rules.needy:
                self._active &= ~needy | self._rules.spoken_for(self._before[-REACH:] + self._buffer)
            self._open = {rule.index: 0 for rule in self._rules.chosen(self._active)}
        for rule in self._rules.chosen(self._active):
            self._settle(rule, self._open[rule.index], final=True)
        for found in self._swallowing.values():
            self._release.ended(found, place)
        self._swallowing.clear()

    def afresh(self) -> Scan:
        """A scan of another text, whose findings are released with these."""
        return Scan(self._rules, self._release, spell=self.spell, accept=self._accept)

    def copy(self, spell: Callable[[str], str] | None) -> Scan:
        """A scan that has come as far as this one, and goes its own way from here."""
        other = Scan(self._rules, self._release, self._place, self._before, spell, self._whole, self._accept)
        other._buffer, other._settled = self._buffer, self._settled
        if self._start is not None and self._end is not None:
            other._start, other._end = self._start.copy(), self._end.copy()
        other._open, other._active, other._watcher = self._open.copy(), self._active, self._watcher.copy()
        other._swallowing = self._swallowing.copy()
        other._spent = self._spent.copy()
        other._ended = self._ended.copy()
        for found in other._swallowing.values():
            found.views += 1
        return other

    def is_as(self, other: Scan) -> bool:
        """Whether both will find the same from here on: they remember the same text, and nothing is open in either."""
        if self._active or other._active or self._watcher.runs or other._watcher.runs or self._whole:
            return False
        if self._spent != other._spent or self._near() != other._near():
            return False
        behind = self._rules.behind
        return self._buffer[-behind:] == other._buffer[-behind:] and len(self._buffer) >= behind <= len(other._buffer)

    def _settle(self, rule: Rule, at: int, *, final: bool = False) -> int:
        """Take a rule on from one open place to the next: the end of the buffer when there is none, or it is final."""
        buffer = self._buffer
        end = len(buffer)
        while at < end:
            if rule.index in self._swallowing:
                at, done = self._swallow(rule, at, final)
                if not done:
                    break
            limit = end
            from_ = max(at, end - rule.span)
            if not final and (pending := rule.pending(buffer, from_, None, None, True)) is not None:
                limit = pending.start()
            if at == limit:
                break
            at = self._find(rule, at, limit)
        return at

    def _find(self, rule: Rule, at: int, limit: int) -> int:
        """Take in all that starts before `limit`. Returns where to go on: there, or at the end of the last find."""
        while at < limit and rule.index not in self._swallowing:
            match = rule.search(self._buffer, at)
            if match is None or match.start() >= limit:
                return limit
            at = self._judged(rule, match)
        return at

    def _judged(self, rule: Rule, match: regex.Match[str] | Hit) -> int:
        """Take in a match, if it is a value. Returns where to go on."""
        buffer = self._buffer
        start, end = match.span(rule.group)
        resume = match.end()
        if rule.judge is not None or start == end:
            count = self._real(rule, rule.judge, start, end) if rule.judge and start < end else 0
            if not count:
                return match.start() + 1
            if start + count < end:
                resume = end = start + count
            if rule.judge is not None and rule.judge.context is not None:
                self._ended[rule.index] = end
        place, mark = self._starts(_in_escape(buffer, start)), (self._starts(start), self._ends(end))
        if rule.until is not None:
            self._swallowing[rule.index] = self._add(Found(rule, place, FOREVER, "", self.spell, mark))
        else:
            value = buffer[start:end] if rule.own else ""
            self._add(Found(rule, place, mark[1], value, self.spell, mark))
        return resume

    def _real(self, rule: Rule, judge: Judge, start: int, end: int) -> int:
        """How many characters of a candidate are a value; all of them once patience with the rule is lost."""
        spent = self._spent.get(rule.index, 0)
        if spent >= PATIENCE:
            return end - start
        follows = start - self._ended.get(rule.index, -REACH - 1) <= REACH
        count = judge.accept(self._buffer[start:end], self._context(start), follows=follows)
        if not count:
            self._spent[rule.index] = spent + 1
        return count

    def _add(self, found: Found) -> Found:
        return self._release.add(found) if self._accept is None or self._accept(found) else found

    def _swallow(self, rule: Rule, at: int, final: bool) -> tuple[int, bool]:
        """Look for the end of what is being swallowed. Returns where to go on, and whether it was there."""
        until = rule.until
        assert until is not None
        limit = len(self._buffer)
        if not final and (pending := until.pending(self._buffer, at, None, None, True)) is not None:
            limit = pending.start()
        match = until.search(self._buffer, at)
        if match is None or (match.start() >= limit and not final):
            return limit, False
        if final and match.end() == len(self._buffer):
            return limit, False  # `close` ends it, with the text
        self._release.ended(self._swallowing.pop(rule.index), self._ends(match.end()))
        return match.end(), True

    def _near(self) -> dict[int, int]:
        """How far before the end of the text the last value of each rule ended, of those that still matter."""
        edge = len(self._buffer)
        return {index: edge - at for index, at in self._ended.items() if edge - at <= REACH}

    def _context(self, start: int) -> str:
        """The text right before a place, `REACH` characters of it."""
        if start < REACH and self._before:
            return (self._before + self._buffer[:start])[-REACH:]
        return self._buffer[max(0, start - REACH) : start]

    def _starts(self, index: int) -> int:
        """Where a character of the buffer starts in the original text."""
        return self._place + index if self._start is None else self._start[index]

    def _ends(self, index: int) -> int:
        """Where what stands before an index of the buffer ends in the original text."""
        return self._place + index if self._end is None else self._end[index - 1]

    def _follow(self, text: str, place: int, start: Sequence[int] | None, end: Sequence[int] | None) -> None:
        """Keep count of where each character comes from, once that is not plain from its index."""
        if self._start is None or self._end is None:
            self._start = list(range(self._place, self._place + len(self._buffer)))
            self._end = [each + 1 for each in self._start]
        if start is None or end is None:
            start, end = range(len(text)), range(1, len(text) + 1)
        self._start += [place + each for each in start] if place else start
        self._end += [place + each for each in end] if place else end

    def _forget(self) -> None:
        """Cut away what is settled and is no rule's left context."""
        cut = self._settled - self._rules.behind
        self._buffer = self._buffer[cut:]
        self._place += cut
        self._settled -= cut
        self._open = {index: at - cut for index, at in self._open.items()}
        self._ended = {index: at - cut for index, at in self._ended.items()}
        self._watcher.shift(cut)
        if self._start is None or self._end is None:
            return
        self._start, self._end = self._start[cut:], self._end[cut:]
        self._place = first = self._start[0]
        plain = list(range(first, first + len(self._start) + 1))
        if plain[:-1] == self._start and plain[1:] == self._end:
            self._start = self._end = None
