"""The one credential of a request, wherever its client puts it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from penstock.errors import Refusal, invalid

type Headers = Iterable[tuple[bytes, bytes]]

CARRIERS: Final = frozenset({b"authorization", b"api-key", b"x-api-key", b"x-goog-api-key"})
"""Where clients put it: OpenAI and Ollama, Azure, Anthropic before 2.0, Gemini. Never the query string."""

CREDENTIAL_HEADERS: Final = CARRIERS | {b"cookie", b"proxy-authorization"}
"""Lower-case names of what must not reach a model server; all of them are stripped before forwarding."""

_LENGTHS: Final = frozenset(len(name) for name in CARRIERS)
_PRINTABLE: Final = re.compile(rb"[ -~]*")


class _Carried(NamedTuple):
    scheme: bytes
    """Lower case; `bearer` for what an API key header carries."""
    value: bytes


def extract(headers: Headers) -> str:
    """The credential, visible ASCII; `Refusal`: `no_credential`, or `invalid_request` when it is not exactly one."""
    found = {carried for carried in _carried(headers) if carried != (b"bearer", b"")}
    if not found:
        raise Refusal("no_credential", "A credential is needed: Authorization: Bearer, or an API key header.")
    if len(found) > 1:
        raise invalid("The request carries more than one credential.")
    scheme, credential = found.pop()
    if scheme != b"bearer":
        raise Refusal("no_credential", "Only Bearer is accepted in the Authorization header.")
    if b" " in credential:
        raise invalid("The credential has a space in it.")
    return credential.decode("ascii")


def _carried(headers: Headers) -> Iterator[_Carried]:
    seen: set[bytes] = set()
    for name, value in headers:
        carrier = name.lower()
        if carrier not in CARRIERS:
            continue
        if carrier in seen:
            raise invalid(f"The header {carrier.decode()} is there more than once.")
        if not _PRINTABLE.fullmatch(value):
            raise invalid(f"The header {carrier.decode()} has characters that no credential has.")
        seen.add(carrier)
        yield _authorization(value) if carrier == b"authorization" else _Carried(b"bearer", value.strip(b" "))


def _authorization(value: bytes) -> _Carried:
    # RFC 7235 section 2.1: the scheme's case does not matter. An empty header says nothing.
    scheme, _, rest = value.strip(b" ").partition(b" ")
    return _Carried(scheme.lower() or b"bearer", rest.strip(b" "))


def quick(headers: Headers) -> bytes | None:
    """The credential's bytes when there is exactly one and it is plainly written; None means: ask `extract`.

    Nothing is checked: the answer is good only for comparing with credentials that `extract` has admitted.
    """
    credential: bytes | None = None
    for name, value in headers:
        # The length first: most names end here, and this runs for every header of every request.
        if len(name) in _LENGTHS and (carrier := name.lower()) in CARRIERS:
            if credential is not None:
                return None
            credential = value
            if carrier == b"authorization":
                if value[:7] != b"Bearer ":
                    return None
                credential = value[7:]
    return credential
