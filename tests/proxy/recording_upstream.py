"""A model server that answers what a test tells it to, and remembers every byte that ever reached it."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable

MARKER = "MODEL-SAYS-THIS"
CHAT = json.dumps(
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "tiny",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": MARKER}, "finish_reason": "stop"},
        ],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
    }
).encode()


def event(content: str | None, finish: str | None = None) -> bytes:
    """One event of a chat completions stream."""
    delta = {} if content is None else {"content": content}
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    document = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "tiny", "choices": [choice]}
    return b"data: " + json.dumps(document).encode() + b"\n\n"


def reply(body: bytes, content_type: str = "application/json", status: str = "200 OK", extra: bytes = b"") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n".encode()
    return head + extra + b"\r\n" + body


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"

type Behaviour = Callable[[socket.socket, bytes], None]


class RecordingUpstream:
    """Threads and blocking sockets: nothing of it can fail the way the gateway could."""

    def __init__(self) -> None:
        self.received: list[bytes] = []
        """Whole requests (head and body), in order of arrival."""
        self.bytes = 0
        """Everything that arrived, requests or not."""
        self.connections = 0
        self.behave: Behaviour | None = None
        """What to send for a request; None: a plain chat completion (or stream, when asked for one)."""
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._closed = False
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._closed = True
        self._listener.close()
        with self._lock:
            for sock in self._open:
                with contextlib.suppress(OSError):
                    sock.close()

    def forget(self) -> None:
        """A clean slate for the next case."""
        with self._lock:
            self.received.clear()
            self.bytes = self.connections = 0
        self.behave = None

    def settle(self, seconds: float = 0.05) -> None:
        """Gives bytes that are on their way the time to arrive (loopback: far less is needed)."""
        time.sleep(seconds)

    def _accept(self) -> None:
        while not self._closed:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self.connections += 1
                self._open.add(sock)
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError), sock:
            buffer = b""
            while True:
                while (request := _whole(buffer)) is None:
                    data = sock.recv(65536)
                    if not data:
                        return
                    with self._lock:
                        self.bytes += len(data)
                    buffer += data
                buffer = buffer[len(request) :]
                with self._lock:
                    self.received.append(request)
                (self.behave or answer)(sock, request)


def _whole(buffer: bytes) -> bytes | None:
    head, found, rest = buffer.partition(b"\r\n\r\n")
    if not found:
        return None
    length = 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            length = int(value)
    if len(rest) < length:
        return None
    return head + found + rest[:length]


def answer(sock: socket.socket, request: bytes) -> None:
    body = request.partition(b"\r\n\r\n")[2]
    if b'"stream":true' in body.replace(b" ", b""):
        parts = [event(piece) for piece in ("MODEL", "-SAYS", "-THIS")] + [event(None, "stop"), b"data: [DONE]\n\n"]
        sock.sendall(STREAM_HEAD + b"".join(map(chunk, parts)) + b"0\r\n\r\n")
    else:
        sock.sendall(reply(CHAT))
