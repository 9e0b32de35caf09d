"""The detectors that come with Penstock, all of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from penstock.detect.following import following
from penstock.detect.opening import opening
from penstock.detect.shipped.access import ACCESS
from penstock.detect.shipped.america import AMERICA
from penstock.detect.shipped.contact import CONTACT
from penstock.detect.shipped.europe import EUROPE
from penstock.detect.shipped.finance import FINANCE
from penstock.detect.shipped.forges import FORGES
from penstock.detect.shipped.messengers import MESSENGERS
from penstock.detect.shipped.models import MODELS
from penstock.detect.shipped.network import NETWORK
from penstock.detect.shipped.payments import PAYMENTS
from penstock.detect.shipped.person import PERSON
from penstock.detect.shipped.platforms import PLATFORMS
from penstock.detect.shipped.world import WORLD
from penstock.detect.syntax import parse
from penstock.detect.value import Detector

_LETTERS: Final = sum(1 << code for code in range(ord("A"), ord("z") + 1))
_SHIPPED: Final = (
    *CONTACT,
    *FINANCE,
    *AMERICA,
    *EUROPE,
    *WORLD,
    *PERSON,
    *NETWORK,
    *ACCESS,
    *PLATFORMS,
    *FORGES,
    *MODELS,
    *PAYMENTS,
    *MESSENGERS,
)


def _told_after(detector: Detector) -> Detector:
    """With what may be said after a value, for numbers: nobody says after a key what it is.

    A value that has letters and may stand alone is known by its form; looking at each word twice would gain little.
    """
    if not detector.context or detector.kind == "secret" or detector.until:
        return detector
    first = opening(parse(detector.pattern), 1).places[0]
    if not detector.needs_context and first & _LETTERS:
        return detector
    return replace(detector, after=following(detector.context))


DETECTORS: Final = tuple(map(_told_after, _SHIPPED))
"""In the order in which they are told; `ip` is `ipv4` and `ipv6` in one."""
