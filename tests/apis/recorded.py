"""The recorded replies in `tests/vectors`, by API."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from penstock import apis
from penstock.apis import Api, ReplyReader
from penstock.exchange import Call, Operation

ROOT = Path(__file__).parent.parent / "vectors"


@dataclass(frozen=True, slots=True)
class Recorded:
    """One reply of a model server, as it came over the wire."""

    api: Api
    name: str
    status: int
    content_type: str
    body: bytes

    @property
    def streamed(self) -> bool:
        return self.content_type.startswith(("text/event-stream", "application/x-ndjson"))

    def reader(self) -> ReplyReader:
        return self.api.reader(Call(self.api.name, Operation.CHAT, "tiny"))

    def __str__(self) -> str:
        return f"{self.api.name}-{self.name}"


def _load(api: Api, head: Path) -> Recorded:
    lines = head.read_text("latin-1").splitlines()
    types = [line.partition(":")[2].strip() for line in lines if line.lower().startswith("content-type:")]
    return Recorded(api, head.stem, int(lines[0].split()[1]), types[0], head.with_suffix(".body").read_bytes())


def directory(api: Api) -> Path:
    return ROOT / api.name.replace(".", "_")


RECORDED = [_load(api, head) for api in apis.APIS for head in sorted(directory(api).glob("*.hdr"))]
STREAMED = [recorded for recorded in RECORDED if recorded.streamed]
WHOLE = [recorded for recorded in RECORDED if not recorded.streamed]


def recorded(name: str) -> Recorded:
    """The one of this name, `ollama.chat-ollama_tool`."""
    return next(each for each in RECORDED if str(each) == name)
