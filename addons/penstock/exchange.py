"""What passes through the gateway: a call, the texts in it, and the reply to it."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, NamedTuple

type Json = bool | int | float | str | list[Json] | dict[str, Json] | None
type JsonObject = dict[str, Json]
type Path = tuple[str | int, ...]
type Encoding = Literal["json", "form", "tensors", "raw"]
"""How a request body is written: JSON, a multipart form, KServe's JSON with binary tensors behind it, or bytes."""


class Blob(str):
    """Bytes in a body that nobody can read here (a file, a tensor); as text, and so in the audit, they are a digest."""

    __slots__ = ("data",)

    data: bytes

    def __new__(cls, data: bytes) -> Blob:
        made = super().__new__(cls, f"sha256:{hashlib.sha256(data).hexdigest()}")
        made.data = data
        return made


class Operation(StrEnum):
    """What a call asks of a model server, whichever dialect it speaks."""

    CHAT = "chat"
    COMPLETE = "complete"
    EMBED = "embed"
    RERANK = "rerank"
    SCORE = "score"
    TOKENIZE = "tokenize"
    MODERATE = "moderate"
    TRANSCRIBE = "transcribe"
    SPEAK = "speak"
    IMAGE = "image"
    INFER = "infer"
    LIST = "list"
    SHOW = "show"
    HEALTH = "health"
    METRICS = "metrics"
    PULL = "pull"
    PUSH = "push"
    CREATE = "create"
    DELETE = "delete"
    COPY = "copy"
    LOAD = "load"
    UNLOAD = "unload"
    ADAPT = "adapt"
    CONFIGURE = "configure"


class Turn(NamedTuple):
    """A piece of text that a rule may read, with where it sits in the request body. (A tuple: a long conversation has
    hundreds, and they are made much faster.)"""

    role: str
    """system, developer, user, assistant, tool, ...; `schema` for tool definitions and formats, `other` for names and
    stop words."""
    text: str
    path: Path
    """Keys and indexes from the body's root; `str(body[path]) == text`, or the last part is a `penstock.apis.Key`: then
    the text is that key itself."""
    kind: Literal["prompt", "tool_call"] = "prompt"
    """`tool_call` for the arguments and names of calls that a model made (in the history)."""
    form: Literal["text", "json"] = "text"
    """`json` when the string itself holds JSON text (OpenAI tool-call arguments)."""


@dataclass(frozen=True, slots=True)
class Call:
    """What an inference API asks, whichever dialect."""

    api: str
    """Name in the registry of APIs, `openai.chat`."""
    operation: Operation
    model: str | None
    turns: tuple[Turn, ...] = ()
    parameters: Mapping[str, Json] = field(default_factory=dict[str, Json])
    """Canonical name -> value, those present only: max_tokens, temperature, n, stop, tools, ..."""
    unusual: frozenset[str] = frozenset()
    """Names in `parameters` that the API does not list as ordinary: a grant must name each (default deny)."""
    tools: tuple[str, ...] = ()
    """Names of the tools offered to the model."""
    stream: bool = False
    uninspected: tuple[str, ...] = ()
    """Kinds of content that nobody can read here (image, audio, token_ids, context); a grant must name each."""
    body: JsonObject | None = None
    """The parsed body: what is judged and, re-emitted, what is forwarded. Never mutated: changes make a new Call."""
    encoding: Encoding = "json"
    """How the body came, and how it is forwarded."""


type Channel = tuple[int, str]
"""Where a reply's text flows: (choice index, field), e.g. (0, "content"), (1, "tool_calls.0.arguments")."""


@dataclass(slots=True)
class Reply:
    """What came back, as delivered to the caller; filled while it passes."""

    status: int = 0
    texts: dict[Channel, list[str]] = field(default_factory=dict[Channel, list[str]])
    model: str | None = None
    """The model as the server names it."""
    finish: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    masked: dict[str, int] = field(default_factory=dict[str, int])
    """Detector name -> how many values were masked."""
    complete: bool = False
    """True when the terminator that the dialect promises (or the whole body) was seen."""
    error: str | None = None
    uninspected: set[str] = field(default_factory=set[str])
    """What passed although nobody could read it: kinds of content, and `event:NAME` for unknown events."""

    def completion(self) -> str:
        """The delivered text, channel after channel, for the audit."""
        return "\n".join("".join(parts) for _, parts in sorted(self.texts.items()) if parts)


_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def ulid(at: float | None = None) -> str:
    """A new ULID (26 characters of Crockford base32: 48 bits of milliseconds, 80 random bits)."""
    value = (int((time.time() if at is None else at) * 1000) << 80) | int.from_bytes(os.urandom(10))
    return "".join(_CROCKFORD[(value >> shift) & 31] for shift in range(125, -5, -5))
