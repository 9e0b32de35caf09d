"""Whatever is done to a chain is found, and called by its name."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.journal import entry
from penstock.journal.chain import Chain, Head
from penstock.journal.entry import EntryError, read
from penstock.journal.verify import Chained, Place, Verified, missing

ID = "01K0ABCDEFGHJKMNPQRSTVWXYZ"
COUNT = 8
FILES = (0, 3, 5)
"""Where files begin: entries 0-2, 3-4 and 5-7."""


def made(count: int = COUNT, *, stop: bool = True) -> list[bytes]:
    chain = Chain(ID, random=lambda size: bytes(size))
    kinds = ["start", *["chunk"] * (count - 2), "stop" if stop else "chunk"]
    return [chain.extend(n, kind, None, {"n": n}, {"body": f"body {n}"}) for n, kind in enumerate(kinds)]


def file_of(index: int) -> int:
    return sum(index >= start for start in FILES) - 1


def verify(
    raws: Sequence[tuple[int, bytes]], proofs: Sequence[tuple[Head, str]] = (), *, running: bool = False
) -> Verified:
    """`raws`: (number of the file, line)."""
    chained = Chained(ID, "0")
    for number, (file, raw) in enumerate(raws, 1):
        place = Place(f"file{file}", file, number)
        try:
            chained.add(place, read(raw))
        except EntryError as error:
            chained.add_broken(place, error)
    return chained.conclude(proofs, running=running)


def placed(raws: Sequence[bytes]) -> list[tuple[int, bytes]]:
    return [(file_of(index), raw) for index, raw in enumerate(raws)]


def told(verified: Verified) -> tuple[str, int]:
    assert verified.problem is not None
    assert verified.problem.chain == ID
    assert f"{ID}:{verified.problem.seq}" in str(verified.problem)
    return verified.problem.what, verified.problem.seq


def again(raw: bytes, *, payload: dict[str, Any] | None = None, **changes: Any) -> bytes:
    """The entry with other fields, all its own hashes made to fit: what a forger who reads our code would write."""
    line = read(raw)
    fields = {**orjson.loads(line.entry.envelope()), **changes}
    packed, salt = line.payload, line.salt
    if payload is not None:
        packed, salt = orjson.dumps(payload), "00" * 16
        fields["payload"] = entry.digest(salt, packed)
    sealed = orjson.dumps(fields)
    return entry.line(sealed, sha256(sealed).hexdigest(), salt, packed)


def head_of(raw: bytes) -> Head:
    line = read(raw)
    return Head(line.entry.chain, line.entry.seq, line.hash)


def test_a_chain_that_nobody_touched_holds() -> None:
    raws = made()
    found = verify(placed(raws), [(head_of(raws[2]), "a mark"), (head_of(raws[-1]), "a later chain")])
    assert found.problem is None
    assert (found.entries, found.ending, found.torn, found.started, found.ended) == (8, "stopped", False, 0, 7_000_000)


def test_a_chain_says_how_it_ended() -> None:
    raws = placed(made(stop=False))
    assert verify(raws).ending == "ended without stop"
    assert verify(raws, running=True).ending == "running"
    assert verify([]).ending == "ended without stop"
    assert verify([]).problem is None


@pytest.mark.parametrize("seq", range(COUNT))
@pytest.mark.parametrize(
    "edit",
    [
        lambda raw: raw.replace(b'\\"n\\":', b'\\"N\\":', 1),
        lambda raw: raw.replace(b"body ", b"bodY ", 1),
        lambda raw: raw[: len(raw) // 2] + b"\n",
        lambda raw: b"\n",
    ],
    ids=["envelope", "payload", "cut", "blank"],
)
def test_an_edit_is_an_edit_of_the_entry_that_was_edited(seq: int, edit: Any) -> None:
    raws = made()
    raws[seq] = edit(raws[seq])
    assert told(verify(placed(raws))) == ("edit", seq)


@pytest.mark.parametrize("seq", range(COUNT))
@pytest.mark.parametrize("forged", [{"body": {"n": "forged"}}, {"payload": {"body": "forged"}}, {"at": 99}])
def test_an_edit_with_its_own_hashes_made_to_fit_is_found_all_the_same(seq: int, forged: Any) -> None:
    raws = made()
    proof = [(head_of(raws[-1]), "a mark")]
    raws[seq] = again(raws[seq], **forged)
    assert told(verify(placed(raws), proof)) == ("edit", seq)


def test_an_edit_of_what_an_entry_proves_is_an_edit_of_that_entry() -> None:
    raws = made()
    raws[4] = again(raws[4], prev="f" * 64)
    assert told(verify(placed(raws))) == ("edit", 4)


def test_a_payload_that_was_taken_away_is_an_erasure() -> None:
    raws = made()
    line = read(raws[3])
    raws[3] = entry.line(line.entry.envelope(), line.hash, None, None)
    assert told(verify(placed(raws))) == ("erasure", 3)


@pytest.mark.parametrize(
    ("gone", "what"),
    [
        ((0,), "deletion"),
        ((1,), "deletion"),
        ((3,), "deletion"),
        ((3, 4), "deletion"),
        ((5, 6), "deletion"),
        ((6,), "deletion"),
        ((4,), "truncation"),
        ((1, 2), "truncation"),
        ((2, 3), "truncation"),
        ((7,), "truncation"),
    ],
)
def test_a_deletion_is_one_also_at_the_end_of_a_file(gone: tuple[int, ...], what: str) -> None:
    raws = placed(made())
    kept = [each for index, each in enumerate(raws) if index not in gone]
    marks = [(head_of(raws[end][1]), "a mark") for end in (2, 4, 7)]
    assert told(verify(kept, marks)) == (what, gone[0])


@pytest.mark.parametrize("left", range(COUNT))
def test_a_truncation_is_found_when_somebody_proves_the_end(left: int) -> None:
    raws = made()
    assert told(verify(placed(raws[:left]), [(head_of(raws[-1]), "a later chain")])) == ("truncation", left)


@pytest.mark.parametrize("copied", range(COUNT))
@pytest.mark.parametrize("at", range(1, COUNT + 1))
def test_a_copy_that_was_put_in_is_an_insertion(copied: int, at: int) -> None:
    raws = placed(made())
    raws.insert(at, (raws[at - 1][0], raws[copied][1]))
    what, seq = told(verify(raws))
    # A copy put before its time is told as what it also is: two entries out of order.
    assert (what, seq) == (("insertion", copied) if copied < at + 1 else ("reordering", copied))


@pytest.mark.parametrize("at", range(1, COUNT))
def test_a_forged_entry_that_was_put_in_is_the_one_that_is_named(at: int) -> None:
    raws = made()
    before = read(raws[at - 1])
    false = again(raws[at], body={"n": "forged"}, prev=before.hash)
    found = verify(placed([*raws[:at], false, *raws[at:]]), [(head_of(raws[-1]), "a mark")])
    assert told(found) == ("insertion", at)
    assert found.problem is not None
    assert found.problem.where.endswith(f":{at + 1}")
    unproved = again(raws[at], body={"n": "forged"}, prev="f" * 64)
    found = verify(placed([*raws[:at], unproved, *raws[at:]]))
    assert told(found) == ("insertion", at)
    assert found.problem is not None
    assert found.problem.where.endswith(f":{at + 1}")


@pytest.mark.parametrize("at", range(COUNT))
@pytest.mark.parametrize("junk", [b"junk\n", b"\n", b"{}\n"])
def test_a_line_that_was_put_in_and_is_no_entry_is_an_insertion(at: int, junk: bytes) -> None:
    raws = made()
    assert told(verify(placed([*raws[:at], junk, *raws[at:]]))) == ("insertion", at)


def test_a_line_of_another_chain_is_an_insertion() -> None:
    other = Chain("01K0ABCDEFGHJKMNPQRSTVWXZ0", random=lambda size: bytes(size))
    raws = made()
    assert told(verify(placed([*raws[:3], other.extend(0, "start", None, {}), *raws[3:]]))) == ("insertion", 3)
    edited = other.extend(0, "chunk", None, {}, {"body": "x"}).replace(b'"x"', b'"y"')
    assert told(verify(placed([*raws[:3], edited, *raws[3:]]))) == ("insertion", 3)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_other_order_is_a_reordering(data: st.DataObject) -> None:
    raws = made()
    order = data.draw(st.permutations(range(COUNT)).filter(lambda order: list(order) != list(range(COUNT))))
    first = next(index for index, seq in enumerate(order) if index != seq)
    assert told(verify(placed([raws[index] for index in order]))) == ("reordering", order[first])


def test_a_proof_of_nothing_asks_for_nothing() -> None:
    assert verify(placed(made()), [(Head(ID, -1, entry.NONE), "an empty mark")]).problem is None
    assert told(verify([], [(Head(ID, 4, "a" * 64), "a mark")])) == ("truncation", 0)


def test_a_proof_of_another_entry_is_an_edit() -> None:
    assert told(verify(placed(made()), [(Head(ID, 5, "a" * 64), "a mark")])) == ("edit", 5)


def test_the_first_entry_names_the_chain_that_it_follows() -> None:
    before = Head("01K0ABCDEFGHJKMNPQRSTVWXY0", 3, "a" * 64)
    first = Chain(ID, random=lambda size: bytes(size), after=before).extend(0, "start", None, {})
    chained = Chained(ID, "0")
    chained.add(Place("file0", 0, 1), read(first))
    assert chained.after == before
    assert chained.conclude([], running=False).problem is None
    assert told(verify([(0, again(first, body={"after": None}))])) == ("edit", 0)


def test_a_chain_that_is_gone_is_a_deletion() -> None:
    found = missing(ID, "0", Head(ID, 3, "a" * 64), "chain X")
    assert told(found) == ("deletion", 0)
    assert found.problem is not None
    assert "4 entries or more" in found.problem.message
