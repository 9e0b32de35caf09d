"""Inference APIs: request bytes become calls, calls become bytes again, and the text in replies is found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from penstock.apis.api import Api, Dialect, Recognised, ReplyReader, Route
from penstock.apis.bodies import Emitted
from penstock.apis.calls.turns import Key, replaced
from penstock.apis.dialects import OLLAMA, OPENAI
from penstock.apis.recognise import asked, dialect_of, emitted, recognise
from penstock.apis.registry import APIS
from penstock.apis.wire.body import emit, parse
from penstock.apis.wire.target import normal_path
from penstock.exchange import Call, Path

_BY_NAME: Final = {api.name: api for api in APIS}


def by_name(name: str) -> Api:
    """The API of a call (`Call.api`).

    Raises: KeyError.
    """
    return _BY_NAME[name]


def with_texts(call: Call, texts: Mapping[Path, str]) -> Call:
    """The call with texts of its turns replaced: a new body, read anew.

    Raises: KeyError when a path leads to no text; Refusal when the new body is not a call any more.
    """
    if not texts or call.body is None:
        return call
    made = by_name(call.api).with_body(call, replaced(call.body, texts))
    return made if made.encoding == call.encoding else replace(made, encoding=call.encoding)


__all__ = [
    "APIS",
    "OLLAMA",
    "OPENAI",
    "Api",
    "Dialect",
    "Emitted",
    "Key",
    "Recognised",
    "ReplyReader",
    "Route",
    "asked",
    "by_name",
    "dialect_of",
    "emit",
    "emitted",
    "normal_path",
    "parse",
    "recognise",
    "with_texts",
]
