"""How many texts a call asks for: with one stream for all of them, the last one to end is the end of it."""

from __future__ import annotations

from penstock.exchange import Call, Json


def choices(call: Call, *prompts: str, copies: tuple[str, ...] = ()) -> int:
    """The choices of each prompt, times the prompts in these keys of the body. `copies`: the keys that say how many
    choices; the parameter `n` when there are none."""
    body = call.body or {}
    wanted = [body.get(key) for key in copies] if copies else [call.parameters.get("n")]
    each = max([1, *(value for value in wanted if isinstance(value, int) and not isinstance(value, bool))])
    return each * max([1, *(_count(body.get(key)) for key in prompts)])


def _count(value: Json) -> int:
    """How many prompts a list holds; a list with a number in it is one prompt, of token ids."""
    if not isinstance(value, list) or any(not isinstance(item, (str, list)) for item in value):
        return 1
    return len(value)
