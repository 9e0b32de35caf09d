"""Where the content of an image or document block comes from: the block itself, a URL, or a file on the server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from penstock.apis.calls.fields import Keys, wrong
from penstock.apis.calls.turns import Turns
from penstock.apis.openai.messages import text
from penstock.exchange import Json, Path

_SOURCES: Final[Mapping[str, Keys]] = {
    "base64": Keys(("type", "media_type", "data")),
    "url": Keys(("type", "url")),
    "file": Keys(("type", "file_id")),
    "text": Keys(("type", "media_type", "data")),
    "content": Keys(("type", "content")),
}
_OF: Final = {"image": ("base64", "url", "file"), "file": tuple(_SOURCES)}


def read_source(
    turns: Turns, role: str, value: Json, path: Path, kind: str, content: Callable[[Turns, str, Json, Path], None]
) -> None:
    """The source of an image (`kind`: `image`) or a document (`file`); `content` reads the blocks in one.

    Raises: Refusal.
    """
    origin = value.get("type") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(origin, str) or origin not in _OF[kind]:
        raise wrong((*path, "type"), "one of " + ", ".join(_OF[kind]))
    source = _SOURCES[origin].only(value, path)
    if source.get("media_type") is not None:
        turns.everything("other", text(source["media_type"], (*path, "media_type")), (*path, "media_type"))
    if origin == "content":
        content(turns, role, source.get("content"), (*path, "content"))
    elif origin == "text":
        turns.add(role, text(source.get("data"), (*path, "data")), (*path, "data"))
    else:
        turns.uninspected.add(kind)
        _elsewhere(turns, source.get(_AT[origin]), (*path, _AT[origin]))


_AT: Final = {"base64": "data", "url": "url", "file": "file_id"}


def _elsewhere(turns: Turns, value: Json, path: Path) -> None:
    """Bytes that nobody can read here, or what stands for them."""
    found = text(value, path)
    if path[-1] == "file_id":
        turns.label(found, path)
    elif path[-1] == "url" and not found.startswith("data:"):
        turns.uninspected.add("url")
        turns.add("other", found, path)
