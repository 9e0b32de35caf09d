"""Messages and tools as OpenAI's chat completions has them: every string in them is a turn, every shape is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from penstock.apis.calls.fields import Keys, pointer, wrong
from penstock.apis.calls.turns import Turns
from penstock.errors import invalid
from penstock.exchange import Json, JsonObject, Path

# Templates put the role into the prompt as it stands, so a role of the caller's own making would be an injection.
ROLES: Final = frozenset({"system", "developer", "user", "assistant", "tool", "function"})

_MESSAGE: Final = Keys(
    (
        "role",
        "content",
        "name",
        "tool_calls",
        "tool_call_id",
        "function_call",
        "refusal",
        "reasoning",
        "reasoning_content",
        "audio",
        "annotations",
    )
)
_CALL: Final = Keys(("id", "type", "index", "function", "custom"))
_FUNCTION_CALL: Final = Keys(("name", "arguments"))
_CUSTOM_CALL: Final = Keys(("name", "input"))
_TOOL: Final = Keys(("type", "function", "custom"))
_FUNCTION: Final = Keys(("name", "description", "parameters", "strict"))
_CUSTOM: Final = Keys(("name", "description", "format"))
_URL: Final = Keys(("url", "detail"))
_AUDIO_PART: Final = Keys(("data", "format"))
_FILE_PART: Final = Keys(("file_data", "file_id", "filename"))
_AUDIO: Final = Keys(("id",))


def read_messages(turns: Turns, value: Json) -> None:
    """Every text of a conversation.

    Raises: Refusal for an empty conversation (Ollama takes it for an order to load the model) and unknown shapes.
    """
    path: Path = ("messages",)
    if not isinstance(value, list) or not value:
        raise wrong(path, "a list of at least one message")
    for index, message in enumerate(value):
        if message.__class__ is dict and len(message) == 2:
            # Nearly every message is just this, and some conversations have hundreds.
            role, content = message.get("role"), message.get("content")
            if role.__class__ is str and content.__class__ is str and role in ROLES:
                turns.add(role, content, ("messages", index, "content"))
                continue
        _message(turns, message, ("messages", index))


def _message(turns: Turns, value: Json, path: Path) -> None:
    message = _MESSAGE.only(value, path)
    role = message.get("role")
    if not isinstance(role, str) or role not in ROLES:
        raise wrong((*path, "role"), "one of " + ", ".join(sorted(ROLES)))
    content = message.get("content")
    if isinstance(content, str):
        turns.add(role, content, (*path, "content"))
    elif content is not None:
        read_parts(turns, role, content, (*path, "content"))
    if len(message) > 1 + ("content" in message):
        _rest(turns, role, message, path)


def _rest(turns: Turns, role: str, message: JsonObject, path: Path) -> None:
    """What a message may have beside role and content."""
    for key, value in message.items():
        if value is None or key in ("role", "content"):
            continue
        here = (*path, key)
        match key:
            case "reasoning" | "reasoning_content" | "refusal":
                turns.add(role, text(value, here), here)
            case "name":
                turns.add("other", text(value, here), here)
            case "tool_call_id":
                turns.label(text(value, here), here)
            case "tool_calls":
                for index, call in enumerate(items(value, here)):
                    _tool_call(turns, role, call, (*here, index))
            case "function_call":
                _named_call(turns, role, value, here, _FUNCTION_CALL, "arguments")
            case "audio":
                turns.label(text(_AUDIO.only(value, here).get("id"), (*here, "id")), (*here, "id"))
            case _:
                turns.everything(role, items(value, here), here)


def _tool_call(turns: Turns, role: str, value: Json, path: Path) -> None:
    call = _CALL.only(value, path)
    if call.get("id") is not None:
        turns.label(text(call["id"], (*path, "id")), (*path, "id"), "tool_call")
    index = call.get("index")
    if index is not None and index.__class__ is not int:
        raise wrong((*path, "index"), "an integer")
    kind = call.get("type", "function")
    if kind == "function" and call.get("custom") is None:
        _named_call(turns, role, call.get("function"), (*path, "function"), _FUNCTION_CALL, "arguments")
    elif kind == "custom" and call.get("function") is None:
        _named_call(turns, role, call.get("custom"), (*path, "custom"), _CUSTOM_CALL, "input")
    else:
        raise wrong((*path, "type"), "`function` or `custom`, with the object of that name alone")


def _named_call(turns: Turns, role: str, value: Json, path: Path, known: Keys, argument: str) -> None:
    call = known.only(value, path)
    turns.add(role, text(call.get("name"), (*path, "name")), (*path, "name"), "tool_call")
    here = (*path, argument)
    given = call.get(argument)
    if given is None:
        return
    if argument == "arguments":
        turns.add_json(role, text(given, here), here)
    else:
        turns.add(role, text(given, here), here, "tool_call")


def read_parts(turns: Turns, role: str, value: Json, path: Path) -> None:
    """The parts of a message's content."""
    for index, part in enumerate(items(value, path, "a string or a list of parts")):
        here = (*path, index)
        kind = part.get("type") if isinstance(part, dict) else None
        if not isinstance(part, dict) or not isinstance(kind, str) or kind not in _PARTS:
            raise wrong((*here, "type"), "the type of a known content part (" + ", ".join(sorted(_PARTS)) + ")")
        if (media := _PARTS[kind]) is not None:
            media(turns, part, here)
        else:
            _TEXT_PARTS[kind].only(part, here)
            turns.add(role, text(part.get(kind), (*here, kind)), (*here, kind))


_TEXT_PARTS: Final = {kind: Keys(("type", kind)) for kind in ("text", "refusal")}


def _media(key: str, kind: str) -> Callable[[Turns, JsonObject, Path], None]:
    """A part that is a URL: `data:` holds the thing itself; anything else makes the model server fetch it."""
    keys = Keys(("type", key))

    def read(turns: Turns, part: JsonObject, path: Path) -> None:
        inner = _URL.only(keys.only(part, path).get(key), (*path, key))
        here = (*path, key, "url")
        url = text(inner.get("url"), here)
        turns.uninspected.add(kind)
        if not url.startswith("data:"):
            turns.uninspected.add("url")
            turns.add("other", url, here)
        if inner.get("detail") is not None:
            turns.label(text(inner["detail"], (*path, key, "detail")), (*path, key, "detail"))

    return read


_AUDIO_KEYS: Final = Keys(("type", "input_audio"))
_FILE_KEYS: Final = Keys(("type", "file"))


def _audio_part(turns: Turns, part: JsonObject, path: Path) -> None:
    inner = _AUDIO_PART.only(_AUDIO_KEYS.only(part, path).get("input_audio"), (*path, "input_audio"))
    text(inner.get("data"), (*path, "input_audio", "data"))
    here = (*path, "input_audio", "format")
    turns.label(text(inner.get("format"), here), here)
    turns.uninspected.add("audio")


def _file_part(turns: Turns, part: JsonObject, path: Path) -> None:
    inner = _FILE_PART.only(_FILE_KEYS.only(part, path).get("file"), (*path, "file"))
    for key, value in inner.items():
        here = (*path, "file", key)
        if key == "file_data":
            text(value, here)
        else:
            turns.add("other", text(value, here), here)
    turns.uninspected.add("file")


# None: the text stands under the key of the same name.
_PARTS: Final[Mapping[str, Callable[[Turns, JsonObject, Path], None] | None]] = {
    "text": None,
    "refusal": None,
    "image_url": _media("image_url", "image"),
    "video_url": _media("video_url", "video"),
    "audio_url": _media("audio_url", "audio"),
    "input_audio": _audio_part,
    "file": _file_part,
}


def read_tools(turns: Turns, value: Json, key: str = "tools") -> tuple[str, ...]:
    """Names of the tools offered; their descriptions and schemas are turns of the role `schema`."""
    names: list[str] = []
    for index, tool in enumerate(items(value, (key,))):
        path: Path = (key, index)
        if key == "functions":
            names.append(_definition(turns, tool, path, _FUNCTION))
            continue
        known = _TOOL.only(tool, path)
        kind = known.get("type")
        if kind == "function" and known.get("custom") is None:
            names.append(_definition(turns, known.get("function"), (*path, "function"), _FUNCTION))
        elif kind == "custom" and known.get("function") is None:
            names.append(_definition(turns, known.get("custom"), (*path, "custom"), _CUSTOM))
        else:
            raise wrong((*path, "type"), "`function` or `custom`, with the object of that name alone")
    return tuple(names)


def _definition(turns: Turns, value: Json, path: Path, known: Keys) -> str:
    definition = known.only(value, path)
    name = text(definition.get("name"), (*path, "name"))
    if not name:
        raise wrong((*path, "name"), "a name")
    for key, inner in definition.items():
        turns.everything("schema", inner, (*path, key))
    return name


def text(value: Json, path: Path) -> str:
    """The value, as a string.

    Raises: Refusal.
    """
    if not isinstance(value, str):
        raise wrong(path, "a string")
    return value


def items(value: Json, path: Path, wanted: str = "a list") -> list[Json]:
    """The value, as a list.

    Raises: Refusal.
    """
    if not isinstance(value, list):
        raise wrong(path, wanted)
    return value


def strings(value: Json, path: Path) -> None:
    """Refuses what is not a string or a list of strings."""
    if isinstance(value, str) or value is None:
        return
    for index, item in enumerate(items(value, path, "a string or a list of strings")):
        text(item, (*path, index))


def numbers(value: Json, path: Path) -> None:
    """Refuses an object whose values are not numbers by token id (`logit_bias`)."""
    if not isinstance(value, dict):
        return
    for key, item in value.items():
        if not key.lstrip("-").isdecimal() or not key.isascii() or item.__class__ not in (int, float):
            raise invalid(f"{pointer(path)} must map token ids to numbers.")
