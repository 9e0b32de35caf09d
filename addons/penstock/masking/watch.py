"""Which rules a piece of text can concern at all: nearly every piece of prose concerns none.

A rule that has nothing open needs to look at a piece only if a match can begin in it. That is told from three things
(`detect.opening`): what can stand first and second, and what cannot stand before. A rule whose matches begin with a run
(`detect.head`: the word before the `@`) sleeps on while there are only runs; where the last one began is kept, for
there its leftmost open place is.

All this depends on the characters only, so it is an automaton: each state holds, for each character met in it, the next
one, and what has happened on the way. States are made when they are first reached; a handful of them serves all prose.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from penstock.detect.shape import EVERY_WIDE
from penstock.masking.rule import Rule

_MOST_STATES: Final = 4096
_MOST_CHARACTERS: Final = 256
"""What is remembered of a state, so that no text can fill the memory."""

type _Meaning = tuple[int, int, int, int, int]
"""What a character means, as the bits of the rules for which

- a match can start with it;
- a match can have it at its second place (rules without a head only);
- a match can start right after it;
- it goes on with the run that is the head of a match;
- it follows that run.
"""


class State(dict[str, "State"]):
    """What is known after some characters; every field has the bits of the rules for which it holds."""

    __slots__ = (
        "_watch",
        "allowed",
        "asleep",
        "begun",
        "carried",
        "ended",
        "eventful",
        "kept",
        "keyed",
        "last",
        "plain",
        "running",
    )

    def __init__(self, watch: Watch, known: tuple[int, int, int, int], happened: tuple[int, int, int, int]) -> None:
        self._watch = watch
        self.running, self.carried, self.allowed, self.asleep = known
        """A run is going on; a match may have started with the last character, or can start with the next one; the
        rule sleeps."""
        self.plain, self.keyed, self.ended, self.begun = happened
        """On the last character: a match may have started with the one before; a key has followed a run; a run has
        ended; one has begun."""
        self.eventful = any(happened)
        self.last = self.carried & ~watch.headed
        """Were it the end of a piece: these have something open, perhaps."""
        self.kept = False
        """Whether it will be the same object whenever the same is known."""

    def __missing__(self, character: str) -> State:
        watch = self._watch
        first, second, after, run, key = watch.meaning(character)
        carried = first & self.allowed
        keyed = key & (self.running | carried & self.asleep)
        asleep = self.asleep & ~(keyed & ~watch.exact)  # whether one of those wakes, the length of its run decides
        running = self.running & run & ~keyed
        begun = carried & asleep & ~running
        state = watch.state(
            (running | begun, carried, after, asleep),
            (self.carried & second, keyed, self.running & ~run & ~keyed, begun),
        )
        if state.kept and len(self) < _MOST_CHARACTERS:
            self[character] = state
        return state


class Watch:
    """The rules of a mask, as far as the beginnings of their matches go. Shared by all its streams."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        heads = [(rule, rule.head) for rule in rules if rule.head is not None]
        self._rules: Final = tuple(rules)
        self.headed: Final = sum(rule.bit for rule, _ in heads)
        self.whole: Final = sum(rule.bit for rule, head in heads if head.whole)
        """A match of these may be over before the run is."""
        once = [(rule, head) for rule, head in heads if not (head.run | rule.first) & ~(rule.not_after | head.keys)]
        self.lost: Final = sum(rule.bit for rule, head in once if not head.whole)
        """For these nothing more can begin in a run that has become too long: not right after any of its characters."""
        self._lengths: Final = {rule.index: head.lengths for rule, head in once if not head.keys & rule.first}
        """Of rules that find nothing that begins within a run: after how many of its characters a key can come."""
        self.exact: Final = sum(rule.bit for rule, _ in once if rule.index in self._lengths)
        self._longest: Final = {rule.index: head.longest for rule, head in heads}
        self._due: Final[dict[int, int]] = {}
        self._keyed: Final[dict[tuple[int, int], int]] = {}
        lengths = range(max((head.longest for _, head in heads), default=0) + 2)
        self.outrun: Final = [sum(rule.bit for rule, head in heads if head.longest < length) for length in lengths]
        """Length of a run -> for which it is too long; the last goes for all longer ones."""
        self._meanings: Final = [self._means(1 << code) for code in range(128)]
        self._beyond: Final = self._means(EVERY_WIDE)
        self._states: Final[dict[tuple[int, ...], State]] = {}
        self._chosen: Final[dict[int, tuple[Rule, ...]]] = {}

    def meaning(self, character: str) -> _Meaning:
        return self._meanings[ord(character)] if character < "\x80" else self._beyond

    def state(self, known: tuple[int, int, int, int], happened: tuple[int, int, int, int] = (0, 0, 0, 0)) -> State:
        """The state of which this is known."""
        key = known + happened
        state = self._states.get(key)
        if state is None:
            state = State(self, known, happened)
            if len(self._states) < _MOST_STATES:
                state.kept = True
                self._states[key] = state
        return state

    def chosen(self, bits: int) -> tuple[Rule, ...]:
        """The rules of these bits, in order."""
        known = self._chosen.get(bits)
        if known is None:
            known = tuple(rule for rule in self._rules if rule.bit & bits)
            if len(self._chosen) < _MOST_STATES:
                self._chosen[bits] = known
        return known

    def due(self, bits: int) -> int:
        """How long a run may be before something is to be done for these rules.

        That is when one of them has to wake. The others have lost what the run could have become, but nothing changes
        before all of them have.
        """
        due = self._due.get(bits)
        if due is None:
            waking = bits & ~self.lost
            lengths = [self._longest[rule.index] for rule in self.chosen(waking or bits)]
            due = min(lengths) if waking else max(lengths)
            if len(self._due) < _MOST_STATES:
                self._due[bits] = due
        return due

    def keyed(self, bits: int, length: int) -> int:
        """Of some rules, those for which a match may go on after a run of a length."""
        found = self._keyed.get((bits, length))
        if found is None:
            found = bits & ~sum(
                rule.bit for rule in self.chosen(bits & self.exact) if not self._lengths[rule.index] >> length & 1
            )
            if len(self._keyed) < _MOST_STATES:
                self._keyed[bits, length] = found
        return found

    def start(self) -> State:
        """The state before a text."""
        return self.state((0, 0, -1, self.headed))

    def _means(self, character: int) -> _Meaning:
        return (
            sum(rule.bit for rule in self._rules if rule.first & character),
            sum(rule.bit for rule in self._rules if rule.head is None and rule.second & character),
            sum(rule.bit for rule in self._rules if not rule.not_after & character),
            sum(rule.bit for rule in self._rules if rule.head is not None and rule.head.run & character),
            sum(rule.bit for rule in self._rules if rule.head is not None and rule.head.keys & character),
        )


class Watcher:
    """Watches over one text."""

    __slots__ = ("_state", "_watch", "runs")

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._state = watch.start()
        self.runs: list[tuple[int, int, int]] = []
        """The runs that are going on, from left to right: where each began, the bits of the rules that sleep in it, and
        beyond which place it is too long for one of them."""

    def woken(self, text: str, edge: int, awake: int, opened: dict[int, int]) -> int:
        """The bits of the rules that have to look at a piece of text, which begins at `edge`.

        `awake`: those that have something open; where that is goes into `opened` for those that wake now.
        """
        watch, state, woken, runs = self._watch, self._state, awake, self.runs
        asleep = watch.headed & ~awake
        if state.asleep != asleep:
            state = watch.state((state.running & asleep, state.carried, state.allowed, asleep))
        for place, character in enumerate(text, edge):
            state = state[character]
            if state.eventful:
                woken |= state.plain
                ended, begun, up = state.ended, state.begun, 0
                if state.keyed:
                    up = self._keyed(state.keyed, place, opened)
                    woken |= up
                    ended |= state.keyed
                    up &= watch.exact  # the others are awake in this state already
                # A run may have been long enough for a match as it is.
                if ended & watch.whole and runs and (long := self._outrun(ended & watch.whole & ~up, place)):
                    self._wake(long, place, opened)
                    woken |= long
                    up |= long
                if up:
                    begun &= ~up
                    state = watch.state((state.running & ~up, state.carried, state.allowed, state.asleep & ~up))
                if ended:
                    if len(runs) == 1 and not runs[0][1] & ~ended:
                        runs.clear()
                    else:
                        self._end(ended)
                if begun:
                    runs.append((place, begun, place + watch.due(begun)))
        self._state = state
        if runs:
            end = edge + len(text)
            for run in runs:
                if end > run[2]:
                    woken |= self._too_long(end, opened)
                    break
            return woken | self._state.last
        return woken | state.last

    def all_woken(self, text: str, awake: int, opened: dict[int, int]) -> int:
        """The same for a long piece, coarser: all that can start with any of its characters. None sleeps."""
        woken = awake
        for began, bits, _ in self.runs:
            woken |= bits
            self._open(bits, began, opened)
        self.runs.clear()
        for character in set(text):
            woken |= self._watch.meaning(character)[0]
        self._state = self._watch.state((0, 0, self._watch.meaning(text[-1])[2], 0))
        return woken

    def shift(self, by: int) -> None:
        """The buffer has lost its first characters."""
        self.runs[:] = [(began - by, bits, due - by) for began, bits, due in self.runs]

    def copy(self) -> Watcher:
        other = Watcher(self._watch)
        other._state, other.runs = self._state, self.runs.copy()
        return other

    def _open(self, bits: int, place: int, opened: dict[int, int]) -> None:
        for rule in self._watch.chosen(bits):
            opened[rule.index] = place

    def _keyed(self, bits: int, place: int, opened: dict[int, int]) -> int:
        """A key has come for some rules. Returns those that wake: for the others it has come too early or too late."""
        woken = bits
        for began, known, _ in self.runs:
            if mine := known & bits:
                woken &= ~mine | self._watch.keyed(mine, place - began)
        if woken:
            self._wake(woken, place, opened)
        return woken

    def _wake(self, bits: int, place: int, opened: dict[int, int]) -> None:
        """Rules go on for themselves, from where their run began or, if they are in none, from a place."""
        for began, known, _ in self.runs:
            self._open(known & bits, began, opened)
            bits &= ~known
        self._open(bits, place, opened)

    def _end(self, bits: int) -> None:
        """Rules are in no run any more."""
        due = self._watch.due
        self.runs[:] = [(began, left, began + due(left)) for began, known, _ in self.runs if (left := known & ~bits)]

    def _outrun(self, among: int, end: int) -> int:
        """Of some rules, those for which the run that they are in, up to a place, is too long."""
        outrun, longest = self._watch.outrun, len(self._watch.outrun) - 1
        found = 0
        for began, bits, due in self.runs:
            if end > due:
                found |= bits & outrun[min(end - began, longest)]
        return found & among

    def _too_long(self, end: int, opened: dict[int, int]) -> int:
        """At the end of a piece: rules for which a run is too long wake, or have lost what it could have become."""
        watch, state = self._watch, self._state
        outrun = self._outrun(-1, end)
        woken = outrun & ~watch.lost
        if woken:
            self._wake(woken, end, opened)
        self._end(outrun)
        self._state = watch.state((state.running & ~outrun, state.carried, state.allowed, state.asleep & ~woken))
        return woken
