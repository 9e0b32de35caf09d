"""The mitmproxy side of the gateway: one addon a file, in chain order, dispatched so that any failure refuses."""
