"""The events of a Responses stream: what each kind holds, and which texts go on from one event to the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True, slots=True)
class Text:
    """A kind of text in a response."""

    label: str
    """What its channel is called."""
    sub: str = ""
    """The key that numbers several such texts of one output item."""
    tool: bool = False
    form: Literal["text", "json"] = "text"


CONTENT: Final = Text("content", "content_index")
REFUSAL: Final = Text("refusal", "content_index")
REASONING: Final = Text("reasoning", "content_index")
SUMMARY: Final = Text("summary", "summary_index")
ARGUMENTS: Final = Text("arguments", tool=True, form="json")
INPUT: Final = Text("input", tool=True)
CODE: Final = Text("code", tool=True)
DIFF: Final = Text("diff", tool=True)
COMMAND: Final = Text("command", "command_index", tool=True)
STDOUT: Final = Text("stdout", "command_index")
STDERR: Final = Text("stderr", "command_index")
TRANSCRIPT: Final = Text("transcript")

PARTS: Final[Mapping[str, tuple[str, Text]]] = {
    "output_text": ("text", CONTENT),
    "text": ("text", CONTENT),
    "refusal": ("refusal", REFUSAL),
    "reasoning_text": ("text", REASONING),
    "summary_text": ("text", SUMMARY),
}
"""Type of a content part -> the key of its text, and which text it is."""

FIELDS: Final[Mapping[str, Text]] = {"arguments": ARGUMENTS, "input": INPUT, "code": CODE}
"""Keys of an output item that are a text which deltas built up."""

STREAMS: Final[Mapping[str, Text]] = {"stdout": STDOUT, "stderr": STDERR}
"""Keys of a `delta` that is an object."""

type Kind = Literal["delta", "start", "whole", "part", "part_done", "item", "item_done", "response", "end", "bare"]


@dataclass(frozen=True, slots=True)
class Known:
    """How the events of one type are read."""

    kind: Kind
    text: Text | None = None
    key: str = ""
    """Where the text stands: what `start` begins it with, or what `whole` repeats of it."""


def _delta(name: str, text: Text, key: str = "") -> dict[str, Known]:
    """A text's deltas, and the event that repeats it whole under `key`."""
    made = {f"response.{name}.delta": Known("delta", text, "delta")}
    return {**made, f"response.{name}.done": Known("whole", text, key)} if key else made


_PROGRESS: Final = {
    "web_search_call": ("in_progress", "searching", "completed"),
    "file_search_call": ("in_progress", "searching", "completed"),
    "code_interpreter_call": ("in_progress", "interpreting", "completed"),
    "image_generation_call": ("in_progress", "generating", "completed"),
    "mcp_call": ("in_progress", "completed", "failed"),
    "mcp_list_tools": ("in_progress", "completed", "failed"),
    "compaction": ("compacting",),
    "audio": ("done",),
    "audio.transcript": ("done",),
    "shell_call_output_content": ("done",),
    "output_text.annotation": ("added",),
}

EVENTS: Final[Mapping[str, Known]] = {
    **_delta("output_text", CONTENT, "text"),
    **_delta("refusal", REFUSAL, "refusal"),
    **_delta("reasoning_text", REASONING, "text"),
    **_delta("reasoning_summary_text", SUMMARY, "text"),
    **_delta("function_call_arguments", ARGUMENTS, "arguments"),
    **_delta("mcp_call_arguments", ARGUMENTS, "arguments"),
    **_delta("custom_tool_call_input", INPUT, "input"),
    **_delta("code_interpreter_call_code", CODE, "code"),
    **_delta("apply_patch_call_operation_diff", DIFF, "diff"),
    **_delta("shell_call_command", COMMAND, "command"),
    **_delta("shell_call_output_content", STDOUT),
    **_delta("audio.transcript", TRANSCRIPT),
    "response.shell_call_command.added": Known("start", COMMAND, "command"),
    "response.content_part.added": Known("part"),
    "response.content_part.done": Known("part_done"),
    "response.reasoning_part.added": Known("part"),  # vLLM's own
    "response.reasoning_part.done": Known("part_done"),
    "response.reasoning_summary_part.added": Known("part"),
    "response.reasoning_summary_part.done": Known("part_done"),
    "response.output_item.added": Known("item"),
    "response.output_item.done": Known("item_done"),
    **{f"response.{name}": Known("response") for name in ("queued", "created", "in_progress")},
    **{f"response.{name}": Known("end") for name in ("completed", "incomplete", "failed", "cancelled")},
    **{f"response.{name}.{step}": Known("bare") for name, steps in _PROGRESS.items() for step in steps},
    "response.image_generation_call.partial_image": Known("bare"),
    "response.audio.delta": Known("bare"),
    "keepalive": Known("bare"),
    "error": Known("bare"),
}
"""Type of an event -> how it is read. OpenAI's reference as of openai-python 3.52, and what vLLM adds to it."""

BEGUN: Final[Mapping[str, tuple[str, Text]]] = {
    "function_call": ("arguments", ARGUMENTS),
    "mcp_call": ("arguments", ARGUMENTS),
    "custom_tool_call": ("input", INPUT),
    "code_interpreter_call": ("code", CODE),
}
"""Type of an item -> the key of the text that it may begin with, and which text it is."""

DELTAS: Final[Mapping[str, str]] = {
    **{known.text.label: kind for kind, known in EVENTS.items() if known.kind == "delta" and known.text is not None},
    "function_call": "response.function_call_arguments.delta",
    "mcp_call": "response.mcp_call_arguments.delta",
    "custom_tool_call": "response.custom_tool_call_input.delta",
    "code_interpreter_call": "response.code_interpreter_call_code.delta",
}
"""Label of a text, or type of an item -> the type of the events that go on with it."""
