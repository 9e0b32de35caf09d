"""The gateway itself: what the steps of the chain share, and its life from start to stop."""

from __future__ import annotations

import asyncio
import logging
import os
import platform
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from mitmproxy import ctx, exceptions
from mitmproxy.proxy.mode_specs import ProxyMode, ReverseMode

from penstock import __version__
from penstock.approvals.desk import Desk
from penstock.errors import PenstockError, PolicyError
from penstock.identity.fetch import HttpFetch
from penstock.identity.identity import Identity
from penstock.policy import Policy, load
from penstock.policy.limits import Limits
from penstock.policy.settings import Upstream
from penstock.policy.watch import Watcher
from penstock.proxy import options
from penstock.proxy.dispatch import Dispatch
from penstock.proxy.governed import GovernedManager, install
from penstock.proxy.handler import GovernedHandler
from penstock.proxy.harden import Harden
from penstock.proxy.hold import Holds
from penstock.proxy.identify import Identify
from penstock.proxy.judge import Judge
from penstock.proxy.layers import Layers
from penstock.proxy.mask import Masks
from penstock.proxy.passage import Passage
from penstock.proxy.recognise import Recognise
from penstock.proxy.record import Record
from penstock.proxy.reserved import Reserved
from penstock.proxy.upgrade import Http2Requests, Upgrades
from penstock.proxy.upstreams import Replicas
from penstock.proxy.watchdog import Watchdog
from penstock.store import Store, open_store

if TYPE_CHECKING:
    from mitmproxy.addonmanager import Loader
    from mitmproxy.master import Master

    from penstock.approvals.note import Note
    from penstock.exchange import JsonObject
    from penstock.journal import Journal

logger = logging.getLogger("penstock")

RELOAD_SECONDS = 0.5


class Gateway:
    """Holds the policy in force and everything that outlives one exchange."""

    def __init__(self, rules: Path, *, data: Path | None = None, worker: str = "0") -> None:
        """Loads the policy; nothing runs yet.

        Raises: PolicyError with every problem of the rules.
        """
        self.rules = rules
        self.policy: Policy = load(rules)
        self.data = (data or self.policy.gateway.data).absolute()
        self.worker = worker
        self.limits = Limits()
        self.listeners: dict[tuple[str, int], str] = {}
        """Host and port -> upstream, for the listeners of `penstock serve`; a mitmdump's are on its command line."""
        self.replicas = Replicas(time.monotonic)
        self.watcher = Watcher(rules, self.policy)
        self.master: Master | None = None
        self.store: Store
        self.journal: Journal
        self.identity: Identity
        self.desk: Desk
        self._fetch = HttpFetch()
        self._tasks: list[asyncio.Task[None]] = []
        self._reload_problem = ""
        self._stopping = False

    def start(self, master: Master) -> None:
        """Opens the store and governs `master`; to be called inside its running loop, before it listens.

        Raises: PenstockError when the store cannot be written.
        """
        self.master = master
        os.umask(0o077)
        limits = self.policy.gateway.limits
        GovernedHandler.header_bytes = limits.header_bytes
        GovernedHandler.request_body = limits.request_body
        GovernedHandler.per_client = limits.connections_per_client
        self.store = open_store(self.data, worker=self.worker, clock=time.time)
        self.journal = self.store.journal
        self.identity = Identity(self.policy.gateway.identity, fetch=self._fetch, clock=time.time)
        self.desk = Desk(time.time, self._journal_approval)
        self.journal.note("start", None, self._start_entry())
        self._journal_policy("loaded", self.policy, ())
        install(master)
        self._tasks = [
            asyncio.get_running_loop().create_task(self.identity.start()),
            asyncio.get_running_loop().create_task(self._reload()),
        ]
        self.store.start()

    async def stop(self, reason: str) -> None:
        """Denies what is held, writes the last entry, and closes the journal."""
        if self._stopping:
            return
        self._stopping = True
        for task in self._tasks:
            task.cancel()
        await self.identity.stop()
        await self._fetch.close()
        if self.journal.healthy:
            self.journal.note("stop", None, {"reason": reason})
        await self.store.close()

    def _start_entry(self) -> JsonObject:
        return {
            "version": __version__,
            "pid": os.getpid(),
            "host": platform.node(),
            "worker": self.worker,
            "policy": self.policy.hash,
        }

    def _journal_approval(self, note: Note) -> None:
        """Raises: StoreError when the journal is down; what a note opens is then not so."""
        self.journal.note("approval", note.exchange, note.record())

    def _journal_policy(self, event: str, policy: Policy, problems: tuple[str, ...]) -> None:
        body: JsonObject = {
            "hash": policy.hash,
            "path": str(self.rules),
            "event": event,
            "rules": policy.size,
            "problems": list(problems),
        }
        self.journal.note("policy", None, body)

    # Reload

    async def _reload(self) -> None:
        while True:
            await asyncio.sleep(RELOAD_SECONDS)
            try:
                found = await asyncio.to_thread(self.watcher.poll)
                if found is not None:
                    await self.adopt(found)
            except asyncio.CancelledError:
                raise
            except Exception as error:  # noqa: BLE001 - the policy in force stays in force
                logger.error("reload failed (%s); the policy in force stays", type(error).__name__)  # noqa: TRY400

    async def adopt(self, found: Policy | PolicyError) -> None:
        """Puts a new policy in force for exchanges that begin from now on, or reports why it is not."""
        if isinstance(found, PolicyError):
            problems = tuple(str(problem) for problem in found.problems)
            self._reload_problem = problems[0] if problems else str(found)
            for line in problems:
                logger.error("policy not reloaded: %s", line)
            self._journal_policy("refused", self.policy, problems)
            return
        before, self.policy = self.policy, found
        self._reload_problem = ""
        self._journal_policy("loaded", found, ())
        logger.warning("policy %s in force (was %s)", found.hash[:12], before.hash[:12])
        if found.gateway.identity != before.gateway.identity:
            old = self.identity
            self.identity = old.reload(found.gateway.identity)
            await self.identity.start()
            await old.stop()
        if found.gateway.listen != before.gateway.listen:
            logger.warning("`listen:` changed: it takes effect at the next start")

    # What the steps ask

    def upstream_of_listener(self, mode: ReverseMode) -> Upstream | None:
        """The upstream of a listener as it was opened: a reload changes what stands behind a name, not the name."""
        upstreams = self.policy.gateway.upstreams
        if self.listeners:
            return upstreams.get(self.listeners.get((mode.custom_listen_host or "", mode.custom_listen_port or 0), ""))
        name = options.upstream_at(self.policy, mode.address[0], mode.address[1], mode.scheme)
        return upstreams.get(name) if name is not None else None

    def upstream_of_destination(self, host: str, port: int) -> Upstream | None:
        for upstream in self.policy.gateway.upstreams.values():
            if any((place.host, place.port) == (host, port) for place in upstream.destinations):
                return upstream
        return None

    def is_replica(self, host: str, port: int) -> bool:
        return any(
            (url.host, url.port) == (host, port)
            for upstream in self.policy.gateway.upstreams.values()
            for url in upstream.replicas
        )

    def connect_timeout(self, host: str, port: int) -> float:
        return max(
            upstream.connect
            for upstream in self.policy.gateway.upstreams.values()
            if any((url.host, url.port) == (host, port) for url in upstream.replicas)
        )

    def handlers(self) -> Iterator[GovernedHandler]:
        proxyserver = self.master.addons.get("proxyserver") if self.master is not None else None
        for handler in list(proxyserver.connections.values()) if proxyserver is not None else ():
            if isinstance(handler, GovernedHandler):
                yield handler

    def handler(self, client_id: str) -> GovernedHandler | None:
        """The connection handler of a client; None when it is gone."""
        proxyserver = self.master.addons.get("proxyserver") if self.master is not None else None
        found = proxyserver.connections.get(client_id) if proxyserver is not None else None
        return found if isinstance(found, GovernedHandler) else None

    def finish(self, here: Passage) -> None:
        """Gives back what an exchange held of its caller's limits; more than once is harmless."""
        if here.lease is not None:
            here.lease.end(tokens=used_tokens(here), now=time.time())
            here.lease = None

    def unready(self) -> str:
        """Why calls are not served just now, or nothing."""
        if not self.journal.healthy:
            return "the journal cannot be written"
        if self._stopping:
            return "stopping"
        return ""


def used_tokens(here: Passage) -> int:
    """Tokens of an exchange as the model counted them; where it does not say, four characters are taken for one."""
    if here.reply is None:
        return 0
    reply = here.reply.reply
    prompt = reply.prompt_tokens
    if prompt is None:
        prompt = sum(len(turn.text) for turn in here.call.turns) // 4 if here.call is not None else 0
    completion = reply.completion_tokens
    if completion is None:
        completion = sum(len(part) for parts in reply.texts.values() for part in parts) // 4
    return prompt + completion


def steps(gateway: Gateway) -> list[object]:
    """The chain, in the order in which a request passes it."""
    return [
        Layers(),
        Watchdog(gateway),
        Harden(gateway),
        Identify(gateway),
        Reserved(gateway),
        Upgrades(),
        Http2Requests(gateway),
        Recognise(),
        Judge(gateway),
        Masks(gateway),
        Record(gateway),
        Holds(gateway),
        Dispatch(gateway),
    ]


class Penstock:
    """The chain as one addon for a plain mitmdump: loads the gateway, keeps the options safe, stops with the proxy."""

    name = "penstock"

    def __init__(self) -> None:
        self.gateway: Gateway | None = None
        self.addons: list[object] = []
        self._starting = False

    def load(self, loader: Loader) -> None:
        loader.add_option("penstock_rules", str, "rules", "Directory with Penstock's policy.")
        loader.add_option("penstock_data", str, "", "Directory of the audit; empty: as the policy says.")
        # Whatever happens from here on, nothing passes unjudged.
        install(ctx.master)

    def configure(self, updated: set[str]) -> None:
        """Starts the gateway at the first call; afterwards only keeps the options as they must be."""
        if self.gateway is not None:
            options.enforce(ctx.options, self.gateway.policy)
        elif not self._starting:  # (enforcing options calls this again)
            self._starting = True
            try:
                self._start()
            except (PenstockError, exceptions.OptionsError) as error:
                # mitmproxy would print a trace back, log an error, and only then end.
                for line in str(error).splitlines():
                    print(line if line.startswith("penstock: ") else f"penstock: {line}", file=sys.stderr)
                raise SystemExit(1) from None

    def _start(self) -> None:
        data = Path(ctx.options.penstock_data) if ctx.options.penstock_data else None
        gateway = Gateway(Path(ctx.options.penstock_rules), data=data)
        options.confined(ctx.options.confdir)
        options.enforce(ctx.options, gateway.policy)
        gateway.start(ctx.master)
        self.gateway = gateway
        self.addons = steps(gateway)
        governed(ctx.master).adopt(self.addons)

    def done(self) -> asyncio.Task[None] | None:
        """Unloaded, by an exit or because the script broke: nothing may pass any more, and the proxy ends.

        Not a coroutine function: mitmproxy calls this from a synchronous place when a script goes.
        """
        governed(ctx.master).closed = True
        ctx.master.shutdown()
        if self.gateway is None:
            return None
        return asyncio.get_running_loop().create_task(self.gateway.stop("unloaded"))


def governed(master: Master) -> GovernedManager:
    manager = master.addons
    assert isinstance(manager, GovernedManager)
    return manager


def modes(policy: Policy) -> list[str]:
    """The policy's listeners as mitmproxy mode specifications."""
    specs = []
    for listen in policy.gateway.listen:
        place = f"{listen.host}:{listen.port}" if listen.host else str(listen.port)
        if listen.mode == "transparent":
            specs.append(f"transparent@{place}")
        else:
            assert listen.upstream is not None
            specs.append(f"reverse:{policy.gateway.upstreams[listen.upstream].replicas[0]}@{place}")
    for spec in specs:
        ProxyMode.parse(spec)
    return specs
