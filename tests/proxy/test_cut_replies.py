"""The labelled cases through a running gateway, cut at every place: the caller reads the mask of the whole text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import batched

import pytest
from ahocorasick_rs import AhoCorasick

from penstock.detect.detector import DETECTORS
from penstock.masking.mask import Mask, MaskRule
from scripts.appraisal.cases import Labelled, load
from tests.proxy.cut_replies import Outcome, Reply, ndjson, sse, through, written
from tests.proxy.recording_upstream import RecordingUpstream
from tests.proxy.running_gateway import Running, free_port, start, wait_ready, write_rules

ACCESS = """
grants:
  - id: everyone
    groups: [testers]
    upstreams: [lab]
    operations: [chat]
    models: ["*"]
masking:
  - id: all
    on: [completion]
    detect: [{names}]
    with: label
""".format(names=", ".join(known.name for known in DETECTORS))
MASK = Mask([MaskRule("all", known) for known in DETECTORS])
LONG = 12
"""Characters of a value in a row that tell that some of it is out."""
ALL = list(load())


def sample() -> list[Labelled]:
    """A text with a value for every detector, and some without."""
    chosen = {case.detector: case for case in reversed(ALL) if case.spans}
    assert set(chosen) == {known.name for known in DETECTORS}
    return [*chosen.values(), *[case for case in ALL if not case.spans][::40]]


@pytest.fixture(params=[False, pytest.param(True, marks=pytest.mark.nightly)], ids=["some", "all"])
def cases(request: pytest.FixtureRequest) -> list[Labelled]:
    return ALL if request.param else sample()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, shared_upstream: RecordingUpstream) -> Iterator[Running]:
    directory = tmp_path_factory.mktemp("cut")
    port, model = free_port(), f"http://127.0.0.1:{shared_upstream.port}"
    rules = write_rules(directory, port=port, upstream=model, access=ACCESS)
    started = start(directory, "serve", upstream=model, rules=rules, port=port, wait=False)
    wait_ready(started, 60)  # it tries every detector first
    yield started
    started.stop()


@cache
def masked(text: str) -> str:
    return MASK.whole(text).text


def name(case: Labelled) -> str:
    return f"{case.detector}: {case.text!r}"


def two(text: str) -> list[tuple[str, str]]:
    """A text in two pieces, in every way."""
    return [(text[:at], text[at:]) for at in range(1, len(text))] or [(text, "")]


def nothing_is_out(outcome: Outcome, running: Running, cases: Sequence[Labelled]) -> None:
    """No value, and nothing of one that is long enough to be told from other words, was delivered or written."""
    shown = "\n".join(masked(case.text) for case in cases)
    parts = {part for case in cases for value in case.values for part in telling(value) if part not in shown}
    assert parts
    search = AhoCorasick(sorted(parts))
    for data in (b"\n".join(outcome.bodies), *written(running)):
        assert not search.find_matches_as_strings(data.decode("utf-8", "replace"))


def telling(value: str) -> Iterator[str]:
    """A short value; of a long one each stretch with a figure in it."""
    for at in range(max(0, len(value) - LONG) + 1):
        part = value[at : at + LONG]
        if 8 <= len(value) < LONG or (len(part) == LONG and any(map(str.isdigit, part))):
            yield part


def test_every_value_of_the_cases_is_masked_in_the_whole_text(cases: list[Labelled]) -> None:
    for case in cases:
        assert not [value for value in case.values if len(value) > 5 and value in masked(case.text)], name(case)


def test_character_by_character_in_events(running: Running, upstream: RecordingUpstream, cases: list[Labelled]) -> None:
    replies = [
        sse(
            [case.text for case in together],
            [masked(case.text) for case in together],
            ascii_only=bool(number % 2),
            name=name(together[0]),
        )
        for number, together in enumerate(batched(cases, 64))
    ]
    outcome = through(running, upstream, replies)
    assert not outcome.differences
    nothing_is_out(outcome, running, cases)


def test_character_by_character_in_lines(running: Running, upstream: RecordingUpstream, cases: list[Labelled]) -> None:
    half = (len(cases) + 1) // 2
    replies = [
        ndjson(
            {"content": one.text, "thinking": other.text},
            {"content": masked(one.text), "thinking": masked(other.text)},
            ascii_only=bool(number % 2),
            name=name(one),
        )
        for number, (one, other) in enumerate(zip(cases[:half], cases[-half:], strict=True))
    ]
    outcome = through(running, upstream, replies)
    assert not outcome.differences
    nothing_is_out(outcome, running, cases)


def test_in_two_events_at_every_place(running: Running, upstream: RecordingUpstream, cases: list[Labelled]) -> None:
    """Every place in a choice of its own; the ordinary run takes every eighth case."""
    chosen = cases if len(cases) == len(ALL) else cases[::8]
    replies = (
        sse(pieces, [masked(case.text)] * len(pieces), ascii_only=bool(len(pieces) % 2), name=name(case))
        for case in chosen
        for pieces in [two(case.text)]
    )
    outcome = through(running, upstream, replies)
    assert not outcome.differences
    nothing_is_out(outcome, running, chosen)


def test_in_two_lines_at_every_place(running: Running, upstream: RecordingUpstream, cases: list[Labelled]) -> None:
    """Content and thinking are cut at two places of one reply; the ordinary run takes every twentieth case."""
    chosen = cases if len(cases) == len(ALL) else cases[::20]

    replies = (
        ndjson(
            {"content": one, "thinking": other},
            {"content": masked(case.text), "thinking": masked(case.text)},
            name=name(case),
        )
        for case in chosen
        for one, other in zip(*[iter([*two(case.text), (case.text,)])] * 2, strict=False)
    )
    outcome = through(running, upstream, replies)
    assert not outcome.differences
    nothing_is_out(outcome, running, chosen)


def wires(cases: Sequence[Labelled]) -> Iterator[Reply]:
    """Few bytes that say many cases, half of them in each of two pieces, over both wires."""
    for number, together in enumerate(batched(cases, 8)):
        halves = [(case.text[: len(case.text) // 2], case.text[len(case.text) // 2 :]) for case in together]
        ascii_only = bool(number % 2)
        whole = [masked(case.text) for case in together]
        yield sse(halves, whole, ends=False, ascii_only=ascii_only, name=name(together[0]))
        text = "\n\n".join(case.text for case in together)
        pieces = [text[at : at + 40] for at in range(0, len(text), 40)]
        yield ndjson({"content": pieces}, {"content": masked(text)}, ascii_only=ascii_only, name=name(together[0]))


def test_byte_by_byte(running: Running, upstream: RecordingUpstream, cases: list[Labelled]) -> None:
    """The next byte is sent when the gateway has read the one before; the ordinary run takes the cases with values."""
    chosen = cases if len(cases) == len(ALL) else [case for case in cases if case.spans]
    outcome = through(running, upstream, (reply.cut(*range(1, reply.size)) for reply in wires(chosen)))
    assert not outcome.differences
    nothing_is_out(outcome, running, chosen)


def test_in_two_sends_at_every_byte(running: Running, upstream: RecordingUpstream, cases: list[Labelled]) -> None:
    """A reply of each wire for some cases; the ordinary run takes one."""
    chosen = [case for case in cases if len(case.values) == 1][7 :: len(cases) if len(cases) < len(ALL) else 60]
    replies = (reply.cut(at) for case in chosen for reply in wires([case]) for at in range(1, reply.size))
    outcome = through(running, upstream, replies)
    assert not outcome.differences
    nothing_is_out(outcome, running, chosen)
