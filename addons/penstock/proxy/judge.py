"""May this caller do this: grants, limits and guardrails decide, and the grant's parameters are applied."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, assert_never

from mitmproxy import http

from penstock.errors import Refusal, failed
from penstock.proxy import passage
from penstock.verdict import Allow, Deny, Hold

if TYPE_CHECKING:
    from penstock.proxy.gateway import Gateway


class Judge:
    """Asks the policy, once, and keeps its verdict; a denial ends the exchange here."""

    name = "penstock_judge"

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def request(self, flow: http.HTTPFlow) -> None:
        here = passage.of(flow)
        if here.reserved:
            return
        if here.caller is None or here.call is None or here.upstream is None or here.api is None:
            raise failed()
        verdict = here.policy.decide(
            here.caller, here.call, here.upstream.name, now=time.time(), limits=self.gateway.limits
        )
        here.verdict = verdict
        match verdict:
            case Deny():
                raise denial(verdict)
            case Allow() | Hold():
                here.lease = self.gateway.limits.lease(here.caller.id, verdict.grant)
                if verdict.parameters:
                    here.call = here.api.with_parameters(here.call, verdict.parameters)
            case _:
                assert_never(verdict)


def denial(verdict: Deny) -> Refusal:
    headers: tuple[tuple[str, str], ...] = ()
    if verdict.code == "not_granted":
        headers = (("WWW-Authenticate", 'Bearer error="insufficient_scope"'),)
    if verdict.retry_after is not None:
        headers = (("Retry-After", str(verdict.retry_after)),)
    return Refusal(verdict.code, verdict.message, headers=headers)
