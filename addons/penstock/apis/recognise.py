"""Which API a request is for, by method and path, and what it asks there."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from penstock.apis import bodies, dialects, refused
from penstock.apis.api import Dialect, Recognised, Route, pattern
from penstock.apis.bodies import CODECS, NOTHING, Emitted
from penstock.apis.registry import APIS
from penstock.apis.shared import Shared
from penstock.errors import Refusal, invalid
from penstock.exchange import Call


def _routes() -> dict[tuple[str, str], Recognised]:
    """Method and path -> the API there; the one that stands for them all where several share it."""
    found: defaultdict[tuple[str, str], list[Recognised]] = defaultdict(list)
    for api in APIS:
        for route in api.routes:
            found[route.method, route.path].append(Recognised(api, route))
    return {place: each[0] if len(each) == 1 else _shared(each) for place, each in found.items()}


def _shared(found: list[Recognised]) -> Recognised:
    """One for all: its route has what any of theirs has."""
    first = found[0].route
    queries = frozenset().union(*(each.route.query for each in found))
    encodings = tuple(dict.fromkeys(encoding for each in found for encoding in each.route.encodings))
    optional = any(each.route.optional for each in found)
    return Recognised(
        Shared(found), Route(first.method, first.path, first.operation, queries, encodings, optional=optional)
    )


_ROUTES: Final = _routes()
_EXACT: Final = {place: found for place, found in _ROUTES.items() if "{" not in place[1]}


def _order(place: tuple[str, str]) -> tuple[bool, int]:
    """Whole segments before the rest of a path, and much said before little."""
    return place[1].endswith("/{model}"), -len(re.sub(r"\{\w+\}", "", place[1]))


def _grouped() -> dict[tuple[str, str], list[tuple[re.Pattern[str], Recognised]]]:
    """Method and first segment -> the paths with placeholders, the more certain first."""
    found: defaultdict[tuple[str, str], list[tuple[re.Pattern[str], Recognised]]] = defaultdict(list)
    for method, path in sorted(_ROUTES.keys() - _EXACT.keys(), key=_order):
        first = path.split("/", 2)[1]
        assert "{" not in first, f"{path} begins with a placeholder"
        found[method, first].append((pattern(path), _ROUTES[method, path]))
    return dict(found)


_OPEN: Final = _grouped()
_DIALECTS: Final = {path: found.api.dialect for (_, path), found in _EXACT.items() if found.route.operation != "health"}


def recognise(method: str, target: str) -> Recognised:
    """The API and route of a request; `target` as `normal_path` gave it.

    Raises: Refusal (`unknown_endpoint`; `not_served` for what is refused on purpose; `invalid_request` for a query
        that the route does not know).
    """
    path, mark, query = target.partition("?")
    found = _EXACT.get((method, path))
    if found is None and (reason := refused.reason(method, path)) is not None:
        raise Refusal("not_served", f"This gateway does not serve that endpoint: {reason}")
    found = found or _open(method, path)
    if found is None:
        raise Refusal("unknown_endpoint", "This gateway does not serve that endpoint.")
    if mark:
        _check_query(query, found.route)
    return found


def _open(method: str, path: str) -> Recognised | None:
    for paths, found in _OPEN.get((method, path.split("/", 2)[1]), ()):
        if paths.fullmatch(path):
            return found
    return None


def _check_query(query: str, route: Route) -> None:
    """A query may only hold parameters that the route knows, each once; a semicolon parts them in some servers."""
    names = [part.partition("=")[0] for part in query.split("&")]
    if ";" in query or len(set(names)) != len(names) or not route.query.issuperset(names):
        raise invalid("This endpoint does not take that query string.")


def dialect_of(target: str) -> Dialect:
    """The dialect for answers before a request is recognised, or about a path that could not be read: that of the API
    at the path, whatever the method; else Ollama's below `/api` and `/v2` (KServe says it as briefly), and OpenAI's."""
    path = target.partition("?")[0]
    return _DIALECTS.get(path) or dialects.dialect_of(path)


def asked(
    found: Recognised, path: str, content: bytes, content_type: str | None, headers: Mapping[str, str] | None = None
) -> Call:
    """What a request asks; `headers` with lower-case names, for encodings that need another.

    Raises: Refusal for a body that is not understood in full, and for one where none belongs.
    """
    encodings = found.route.encodings
    if not encodings:
        if content:
            raise invalid(f"A {found.route.method} request must not have a body here.")
        return found.api.call(found.route, path, None)
    if not content and found.route.optional:
        return found.api.call(found.route, path, None)
    encoding = bodies.choose(encodings, content_type)
    body = CODECS[encoding].read(content, content_type, headers or {})
    call = found.api.call(found.route, path, body)
    return call if call.encoding == encoding else replace(call, encoding=encoding)


def emitted(call: Call) -> Emitted:
    """What is forwarded for a call: its body, written anew."""
    if call.body is None:
        return NOTHING
    return CODECS[call.encoding].emit(call.body)
