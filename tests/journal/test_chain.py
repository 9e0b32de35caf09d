"""Each entry proves the one before it."""

from __future__ import annotations

import pytest

from penstock.journal.chain import Chain, Head, chain_id
from penstock.journal.entry import NONE, read

ONE, TWO = "01K0ABCDEFGHJKMNPQRSTVWXYZ", "01K0ABCDEFGHJKMNPQRSTVWXZ0"


def new(id: str = ONE, after: Head | None = None) -> Chain:
    return Chain(id, random=lambda count: bytes(count), after=after)


def test_entries_follow_each_other() -> None:
    chain = new()
    lines = [read(chain.extend(at, "chunk", None, {"n": at})) for at in range(3)]
    assert [line.entry.seq for line in lines] == [0, 1, 2]
    assert [line.entry.prev for line in lines] == [NONE, lines[0].hash, lines[1].hash]
    assert chain.head == Head(ONE, 2, lines[2].hash)


def test_a_new_chain_proves_the_head_of_the_one_before() -> None:
    first = new()
    first.extend(0, "start", None, {"pid": 1})
    second = new(TWO, first.head)
    line = read(second.extend(1, "start", None, {"pid": 2}))
    assert line.entry.prev == first.head.hash
    assert line.entry.body == {"pid": 2, "after": {"chain": ONE, "seq": 0}}


def test_entries_that_were_not_kept_are_forgotten() -> None:
    chain = new()
    chain.extend(0, "start", None, {})
    head = chain.head
    lost = chain.extend(1, "chunk", None, {"lost": True})
    chain.rewind(head)
    kept = read(chain.extend(2, "chunk", None, {"lost": False}))
    assert kept.entry.seq == read(lost).entry.seq == 1
    assert kept.entry.prev == head.hash


def test_what_json_cannot_say_leaves_the_chain_as_it_was() -> None:
    chain = new()
    head = chain.head
    for bad in ({"x": 2**64}, {"x": "\ud800"}, {"x": object()}):
        with pytest.raises(TypeError):
            chain.extend(0, "chunk", None, {}, bad)  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            chain.extend(0, "chunk", None, bad)  # type: ignore[arg-type]
    assert chain.head == head


def test_a_chain_sorts_after_the_newest_even_when_the_clock_was_set_back() -> None:
    at = 1_763_688_240.0
    earlier = chain_id(at)
    for offset in (0.0, 0.001, 5.0, 86_400.0):
        assert chain_id(at - offset, earlier) > earlier
    assert chain_id(at + 1, earlier) > earlier
