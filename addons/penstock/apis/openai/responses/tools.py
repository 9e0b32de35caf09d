"""Tools of a Responses request: those that the caller runs, and those that the model server runs by itself."""

from __future__ import annotations

import re
from typing import Final

from penstock.apis.calls.fields import Keys, wrong
from penstock.apis.calls.turns import Turns
from penstock.apis.openai.messages import items, text
from penstock.exchange import Json, JsonObject, Path

HOSTED: Final = "tools."
"""Before the kind of a hosted tool: the parameter that a grant must name (`tools.web_search`, `tools.mcp`)."""

_FUNCTION: Final = Keys(
    ("type", "name", "description", "parameters", "strict", "defer_loading", "allowed_callers", "output_schema")
)
_CUSTOM: Final = Keys(("type", "name", "description", "format", "defer_loading", "allowed_callers"))
_NAMESPACE: Final = Keys(("type", "name", "description", "tools"))
_ANY: Final = Keys(("type", "server_label", "server_url", "headers", "authorization", "tools", "container"))
_KIND: Final = re.compile(r"[a-z][a-z0-9_]{0,47}")
_DATED: Final = re.compile(r"(?:_preview)?(?:_\d{4}_\d{2}_\d{2})?$")
# Tools that answer with what nobody can read here.
_SHOWN: Final = {"image_generation": "image"}


def read_tools(turns: Turns, value: Json, path: Path = ("tools",)) -> tuple[str, ...]:
    """Names of the tools offered: of functions their own, of MCP servers their label, of others their kind.

    Descriptions, schemas, addresses and the like are turns of the role `schema`.

    Raises: Refusal for a tool without a type or name.
    """
    names: list[str] = []
    for index, tool in enumerate(items(value, path)):
        names += _tool(turns, tool, (*path, index))
    return tuple(names)


def _tool(turns: Turns, value: Json, path: Path) -> tuple[str, ...]:
    kind = _kind(value, path)
    assert isinstance(value, dict)
    match kind:
        case "function":
            return (_defined(turns, _FUNCTION.only(value, path), path),)
        case "custom":
            return (_defined(turns, _CUSTOM.only(value, path), path),)
        case "namespace":
            name = _defined(turns, {**_NAMESPACE.only(value, path), "tools": None}, path)
            inner = read_tools(turns, value.get("tools"), (*path, "tools"))
            return (name, *(f"{name}.{each}" for each in inner))
        case _:
            return (_hosted(turns, value, kind, path),)


def _kind(value: Json, path: Path) -> str:
    kind = value.get("type") if isinstance(value, dict) else None
    if not isinstance(kind, str) or not _KIND.fullmatch(kind):
        raise wrong((*path, "type"), "a tool's type")
    return kind


def _defined(turns: Turns, tool: JsonObject, path: Path) -> str:
    name = text(tool.get("name"), (*path, "name"))
    if not name:
        raise wrong((*path, "name"), "a name")
    for key, inner in tool.items():
        if key != "type":
            turns.everything("schema", inner, (*path, key))
    return name


def _hosted(turns: Turns, tool: JsonObject, kind: str, path: Path) -> str:
    _ANY.unknown(tool, path)
    for key, inner in tool.items():
        if key != "type":
            turns.everything("schema", inner, (*path, key))
    plain = _DATED.sub("", kind)
    if plain in _SHOWN:
        turns.uninspected.add(_SHOWN[plain])
    label = tool.get("server_label")
    return label if plain == "mcp" and isinstance(label, str) and label else plain


def hosted(value: Json) -> dict[str, Json]:
    """The parameters that stand for the hosted tools in a list of tools.

    A tool that the model server runs reaches further than the model: each kind of it needs a grant of its own.
    """
    found: dict[str, Json] = {}
    for tool in value if isinstance(value, list) else ():
        kind = tool.get("type") if isinstance(tool, dict) else None
        if isinstance(tool, dict) and kind == "namespace":
            found.update(hosted(tool.get("tools")))
        elif isinstance(kind, str) and kind not in ("function", "custom"):
            found[HOSTED + _DATED.sub("", kind)] = True
    return found
