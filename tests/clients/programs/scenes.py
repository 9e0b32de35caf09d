"""What every program here does: play scenes through each entrance of a gateway, and say in one line of JSON a scene
what the user got to see.

A client is a class; its methods that are named like a scene of the setting are its scenes. It is made for a base URL
of each route, and each method is given a `Seen` to put down what the SDK shows. What an SDK raises is seen too.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

SETTING = json.loads(os.environ["SETTING"])
KEY: str = SETTING["key"]
ASKS: Mapping[str, str] = SETTING["asks"]
"""Scene -> what the user asks in it."""

LOOKUP: Any = {
    "name": "lookup",
    "description": "Find a person.",
    "parameters": {"type": "object", "properties": {"email": {"type": "string"}}, "required": ["email"]},
}
FORM: Any = {
    "type": "object",
    "properties": {"person": {"type": "string"}, "mail": {"type": "string"}},
    "required": ["person", "mail"],
    "additionalProperties": False,
}


@dataclass
class Seen:
    """What the user of an SDK gets to see."""

    pieces: list[str] = field(default_factory=list)
    """Text, in the pieces in which it was shown."""
    calls: list[tuple[str, Any]] = field(default_factory=list)
    """Tool calls: name and arguments."""
    value: Any = None
    """The object of a structured answer."""
    vectors: list[int] = field(default_factory=list)
    """Length of each embedding."""
    error: dict[str, str] | None = None

    def text(self, piece: str | None) -> None:
        if piece:
            self.pieces.append(piece)

    def call(self, name: str, arguments: Any) -> None:
        """A tool call; arguments may be the text of JSON."""
        self.calls.append((name, json.loads(arguments) if isinstance(arguments, str) else arguments))


def ask(scene: str) -> list[Any]:
    """The conversation of a scene."""
    return [{"role": "user", "content": ASKS[scene]}]


def play(clients: Mapping[str, Callable[[Mapping[str, str]], object]]) -> None:
    """Play every client's scenes with each entrance; `clients` are made from the base URLs by route."""
    for entrance, urls in SETTING["entrances"].items():
        for name, make in clients.items():
            client = make(urls)
            for scene in ASKS:
                act = getattr(client, scene, None)
                if act is None:
                    continue
                seen = Seen()
                try:
                    act(seen)
                except Exception as error:
                    seen.error = {"kind": type(error).__name__, "message": str(error)}
                line = {"client": name, "entrance": entrance, "scene": scene, **asdict(seen)}
                sys.stdout.write(json.dumps(line) + "\n")
                sys.stdout.flush()
