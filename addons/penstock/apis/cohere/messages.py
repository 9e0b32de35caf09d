"""Messages, documents and tools as Cohere's chat has them: every string in them is a turn, every shape is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from penstock.apis.calls.fields import Keys, wrong
from penstock.apis.calls.turns import Turns
from penstock.apis.openai.messages import items, text
from penstock.exchange import Json, JsonObject, Path

# vLLM takes `developer` for `system`.
ROLES: Final = frozenset({"system", "developer", "user", "assistant", "tool"})

_MESSAGE: Final = Keys(("role", "content", "tool_calls", "tool_plan", "tool_call_id", "citations"))
_CALL: Final = Keys(("id", "type", "function"))
_FUNCTION: Final = Keys(("name", "arguments"))
_DOCUMENT: Final = Keys(("id", "data"))
_IMAGE: Final = Keys(("url", "detail"))


def read_messages(turns: Turns, value: Json) -> None:
    """Every text of a conversation.

    Raises: Refusal for an empty conversation and unknown shapes.
    """
    if not isinstance(value, list) or not value:
        raise wrong(("messages",), "a list of at least one message")
    for index, message in enumerate(value):
        _message(turns, message, ("messages", index))


def _message(turns: Turns, value: Json, path: Path) -> None:
    message = _MESSAGE.only(value, path)
    role = message.get("role")
    if not isinstance(role, str) or role not in ROLES:
        raise wrong((*path, "role"), "one of " + ", ".join(sorted(ROLES)))
    for key, inner in message.items():
        here = (*path, key)
        if inner is None or key == "role":
            continue
        match key:
            case "content":
                read_content(turns, role, inner, here)
            case "tool_plan":
                turns.add(role, text(inner, here), here)
            case "tool_call_id":
                turns.label(text(inner, here), here)
            case "tool_calls":
                for index, call in enumerate(items(inner, here)):
                    _tool_call(turns, role, call, (*here, index))
            case _:
                turns.everything(role, items(inner, here), here)


def _tool_call(turns: Turns, role: str, value: Json, path: Path) -> None:
    call = _CALL.only(value, path)
    if call.get("id") is not None:
        turns.label(text(call["id"], (*path, "id")), (*path, "id"), "tool_call")
    if call.get("type", "function") != "function":
        raise wrong((*path, "type"), "`function`")
    here = (*path, "function")
    function = _FUNCTION.only(call.get("function"), here)
    turns.add(role, text(function.get("name"), (*here, "name")), (*here, "name"), "tool_call")
    if function.get("arguments") is not None:
        turns.add_json(role, text(function["arguments"], (*here, "arguments")), (*here, "arguments"))


def read_content(turns: Turns, role: str, value: Json, path: Path) -> None:
    """A string or a list of parts."""
    if isinstance(value, str):
        turns.add(role, value, path)
        return
    for index, part in enumerate(items(value, path, "a string or a list of parts")):
        here = (*path, index)
        kind = part.get("type") if isinstance(part, dict) else None
        if not isinstance(part, dict) or not isinstance(kind, str) or kind not in _PARTS:
            raise wrong((*here, "type"), "the type of a known content part (" + ", ".join(sorted(_PARTS)) + ")")
        keys, read = _PARTS[kind]
        read(turns, role, keys.only(part, here).get(kind), (*here, kind))


def read_documents(turns: Turns, value: Json) -> None:
    """What the model is to ground its answer in; it goes into the prompt."""
    for index, document in enumerate(items(value, ("documents",))):
        path: Path = ("documents", index)
        if isinstance(document, str):
            turns.add("user", document, path)
        else:
            _document(turns, "user", document, path)


def read_image(turns: Turns, value: Json, path: Path) -> None:
    """An image by its URL: `data:` holds the thing itself; anything else makes the model server fetch it."""
    image = _IMAGE.only(value, path)
    here = (*path, "url")
    url = text(image.get("url"), here)
    turns.uninspected.add("image")
    if not url.startswith("data:"):
        turns.uninspected.add("url")
        turns.add("other", url, here)
    if image.get("detail") is not None:
        turns.label(text(image["detail"], (*path, "detail")), (*path, "detail"))


def _document(turns: Turns, role: str, value: Json, path: Path) -> None:
    document: JsonObject = _DOCUMENT.only(value, path)
    for key, inner in document.items():
        turns.everything("other" if key == "id" else role, inner, (*path, key))


def _said(turns: Turns, role: str, value: Json, path: Path) -> None:
    turns.add(role, text(value, path), path)


def _picture(turns: Turns, _role: str, value: Json, path: Path) -> None:
    read_image(turns, value, path)


_PARTS: Final[Mapping[str, tuple[Keys, Callable[[Turns, str, Json, Path], None]]]] = {
    "text": (Keys(("type", "text")), _said),
    "thinking": (Keys(("type", "thinking")), _said),
    "image_url": (Keys(("type", "image_url")), _picture),
    "document": (Keys(("type", "document")), _document),
}
