"""What is to be embedded, ranked, scored or tokenized: texts in whatever shape a server takes them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from penstock.apis.calls.fields import pointer, wrong
from penstock.apis.calls.turns import Key, Turns
from penstock.apis.openai.messages import ROLES, read_messages, read_tools
from penstock.apis.replies.pieces import is_text, plain_word
from penstock.errors import invalid
from penstock.exchange import Json, JsonObject, Path

type Input = Callable[[Turns, Json, Path], None]
"""Reads the value of one key of a body; raises Refusal for a shape that it does not know."""

# Keys under which servers take a thing that nobody can read here, or the address of one.
_MEDIA: Final[Mapping[str, tuple[str, ...]]] = {
    "image": ("image",),
    "images": ("image",),
    "image_url": ("image",),
    "image_data": ("image",),
    "input_image": ("image",),
    "video": ("video",),
    "videos": ("video",),
    "video_url": ("video",),
    "video_data": ("video",),
    "audio": ("audio",),
    "audio_url": ("audio",),
    "audio_data": ("audio",),
    "input_audio": ("audio",),
    "multimodal_data": ("image", "audio"),
    "image_embeds": ("embeddings",),
    "prompt_embeds": ("embeddings",),
}
_HOLDERS: Final = frozenset({"url", "data", "image", "audio", "video"})
# Long base64, of either alphabet: the thing itself, not its address.
_BLOB: Final = re.compile(r"[A-Za-z0-9+/_-]{64,}={0,2}")


def contents(turns: Turns, value: Json, path: Path, role: str = "user") -> None:
    """Text, texts, token ids, chat messages, parts of them, objects with texts and media in them, or lists of any of
    these: all are read alike, so that it does not matter which of them a server expects.

    Raises: Refusal for a number or a boolean in place of a text.
    """
    match value:
        case str():
            turns.add(role, value, path)
        case list():
            _items(turns, value, path, role)
        case dict():
            _object(turns, value, path, role)
        case _:
            raise invalid(f"{pointer(path)} must be text, token ids, or a list or object with text in it.")


def _items(turns: Turns, value: list[Json], path: Path, role: str) -> None:
    kinds = set(map(type, value))
    if int in kinds:
        turns.uninspected.add("token_ids")
    if float in kinds:
        turns.uninspected.add("embeddings")
    if kinds <= {int, float, bool}:
        return
    for index, item in enumerate(value):
        if isinstance(item, str):
            turns.add(role, item, (*path, index))
        elif isinstance(item, (list, dict)):
            contents(turns, item, (*path, index), role)


def _object(turns: Turns, value: JsonObject, path: Path, role: str) -> None:
    """A message, a part of one, or a document. Its own role counts when it is one that templates know."""
    own = value.get("role")
    known = isinstance(own, str) and own in ROLES
    role = str(own) if known else role
    for key, inner in value.items():
        here = (*path, key)
        if not plain_word(key):
            turns.add(role, key, (*path, Key(key)))
        if key in _MEDIA:
            for kind in _MEDIA[key]:
                media(kind)(turns, inner, here)
        elif isinstance(inner, str):
            if key == "type":
                turns.label(inner, here)
            elif not (known and key == "role"):
                turns.add(role, inner, here)
        elif isinstance(inner, (list, dict)):
            contents(turns, inner, here, role)
        elif isinstance(inner, int) and is_text(inner):
            turns.add(role, str(inner), here)


def messages(turns: Turns, value: Json, path: Path) -> None:
    """A conversation as chat has it, or several of them."""
    if isinstance(value, list) and value and all(isinstance(item, list) for item in value):
        contents(turns, value, path)
    else:
        read_messages(turns, value)


def tools(turns: Turns, value: Json, path: Path) -> None:
    """Tools offered to nobody: a template only spells them out."""
    read_tools(turns, value, str(path[0]))


def integers(turns: Turns, value: Json, path: Path) -> None:
    """Token ids that only choose: labels, offsets, stops.

    Raises: Refusal for anything but integers, or lists of them.
    """
    if isinstance(value, list):
        for index, item in enumerate(value):
            integers(turns, item, (*path, index))
    elif value.__class__ is not int:
        raise wrong(path, "an integer, or a list of them")


def documents(turns: Turns, value: Json, path: Path) -> None:
    """Free JSON that becomes text as it stands."""
    turns.everything("user", value, path)


def vectors(turns: Turns, value: Json, path: Path) -> None:
    """Numbers that stand for text."""
    turns.uninspected.add("embeddings")
    turns.everything("other", value, path)


def media(kind: str) -> Input:
    """Reads images, audio or video: things nobody can read here, of which only an address is text."""

    def read(turns: Turns, value: Json, path: Path) -> None:
        if value is None or value == []:
            return
        turns.uninspected.add(kind)
        if isinstance(value, str):
            _address(turns, value, path)
        elif isinstance(value, list):
            for index, item in enumerate(value):
                read(turns, item, (*path, index))
        elif isinstance(value, dict):
            for key, inner in value.items():
                here = (*path, key)
                if not plain_word(key):
                    turns.add("other", key, (*path, Key(key)))
                if key in _HOLDERS:
                    read(turns, inner, here)
                else:
                    turns.everything("other", inner, here)

    return read


def _address(turns: Turns, value: str, path: Path) -> None:
    """`data:` and base64 hold the thing itself; anything else makes the model server fetch it."""
    if not value.startswith("data:") and not _BLOB.fullmatch(value):
        turns.uninspected.add("url")
        turns.add("other", value, path)
