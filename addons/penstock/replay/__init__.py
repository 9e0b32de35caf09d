"""Replay: recorded exchanges become mitmproxy flows."""

from penstock.replay.flow import flow_of, write

__all__ = ["flow_of", "write"]
