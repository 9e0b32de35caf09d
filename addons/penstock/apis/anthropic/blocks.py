"""Content blocks as Anthropic's messages have them: every kind is known, and every string in them is a turn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from penstock.apis.anthropic.sources import read_source
from penstock.apis.calls.fields import Keys, wrong
from penstock.apis.calls.turns import LABEL, Turns
from penstock.apis.openai.messages import items, text
from penstock.exchange import Json, JsonObject, Path

type Read = Callable[[Turns, str, Json, Path], None]
"""Reads the value of a key; the role is that of the message, or `tool` within the result of a tool."""

TOOL: Final = "tool"


def read_content(turns: Turns, role: str, value: Json, path: Path) -> None:
    """A string, or a list of blocks.

    Raises: Refusal for a block that is not known in full.
    """
    if isinstance(value, str):
        turns.add(role, value, path)
        return
    for index, block in enumerate(items(value, path, "a string or a list of content blocks")):
        _block(turns, role, block, (*path, index))


def _block(turns: Turns, role: str, value: Json, path: Path) -> None:
    kind = value.get("type") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(kind, str) or kind not in BLOCKS:
        raise wrong((*path, "type"), "the type of a known content block (" + ", ".join(sorted(BLOCKS)) + ")")
    keys, reads = BLOCKS[kind]
    for key, inner in keys.only(value, path).items():
        if inner is not None and key != "type":
            reads[key](turns, role, inner, (*path, key))


def _said(turns: Turns, role: str, value: Json, path: Path) -> None:
    turns.add(role, text(value, path), path)


def _aside(turns: Turns, _role: str, value: Json, path: Path) -> None:
    turns.add("other", text(value, path), path)


def _label(turns: Turns, _role: str, value: Json, path: Path) -> None:
    turns.label(text(value, path), path)


def _labels(turns: Turns, _role: str, value: Json, path: Path) -> None:
    """An object that only selects: how to cache, who called."""
    turns.everything(LABEL, value, path)


def _flag(_turns: Turns, _role: str, value: Json, path: Path) -> None:
    if not isinstance(value, bool):
        raise wrong(path, "a boolean")


def _free(turns: Turns, role: str, value: Json, path: Path) -> None:
    turns.everything(role, value, path)


def _schema(turns: Turns, _role: str, value: Json, path: Path) -> None:
    turns.everything("schema", value, path)


def _called(turns: Turns, role: str, value: Json, path: Path) -> None:
    """The name of the tool that the model called."""
    turns.add(role, text(value, path), path, "tool_call")


def _arguments(turns: Turns, role: str, value: Json, path: Path) -> None:
    if not isinstance(value, dict):
        raise wrong(path, "an object")
    turns.everything(role, value, path, "tool_call")


def _result(turns: Turns, _role: str, value: Json, path: Path) -> None:
    read_content(turns, TOOL, value, path)


def _found(turns: Turns, _role: str, value: Json, path: Path) -> None:
    """What a tool of the server found, in a shape of its own; parts of it may be encrypted, or a file."""
    first = len(turns.found)
    turns.everything(TOOL, value, path)
    for turn in turns.found[first:]:
        if str(turn.path[-1]).startswith("encrypted_"):
            turns.uninspected.add("context")
        elif turn.path[-1] == "data":
            turns.uninspected.add("file")


def _encrypted(turns: Turns, _role: str, value: Json, path: Path) -> None:
    """Text that only Anthropic could read."""
    text(value, path)
    turns.uninspected.add("context")


def _uploaded(turns: Turns, _role: str, value: Json, path: Path) -> None:
    turns.label(text(value, path), path)
    turns.uninspected.add("file")


def _picture(turns: Turns, role: str, value: Json, path: Path) -> None:
    read_source(turns, role, value, path, "image", read_content)


def _document(turns: Turns, role: str, value: Json, path: Path) -> None:
    read_source(turns, role, value, path, "file", read_content)


def _kind(**reads: Read) -> tuple[Keys, Mapping[str, Read]]:
    known = {"cache_control": _labels, **reads}
    return Keys(("type", *known)), known


_CALL: Final[Mapping[str, Read]] = {
    "id": _label,
    "name": _called,
    "input": _arguments,
    "caller": _labels,
    "toolset_name": _label,
    "server_name": _label,
}
_FOUND: Final[Mapping[str, Read]] = {"tool_use_id": _label, "content": _found, "caller": _labels}
_RESULT: Final[Mapping[str, Read]] = {
    "tool_use_id": _label,
    "content": _result,
    "is_error": _flag,
    "toolset_name": _label,
}

BLOCKS: Final[Mapping[str, tuple[Keys, Mapping[str, Read]]]] = {
    "text": _kind(text=_said, citations=_free),
    "image": _kind(source=_picture, transformations=_labels),
    "document": _kind(source=_document, title=_said, context=_said, citations=_labels),
    "search_result": _kind(content=read_content, source=_aside, title=_said, citations=_labels),
    "thinking": _kind(thinking=_said, signature=_aside),
    "redacted_thinking": _kind(data=_encrypted),
    "tool_use": _kind(**_CALL),
    "server_tool_use": _kind(**_CALL),
    "mcp_tool_use": _kind(**_CALL),
    "tool_result": _kind(**_RESULT),
    "mcp_tool_result": _kind(**_RESULT),
    "tool_reference": _kind(tool_name=_aside),
    "container_upload": _kind(file_id=_uploaded),
    "compaction": _kind(content=_said, encrypted_content=_encrypted, signature=_aside, tool_changes=_schema),
    "tool_addition": _kind(tool=_schema),
    "tool_removal": _kind(tool=_schema),
    "mcp_tool_listing": _kind(mcp_server_name=_aside, tools=_schema),
    "fallback": _kind(**{"from": _free, "to": _free, "trigger": _free}),
    **{
        f"{tool}_tool_result": _kind(**_FOUND)
        for tool in (
            "web_search",
            "web_fetch",
            "code_execution",
            "bash_code_execution",
            "text_editor_code_execution",
            "tool_search",
            "advisor",
        )
    },
}
"""Kind -> its keys, and how the value of each is read."""


def read_tools(turns: Turns, value: Json) -> tuple[str, ...]:
    """Names of the tools offered; all that stands in them are turns of the role `schema`."""
    names: list[str] = []
    for index, tool in enumerate(items(value, ("tools",))):
        path: Path = ("tools", index)
        if not isinstance(tool, dict):
            raise wrong(path, "an object")
        if not of_server(tool):
            _CUSTOM.only(tool, path)
        elif not isinstance(tool.get("type"), str):
            raise wrong((*path, "type"), "a string")
        name = tool.get("name")
        if isinstance(name, str) and name:
            names.append(name)
        elif name is not None or not of_server(tool):
            raise wrong((*path, "name"), "a name")
        for key, inner in tool.items():
            turns.everything("schema", inner, (*path, key))
    return tuple(names)


_CUSTOM: Final = Keys(
    (
        "type",
        "name",
        "description",
        "input_schema",
        "cache_control",
        "strict",
        "defer_loading",
        "eager_input_streaming",
        "allowed_callers",
        "input_examples",
    )
)


def of_server(tool: JsonObject) -> bool:
    """Whether a tool is one that the server has (`web_search_20250305`), not one that the caller runs."""
    return tool.get("type") not in (None, "custom")
