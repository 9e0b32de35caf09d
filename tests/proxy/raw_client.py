"""A client that sends exactly the bytes it is given, and reads what comes back."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass

KEY = "psk-test-0123456789abcdef0123456789abcdef"


@dataclass(frozen=True)
class Answer:
    """What came back; status 0 when the connection was closed without an answer."""

    status: int
    headers: dict[str, str]
    body: bytes
    whole: bool
    """The message ended as HTTP says it must."""

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


def chat(content: str = "hello", **more: object) -> bytes:
    document = {"model": "tiny", "messages": [{"role": "user", "content": content}], **more}
    return json.dumps(document).encode()


def request(
    body: bytes = b"",
    *,
    method: str = "POST",
    path: str = "/v1/chat/completions",
    headers: list[tuple[bytes, bytes]] | None = None,
    key: str | None = KEY,
    version: str = "HTTP/1.1",
    content_type: str | None = "application/json",
    close: bool = True,
) -> bytes:
    lines = [f"{method} {path} {version}".encode(), b"Host: model.test"]
    if key is not None:
        lines.append(b"Authorization: Bearer " + key.encode())
    if body and content_type is not None:
        lines.append(b"Content-Type: " + content_type.encode())
    if body:
        lines.append(b"Content-Length: %d" % len(body))
    if close:
        lines.append(b"Connection: close")
    lines += [name + b": " + value for name, value in headers or []]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def exchange(port: int, raw: bytes, *, timeout: float = 10.0, host: str = "127.0.0.1") -> Answer:
    """Sends `raw`, reads one answer."""
    with socket.create_connection((host, port), timeout=timeout) as sock:
        try:
            sock.sendall(raw)
        except OSError:
            return Answer(0, {}, b"", False)
        return read(sock)


def read(sock: socket.socket) -> Answer:
    buffer = b""
    try:
        while b"\r\n\r\n" not in buffer:
            data = sock.recv(65536)
            if not data:
                return Answer(0, {}, buffer, False)
            buffer += data
        head, _, rest = buffer.partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        status = int(lines[0].split(b" ")[1])
        headers = {
            name.strip().lower().decode(): value.strip().decode("latin-1")
            for name, _, value in (line.partition(b":") for line in lines[1:])
        }
        if status == 100:
            return read_rest(sock, rest)
        if headers.get("transfer-encoding") == "chunked":
            body, whole = _chunked(sock, rest)
        else:
            body, whole = _counted(sock, rest, headers.get("content-length"))
    except OSError:
        return Answer(0, {}, buffer, False)
    return Answer(status, headers, body, whole)


def read_rest(sock: socket.socket, rest: bytes) -> Answer:
    """The answer after an interim one (what is in `rest` already is not expected)."""
    assert not rest
    return read(sock)


def _counted(sock: socket.socket, rest: bytes, length: str | None) -> tuple[bytes, bool]:
    wanted = None if length is None else int(length)
    while wanted is None or len(rest) < wanted:
        data = sock.recv(65536)
        if not data:
            return rest, wanted is None
        rest += data
    return rest, True


def _chunked(sock: socket.socket, rest: bytes) -> tuple[bytes, bool]:
    body = b""
    while True:
        while b"\r\n" not in rest:
            data = _more(sock)
            if not data:
                return body + rest, False
            rest += data
        size_line, _, rest = rest.partition(b"\r\n")
        size = int(size_line, 16)
        while len(rest) < size + 2:
            data = _more(sock)
            if not data:
                return body + rest, False
            rest += data
        if size == 0:
            return body, True
        body += rest[:size]
        rest = rest[size + 2 :]


def _more(sock: socket.socket) -> bytes:
    try:
        return sock.recv(65536)
    except OSError:
        return b""
