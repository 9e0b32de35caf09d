"""A line is written one way, and only what would be written that way is read."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.errors import PenstockError
from penstock.exchange import JsonObject
from penstock.journal import entry
from penstock.journal.chain import Chain
from penstock.journal.entry import EntryError, Line

CHAIN = "01K0ABCDEFGHJKMNPQRSTVWXYZ"
SALT = b"0123456789abcdef"
PAYLOAD: JsonObject = {"prompt": 'user: hé \u2028 \x00 "quoted"', "headers": [["a", "b"]], "body": None}


def made(body: JsonObject | None = None, payload: JsonObject | None = PAYLOAD) -> bytes:
    chain = Chain(CHAIN, random=lambda count: SALT[:count])
    return chain.extend(1763688240.123456, "request", "01K0ABCDEFGHJKMNPQRSTVWXY0", body or {"n": 1}, payload)


def fault(raw: bytes) -> str:
    with pytest.raises(EntryError) as caught:
        entry.read(raw)
    assert isinstance(caught.value, PenstockError)
    return caught.value.fault


def test_an_entry_reads_back_as_it_was_written() -> None:
    line = entry.read(made())
    assert (line.entry.chain, line.entry.seq, line.entry.prev) == (CHAIN, 0, entry.NONE)
    assert (line.entry.at, line.entry.kind, line.entry.exchange) == (
        1763688240123456,
        "request",
        "01K0ABCDEFGHJKMNPQRSTVWXY0",
    )
    assert line.entry.body == {"n": 1, "after": None}
    assert line.payload_object() == PAYLOAD
    assert line.salt == SALT.hex()


def test_an_entry_without_payload_has_no_salt() -> None:
    line = entry.read(made(payload=None))
    assert (line.salt, line.payload, line.entry.payload, line.payload_object()) == (None, None, None, {})


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner)
    ),
    max_leaves=8,
)


@settings(max_examples=25, deadline=None)
@given(
    st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), JSON),
    st.none() | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), JSON),
)
def test_whatever_json_can_say_survives(body: JsonObject, payload: JsonObject | None) -> None:
    chain = Chain(CHAIN, random=lambda count: SALT[:count])
    chain.extend(0, "start", None, {})
    line = entry.read(chain.extend(1, "request", None, body, payload))
    assert line.entry.body == body
    assert line.payload_object() == (payload or {})
    assert line.entry.envelope() == orjson.loads(chain_line(line))["envelope"].encode()


def chain_line(line: Line) -> bytes:
    return entry.line(line.entry.envelope(), line.hash, line.salt, line.payload)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_no_byte_can_be_changed(data: st.DataObject) -> None:
    raw = bytearray(made())
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] = data.draw(st.integers(0, 255).filter(lambda byte: byte != raw[at]))
    with pytest.raises(EntryError):
        entry.read(bytes(raw))


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: raw[:-1],
        lambda raw: raw[:-1] + b" \n",
        lambda raw: raw.replace(b'","salt', b'", "salt', 1),
        lambda raw: b"[1]\n",
        lambda raw: b"{}\n",
        lambda raw: b"\xff\n",
        lambda raw: json.dumps(dict(reversed(json.loads(raw).items()))).encode() + b"\n",
        lambda raw: raw.replace(b'{"hash"', b'{"hash":"0","hash"', 1),
        lambda raw: raw.replace(b'{"hash":"', b'{"hash":"x', 1),
        lambda raw: raw[:-2] + b',"more":1}\n',
        lambda raw: raw.replace("é".encode(), b"\\u00e9", 1),
    ],
)
def test_another_way_to_write_a_line_is_refused(change: Any) -> None:
    assert fault(change(made())) in ("unreadable", "envelope")


def sealed(**changes: Any) -> bytes:
    fields = orjson.loads(orjson.loads(made())["envelope"])
    return orjson.dumps({**fields, **changes})


@pytest.mark.parametrize(
    "envelope",
    [
        sealed(v=2),
        sealed(seq=-1),
        sealed(seq=True),
        sealed(at=1.5),
        sealed(at=False),
        sealed(chain="x"),
        sealed(prev="00"),
        sealed(payload="00"),
        sealed(exchange=3),
        sealed(body=[]),
        sealed(kind=None),
        sealed(more=1),
        sealed().replace(b'"seq":0', b'"seq": 0'),
        b"[]",
        b"",
    ],
)
def test_an_envelope_that_is_not_canonical_is_refused(envelope: bytes) -> None:
    with pytest.raises(EntryError) as caught:
        entry.parse(envelope)
    assert caught.value.fault == "unreadable"


def test_what_was_done_to_a_line_is_told_apart() -> None:
    raw = made()
    assert fault(raw.replace(b'{\\"n\\":1', b'{\\"n\\":2')) == "envelope"
    assert fault(raw.replace(b"quoted", b"edited")) == "payload"
    assert fault(raw.replace(SALT.hex().encode(), b"0" * 32)) == "payload"
    fields = orjson.loads(raw)
    erased = entry.line(fields["envelope"].encode(), fields["hash"], None, None)
    assert fault(erased) == "erased"
    with_salt = orjson.dumps({**fields, "payload": None}) + b"\n"
    assert fault(with_salt) == "payload"


def test_a_payload_that_was_never_hashed_is_refused() -> None:
    fields = orjson.loads(made(payload=None))
    assert fault(entry.line(fields["envelope"].encode(), fields["hash"], SALT.hex(), b"{}")) == "payload"
