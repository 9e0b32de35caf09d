"""`penstock serve` with the failing addon in front of the chain and behind it."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from penstock.cli import main
from penstock.proxy import gateway
from tests.proxy import fault

plain = gateway.steps


class Before(fault.Fault):
    name = "fault_before"
    tampers = False  # what is changed before it is judged is judged as changed


def steps(gateway: gateway.Gateway) -> list[object]:
    return [Before(), *plain(gateway), fault.Fault()]


gateway.steps = steps

if __name__ == "__main__":
    main()
