"""mitmproxy's options, made safe: what can be set is set, what was asked for and cannot be made safe is refused."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from mitmproxy import exceptions
from mitmproxy.proxy.mode_specs import ProxyMode, ReverseMode, TransparentMode

if TYPE_CHECKING:
    from mitmproxy.options import Options

    from penstock.policy import Policy

# Set on every start and after every change. Why each: DESIGN.md, "mitmproxy's options".
ENFORCED: Final[dict[str, Any]] = {
    "rawtcp": False,  # else ten byte sequences make a raw relay of a connection
    "connection_strategy": "lazy",  # else the model is connected before a byte is judged
    "stream_large_bodies": None,  # else large bodies go upstream before `request`
    "http2": False,  # no flow control towards clients, and request smuggling by downgrade
    "http3": False,
    "websocket": False,
    "validate_inbound_headers": True,
    "keep_host_header": False,
    "upstream_cert": False,
    "onboarding": False,  # serves a page to whoever sends `Host: mitm.it`
    "store_streamed_bodies": False,
    "normalize_outbound_headers": True,
    "ssl_insecure": False,
    "show_ignored_hosts": False,
    "flow_detail": 1,  # more would print the model's credential
}
# Must be empty: each sends or changes traffic beside the chain.
REFUSED: Final = (
    "ignore_hosts",
    "allow_hosts",
    "tcp_hosts",
    "udp_hosts",
    "map_remote",
    "map_local",
    "modify_body",
    "modify_headers",
    "stickyauth",
    "stickycookie",
    "server_replay",
    "client_replay",
    "upstream_auth",
    "proxyauth",
    "block_list",
    "anticache",
    "anticomp",
    "save_stream_file",  # would write the model's credential; `penstock export --mitm` does not
    "hardump",
)


def enforce(options: Options, policy: Policy) -> None:
    """Makes `options` safe for `policy`.

    Raises: OptionsError, naming the option and what to do, for what cannot be made safe (mitmdump then exits with 1).
    """
    for name in REFUSED:
        if name in options and getattr(options, name):
            raise exceptions.OptionsError(f"penstock: {name} is set, which goes round the policy; remove it")
    if deferred := sorted(options.deferred):
        raise exceptions.OptionsError(f"penstock: unknown option {deferred[0]!r} (--set); remove or correct it")
    for mode in options.mode:
        check_mode(ProxyMode.parse(mode), policy)
    wanted = {name: value for name, value in ENFORCED.items() if name in options}
    limits = policy.gateway.limits
    wanted["body_size_limit"] = str(max(limits.request_body, limits.response_body))
    wanted["tcp_timeout"] = silence(policy)
    changed = {name: value for name, value in wanted.items() if getattr(options, name) != value}
    if changed:
        options.update(**changed)


def check_mode(mode: ProxyMode, policy: Policy) -> None:
    """Only HTTP listeners that stand for an upstream of the policy.

    Raises: OptionsError.
    """
    if isinstance(mode, TransparentMode):
        if not any(upstream.destinations for upstream in policy.gateway.upstreams.values()):
            raise exceptions.OptionsError(
                "penstock: --mode transparent, but no upstream in the rules has `destinations:`; add them"
            )
        return
    if not isinstance(mode, ReverseMode) or mode.scheme not in ("http", "https"):
        raise exceptions.OptionsError(
            f"penstock: --mode {mode.full_spec} cannot be governed; use reverse:http://HOST:PORT or transparent"
        )
    host, port = mode.address[0], mode.address[1]
    if upstream_at(policy, host, port, mode.scheme) is None:
        raise exceptions.OptionsError(
            f"penstock: {mode.scheme}://{host}:{port} is not a replica of any upstream in the rules; "
            "add it to `upstreams:`"
        )


def upstream_at(policy: Policy, host: str, port: int, scheme: str) -> str | None:
    """Name of the upstream that has this replica."""
    for upstream in policy.gateway.upstreams.values():
        for url in upstream.replicas:
            if (url.host, url.port, url.scheme) == (host, port, scheme):
                return upstream.name
    return None


def silence(policy: Policy) -> int:
    """mitmproxy's own inactivity timeout: above the longest hold and the longest silence of a model."""
    waits = [policy.gateway.hold_seconds]
    for upstream in policy.gateway.upstreams.values():
        waits += [upstream.first_byte, upstream.idle]
    return int(max(waits)) + 60


def confined(confdir: str) -> None:
    """mitmdump loads `config.yaml` of its confdir by itself; ours must not have one.

    Raises: OptionsError.
    """
    for name in ("config.yaml", "config.yml"):
        path = os.path.join(os.path.expanduser(confdir), name)  # noqa: PTH111, PTH118 - the option is a string
        if os.path.exists(path):  # noqa: PTH110
            raise exceptions.OptionsError(
                f"penstock: {path} sets options behind the command line; move it away or use --set confdir=DIR"
            )
