"""Data directories made without a gateway: entries as the chain writes them, at times that a test decides."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb

from penstock.exchange import JsonObject, ulid
from penstock.journal.chain import Chain, Head, chain_id
from penstock.journal.segment import Mark, Segment, head, newest, write_mark
from penstock.store.layout import Layout
from penstock.store.views import build

ROOT = Path(__file__).parent.parent.parent
CLI = Path(sys.executable).parent / "duckdb"

CALLER: JsonObject = {
    "issuer": "corp",
    "subject": "alice@example.com",
    "groups": ["corp:science", "corp:staff"],
    "via": "oidc",
    "client": "notebook",
}
REQUEST: JsonObject = {
    "session": "session-1",
    "caller": CALLER,
    "address": "10.0.0.9:51234",
    "upstream": "lab",
    "method": "POST",
    "path": "/v1/chat/completions",
    "api": "openai.chat",
    "operation": "chat",
    "model": "llama3.2",
    "parameters": {"max_tokens": 512, "temperature": 0.1},
    "tools": ["search"],
    "stream": False,
    "verdict": "allow",
    "rule": "researchers",
    "rules": [
        {"rule": "researchers", "kind": "grant", "where": "access.yaml:3", "action": "allow", "mode": "enforce"},
    ],
    "policy": "p" * 64,
    "status": None,
    "code": None,
    "message": None,
    "masked": {},
    "uninspected": [],
    "bytes": 120,
    "digest": "d" * 64,
}
RESPONSE: JsonObject = {
    "status": 200,
    "finish": "stop",
    "prompt_tokens": 11,
    "completion_tokens": 7,
    "ttft_ms": 12.5,
    "duration_ms": 220.25,
    "masked": {},
    "error": None,
    "complete": True,
    "streamed": False,
    "bytes": 300,
    "sha256": "e" * 64,
    "rules": [],
}
APPROVAL: JsonObject = {
    "ticket": "T1",
    "event": "opened",
    "by": None,
    "rule": "bulk-export",
    "approval": "risky",
    "digest": "d" * 64,
    "reason": None,
    "needed": 2,
    "count": 0,
    "expires": 1_900_000_000.5,
}


class Scene:
    """Writes a chain, a millisecond an entry, from 2026-03-04 05:06:07 UTC unless told otherwise."""

    def __init__(self, data: Path, *, worker: str = "0", at: float = 1_772_600_767.0, built: bool = True) -> None:
        self.place = Layout(data)
        self.place.prepare()
        if built and not self.place.current():
            build(self.place)
        self.worker = worker
        self.at = at
        latest = newest(self.place.journal, worker)
        after = head(self.place.journal, worker)
        self.chain = Chain(chain_id(at, latest.chain if latest else ""), random=os.urandom, after=after)
        self.segment = Segment(worker, self.chain.id, 0)
        self.path.touch()

    @property
    def path(self) -> Path:
        return self.segment.journal(self.place.journal)

    def add(self, kind: str, exchange: str | None = None, body: JsonObject | None = None, payload: Any = None) -> Head:
        self.at += 0.001
        with self.path.open("ab") as file:
            file.write(self.chain.extend(self.at, kind, exchange, body or {}, payload))
        return self.chain.head

    def request(self, id: str | None = None, *, prompt: str = "user: hello", **changes: Any) -> str:
        id = id or ulid(self.at)
        body = json.dumps({"model": "llama3.2", "messages": [{"role": "user", "content": prompt}]})
        payload = {"prompt": prompt, "headers": [["content-type", "application/json"]], "body": body}
        self.add("request", id, {**REQUEST, **changes}, payload)
        return id

    def response(self, id: str, *, kind: str = "response", completion: str = "hi", **changes: Any) -> None:
        body = json.dumps({"choices": [{"message": {"content": completion}}]})
        payload = {
            "completion": completion,
            "headers": [["content-type", "application/json"]],
            "body": None if changes.get("streamed") else body,
            "encoding": "utf-8",
        }
        self.add(kind, id, {**RESPONSE, **changes}, payload)

    def exchange(self, **changes: Any) -> str:
        """A call that was allowed and answered."""
        id = self.request(**changes)
        self.response(id)
        return id

    def turn(self) -> Segment:
        """Ends the file with its mark and goes on in the next."""
        done = self.segment
        self.mark()
        self.segment = Segment(self.worker, self.chain.id, self.segment.number + 1)
        self.path.touch()
        return done

    def mark(self) -> None:
        write_mark(self.segment.mark(self.place.journal), Mark(self.chain.head, self.path.stat().st_size))


def python(place: Layout, sql: str) -> list[tuple[Any, ...]]:
    """What DuckDB for Python says, on audit.duckdb itself."""
    with duckdb.connect(str(place.database), read_only=True) as con:
        return con.execute(sql).fetchall()


def cli(place: Layout, sql: str) -> list[dict[str, Any]]:
    """What the DuckDB CLI of an analyst says."""
    done = subprocess.run(
        [str(CLI), "-readonly", "-json", str(place.database), "-c", sql], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout)) if done.stdout.strip() else []


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "addons")])}
