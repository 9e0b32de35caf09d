"""From findings to text: what of a text may be released, with the values in it replaced.

Both ways of masking end here, whole texts in one step and streams in many, so they can only differ in what they find.
A caller says up to which place everything that starts before it has been found (`upto`); nothing beyond is released.

Values that overlap become one stretch, replaced once, by the finding that starts it (the longest of several; a
swallowed one counts as endless; then the rule that stands first). The replacement is written as soon as the start of a
stretch is certain; what the stretch covers is dropped as it comes. Only a rule's own `replace` waits for the end of
its value, because it gives way to the label when another value overlaps that one.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from penstock.masking.fields import Field
from penstock.masking.finding import Finding
from penstock.masking.rule import Rule
from penstock.masking.vault import Vault

FOREVER: Final = 1 << 62
"""An end that is not known yet, beyond every text."""


class Found:
    """A value on its way out."""

    __slots__ = ("end", "mark", "order", "rule", "shown", "slot", "spell", "start", "swallowed", "value", "views")

    def __init__(
        self,
        rule: Rule | Field,
        start: int,
        end: int,
        value: str,
        spell: Callable[[str], str] | None = None,
        mark: tuple[int, int] | None = None,
        shown: str | None = None,
    ) -> None:
        self.rule = rule
        self.start = start
        self.end = end
        """What is replaced, in the original text; the end is `FOREVER` while a value is being swallowed."""
        self.value = value
        """As the rules read it."""
        self.spell = spell
        """How a replacement is written where it stands (escaped, in JSON); None: as it is."""
        self.mark = mark or (start, end)
        """Where the value itself is, when more than it is replaced (a JSON number becomes a string as a whole)."""
        self.shown = shown
        """What replaces it, whatever the rule says; None: the rule says."""
        self.swallowed = end == FOREVER
        # A stop comes before what starts in the same place: nothing from its start on is released.
        self.order = (start, rule.action != "stop", not self.swallowed, -end, self.mark[0], rule.rank)
        self.slot = -1
        """Its place among the findings, once it is there."""
        self.views = int(self.swallowed)
        """How many views of the text still swallow it."""

    def spelled(self, text: str) -> str:
        return self.spell(text) if self.spell else text

    def finding(self) -> Finding:
        """As it is known now: a value that is still being swallowed ends where it began."""
        start, end = self.mark
        if self.swallowed:
            end = start if self.end == FOREVER else self.end
        return Finding(self.rule.id, self.rule.detector, self.rule.action, start, end)


class Release:
    """One text on its way out: what is held of it, and what was found in that."""

    __slots__ = (
        "_at",
        "_covered",
        "_gone",
        "_queue",
        "_swallowed",
        "_swallowing",
        "_vault",
        "findings",
        "held",
        "stopped",
    )

    def __init__(self, vault: Vault | None = None) -> None:
        self.findings: list[Finding] = []
        self.stopped: Finding | None = None
        self.held = ""
        self._at = 0
        """Place in the text of what is held."""
        self._gone = 0
        """How much of `held` is released already, in the course of `upto`: cutting it off each time is quadratic."""
        self._queue: list[Found] = []
        self._covered = 0
        """Up to here the text is replaced already."""
        self._swallowing = 0
        """How many values are replaced already and still go on."""
        self._swallowed: list[Found] = []
        self._vault = vault

    @property
    def size(self) -> int:
        """Length of the text so far."""
        return self._at + len(self.held) - self._gone

    def queued(self) -> tuple[Found, ...]:
        """What is found and not released yet."""
        return tuple(self._queue)

    def add(self, found: Found) -> Found:
        """Take in a finding, unless another view of the text found just that: then the earlier one is returned."""
        queue = self._queue
        at = bisect_left(queue, found.order, key=_order)
        if at < len(queue) and queue[at].order == found.order:
            queue[at].views += found.views
            return queue[at]
        queue.insert(at, found)
        return found

    def ended(self, found: Found, end: int) -> None:
        """A view of the text says where a swallowed value ends."""
        found.views -= 1
        found.end = end if found.end == FOREVER else max(found.end, end)
        if found.slot < 0 or self.stopped:
            return
        self.findings[found.slot] = found.finding()
        if not found.views and found.rule.action == "mask":
            self._swallowing -= 1
            self._covered = max(self._covered, found.end)

    def upto(self, limit: int) -> str:
        """Release what stands before `limit`: everything that starts before it has been added."""
        if not self._queue and self._covered <= self._at and not self._swallowing:  # nearly always
            held = self.held
            count = limit - self._at
            if count >= len(held):
                self._at += len(held)
                self.held = ""
                return held
            if count <= 0:
                return ""
            self._at += count
            self.held = held[count:]
            return held[:count]
        piece = self._replaced(limit)
        if self._gone:
            self.held = self.held[self._gone :]
            self._gone = 0
        return piece

    def _replaced(self, limit: int) -> str:
        pieces: list[str] = []
        done = 0
        for found in self._queue:
            if found.start >= limit:
                break
            masks = found.rule.action == "mask"
            fresh = masks and not self._swallowing and found.start >= self._covered
            if fresh and found.rule.own and not found.swallowed and found.end > limit:
                limit = found.start  # what replaces it depends on what starts within it
                break
            done += 1
            if fresh:
                pieces += [self._pass(found.start), found.spelled(self._replacement(found, done))]
            self._record(found)
            if self.stopped:
                pieces.append(self._pass(found.start))
                self.held, self._gone = "", 0
                return "".join(pieces)
            if masks and found.views:
                self._swallowing += 1
            elif masks:
                self._covered = max(self._covered, found.end)
        del self._queue[:done]
        pieces.append(self._pass(limit))
        return "".join(pieces)

    def _replacement(self, found: Found, after: int) -> str:
        """What stands for a stretch that starts with this finding; `after`: where in the queue the later ones are."""
        if found.shown is not None:
            return found.shown
        if not found.rule.own or found.swallowed:
            return found.rule.label
        for other in self._queue[after:]:
            if other.start >= found.end:
                break
            if other.rule.action == "mask":
                if (other.start, other.end) != (found.start, found.end):
                    return found.rule.label
                if not other.rule.own:
                    return other.rule.label
        if found.rule.replace is not None:
            return found.rule.replace(found.value)
        return self._vault.token(found.rule.kind, found.value) if self._vault is not None else found.rule.label

    def _record(self, found: Found) -> None:
        finding = found.finding()
        found.slot = len(self.findings)
        self.findings.append(finding)
        if found.swallowed:
            self._swallowed.append(found)
        if found.rule.action == "stop":
            self.stopped = finding
            for each in self._swallowed:  # how far they go beyond this place will never be known
                if each.views or self.findings[each.slot].end > found.start:
                    self.findings[each.slot] = replace(self.findings[each.slot], end=found.start)

    def _pass(self, limit: int) -> str:
        """Release up to a place, without what is covered."""
        covered = FOREVER if self._swallowing else self._covered
        if covered > self._at:
            self._cut(min(covered, limit))
        return self._cut(limit)

    def _cut(self, limit: int) -> str:
        count = limit - self._at
        if count <= 0:
            return ""
        piece = self.held[self._gone : self._gone + count]
        self._gone += len(piece)
        self._at += len(piece)
        return piece


def _order(found: Found) -> tuple[int, bool, bool, int, int, int]:
    return found.order
