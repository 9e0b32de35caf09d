"""The detectors that come with Penstock, all of them."""

from __future__ import annotations

from typing import Final

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

DETECTORS: Final = (
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
"""In the order in which they are told; `ip` is `ipv4` and `ipv6` in one."""
