"""Who calls in the end-to-end tests, with what, and how the answers and the audit are looked at."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import duckdb
import httpx
import ollama
import openai

from scripts.stage.gateway import Gateway
from scripts.stage.identity_provider import Client

ALICE: Final = Client("alice", ("data-science",))
BOB: Final = Client("bob", ("contractors",))
CAROL: Final = Client("carol", ("security",))
DAVE: Final = Client("dave", ("security",))
HEIDI: Final = Client("heidi", ("hr",))
MALLORY: Final = Client("mallory", ())


class Wire(httpx.HTTPTransport):
    """What a client really sent and received: how many requests, and every byte of every answer."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[httpx.Request] = []
        self.answers: list[httpx.Response] = []
        self.received = b""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = super().handle_request(request)
        self.answers.append(answer)
        assert isinstance(answer.stream, httpx.SyncByteStream)
        answer.stream = _Tapped(answer.stream, self)
        return answer

    @property
    def exchange(self) -> str:
        """Id of the last exchange, as the gateway named it."""
        return self.answers[-1].headers["penstock-exchange"]


class _Tapped(httpx.SyncByteStream):
    def __init__(self, stream: httpx.SyncByteStream, wire: Wire) -> None:
        self._stream = stream
        self._wire = wire

    def __iter__(self) -> Iterator[bytes]:
        for data in self._stream:
            self._wire.received += data
            yield data

    def close(self) -> None:
        self._stream.close()


@dataclass(frozen=True, slots=True)
class Person:
    """A caller with SDK clients whose traffic can be looked at."""

    token: str
    gateway: Gateway
    wire: Wire = field(default_factory=Wire)

    def openai(self, route: str = "llama") -> openai.OpenAI:
        """An OpenAI client as people use it: base URL, key, and two retries."""
        transport = httpx.Client(transport=self.wire, timeout=60.0)
        return openai.OpenAI(base_url=f"{self.gateway.url(route)}/v1", api_key=self.token, http_client=transport)

    def ollama(self) -> ollama.Client:
        headers = {"authorization": f"Bearer {self.token}"} if self.token else {}
        return ollama.Client(host=self.gateway.url("ollama"), headers=headers, transport=self.wire, timeout=60.0)

    def curl(self, path: str, *options: str, route: str = "llama") -> Answered:
        """Run curl against a path of the gateway, with the token if there is one."""
        headers = ["-H", f"Authorization: Bearer {self.token}"] if self.token else []
        command = ["curl", "--silent", "--include", "--no-buffer", "--max-time", "30", "--noproxy", "*"]
        ran = subprocess.run(
            [*command, *headers, *options, self.gateway.url(route) + path], capture_output=True, check=True, timeout=60
        )
        return Answered.parse(ran.stdout)

    def page(self, method: str, path: str, **options: Any) -> httpx.Response:
        """A request of the gateway's own pages."""
        headers = {"authorization": f"Bearer {self.token}"}
        return httpx.request(method, self.gateway.url() + path, headers=headers, timeout=30, trust_env=False, **options)


@dataclass(frozen=True, slots=True)
class Answered:
    """What curl printed: status, headers (names in lower case) and body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @classmethod
    def parse(cls, output: bytes) -> Answered:
        head, _, body = output.partition(b"\r\n\r\n")
        while head.startswith(b"HTTP/1.1 100"):
            head, _, body = body.partition(b"\r\n\r\n")
        line, *fields = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in fields)}
        return cls(int(line.split()[1]), headers, body)

    def json(self) -> Any:
        return json.loads(self.body)


class Audit:
    """The audit as an analyst reads it: read-only, with the gateway at work."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        with duckdb.connect(str(self.path), read_only=True) as connection:
            found = connection.execute(query, list(values))
            names = [column[0] for column in found.description or ()]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def exchange(self, identifier: str, *, ended: bool = True) -> dict[str, Any]:
        """The row of an exchange, waited for: it may be a second behind, and so may the database after a start."""
        query = "SELECT * FROM exchanges WHERE id = ?" + (" AND ended IS NOT NULL" if ended else "")
        found = eventually(lambda: self.rows(query, identifier) if self.path.exists() else None)
        assert len(found) == 1
        return found[0]


def eventually[T](look: Callable[[], T | None], *, seconds: float = 15.0) -> T:
    """What `look` finds, as soon as it finds something."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"nothing found in {seconds:g} s"
        time.sleep(0.05)
    return found


def asks(text: str) -> list[Any]:
    """A conversation of one message."""
    return [{"role": "user", "content": text}]


LOOKUP: Final[Any] = {
    "type": "function",
    "function": {
        "name": "lookup",
        "description": "Find a person.",
        "parameters": {"type": "object", "properties": {"email": {"type": "string"}}, "required": ["email"]},
    },
}


def shows(received: bytes, values: Iterable[str]) -> list[str]:
    """Which of the values can be read in what was received, as they are or with their spaces removed."""
    text = received.decode("utf-8", "replace")
    return [value for value in values if value in text or value.replace(" ", "") in text.replace(" ", "")]
