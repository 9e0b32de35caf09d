"""A transparent gateway that lets everything pass and marks it: it dials where the connection was going to."""

from __future__ import annotations

import socket
import struct
import sys
import threading

PORT = int(sys.argv[1])
FAMILIES = ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::"))
ORIGINAL_DST = 80  # SO_ORIGINAL_DST and IP6T_SO_ORIGINAL_DST


def original(client: socket.socket) -> tuple[str, int]:
    """Where the connection was going before it was redirected."""
    if client.family == socket.AF_INET:
        raw = client.getsockopt(socket.IPPROTO_IP, ORIGINAL_DST, 16)
        port, address = struct.unpack("!2xH4s8x", raw)
        return socket.inet_ntop(socket.AF_INET, address), port
    raw = client.getsockopt(socket.IPPROTO_IPV6, ORIGINAL_DST, 28)
    port, address = struct.unpack("!2xH4x16s4x", raw)
    return socket.inet_ntop(socket.AF_INET6, address), port


def serve(client: socket.socket) -> None:
    with client, socket.create_connection(original(client), 5) as model:
        threading.Thread(target=pump, args=(client, model), daemon=True).start()
        head = b""
        while b"\r\n" not in head:
            if not (data := model.recv(65_536)):
                return
            head += data
        status, _, rest = head.partition(b"\r\n")
        client.sendall(status + b"\r\nPenstock-Exchange: stand-in\r\nConnection: close\r\n" + rest)
        pump(model, client)


def pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65_536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        return


def accept(server: socket.socket) -> None:
    while True:
        client, _ = server.accept()
        threading.Thread(target=serve, args=(client,), daemon=True).start()


servers = [socket.create_server((host, PORT), family=family) for family, host in FAMILIES]
for server in servers:
    threading.Thread(target=accept, args=(server,)).start()
print("ready", flush=True)
