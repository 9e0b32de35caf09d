"""Streams that end too early, through the running gateway: the caller sees no part of a value, the record says why."""

from __future__ import annotations

import json
import socket
import struct
import time
from typing import Literal

import pytest

from tests.proxy.cut_replies import HEADS, PATHS, Wire, ndjson, sse
from tests.proxy.raw_client import Answer, chat, request
from tests.proxy.recording_upstream import RecordingUpstream
from tests.proxy.running_gateway import Running

TEXT = "to alice@example.com now"
TELLING = ("alic", "exam")
MASKED = "to [EMAIL] now"
CUT = {"to alice@example.com": "to [EMAIL]", "to alice@example.co": "to [EMAIL]", "to alice@exam": "to alice@exam"}
"""Cut by a limit, a text is the whole text: what is no value in it is none."""
BYTES = {
    "sse": sse([TEXT], [MASKED]).sends[0],
    "ndjson": ndjson({"content": TEXT}, {"content": MASKED}).sends[0],
}
wires = pytest.mark.parametrize("wire", ["sse", "ndjson"])


def breaks_off(upstream: RecordingUpstream, data: bytes, how: Literal["fin", "rst"]) -> None:
    """Makes the model send this much, and hang up."""

    def behave(sock: socket.socket, _request: bytes) -> None:
        sock.sendall(data)
        if how == "rst":
            time.sleep(0.01)  # what was sent is read first: a reset throws away what was not
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.close()
        else:
            sock.shutdown(socket.SHUT_RDWR)

    upstream.behave = behave


def ask(running: Running, wire: Wire) -> Answer:
    return running.ask(request(chat(stream=True), path=PATHS[wire]))


def ends(running: Running, exchanges: set[str]) -> list[dict[str, object]]:
    """The last entries of these exchanges, once all are there."""
    deadline = time.monotonic() + 5
    while True:
        found = [
            entry
            for entry in running.entries()
            if entry["kind"] in ("response", "abort") and entry["exchange"] in exchanges
        ]
        if len(found) >= len(exchanges) or time.monotonic() > deadline:
            assert {entry["exchange"] for entry in found} == exchanges
            return found
        time.sleep(0.02)


def delivered(answer: Answer) -> str:
    """The text of a stream that may be broken in the middle of an event."""
    text = ""
    for line in answer.text.splitlines():
        try:
            document = json.loads(line.removeprefix("data: "))
        except ValueError:
            continue
        for choice in document.get("choices", ()):
            text += choice["delta"].get("content", "")
        text += document.get("message", {}).get("content", "")
    return text


@wires
@pytest.mark.parametrize("how", ["fin", "rst"])
def test_a_model_that_hangs_up_anywhere_leaks_nothing(
    gateway: Running, upstream: RecordingUpstream, wire: Wire, how: Literal["fin", "rst"]
) -> None:
    data, head = BYTES[wire], len(HEADS[wire])
    last = data.index(b"finish_reason" if wire == "sse" else b'"done":true')
    exchanges: set[str] = set()
    for place in range(head, last, max(1, (last - head) // 40)):
        breaks_off(upstream, data[:place], how)
        answer = ask(gateway, wire)
        exchanges.add(answer.headers["penstock-exchange"])
        assert not [part for part in TELLING if part in answer.text], place
        assert MASKED.startswith(delivered(answer)), place
        assert "error" in answer.text or not answer.whole, place
    for entry in ends(gateway, exchanges):
        body = entry["body"]
        assert isinstance(body, dict)
        assert entry["kind"] == "abort" and body["reason"] == "upstream" and body["complete"] is False
        assert not [part for part in TELLING if part in json.dumps(entry)]


@wires
def test_a_limit_of_length_within_a_value_is_an_end_like_any_other(
    gateway: Running, upstream: RecordingUpstream, wire: Wire
) -> None:
    for text, masked in CUT.items():
        made = (
            sse([text], [masked], finish="length") if wire == "sse" else ndjson({"content": text}, {}, finish="length")
        )
        upstream.behave = lambda sock, _request, data=made.sends[0]: sock.sendall(data)
        answer = ask(gateway, wire)
        assert answer.whole and "error" not in answer.text
        assert delivered(answer) == masked
        (entry,) = ends(gateway, {answer.headers["penstock-exchange"]})
        body = entry["body"]
        assert isinstance(body, dict)
        assert body["finish"] == "length" and body["complete"] is True


@wires
def test_a_caller_who_leaves_in_the_middle_of_a_value_leaves_none_of_it_in_the_record(
    gateway: Running, upstream: RecordingUpstream, wire: Wire
) -> None:
    data = BYTES[wire]
    middle = data.rindex(b'"c"' if wire == "ndjson" else b':"c"')

    def behave(sock: socket.socket, _request: bytes) -> None:
        sock.sendall(data[:middle])
        sock.recv(1)  # until the gateway hangs up in turn

    upstream.behave = behave
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as sock:
        sock.sendall(request(chat(stream=True), path=PATHS[wire]))
        seen = b""
        while b"to" not in seen.partition(b"\r\n\r\n")[2]:
            seen += sock.recv(65536)
    assert not [part for part in TELLING if part.encode() in seen]
    head = seen.partition(b"\r\n\r\n")[0].decode().lower()
    exchange = head.partition("penstock-exchange: ")[2].split()[0].upper()
    (entry,) = ends(gateway, {exchange})
    body = entry["body"]
    assert isinstance(body, dict)
    assert entry["kind"] == "abort" and body["reason"] == "client" and body["complete"] is False
    assert not [part for part in TELLING if part in json.dumps(gateway.entries())]
