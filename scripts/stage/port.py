"""Ports on loopback: a free one, and whether somebody listens."""

from __future__ import annotations

import contextlib
import socket

_given: set[int] = set()


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody listens on, and that this process was not given before.

    Between this call and the bind another process may take it: prefer port 0 where the server can say what it got.
    """
    for _ in range(64):
        with socket.socket() as probe:
            probe.bind((host, 0))
            port: int = probe.getsockname()[1]
        if port not in _given:
            _given.add(port)
            return port
    raise OSError(f"no free port on {host}")


def listens(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a connection to the port is accepted right now."""
    with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=1.0):
        return True
    return False
