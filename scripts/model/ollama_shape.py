"""Ollama's requests and answers as they are on the wire, and a request of Ollama's as one of llama.cpp's.

Source: ollama/ollama, api/types.go (the order of fields, what is left out when empty) and server/routes.go.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import Any, Final

from scripts.model.go_json import Fields

_SHARED: Final[Fields] = dict.fromkeys(
    ("model", "stream", "format", "keep_alive", "options", "think", "logprobs", "top_logprobs")
)
_MESSAGE: Final[Fields] = {
    **dict.fromkeys(("role", "content", "thinking", "images", "tool_name", "tool_call_id")),
    "tool_calls": {"id": None, "function": {"index": None, "name": None, "arguments": None}},
}
CHAT: Final[Fields] = {**_SHARED, "messages": _MESSAGE, "tools": None}
GENERATE: Final[Fields] = {
    **_SHARED,
    **dict.fromkeys(("prompt", "suffix", "system", "template", "context", "raw", "images")),
}
EMBED: Final[Fields] = dict.fromkeys(("model", "input", "truncate", "dimensions", "keep_alive", "options"))
SHOW: Final[Fields] = dict.fromkeys(("model", "name", "system", "template", "verbose", "options"))

# Ollama's option -> llama.cpp's field
_OPTIONS: Final = {
    "num_predict": "max_tokens",
    "temperature": "temperature",
    "top_k": "top_k",
    "top_p": "top_p",
    "min_p": "min_p",
    "typical_p": "typical_p",
    "seed": "seed",
    "stop": "stop",
    "repeat_penalty": "repeat_penalty",
    "repeat_last_n": "repeat_last_n",
    "presence_penalty": "presence_penalty",
    "frequency_penalty": "frequency_penalty",
}


@dataclass(slots=True)
class Piece:
    """One step of a reply: what is new in it; the last one has `done` and the numbers."""

    text: str = ""
    thinking: str = ""
    tool_calls: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    logprobs: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    done: bool = False
    reason: str = ""
    numbers: dict[str, int] = field(default_factory=dict[str, int])
    context: list[int] = field(default_factory=list[int])


def lifecycle(body: dict[str, Any]) -> str:
    """An empty conversation loads the model, or with `keep_alive: 0` unloads it."""
    return "unload" if body.get("keep_alive") in (0, "0", "0s") else "load"


def settings(body: dict[str, Any]) -> dict[str, Any]:
    """What an Ollama request asks for beside its text, in llama.cpp's fields."""
    options = body.get("options") or {}
    told: dict[str, Any] = {_OPTIONS[key]: value for key, value in options.items() if key in _OPTIONS}
    if body.get("format") == "json":
        told["response_format"] = {"type": "json_object"}
    elif isinstance(body.get("format"), dict):
        told["response_format"] = {"type": "json_schema", "json_schema": {"schema": body["format"]}}
    if body.get("think") is False:
        told["chat_template_kwargs"] = {"enable_thinking": False}
    if body.get("logprobs"):
        told |= {"logprobs": True, "top_logprobs": body.get("top_logprobs") or 0}
    return told


def message(given: dict[str, Any]) -> dict[str, Any]:
    """A message of Ollama's as OpenAI's: arguments become text, thinking goes by another name."""
    told: dict[str, Any] = {"role": given.get("role", "user"), "content": given.get("content", "")}
    if given.get("thinking"):
        told["reasoning_content"] = given["thinking"]
    if given.get("tool_calls"):
        told["tool_calls"] = [
            {
                "id": one.get("id") or f"call_{number}",
                "type": "function",
                "function": {
                    "name": one["function"].get("name", ""),
                    "arguments": json.dumps(one["function"].get("arguments") or {}),
                },
            }
            for number, one in enumerate(given["tool_calls"])
        ]
    if told["role"] == "tool":
        told["tool_call_id"] = given.get("tool_call_id") or "call_0"
    return told


def joined(pieces: list[Piece]) -> Piece:
    """A whole reply: all the texts, with the end of the last piece."""
    last = pieces[-1]
    return Piece(
        "".join(piece.text for piece in pieces),
        "".join(piece.thinking for piece in pieces),
        [one for piece in pieces for one in piece.tool_calls],
        [one for piece in pieces for one in piece.logprobs],
        last.done,
        last.reason,
        last.numbers,
        last.context,
    )


def chat_line(model: str, piece: Piece) -> dict[str, Any]:
    said: dict[str, Any] = {"role": "assistant", "content": piece.text}
    if piece.thinking:
        said["thinking"] = piece.thinking
    if piece.tool_calls:
        said["tool_calls"] = piece.tool_calls
    line: dict[str, Any] = {"model": model, "created_at": _now(), "message": said, "done": piece.done}
    if piece.reason:
        line["done_reason"] = piece.reason
    if piece.logprobs:
        line["logprobs"] = piece.logprobs
    return line | piece.numbers


def generate_line(model: str, piece: Piece) -> dict[str, Any]:
    line: dict[str, Any] = {"model": model, "created_at": _now(), "response": piece.text}
    if piece.thinking:
        line["thinking"] = piece.thinking
    line["done"] = piece.done
    if piece.reason:
        line["done_reason"] = piece.reason
    if piece.context:
        line["context"] = piece.context
    line |= piece.numbers
    if piece.logprobs:
        line["logprobs"] = piece.logprobs
    return line


def _now() -> str:
    """UTC in RFC 3339 with nanoseconds, trailing zeros dropped, as Go prints a time."""
    seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
    fraction = f".{nanoseconds:09d}".rstrip("0").rstrip(".")
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + fraction + "Z"
