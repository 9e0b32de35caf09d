"""Which protocol a connection speaks: HTTP towards one of our listeners, or nothing at all."""

from __future__ import annotations

from mitmproxy.proxy import commands, events, layer
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layers import HttpLayer, modes
from mitmproxy.proxy.layers.http import HTTPMode

from penstock.proxy.http2 import Http2Refusal, Opening, begins


class Refused(layer.Layer):
    """Closes the client's connection without a word to anybody."""

    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        if isinstance(event, (events.Start, events.DataReceived)):
            yield commands.CloseConnection(self.context.client)


class Layers:
    """The first and only choice of protocol: no TLS interception, no raw relay, no DNS, nothing by destination."""

    name = "penstock_layers"

    def next_layer(self, nextlayer: layer.NextLayer) -> None:
        nextlayer.layer = choose(nextlayer.context, nextlayer.data_client())


def choose(context: Context, data: bytes = b"") -> layer.Layer:
    """HTTP/1 directly on top of a reverse or transparent listener over TCP, and for HTTP/2 something that refuses it in
    its own words; anything else is closed. `data`: what the client has sent so far."""
    top = context.layers[0] if len(context.layers) == 1 else None
    if context.client.transport_protocol == "tcp" and isinstance(top, (modes.ReverseProxy, modes.TransparentProxy)):
        match begins(data):
            case True:
                return Http2Refusal(context)
            case None if data:
                return Opening(context)
            case _:
                return HttpLayer(context, HTTPMode.transparent)
    return Refused(context)
