"""The watch: a rule that sleeps through a piece of text has nothing to find or to hold back in it."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from penstock.detect.detector import Detector
from penstock.detect.shape import EVERY_WIDE, shape
from penstock.detect.syntax import parse
from penstock.masking import watch as watching
from penstock.masking.finding import MaskRule
from penstock.masking.mask import Mask
from penstock.masking.rule import Rule
from penstock.masking.watch import Watch, Watcher
from tests.detect.patterns import STREAMED, tried
from tests.detect.patterns import TEXTS as SMALL
from tests.masking.chunks import BASIC, TEXTS, chunks, differs

RULES = [Rule(MaskRule(known.name, known), index) for index, known in enumerate(BASIC)]


def open_place(rule: Rule, text: str) -> int:
    """The leftmost place where a rule has something open, asked of its pending twin."""
    pending = rule.pending(text, 0, partial=True)
    return len(text) if pending is None else pending.start()


def may_begin(rule: Rule, text: str, place: int) -> bool:
    """Whether the characters around a place allow a match to begin there: a lookahead may ask for more in vain."""
    around = [EVERY_WIDE if ord(each) > 127 else 1 << ord(each) for each in text[max(place - 1, 0) : place + 2]]
    before, here, then = ([0, *around, -1] if place == 0 else [*around, -1])[:3]
    return bool(here & rule.first and not before & rule.not_after and then & rule.second)


def asleep_where_it_matters(rules: list[Rule], text: str, cuts: list[int]) -> list[str]:
    """The rules that sleep although they have something open or found that their runs do not tell."""
    watcher = Watcher(Watch(rules))
    wrong: list[str] = []
    edge = 0
    for piece in chunks(text, cuts):
        woken = watcher.woken(piece, edge, 0, {})
        edge += len(piece)
        sleeping = {rule.id: began for began, bits, _ in watcher.runs for rule in rules if rule.bit & bits}
        for rule in rules:
            place = open_place(rule, text[:edge])
            new = edge - len(piece) <= place < sleeping.get(rule.id, edge)
            if not rule.bit & woken and new and may_begin(rule, text[:edge], place):
                wrong.append(f"{rule.id} at {place} of {text[:edge]!r}")
    return wrong


@given(TEXTS, st.sampled_from(([1], [4], [3, 9], [60])))
@tried(24)
def test_no_detector_sleeps_where_something_of_its_own_may_begin(text: str, cuts: list[int]) -> None:
    assert asleep_where_it_matters(RULES, text, cuts) == []


@given(STREAMED, SMALL, st.sampled_from(([1], [2], [5])))
@tried(60)
def test_no_pattern_sleeps_where_something_of_its_own_may_begin(pattern: str, text: str, cuts: list[int]) -> None:
    assume(shape(parse(pattern)).low > 0)
    assert asleep_where_it_matters([Rule(MaskRule("r", Detector("d", "D", pattern)), 0)], text, cuts) == []


def test_words_wake_nobody() -> None:
    watcher = Watcher(Watch([rule for rule in RULES if rule.id != "ip"]))  # two patterns in one have no head
    for place, piece in enumerate(chunks("who would wake at any of this, now or then", [4])):
        assert watcher.woken(piece, place * 4, 0, {}) == 0


def test_an_at_sign_wakes_the_rule_where_its_word_began() -> None:
    watcher = Watcher(Watch(RULES))
    opened: dict[int, int] = {}
    woken = watcher.woken("write to bob@", 0, 0, opened)
    assert [rule.id for rule in RULES if rule.bit & woken] == ["email"]
    assert opened == {0: 9}


LONG = [
    Detector("a", "A", "[a-z]{1,3}@x"),
    Detector("b", "B", "(?<![a-z])[a-z]{1,3}@x"),
    Detector("c", "C", "[a-z]{9}(?:1|[a-z]{3})?"),
    Detector("d", "D", "(?<![a-z])[a-z]{1,3}@[a-z]{2}"),
]


@given(st.text(st.sampled_from("abc@x1 -"), max_size=40), st.sampled_from(([1], [2], [4], [7, 30])))
@tried(100)
def test_runs_that_are_too_long_are_as_exact(text: str, cuts: list[int]) -> None:
    for detectors in (LONG, LONG[:1], LONG[1:2], LONG[2:3]):
        assert not differs(Mask([MaskRule(known.name, known) for known in detectors]), text, cuts)


def test_no_text_fills_the_memory() -> None:
    watch = Watch(RULES)
    watcher = Watcher(watch)
    for code in range(0x80, 0x9000, 7):
        watcher.woken(chr(code), 0, 0, {})
    assert all(len(state) <= 256 for state in watch._states.values())


def test_when_there_are_too_many_states_they_are_made_anew_and_forgotten() -> None:
    limits = watching._MOST_STATES
    try:
        watching._MOST_STATES = 3  # type: ignore[misc]
        assert asleep_where_it_matters(RULES, "bob@example.com 4111 sk-abc eyJ", [3]) == []
        watch = Watch(RULES)
        Watcher(watch).woken("bob@example.com 4111 sk-abc eyJ", 0, 0, {})
        assert len(watch._states) == 3
        assert all(child.kept for state in watch._states.values() for child in state.values())
    finally:
        watching._MOST_STATES = limits  # type: ignore[misc]
