"""Paths that several APIs share: the body tells which of them is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from penstock.apis.api import Dialect, Recognised, ReplyReader, Route
from penstock.errors import invalid
from penstock.exchange import Call, Json, JsonObject


class Shared:
    """Stands for the APIs of one path until the body is there; the call that it makes names the one that was meant."""

    def __init__(self, found: Sequence[Recognised]) -> None:
        self._marked = [each for each in found if each.route.marks]
        rest = [each for each in found if not each.route.marks]
        assert len(rest) <= 1, f"two APIs take what no other claims: {rest}"
        self._rest = rest[0] if rest else None
        self.name = "+".join(each.api.name for each in found)
        self.routes = tuple(each.route for each in found)
        self._apis = {each.api.name: each.api for each in found}

    @property
    def dialect(self) -> Dialect:
        return next(iter(self._apis.values())).dialect

    def call(self, route: Route, path: str, body: JsonObject | None) -> Call:
        """The call of the one API that claims the body.

        Raises: Refusal when none does, or more than one (they would read different parts of it).
        """
        claims = [each for each in self._marked if body is not None and not each.route.marks.isdisjoint(body)]
        if len(claims) > 1:
            names = " and ".join(each.api.name for each in claims)
            raise invalid(f"The body could be meant for {names}; leave out the keys of all but one.")
        found = claims[0] if claims else self._rest
        if found is None:
            keys = ", ".join(sorted({key for each in self._marked for key in each.route.marks}))
            raise invalid(f"The body has none of the keys by which this endpoint is told what it is asked: {keys}.")
        return found.api.call(found.route, path, body)

    def parameters(self, body: JsonObject) -> Mapping[str, Json]:
        raise KeyError(self.name)

    def with_parameters(self, call: Call, values: Mapping[str, Json]) -> Call:
        return self._apis[call.api].with_parameters(call, values)

    def with_body(self, call: Call, body: JsonObject) -> Call:
        return self._apis[call.api].with_body(call, body)

    def reader(self, call: Call) -> ReplyReader:
        return self._apis[call.api].reader(call)
