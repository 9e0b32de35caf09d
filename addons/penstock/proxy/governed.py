"""Governed dispatch: any failure in any hook, layer or stream is a refusal, never a forwarded request.

mitmproxy logs an exception that a hook raises and forwards the flow all the same; here that is impossible, for
`penstock serve` and for `mitmdump -s` alike. Three pieces do it: a manager whose dispatch refuses by kind of event
and checks what is about to be forwarded against what was cleared; a connection handler that drops a connection whose
layers crashed; and error pages of our own.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from mitmproxy import addonmanager, flow, hooks, http
from mitmproxy.proxy import layer, server_hooks
from mitmproxy.proxy.layers.websocket import WebsocketMessageHook

from penstock.errors import Refusal, failed
from penstock.proxy import answers, handler, passage
from penstock.proxy.handler import GovernedHandler, where_of
from penstock.proxy.layers import Refused

if TYPE_CHECKING:
    from mitmproxy.master import Master


logger = logging.getLogger("penstock")

# Hooks after which a flow goes on to the model or back to the caller.
_GOVERNED: Final = frozenset({"requestheaders", "request", "responseheaders", "response"})
# Events of protocols that are never governed: whatever brings one here is cut.
_FOREIGN: Final = ("tcp_", "udp_", "dns_", "quic_", "http_connect", "socks5_")


def always(hook: Callable[..., Any]) -> Callable[..., Any]:
    """Marks a hook that runs although the exchange is refused already (to record and to answer)."""
    hook.always = True  # type: ignore[attr-defined]
    return hook


class GovernedManager(addonmanager.AddonManager):
    """mitmproxy's addon manager, failing closed."""

    _table: dict[str, list[tuple[Callable[..., Any], bool]]]
    closed: bool
    """True once the chain was unloaded: nothing is forwarded any more."""

    @classmethod
    def govern(cls, master: Master) -> GovernedManager:
        """Turns the manager of a running master into a governed one, in place (mitmproxy has signals bound to it)."""
        manager = master.addons
        manager.__class__ = cls
        assert isinstance(manager, cls)
        manager._table = {}
        manager.closed = False
        return manager

    def register(self, addon: Any) -> Any:
        self._table = {}
        try:
            return super().register(addon)  # type: ignore[no-untyped-call]
        finally:
            self._table = {}

    def remove(self, addon: Any) -> None:
        try:
            super().remove(addon)  # type: ignore[no-untyped-call]
        finally:
            self._table = {}

    def adopt(self, addons: list[Any]) -> None:
        """Makes the sub-addons that a registered addon has gained known by name, and their hooks run."""
        for addon in addonmanager.traverse(addons):
            self.lookup[addonmanager._get_name(addon)] = addon
        self._table = {}

    def clear(self) -> None:
        self.closed = True
        super().clear()  # type: ignore[no-untyped-call]
        self._table = {}

    async def handle_lifecycle(self, event: hooks.Hook) -> None:
        await self.trigger_event(event)
        if self._hooks("update") and isinstance(event.args()[0], flow.Flow):
            await self.trigger_event(hooks.UpdateHook([event.args()[0]]))

    async def trigger_event(self, event: hooks.Hook) -> None:
        """Runs the hooks of an event in order. Nothing that any of them raises gets past this method as a pass."""
        name = event.name
        refused = self.closed
        if refused or name.startswith(_FOREIGN):
            refuse(event, failed())
            refused = True
        elif name in _GOVERNED and (known := passage.find(event.args()[0])) is not None:
            refused = known.refusal is not None
        for hook, runs_always in self._table.get(name) or self._hooks(name):
            if refused and not runs_always:
                continue
            try:
                result = hook(*event.args())
                if result is not None and inspect.isawaitable(result):
                    await result
            except BaseException as error:
                refused = True
                self._failed(event, error)
                task = asyncio.current_task()
                if isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling():
                    raise  # the connection is being torn down: the refusal is noted, the task must end
        if name == "request":
            _check_cleared(event.args()[0])

    def _hooks(self, name: str) -> list[tuple[Callable[..., Any], bool]]:
        if name not in self._table:
            self._table[name] = [
                (func, getattr(func, "always", False))
                for top in self.chain
                for addon in addonmanager.traverse([top])
                if callable(func := getattr(addon, name, None))
            ]
        return self._table[name]

    def _failed(self, event: hooks.Hook, error: BaseException) -> None:
        if isinstance(error, Refusal):
            refuse(event, error)
            return
        logger.error("%s: refused after %s", event.name, where_of(error))
        refuse(event, failed())
        if event.name in ("running", "done"):
            self.master.shutdown()


def refuse(event: hooks.Hook, refusal: Refusal) -> None:
    """Makes an event end in a refusal, whatever kind of event it is."""
    subject = event.args()[0] if event.args() else None
    match subject:
        case http.HTTPFlow() if isinstance(event, WebsocketMessageHook):
            assert subject.websocket is not None
            subject.websocket.messages[-1].drop()
            subject.kill()
        case http.HTTPFlow():
            _refuse_http(event.name, subject, refusal)
        case server_hooks.ServerConnectionHookData():
            subject.server.error = "refused"
            if event.name == "server_connected":  # too late to stop the connect: the exchange is cut instead
                _abort(subject.client.id)
        case layer.NextLayer():
            subject.layer = Refused(subject.context)
        case flow.Flow():
            if subject.killable:
                subject.kill()
        case None:
            pass
        case _ if hasattr(subject, "error"):
            subject.error = "refused"


def _refuse_http(event: str, subject: http.HTTPFlow, refusal: Refusal) -> None:
    known = passage.find(subject)
    if known is not None:
        known.refuse(refusal)
    answer = answers.safely(known, refusal, subject.request.path)
    if event == "responseheaders" or (event == "requestheaders" and _large(subject.request)):
        # Answered now, and the connection closed: the rest of either body is nobody's business any more.
        _cut(subject, answer)
    elif event in ("requestheaders", "request"):
        subject.response = answers.bodiless(subject.request, answer)
    elif event == "response":
        _replace_reply(subject, known, answer)
    elif event.startswith(("http_connect", "websocket")) and subject.killable:
        subject.kill()


# Up to this size a refused request's body is read first, so that its connection can be used again.
_SMALL: Final = 65_536


def _large(request: http.Request) -> bool:
    length = request.headers.get("content-length", "")
    return "transfer-encoding" in request.headers or (length.isdigit() and int(length) > _SMALL)


def _cut(subject: http.HTTPFlow, answer: http.Response) -> None:
    """Ends the exchange here: `answer` goes out in place of whatever would follow (see `_send`)."""
    answers.prepare(subject.request, answer)
    if subject.killable:
        subject.kill()


def _replace_reply(subject: http.HTTPFlow, known: passage.Passage | None, answer: http.Response) -> None:
    """Puts a refusal in the place of the model's whole reply; one that is being streamed is cut."""
    if known is not None and known.streamed and known.last_byte_at:
        subject.kill()
        return
    if known is not None:
        known.local = True
    subject.response = answers.bodiless(subject.request, answer)


def _check_cleared(subject: http.HTTPFlow) -> None:
    """The last word before mitmproxy forwards: only what `dispatch` cleared, exactly as it cleared it."""
    if subject.response is not None or subject.error is not None:
        return
    known = passage.find(subject)
    if known is None or known.cleared is None or known.cleared != passage.seal(subject.request):
        if known is not None:
            known.refuse(failed())
        logger.error("request: refused, it was not cleared as it stands")
        subject.response = answers.safely(known, failed(), subject.request.path)


def _abort(client_id: str) -> None:
    from mitmproxy import ctx

    proxyserver = ctx.master.addons.get("proxyserver")
    found = proxyserver.connections.get(client_id) if proxyserver else None
    if isinstance(found, GovernedHandler):
        found.abort()


def install(master: Master) -> GovernedManager:
    """Governs a master: its manager, every connection it will accept, and its error pages. Safe to call again."""
    handler.install()
    if isinstance(master.addons, GovernedManager):
        return master.addons
    return GovernedManager.govern(master)
