"""What tensors and instances say: every string is text, wherever it hides; numbers in bulk are what nobody can read."""

from __future__ import annotations

from typing import Final

import orjson

from penstock.apis.calls.turns import Key, Turns
from penstock.apis.replies.pieces import plain_word
from penstock.exchange import Blob, Json, Path, Turn

TENSOR: Final = "tensor"
SHARED: Final = "shared_memory"

_NUMBERS: Final = frozenset({int, float, bool, type(None)})
# Content types of MLServer: what a string of the tensor holds is JSON again, or something else that is no text.
_JSON: Final = frozenset({"hg_json", "hg_jsonlist", "json"})
ENCODED: Final = {"base64": TENSOR, "pillow_image": "image", "hg_pillow": "image"}
"""Content types of strings that hold something else, and what kind of content that is."""


def read_values(turns: Turns, value: Json, path: Path, content_type: str = "") -> None:
    """Reads the values of an input: strings make turns of the role `user`; more than one number in a list, however
    nested, makes the call's `uninspected` have `tensor` (one may be a limit or a switch; several can be token ids)."""
    if content_type in ENCODED:
        turns.uninspected.add(ENCODED[content_type])
    if _read(turns, value, path, json=content_type in _JSON) > 1:
        turns.uninspected.add(TENSOR)


def _read(turns: Turns, value: Json, path: Path, *, json: bool) -> int:
    """Reads a value. Returns how many numbers its lists have."""
    match value:
        case Blob():
            turns.uninspected.add(TENSOR)
            return 0
        case str():
            if json and is_json(value):
                turns.found.append(Turn("user", value, path, "prompt", "json"))
            else:
                turns.add("user", value, path)
            return 0
        case list():
            if len(value) > 1 and _NUMBERS.issuperset(map(type, value)):
                return len(value)
            return sum(
                _read(turns, item, (*path, index), json=json) + (item.__class__ in _NUMBERS)
                for index, item in enumerate(value)
            )
        case dict():
            for key in value:
                if not plain_word(key):
                    turns.add("user", key, (*path, Key(key)))
            if isinstance(value.get("b64"), str):
                # TensorFlow Serving's way to say bytes.
                turns.uninspected.add(TENSOR)
            return sum(_read(turns, inner, (*path, key), json=json) for key, inner in value.items())
        case _:
            turns.everything("user", value, path)
            return 0


def is_json(text: str) -> bool:
    """Whether a string holds an object or a list as JSON."""
    try:
        return isinstance(orjson.loads(text), (dict, list))
    except orjson.JSONDecodeError:
        return False
