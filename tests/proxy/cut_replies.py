"""Streamed replies, cut where a test wants them to be, sent through a running gateway and read by its caller."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import struct
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise, zip_longest
from typing import Literal

from tests.proxy.raw_client import Answer, chat, read, request
from tests.proxy.recording_upstream import RecordingUpstream, chunk
from tests.proxy.running_gateway import Running

type Wire = Literal["sse", "ndjson"]

HEADS = {
    wire: f"HTTP/1.1 200 OK\r\nContent-Type: {media}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    for wire, media in (("sse", "text/event-stream"), ("ndjson", "application/x-ndjson"))
}
PATHS = {"sse": "/v1/chat/completions", "ndjson": "/api/chat"}
CALLERS = 4
_DIGEST = re.compile(rb"[0-9a-f]{40,}")

_ANY, _BY_FAMILY, _REQUEST, _DIAGNOSIS = 0xFFFFFFFF, 20, 1, 4


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply of the model: what goes over the wire, in how many sends, and what its texts have to become."""

    wire: Wire
    sends: tuple[bytes, ...]
    expected: Mapping[str, str]
    """Choice or field -> text."""
    name: str = ""

    def cut(self, *places: int) -> Reply:
        """The same bytes, in sends that end at these places."""
        data = b"".join(self.sends)
        ends = (0, *sorted(places), len(data))
        return Reply(self.wire, tuple(data[a:b] for a, b in pairwise(ends)), self.expected, self.name)

    @property
    def size(self) -> int:
        return sum(map(len, self.sends))


def sse(
    choices: Sequence[Sequence[str]],
    expected: Sequence[str],
    *,
    ends: bool = True,
    finish: str = "stop",
    ascii_only: bool = False,
    name: str = "",
) -> Reply:
    """A chat of OpenAI's: the pieces of every choice, in turns. `ends`: each choice says that it ends."""
    documents: list[object] = [
        {"choices": [{"index": index, "delta": {"content": piece}}]}
        for turn in zip_longest(*choices)
        for index, piece in enumerate(turn)
        if piece is not None
    ]
    if ends:
        documents += [{"choices": [{"index": at, "delta": {}, "finish_reason": finish}]} for at in range(len(choices))]
    events = [b"data: %s\n\n" % _json(each, ascii_only) for each in documents]
    data = HEADS["sse"] + b"".join(map(chunk, (*events, b"data: [DONE]\n\n"))) + b"0\r\n\r\n"
    return Reply("sse", (data,), {str(at): text for at, text in enumerate(expected)}, name)


def ndjson(
    fields: Mapping[str, Sequence[str]],
    expected: Mapping[str, str],
    *,
    finish: str = "stop",
    ascii_only: bool = False,
    name: str = "",
) -> Reply:
    """A chat of Ollama's: the pieces of its fields, in turns."""
    lines = [
        {"model": "tiny", "message": {"role": "assistant", "content": "", key: piece}, "done": False}
        for turn in zip_longest(*fields.values())
        for key, piece in zip(fields, turn, strict=True)
        if piece is not None
    ]
    last = {"model": "tiny", "message": {"role": "assistant", "content": ""}, "done": True, "done_reason": finish}
    parts = [_json(each, ascii_only) + b"\n" for each in (*lines, last)]
    return Reply("ndjson", (HEADS["ndjson"] + b"".join(map(chunk, parts)) + b"0\r\n\r\n",), expected, name)


def _json(document: object, ascii_only: bool) -> bytes:
    return json.dumps(document, ensure_ascii=ascii_only, separators=(",", ":")).encode()


def said(wire: Wire, body: bytes) -> dict[str, str]:
    """The texts of a stream, as a client puts them together. Raises ValueError for a stream that ends in an error."""
    texts: dict[str, list[str]] = {}
    for line in body.decode().splitlines():
        data = line.removeprefix("data:").strip()
        if not data.startswith("{"):
            continue
        document = json.loads(data)
        if "error" in document:
            raise ValueError(data)
        if wire == "sse":
            for choice in document["choices"]:
                texts.setdefault(str(choice["index"]), []).append(choice["delta"].get("content", ""))
        else:
            for key in ("content", "thinking"):
                texts.setdefault(key, []).append(document["message"].get(key, ""))
    return {key: "".join(parts) for key, parts in texts.items()}


class Model:
    """Answers each call with the reply whose number its prompt says, send by send."""

    def __init__(self, upstream: RecordingUpstream) -> None:
        self.replies: dict[int, Reply] = {}
        upstream.behave = self._behave

    def _behave(self, sock: socket.socket, request: bytes) -> None:
        document = json.loads(request.partition(b"\r\n\r\n")[2])
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        first, *others = self.replies[int(document["messages"][0]["content"])].sends
        sock.sendall(first)
        with contextlib.closing(_Unread(sock)) as unread:
            for part in others:
                while unread():  # what comes next is a read of its own
                    time.sleep(0)
                sock.sendall(part)


class _Unread:
    """How much of what was sent the other side has still to read, as the kernel knows it (sock_diag(7))."""

    def __init__(self, sock: socket.socket) -> None:
        ours, theirs = sock.getsockname(), sock.getpeername()
        of_theirs = struct.pack("!HH4s12x4s12x", theirs[1], ours[1], *map(socket.inet_aton, (theirs[0], ours[0])))
        asked = struct.pack("=BBBxI", socket.AF_INET, socket.IPPROTO_TCP, 0, _ANY) + of_theirs
        asked += struct.pack("=III", 0, _ANY, _ANY)
        self._question = struct.pack("=IHHII", 16 + len(asked), _BY_FAMILY, _REQUEST, 1, 0) + asked
        self._kernel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _DIAGNOSIS)
        self._kernel.connect((0, 0))

    def __call__(self) -> int:
        self._kernel.send(self._question)
        told = self._kernel.recv(4096)
        (kind,) = struct.unpack_from("=H", told, 4)
        unread: int = struct.unpack_from("=I", told, 72)[0] if kind == _BY_FAMILY else 0  # else it is closed
        return unread

    def close(self) -> None:
        self._kernel.close()


@dataclass
class Outcome:
    """What became of some replies."""

    replies: int = 0
    sends: int = 0
    differences: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    """What was delivered, as it came."""


def through(running: Running, upstream: RecordingUpstream, replies: Iterable[Reply]) -> Outcome:
    """Asks for every reply, over a few connections that are kept open, and compares what comes."""
    model, outcome, lock = Model(upstream), Outcome(), threading.Lock()
    numbered = enumerate(replies)

    def ask() -> None:
        with socket.create_connection(("127.0.0.1", running.port), timeout=60) as sock:
            while True:
                with lock:
                    number, reply = next(numbered, (0, None))
                    if reply is None or len(outcome.differences) > 5:
                        return
                    model.replies[number] = reply
                sock.sendall(request(chat(str(number), stream=True), path=PATHS[reply.wire], close=False))
                answer = read(sock)
                with lock:
                    del model.replies[number]
                    upstream.received.clear()
                    outcome.replies += 1
                    outcome.sends += len(reply.sends)
                    outcome.bodies.append(answer.body)
                    if wrong := _differs(reply, answer):
                        outcome.differences.append(wrong)

    with ThreadPoolExecutor(CALLERS) as callers:
        for done in [callers.submit(ask) for _ in range(CALLERS)]:
            done.result()
    return outcome


def _differs(reply: Reply, answer: Answer) -> str:
    """How an answer is not what it has to be; empty: in nothing."""
    if answer.status != 200 or not answer.whole:
        return f"{reply.name}: status {answer.status}, whole {answer.whole}: {answer.text[-300:]}"
    try:
        texts = said(reply.wire, answer.body)
    except ValueError as error:
        return f"{reply.name}: {error}"
    wrong = {key: (text, texts.get(key)) for key, text in reply.expected.items() if texts.get(key, "") != text}
    return f"{reply.name}: {wrong}" if wrong else ""


def written(running: Running) -> Iterator[bytes]:
    """Every file that the gateway has written, without the digests in it, which may happen to hold any number."""
    for path in (*sorted((running.directory / "data").rglob("*")), running.log):
        if path.is_file():
            yield _DIGEST.sub(b"", path.read_bytes())
