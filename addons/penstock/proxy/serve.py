"""`penstock serve`: mitmproxy's engine with nothing in it but the chain."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from mitmproxy import exceptions
from mitmproxy.addons import proxyserver, tlsconfig
from mitmproxy.master import Master
from mitmproxy.options import Options

from penstock.errors import ConfigurationError
from penstock.proxy import gateway, options
from penstock.proxy.governed import install

if TYPE_CHECKING:
    from penstock.policy import Policy

logger = logging.getLogger("penstock")


class GatewayMaster(Master):
    """A master without scripts, commands from outside, views or any other addon of mitmproxy's."""

    def __init__(self, opts: Options, owner: gateway.Gateway) -> None:
        super().__init__(opts, event_loop=asyncio.get_running_loop(), with_termlog=False)
        self._legacy_log_events.uninstall()
        install(self)
        self.owner = owner
        self.proxyserver = proxyserver.Proxyserver()
        self.addons.add(self.proxyserver)
        if any(url.scheme == "https" for up in owner.policy.gateway.upstreams.values() for url in up.replicas):
            self.addons.add(tlsconfig.TlsConfig())
        self.addons.add(*gateway.steps(owner))

    async def listen(self) -> None:
        """Opens every listener.

        Raises: ConfigurationError when a port cannot be had; then none stays open.
        """
        collected = _Errors()
        logging.getLogger("mitmproxy").addHandler(collected)
        try:
            fine = await self.proxyserver.setup_servers()
        finally:
            logging.getLogger("mitmproxy").removeHandler(collected)
        if not fine or not self.proxyserver.listen_addrs():
            reason = collected.messages[0] if collected.messages else "no listener could be opened"
            raise ConfigurationError(reason, advice="is another process on this port? change `listen:` in the rules")


class _Errors(logging.Handler):
    """Keeps what mitmproxy only logs."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage().splitlines()[0])


async def serve(rules: Path, *, data: Path | None, worker: str, ready: Callable[[str], None]) -> None:
    """Runs the gateway until SIGINT or SIGTERM. `ready` gets one line for each listener, once all are open.

    Raises: PenstockError when it cannot start; nothing was forwarded then.
    """
    owner = gateway.Gateway(rules, data=data, worker=worker)
    if not owner.policy.gateway.listen:
        raise ConfigurationError("the policy has no `listen:`", advice="add one to gateway.yaml")
    opts = Options(confdir=str(owner.data / "tls"))
    try:
        master = GatewayMaster(opts, owner)
        opts.update(mode=gateway.modes(owner.policy))
        owner.listeners = {
            (listen.host, listen.port): listen.upstream
            for listen in owner.policy.gateway.listen
            if listen.upstream is not None
        }
        options.enforce(opts, owner.policy)
    except exceptions.OptionsError as error:
        raise ConfigurationError(str(error)) from error
    owner.start(master)
    try:
        await master.listen()
        await master.running()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, master.should_exit.set)
        for line in listening(owner.policy):
            ready(line)
        await master.should_exit.wait()
    finally:
        master.addons.closed = True  # type: ignore[attr-defined]
        await master.done()
        await owner.stop("signal")


def listening(policy: Policy) -> list[str]:
    return [
        f"listening on http://{listen.host or '0.0.0.0'}:{listen.port} ({listen.mode}"
        + (f" -> {listen.upstream})" if listen.upstream else ")")
        for listen in policy.gateway.listen
    ]


def run(rules: Path, *, data: Path | None = None, worker: str = "0", ready: Callable[[str], None]) -> None:
    """`serve` on the fastest loop there is."""
    logging.basicConfig(level=logging.WARNING, format="penstock: %(message)s", stream=sys.stderr)
    for name in ("mitmproxy", "mitmproxy.proxy.server", "asyncio", "httpx"):
        logging.getLogger(name).setLevel(logging.CRITICAL if name == "mitmproxy.proxy.server" else logging.ERROR)
    factory = _fast_loop()
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(serve(rules, data=data, worker=worker, ready=ready))


def _fast_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:  # a platform without it
        return None
    return uvloop.new_event_loop
