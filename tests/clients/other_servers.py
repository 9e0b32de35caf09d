"""APIs whose servers cannot be run here, with the tiny model's answers: TGI's generation, Cohere's chat, and OpenAI's
responses with every field that its clients want of a stream (llama.cpp leaves some out).

Composed after the servers' sources: the frames as in tests/vectors/, the text by the same cues as the model's.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, Self

from scripts.model.answers import ANSWERS

type Body = dict[str, Any]
type Event = tuple[str, Body]
"""Name, empty for none, and data."""


def pieces(question: str) -> tuple[str, ...]:
    """What the model says to that, token by token."""
    return next(one.pieces for one in ANSWERS if one.cue in question)


class OtherServers:
    """Runs in threads of this process from the start of its `with` block to the end."""

    def __init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, name="other servers", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        whole, streamed = _APIS[self.path]
        if body.get("stream"):
            self._head("text/event-stream", ("transfer-encoding", "chunked"))
            for name, data in streamed(body):
                self._chunk((f"event: {name}\n" if name else "") + f"data: {json.dumps(data)}\n\n")
            self._chunk("")
        else:
            answer = json.dumps(whole(body)).encode()
            self._head("application/json", ("content-length", str(len(answer))))
            self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""

    def _head(self, kind: str, framing: tuple[str, str]) -> None:
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header(*framing)
        self.end_headers()

    def _chunk(self, text: str) -> None:
        data = text.encode()
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")


# TGI (router/src/server.rs, compat_generate; lib.rs, StreamResponse)


def _tgi(body: Body) -> Any:
    return [{"generated_text": "".join(pieces(body["inputs"]))}]


def _tgi_stream(body: Body) -> Iterator[Event]:
    said = pieces(body["inputs"])
    for number, piece in enumerate(said, 1):
        token = {"id": number, "text": piece, "logprob": -0.1, "special": False}
        last = number == len(said)
        yield "", {"index": number, "token": token, "generated_text": "".join(said) if last else None, "details": None}


# Cohere v2 (docs.cohere.com/v2/reference/chat and chat-stream)

_BILLED: Final = {"billed_units": {"input_tokens": 1, "output_tokens": 7}}


def _cohere(body: Body) -> Any:
    content = [{"type": "text", "text": "".join(_cohere_said(body))}]
    message = {"role": "assistant", "content": content}
    return {"id": "c0", "finish_reason": "COMPLETE", "message": message, "usage": _BILLED}


def _cohere_stream(body: Body) -> Iterator[Event]:
    def event(kind: str, **more: Any) -> Event:
        return kind, {"type": kind, **more}

    yield event("message-start", id="c0", delta={"message": {"role": "assistant"}})
    yield event("content-start", index=0, delta={"message": {"content": {"type": "text", "text": ""}}})
    for piece in _cohere_said(body):
        yield event("content-delta", index=0, delta={"message": {"content": {"text": piece}}})
    yield event("content-end", index=0)
    yield event("message-end", delta={"finish_reason": "COMPLETE", "usage": _BILLED})


def _cohere_said(body: Body) -> tuple[str, ...]:
    return pieces(body["messages"][-1]["content"])


# OpenAI responses (platform.openai.com/docs/api-reference/responses-streaming)


def _response(body: Body, output: Iterable[Body] = (), status: str = "completed") -> Body:
    return {
        "id": "resp_0",
        "object": "response",
        "created_at": 1_790_000_000,
        "status": status,
        "model": body["model"],
        "output": list(output),
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": body.get("tools", []),
        "error": None,
        "incomplete_details": None,
        "usage": {
            "input_tokens": 1,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": 7,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 8,
        },
    }


def _responses_stream(body: Body) -> Iterator[Event]:
    for number, (kind, data) in enumerate(_responses_events(body)):
        yield kind, {"type": kind, "sequence_number": number, **data}


def _responses_events(body: Body) -> Iterator[Event]:
    given = body["input"]
    text = given if isinstance(given, str) else json.dumps(given[-1]["content"])
    said = pieces(text)
    whole = "".join(said)
    yield "response.created", {"response": _response(body, status="in_progress")}
    yield "response.in_progress", {"response": _response(body, status="in_progress")}
    if whole.startswith("<tool_call>"):
        call = json.loads(whole.removeprefix("<tool_call>").removesuffix("</tool_call>"))
        item = {"id": "fc_0", "type": "function_call", "call_id": "call_0", "name": call["name"]}
        arguments = json.dumps(call["arguments"])
        place: Body = {"item_id": "fc_0", "output_index": 0}
        yield _added({**item, "arguments": "", "status": "in_progress"})
        for start in range(0, len(arguments), 5):
            yield "response.function_call_arguments.delta", {**place, "delta": arguments[start : start + 5]}
        named = {"name": call["name"], "arguments": arguments}
        yield "response.function_call_arguments.done", {**place, **named}
        done = {**item, "arguments": arguments, "status": "completed"}
    else:
        item = {"id": "msg_0", "type": "message", "role": "assistant"}
        place = {"item_id": "msg_0", "output_index": 0, "content_index": 0}
        part = {"type": "output_text", "annotations": [], "logprobs": []}
        yield _added({**item, "content": [], "status": "in_progress"})
        yield "response.content_part.added", {**place, "part": {**part, "text": ""}}
        for piece in said:
            yield "response.output_text.delta", {**place, "delta": piece, "logprobs": []}
        yield "response.output_text.done", {**place, "text": whole, "logprobs": []}
        yield "response.content_part.done", {**place, "part": {**part, "text": whole}}
        done = {**item, "content": [{**part, "text": whole}], "status": "completed"}
    yield "response.output_item.done", {"output_index": 0, "item": done}
    yield "response.completed", {"response": _response(body, [done])}


def _added(item: Body) -> Event:
    return "response.output_item.added", {"output_index": 0, "item": item}


def _responses(body: Body) -> Any:
    *_, (_, last) = _responses_events(body)
    return last["response"]


_APIS: Final[dict[str, tuple[Callable[[Body], Any], Callable[[Body], Iterator[Event]]]]] = {
    "/": (_tgi, _tgi_stream),
    "/v2/chat": (_cohere, _cohere_stream),
    "/v1/responses": (_responses, _responses_stream),
}
