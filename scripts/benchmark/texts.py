"""What is said in the benchmark: a prompt and a reply of ordinary prose, 1.7 kB each, and the pieces of a stream."""

from __future__ import annotations

import json
from typing import Final

SIZE: Final = 1_700
"""Bytes of a JSON request and of a JSON reply."""

_PROSE: Final = (
    "The mill stands where the valley narrows, and the river has turned its wheel for two hundred years. In spring the "
    "melt comes down from the hills and the keeper lowers the gate by a hand's breadth each evening, so that the race "
    "runs full but never over its banks. The apprentice writes the level in a book: morning, noon and night, with the "
    "wind and the weather beside it. When the book and the river disagree, the keeper walks the channel with a lamp "
    "and looks for what has come loose. Most often it is a branch across the grating, sometimes a stone, once a boat "
    "that nobody would own to. "
)
_CONTACT: Final = "Questions go to keeper@mill.example. "
MARK: Final = b"0000000"
"""Stands in a request where the load writes a number of its own, so that no two are the same."""


def request(model: str, *, stream: bool) -> bytes:
    """Body of a chat request of about `SIZE` bytes."""
    return _padded(lambda text: _request(model, text, stream=stream))


def _request(model: str, text: str, *, stream: bool) -> dict[str, object]:
    return {
        "model": model,
        "messages": [
            {"role": "system", "content": "You answer in plain words."},
            {"role": "user", "content": f"Note {MARK.decode()}. {text}"},
        ],
        "max_tokens": 256,
        "temperature": 0.2,
        "stream": stream,
    }


def reply() -> bytes:
    """Body of a chat completion of about `SIZE` bytes; there is one e-mail address in it."""
    return _padded(_reply)


def _reply(text: str) -> dict[str, object]:
    message = {"role": "assistant", "content": _CONTACT + text}
    return {
        "id": "chatcmpl-bench",
        "object": "chat.completion",
        "created": 1_790_000_000,
        "model": "bench",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 380, "completion_tokens": 330, "total_tokens": 710},
    }


def events(count: int) -> list[bytes]:
    """The events of a streamed chat completion, `count` of them with text (4 characters each), then its end.

    An e-mail address comes by every few hundred characters, cut wherever the pieces happen to end.
    """
    text = (_CONTACT + _PROSE) * (count * 4 // len(_PROSE) + 1)
    pieces = [text[start : start + 4] for start in range(0, count * 4, 4)]
    return [*(_event({"content": piece}, None) for piece in pieces), _event({}, "stop"), b"data: [DONE]\n\n"]


def _event(delta: dict[str, str], finish: str | None) -> bytes:
    event = {
        "id": "chatcmpl-bench",
        "object": "chat.completion.chunk",
        "created": 1_790_000_000,
        "model": "bench",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }
    return b"data: " + json.dumps(event, separators=(",", ":")).encode() + b"\n\n"


def _padded(make: object) -> bytes:
    assert callable(make)
    room = SIZE - len(json.dumps(make(""), separators=(",", ":")))
    return json.dumps(make((_PROSE * 4)[:room]), separators=(",", ":")).encode()
