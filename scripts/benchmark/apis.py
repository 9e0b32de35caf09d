"""What reading an API costs: CPU time of a chat call on its way in and out, and of a streamed event beside masking."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import NamedTuple

import click
import orjson
from rich import box
from rich.console import Console
from rich.table import Table

from penstock import apis
from penstock.exchange import Json, JsonObject
from penstock.masking.reply import ReplyMask

_PROSE = (
    "The Nile is the longest river in Africa and has historically been considered the longest river in the world, "
    "though this has been contested by research suggesting that the Amazon River is slightly longer. "
)
EVENTS = 230


class Case(NamedTuple):
    """One thing that is measured."""

    name: str
    microseconds: float
    bar: float | None


def body(size: int, turns: int) -> JsonObject:
    """A chat of about `size` bytes in several turns, as clients send it."""
    share = size // turns
    roles = ("system", "user", "assistant")
    messages: list[Json] = [
        {"role": roles[at % 3], "content": (_PROSE * (share // len(_PROSE) + 1))[: share - 40]} for at in range(turns)
    ]
    return {"model": "llama3", "messages": messages, "temperature": 0.2, "max_tokens": 512, "stream": True}


def call(content: bytes, path: str) -> Callable[[], object]:
    """Recognises, reads and re-emits a request."""

    def run() -> object:
        found = apis.recognise("POST", apis.normal_path(path))
        return apis.emitted(apis.asked(found, path, content, "application/json"))

    return run


def events(path: str, content: bytes, frames: list[bytes]) -> Callable[[], object]:
    """Reads a stream of events, each of its own network read, with nothing to mask."""
    made = apis.asked(apis.recognise("POST", path), path, content, "application/json")
    api = apis.by_name(made.api)

    def run() -> object:
        reply = ReplyMask(api.reader(made), text=None, tool=None)
        for frame in frames:
            reply.feed(frame)
        return reply.finish()

    return run


def openai_frames() -> list[bytes]:
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1786000000, "model": "llama3"}
    words = [f"word{at} " for at in range(EVENTS)]
    frames = [
        b"data: %b\n\n"
        % orjson.dumps({**head, "choices": [{"index": 0, "delta": {"content": word}, "finish_reason": None}]})
        for word in words
    ]
    last = {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    return [*frames, b"data: %b\n\n" % orjson.dumps(last), b"data: [DONE]\n\n"]


def ollama_frames() -> list[bytes]:
    head = {"model": "llama3", "created_at": "2026-11-21T00:00:00.000000Z"}
    frames = [
        orjson.dumps({**head, "message": {"role": "assistant", "content": f"word{at} "}, "done": False}) + b"\n"
        for at in range(EVENTS)
    ]
    last = {**head, "message": {"role": "assistant", "content": ""}, "done_reason": "stop", "done": True}
    return [*frames, orjson.dumps(last) + b"\n"]


def least(run: Callable[[], object], seconds: float) -> float:
    """The least CPU time of a run, in microseconds: what else the machine does disturbs it little."""
    best = float("inf")
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        started = time.process_time_ns()
        run()
        best = min(best, time.process_time_ns() - started)
    return best / 1000


def measure(seconds: float) -> list[Case]:
    """Every case, `seconds` each."""
    chat, ollama = "/v1/chat/completions", "/api/chat"
    two, ten = orjson.dumps(body(2048, 3)), orjson.dumps(body(2048, 12))
    many = orjson.dumps(body(32_768, 40))
    cases = [
        Case("openai chat, 2 KB in 3 messages", least(call(two, chat), seconds), 60),
        Case("openai chat, 2 KB in 12 messages", least(call(ten, chat), seconds), 60),
        Case("openai chat, 32 KB in 40 messages", least(call(many, chat), seconds), None),
        Case("ollama chat, 2 KB in 3 messages", least(call(two, ollama), seconds), 60),
    ]
    for name, path, frames in (("openai", chat, openai_frames()), ("ollama", ollama, ollama_frames())):
        each = least(events(path, two, frames), seconds) / len(frames)
        cases.append(Case(f"{name} chat, a streamed event", each, 12))
    return cases


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--seconds", type=float, default=2.0, show_default=True, help="How long each case is run.")
@click.option("--json", "machine", is_flag=True, help="Print JSON on standard output.")
@click.option("--check", is_flag=True, help="Exit with 1 when a bar is not met.")
def main(seconds: float, machine: bool, check: bool) -> None:
    """Measure the CPU time of reading and re-emitting a call, and of a streamed event with nothing to mask."""
    cases = measure(seconds)
    if machine:
        print(orjson.dumps([case._asdict() for case in cases], option=orjson.OPT_INDENT_2).decode())
    else:
        table = Table(box=box.SIMPLE_HEAD)
        for heading in ("case", "µs of CPU", "bar"):
            table.add_column(heading, justify="left" if heading == "case" else "right")
        for case in cases:
            table.add_row(case.name, f"{case.microseconds:.1f}", f"{case.bar:g}" if case.bar else "")
        Console().print(table)
    if check and any(case.bar is not None and case.microseconds > case.bar for case in cases):
        sys.exit(1)


if __name__ == "__main__":
    main()
