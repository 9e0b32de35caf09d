"""Ollama's API in front of a real llama.cpp server: its routes, its bytes on the wire, its leniencies.

Ollama itself cannot be installed from a package registry. This speaks what Ollama's clients expect (field order and
escaping of Go structs, NDJSON in one chunk a line, errors and their statuses, a tool call whole in one line), with
the text coming from llama.cpp, token by token.
"""

from __future__ import annotations

import json
import random
import string
import time
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

import httpx

from scripts.model.go_http import Answer, Request
from scripts.model.go_json import Fields, decode, marshal
from scripts.model.ollama_shape import (
    CHAT,
    EMBED,
    GENERATE,
    SHOW,
    Piece,
    chat_line,
    generate_line,
    joined,
    lifecycle,
    message,
    settings,
)

VERSION: Final = "0.20.4"
JSON: Final = "application/json; charset=utf-8"
NDJSON: Final = "application/x-ndjson"
_EMBEDDED: Final = frozenset({"total_duration", "load_duration", "prompt_eval_count"})
_STARTED: Final = "2026-01-02T03:04:05Z"
_NEVER: Final = "2318-01-02T03:04:05Z"
_DIGEST: Final = "5f2e" * 16
_DETAILS: Final = {
    "parent_model": "",
    "format": "gguf",
    "family": "llama",
    "families": ["llama"],
    "parameter_size": "40K",
    "quantization_level": "F32",
}


class Failure(Exception):
    """An error that the API answers with: status and text."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Facade:
    """Handles requests; `models` are the names that exist, all served by the one llama.cpp at `upstream`."""

    def __init__(self, upstream: str, *, models: tuple[str, ...] = ("tiny",), api_key: str | None = None) -> None:
        headers = {"authorization": f"Bearer {api_key}"} if api_key else {}
        self._llama = httpx.AsyncClient(base_url=upstream, headers=headers, timeout=120.0, trust_env=False)
        self._models = models
        self._routes: dict[tuple[str, str], Callable[[Request, Answer], Any]] = {
            ("GET", "/"): self._root,
            ("HEAD", "/"): self._root,
            ("GET", "/api/version"): self._version,
            ("HEAD", "/api/version"): self._version,
            ("GET", "/api/tags"): self._tags,
            ("HEAD", "/api/tags"): self._tags,
            ("GET", "/api/ps"): self._ps,
            ("POST", "/api/show"): self._show,
            ("POST", "/api/chat"): self._chat,
            ("POST", "/api/generate"): self._generate,
            ("POST", "/api/embed"): self._embed,
        }

    async def __call__(self, request: Request, answer: Answer) -> None:
        route = self._routes.get((request.method, request.path))
        if route is None:
            known = any(path == request.path for _, path in self._routes)
            text = b"405 method not allowed" if known else b"404 page not found"
            await answer.send(405 if known else 404, "text/plain", text)
            return
        try:
            await route(request, answer)
        except (Failure, httpx.HTTPError) as error:
            failure = error if isinstance(error, Failure) else Failure(500, f"llama runner: {error}")
            body = marshal({"error": str(failure)})
            if answer.begun:
                await answer.chunk(body + b"\n")
            else:
                await answer.send(failure.status, JSON, body)

    async def close(self) -> None:
        await self._llama.aclose()

    # What exists

    async def _root(self, request: Request, answer: Answer) -> None:
        await answer.send(200, "text/plain; charset=utf-8", b"Ollama is running")

    async def _version(self, request: Request, answer: Answer) -> None:
        await answer.send(200, JSON, marshal({"version": VERSION}))

    async def _tags(self, request: Request, answer: Answer) -> None:
        models = [
            {
                "name": _tagged(name),
                "model": _tagged(name),
                "modified_at": _STARTED,
                "size": 262144,
                "digest": _DIGEST,
                "details": _DETAILS,
            }
            for name in self._models
        ]
        await answer.send(200, JSON, marshal({"models": models}))

    async def _ps(self, request: Request, answer: Answer) -> None:
        models = [
            {
                "name": _tagged(name),
                "model": _tagged(name),
                "size": 262144,
                "digest": _DIGEST,
                "details": _DETAILS,
                "expires_at": _NEVER,
                "size_vram": 0,
                "context_length": 4096,
            }
            for name in self._models
        ]
        await answer.send(200, JSON, marshal({"models": models}))

    async def _show(self, request: Request, answer: Answer) -> None:
        body = _read(request, SHOW)
        self._known(body.get("model") or body.get("name"))
        await answer.send(
            200,
            JSON,
            marshal(
                {
                    "modelfile": "FROM tiny.gguf\n",
                    "template": "{{ .Prompt }}",
                    "details": _DETAILS,
                    "model_info": {"general.architecture": "llama", "llama.context_length": 8192},
                    "capabilities": ["completion", "tools", "thinking"],
                    "modified_at": _STARTED,
                }
            ),
        )

    # Inference

    async def _chat(self, request: Request, answer: Answer) -> None:
        body = _read(request, CHAT)
        model = self._known(body.get("model"))
        if not body.get("messages"):
            await answer.send(200, JSON, marshal(chat_line(model, Piece(done=True, reason=lifecycle(body)))))
            return
        call = {"messages": [message(one) for one in body["messages"]], **settings(body)}
        if body.get("tools"):
            call["tools"] = body["tools"]
        await self._reply(answer, body, call, lambda piece: chat_line(model, piece))

    async def _generate(self, request: Request, answer: Answer) -> None:
        body = _read(request, GENERATE)
        model = self._known(body.get("model"))
        if not body.get("prompt"):
            await answer.send(200, JSON, marshal(generate_line(model, Piece(done=True, reason=lifecycle(body)))))
            return
        system = [{"role": "system", "content": body["system"]}] if body.get("system") else []
        call = {"messages": [*system, {"role": "user", "content": body["prompt"]}], **settings(body)}
        await self._reply(answer, body, call, lambda piece: generate_line(model, piece), context=not body.get("raw"))

    async def _embed(self, request: Request, answer: Answer) -> None:
        """Wants a llama.cpp that makes embeddings."""
        began = time.monotonic_ns()
        body = _read(request, EMBED)
        model = self._known(body.get("model"))
        given = body.get("input") or []
        vectors: list[list[float]] = []
        told: dict[str, Any] = {}
        if given:
            reply = await self._llama.post("/v1/embeddings", json={"input": given})
            if reply.status_code != 200:
                raise Failure(reply.status_code, _why(reply))
            told = reply.json()
            vectors = [one["embedding"] for one in told["data"]]
        numbers = {key: value for key, value in _numbers(told, time.monotonic_ns() - began).items() if key in _EMBEDDED}
        await answer.send(200, JSON, marshal({"model": model, "embeddings": vectors, **numbers}))

    async def _reply(
        self,
        answer: Answer,
        body: dict[str, Any],
        call: dict[str, Any],
        line: Callable[[Piece], dict[str, Any]],
        *,
        context: bool = False,
    ) -> None:
        pieces = self._pieces(call, context=context)
        if body.get("stream") is False:
            await answer.send(200, JSON, marshal(line(joined([piece async for piece in pieces]))))
            return
        async for piece in pieces:
            if not answer.begun:
                answer.begin(NDJSON)
            await answer.chunk(marshal(line(piece)) + b"\n")

    async def _pieces(self, call: dict[str, Any], *, context: bool) -> AsyncIterator[Piece]:
        began = time.monotonic_ns()
        said: list[str] = []
        calls: dict[int, dict[str, Any]] = {}
        finish: str | None = None
        last: dict[str, Any] = {}
        asked = {**call, "stream": True, "stream_options": {"include_usage": True}}
        async with self._llama.stream("POST", "/v1/chat/completions", json=asked) as reply:
            if reply.status_code != 200:
                await reply.aread()
                raise Failure(reply.status_code, _why(reply))
            async for event in _events(reply):
                last = event
                for choice in event.get("choices", ()):
                    finish = choice.get("finish_reason") or finish
                    delta = choice["delta"]
                    _gather(calls, delta.get("tool_calls") or ())
                    piece = Piece(delta.get("content") or "", delta.get("reasoning_content") or "")
                    piece.logprobs = [_logprob(one) for one in (choice.get("logprobs") or {}).get("content") or ()]
                    said.append(piece.thinking + piece.text)
                    if piece.text or piece.thinking or piece.logprobs:
                        yield piece
        if calls:
            yield Piece(tool_calls=[_tool_call(one) for _, one in sorted(calls.items())])
        yield Piece(
            done=True,
            reason="length" if finish == "length" else "stop",
            numbers=_numbers(last, time.monotonic_ns() - began),
            context=await self._tokens(call, "".join(said)) if context else [],
        )

    async def _tokens(self, call: dict[str, Any], said: str) -> list[int]:
        prompt = (await self._llama.post("/apply-template", json={"messages": call["messages"]})).json()["prompt"]
        asked = {"content": prompt + said, "parse_special": True}
        tokens: list[int] = (await self._llama.post("/tokenize", json=asked)).json()["tokens"]
        return tokens

    def _known(self, model: object) -> str:
        if not isinstance(model, str) or not model:
            raise Failure(400, "model is required")
        if _tagged(model).lower().removeprefix("registry.ollama.ai/library/") not in map(_tagged, self._models):
            raise Failure(404, f"model '{model}' not found")
        return model


def _tagged(name: str) -> str:
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"


def _read(request: Request, fields: Fields) -> dict[str, Any]:
    try:
        return decode(request.body, fields)
    except EOFError:
        raise Failure(400, "missing request body") from None
    except ValueError as error:
        raise Failure(400, f"invalid character in request body: {error}") from None


async def _events(reply: httpx.Response) -> AsyncIterator[dict[str, Any]]:
    async for line in reply.aiter_lines():
        if line.startswith("data: ") and line != "data: [DONE]":
            event: dict[str, Any] = json.loads(line[6:])
            if "error" in event:
                raise Failure(500, str(event["error"].get("message", "error")))
            yield event


def _gather(calls: dict[int, dict[str, Any]], deltas: Any) -> None:
    for delta in deltas:
        found = calls.setdefault(delta["index"], {"index": delta["index"], "name": "", "arguments": ""})
        for key, value in delta.get("function", {}).items():
            if value is not None:
                found[key] += value


def _tool_call(gathered: dict[str, Any]) -> dict[str, Any]:
    identifier = "call_" + "".join(random.choices(string.ascii_lowercase + string.digits, k=8))
    function = {**gathered, "arguments": json.loads(gathered["arguments"] or "{}")}
    return {"id": identifier, "function": function}


def _logprob(one: dict[str, Any]) -> dict[str, Any]:
    told = {key: one[key] for key in ("token", "logprob", "bytes") if one.get(key) is not None}
    if one.get("top_logprobs"):
        told["top_logprobs"] = [_logprob(other) for other in one["top_logprobs"]]
    return told


def _numbers(last: dict[str, Any], took: int) -> dict[str, int]:
    usage, timings = last.get("usage") or {}, last.get("timings") or {}
    numbers = {
        "total_duration": took,
        "load_duration": 1_000_000,
        "prompt_eval_count": usage.get("prompt_tokens", 0),
        "prompt_eval_duration": int(timings.get("prompt_ms", 0) * 1e6),
        "eval_count": usage.get("completion_tokens", 0),
        "eval_duration": int(timings.get("predicted_ms", 0) * 1e6),
    }
    return {name: number for name, number in numbers.items() if number}


def _why(reply: httpx.Response) -> str:
    try:
        return str(reply.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return reply.text
