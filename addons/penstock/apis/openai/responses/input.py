"""The input of a Responses request: items and content parts, each kind with its keys and what they hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from penstock.apis.calls.fields import Keys, pointer, wrong
from penstock.apis.calls.turns import Turns
from penstock.apis.openai.messages import items, text
from penstock.apis.openai.responses.tools import read_tools
from penstock.errors import invalid
from penstock.exchange import Json, JsonObject, Path

type Read = Callable[[Turns, Json, Path], None]
type Shape = tuple[Keys, Mapping[str, Read]]

# Templates put the role into the prompt as it stands, so a role of the caller's own making would be an injection.
ROLES: Final = frozenset({"system", "developer", "user", "assistant"})

# Items that make no message.
_QUIET: Final = frozenset({"reasoning", "compaction", "compaction_trigger", "additional_tools"})
# What a server sealed for the next turn: nobody can read it here. Ollama takes (and gives) plain words in its place.
_BLOB: Final = re.compile(r"[A-Za-z0-9_:.+/=-]{64,}")


def read_input(turns: Turns, value: Json) -> bool:
    """Every text of the input. Returns whether it says anything (Ollama takes an empty one for an order to load).

    Raises: Refusal for unknown shapes.
    """
    path: Path = ("input",)
    if isinstance(value, str):
        turns.add("user", value, path)
        return bool(value)
    says = False
    for index, item in enumerate(items(value, path, "a string or a list of items")):
        says |= _item(turns, item, (*path, index)) not in _QUIET
    return says and bool(turns.found or turns.uninspected)


def _item(turns: Turns, value: Json, path: Path) -> str:
    """One item; without a type it is a message, or the reference to an item that the server keeps."""
    if not isinstance(value, dict):
        raise wrong(path, "an object")
    kind = value.get("type")
    if kind is None:
        kind = "message" if "role" in value else "item_reference"
    if kind == "message":
        _message(turns, value, path)
    elif isinstance(kind, str) and kind in ITEMS:
        _fields(turns, value, path, ITEMS[kind])
    else:
        raise invalid(f"{pointer((*path, 'type'))} is not the type of a known item.")
    return kind


def _message(turns: Turns, message: JsonObject, path: Path) -> None:
    _MESSAGE[0].only(message, path)
    role = message.get("role")
    if not isinstance(role, str) or role not in ROLES:
        raise wrong((*path, "role"), "one of " + ", ".join(sorted(ROLES)))
    _content(role)(turns, message.get("content"), (*path, "content"))
    for key, read in _MESSAGE[1].items():
        if message.get(key) is not None:
            read(turns, message[key], (*path, key))


def _fields(turns: Turns, value: JsonObject, path: Path, shape: Shape) -> None:
    known, readers = shape
    for key, inner in known.only(value, path).items():
        if inner is not None and key != "type":
            readers[key](turns, inner, (*path, key))


# What the keys of items and parts hold


def _said(role: str) -> Read:
    return lambda turns, value, path: turns.add(role, text(value, path), path)


def _content(role: str) -> Read:
    def read(turns: Turns, value: Json, path: Path) -> None:
        if isinstance(value, str):
            turns.add(role, value, path)
            return
        for index, part in enumerate(items(value, path, "a string or a list of parts")):
            here = (*path, index)
            kind = part.get("type") if isinstance(part, dict) else None
            if not isinstance(part, dict) or not isinstance(kind, str) or kind not in PARTS:
                raise wrong((*here, "type"), "the type of a known content part (" + ", ".join(sorted(PARTS)) + ")")
            _fields(turns, part, here, PARTS[kind](role))

    return read


def _any(role: str) -> Read:
    return lambda turns, value, path: turns.everything(role, value, path)


def _label(turns: Turns, value: Json, path: Path) -> None:
    turns.label(text(value, path), path)


def _call_label(turns: Turns, value: Json, path: Path) -> None:
    turns.label(text(value, path), path, "tool_call")


def _called(turns: Turns, value: Json, path: Path) -> None:
    turns.add("assistant", text(value, path), path, "tool_call")


def _acted(turns: Turns, value: Json, path: Path) -> None:
    turns.everything("assistant", value, path, "tool_call")


def _arguments(turns: Turns, value: Json, path: Path) -> None:
    turns.add_json("assistant", text(value, path), path)


def _flag(_turns: Turns, value: Json, path: Path) -> None:
    if not isinstance(value, bool):
        raise wrong(path, "a boolean")


def _count(_turns: Turns, value: Json, path: Path) -> None:
    if value.__class__ is not int:
        raise wrong(path, "an integer")


def _sealed(turns: Turns, value: Json, path: Path) -> None:
    thought = text(value, path)
    if _BLOB.fullmatch(thought):
        turns.uninspected.add("context")
    else:
        turns.add("assistant", thought, path)


def _kept(turns: Turns, value: Json, path: Path) -> None:
    """The id of something that the server keeps, and that nobody reads here."""
    turns.uninspected.add("context")
    turns.label(text(value, path), path)


def _bytes(kind: str) -> Read:
    def read(turns: Turns, value: Json, path: Path) -> None:
        text(value, path)
        turns.uninspected.add(kind)

    return read


def _file(kind: str) -> Read:
    def read(turns: Turns, value: Json, path: Path) -> None:
        turns.uninspected.add(kind)
        turns.label(text(value, path), path)

    return read


def _url(kind: str) -> Read:
    """A URL: `data:` holds the thing itself; anything else makes the model server fetch it."""

    def read(turns: Turns, value: Json, path: Path) -> None:
        url = text(value, path)
        turns.uninspected.add(kind)
        if not url.startswith("data:"):
            turns.uninspected.add("url")
            turns.add("other", url, path)

    return read


def _audio(turns: Turns, value: Json, path: Path) -> None:
    _fields(turns, _AUDIO[0].only(value, path), path, _AUDIO)


def _tools(turns: Turns, value: Json, path: Path) -> None:
    read_tools(turns, value, path)


def _shape(**readers: Read) -> Shape:
    return Keys(("type", *readers)), readers


_AUDIO: Final = _shape(data=_bytes("audio"), format=_label)
_MESSAGE: Final = (
    Keys(("type", "role", "content", "id", "status", "phase", "name")),
    {"id": _label, "status": _label, "phase": _label, "name": _said("other")},
)


def _words(key: str) -> Callable[[str], Shape]:
    """A part that is text under a key, with what replies add to it."""
    more = {"annotations": _any("other"), "logprobs": _any("other"), "prompt_cache_breakpoint": _any("other")}
    shapes = {role: _shape(**{key: _said(role)}, **more) for role in (*ROLES, "tool")}
    return shapes.__getitem__


def _same(**readers: Read) -> Callable[[str], Shape]:
    shape = _shape(**readers, prompt_cache_breakpoint=_any("other"))
    return lambda _role: shape


_IMAGE: Final = _same(image_url=_url("image"), file_id=_file("image"), detail=_label)

PARTS: Final[Mapping[str, Callable[[str], Shape]]] = {
    **dict.fromkeys(("input_text", "output_text", "text", "summary_text", "reasoning_text"), _words("text")),
    "refusal": _words("refusal"),
    "input_image": _IMAGE,
    "computer_screenshot": _IMAGE,
    "input_file": _same(
        file_data=_bytes("file"), file_url=_url("file"), file_id=_file("file"), filename=_said("other"), detail=_label
    ),
    "input_audio": _same(input_audio=_audio),
}
"""Type of a content part -> its keys, for a role."""

_ITEM: Final[Mapping[str, Read]] = {"id": _label, "status": _label}
_CALL: Final[Mapping[str, Read]] = {
    **_ITEM,
    "call_id": _call_label,
    "namespace": _called,
    "caller": _acted,
    "created_by": _any("other"),
}
_RESULT: Final[Mapping[str, Read]] = {**_CALL, "output": _content("tool"), "name": _said("other")}
_HOSTED: Final[Mapping[str, Read]] = {**_CALL, "server_label": _called, "name": _called, "arguments": _arguments}

ITEMS: Final[Mapping[str, Shape]] = {
    "function_call": _shape(**_CALL, name=_called, arguments=_arguments),
    "function_call_output": _shape(**_RESULT),
    "custom_tool_call": _shape(**_CALL, name=_called, input=_called),
    "custom_tool_call_output": _shape(**_RESULT),
    "reasoning": _shape(
        **_ITEM, summary=_content("assistant"), content=_content("assistant"), encrypted_content=_sealed
    ),
    "item_reference": _shape(id=_kept),
    "compaction": _shape(**_ITEM, encrypted_content=_sealed, created_by=_label),
    "compaction_trigger": _shape(**_ITEM),
    "computer_call": _shape(**_CALL, action=_acted, actions=_acted, pending_safety_checks=_any("other")),
    "computer_call_output": _shape(
        **_ITEM,
        call_id=_call_label,
        output=lambda turns, value, path: _screen(turns, value, path),
        acknowledged_safety_checks=_any("other"),
    ),
    "file_search_call": _shape(**_ITEM, queries=_acted, results=_any("tool")),
    "web_search_call": _shape(**_ITEM, action=_acted),
    "image_generation_call": _shape(
        **_ITEM,
        result=_bytes("image"),
        revised_prompt=_called,
        error=_any("other"),
        **dict.fromkeys(("action", "background", "output_format", "quality", "size"), _label),
    ),
    "code_interpreter_call": _shape(**_ITEM, code=_called, container_id=_label, outputs=_any("tool")),
    "local_shell_call": _shape(**_CALL, action=_acted),
    "local_shell_call_output": _shape(**_CALL, output=_said("tool")),
    "shell_call": _shape(**_CALL, action=_acted, environment=_acted, max_output_length=_count),
    "shell_call_output": _shape(**_CALL, output=_any("tool"), max_output_length=_count),
    "apply_patch_call": _shape(**_CALL, operation=_acted),
    "apply_patch_call_output": _shape(**_CALL, output=_said("tool")),
    "mcp_list_tools": _shape(**_ITEM, server_label=_called, tools=_any("schema"), error=_any("tool")),
    "mcp_approval_request": _shape(**_HOSTED),
    "mcp_approval_response": _shape(**_ITEM, approval_request_id=_label, approve=_flag, reason=_said("user")),
    "mcp_call": _shape(**_HOSTED, output=_said("tool"), error=_any("tool"), approval_request_id=_label),
    "tool_search_call": _shape(**_CALL, arguments=_acted, execution=_label),
    "tool_search_output": _shape(**_CALL, tools=_tools, execution=_label),
    "additional_tools": _shape(**_ITEM, role=_label, tools=_tools),
    "program": _shape(**_CALL, code=_called, fingerprint=_sealed),
    "program_output": _shape(**_CALL, result=_said("tool")),
}
"""Type of an input item -> its keys; `message` is read apart, for its role. Any other is refused."""

_SCREEN: Final = _shape(image_url=_url("image"), file_id=_file("image"), detail=_label)


def _screen(turns: Turns, value: Json, path: Path) -> None:
    """What a computer shows, as one part."""
    _fields(turns, _SCREEN[0].only(value, path), path, _SCREEN)
