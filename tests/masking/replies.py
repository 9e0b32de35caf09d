"""Replies for tests: masks with two plain detectors, ways to run a reply through, and what may not be seen in it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from penstock.apis import ReplyReader
from penstock.apis.ollama.reply import OllamaReader
from penstock.apis.openai.reply import OpenAiReader
from penstock.detect.value import Detector
from penstock.exchange import Json, JsonObject
from penstock.masking.finding import Action, MaskRule
from penstock.masking.mask import Mask
from penstock.masking.reply import ReplyMask

EMAIL = Detector("email", "EMAIL", r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}")
CARD = Detector("credit_card", "CREDIT_CARD", r"[0-9]{4}(?:[ -]?[0-9]{4}){3}")
SECRET = Detector("secret", "SECRET", r"\bfalcon\b")

PLANTED = (
    "alice.smith@example.com",
    "alice@example.com",
    "bob@example.org",
    "bob@example.com",
    "4111 1111 1111 1111",
    "4111111111111111",
)


def mask(action: Action = "mask") -> Mask:
    return Mask([MaskRule("mail", EMAIL), MaskRule("card", CARD), MaskRule("words", SECRET, action)])


MASK = mask("flag")
STOP = mask("stop")


def reply_mask(reader: ReplyReader, chosen: Mask | None = MASK, **more: Any) -> ReplyMask:
    return ReplyMask(reader, text=chosen, tool=chosen, exchange_id="01TEST", **more)


def openai(chosen: Mask | None = MASK, **more: Any) -> ReplyMask:
    return reply_mask(OpenAiReader(), chosen, **more)


def ollama(chosen: Mask | None = MASK, **more: Any) -> ReplyMask:
    return reply_mask(OllamaReader(), chosen, **more)


def streamed(reply: ReplyMask, data: bytes, cuts: Iterable[int] = ()) -> bytes:
    """What a stream becomes, cut at some places."""
    out, last = b"", 0
    for cut in (*sorted(cuts), len(data)):
        out += reply.feed(data[last:cut])
        last = cut
    return out + reply.finish()


def texts(reply: ReplyMask) -> dict[tuple[int, str], str]:
    """What was delivered, by channel."""
    return {channel: "".join(parts) for channel, parts in reply.reply.texts.items()}


def documents(data: bytes) -> list[Any]:
    """The JSON documents of a body or stream, read by other means than the gateway's."""
    found: list[Any] = []
    for line in data.decode().replace("\r", "\n").split("\n"):
        text = line.removeprefix("data:").strip()
        if text.startswith(("{", "[")) and text != "[DONE]":
            found.append(json.loads(text))
    return found


def leaks(data: bytes, planted: Sequence[str] = PLANTED) -> list[str]:
    """Planted values that can be read out of bytes: as they are, unescaped, or put together along a path or a list."""
    along: dict[tuple[str, ...], list[str]] = {}
    strings: list[str] = [data.decode()]
    for document in documents(data):
        _gather(document, (), along, strings)
    strings += ["".join(parts) for parts in along.values()]
    strings += [_unescaped(text) for text in strings[1:]]
    return [value for value in planted if any(value in text for text in strings)]


def _gather(value: Json, path: tuple[str, ...], along: dict[tuple[str, ...], list[str]], strings: list[str]) -> None:
    match value:
        case str() | int() | float() if not isinstance(value, bool):
            strings.append(str(value))
            along.setdefault(path, []).append(str(value))
        case dict():
            index = value.get("index")
            for key, inner in value.items():
                strings.append(key)
                _gather(inner, (*path, str(index) if isinstance(index, int) else "", key), along, strings)
        case list():
            numbers = [item for item in value if isinstance(item, int) and 0 <= item < 256]
            if len(numbers) == len(value):
                along.setdefault((*path, "bytes"), []).append(bytes(numbers).decode("utf-8", "replace"))
            for item in value:
                _gather(item, path, along, strings)
        case _:
            return


def _unescaped(text: str) -> str:
    try:
        return str(json.loads(f'"{text}"')) if '"' not in text else json.dumps(json.loads(text), ensure_ascii=False)
    except ValueError:
        return text


def chunk(delta: JsonObject | None, index: int = 0, finish: str | None = None, **more: Json) -> bytes:
    """An event of a chat, as vLLM writes it."""
    choice: JsonObject = {"index": index, "delta": delta or {}, "logprobs": None, "finish_reason": finish}
    document: JsonObject = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1795217532,
        "model": "tiny",
    }
    return event({**document, "choices": [choice], **more})


def event(document: Json) -> bytes:
    return b"data: " + json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode() + b"\n\n"


def line(document: Json) -> bytes:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def said(content: str, *, done: bool = False, **message: Json) -> bytes:
    """A line of Ollama's chat."""
    document: JsonObject = {"model": "llama3.2", "created_at": "2026-11-20T23:32:11.1Z"}
    more: JsonObject = {"done_reason": "stop", "prompt_eval_count": 3, "eval_count": 4} if done else {}
    return line({**document, "message": {"role": "assistant", "content": content, **message}, "done": done, **more})


DONE = b"data: [DONE]\n\n"
