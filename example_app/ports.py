"""Listening sockets, opened before the processes that serve them start.

The runner binds and hands the open socket down. Nobody else can take the port between
the look and the start, and the addresses are known before the configuration is written.
"""

from __future__ import annotations

import socket

__all__ = ["address_of", "open_socket"]

_HOST = "127.0.0.1"
_TRIES = 100


def open_socket(first_port: int) -> socket.socket:
    """A socket that listens on ``first_port`` or the next free one, loopback only.

    Raises:
        OSError: none of a hundred ports is free.
    """
    for port in range(first_port, first_port + _TRIES):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        # A port whose last connections are still closing counts as free.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((_HOST, port))
            listener.listen()
        except OSError:
            listener.close()
            continue
        return listener
    raise OSError(f"no free port from {first_port} to {first_port + _TRIES - 1}")


def address_of(listener: socket.socket) -> str:
    """Where a browser finds what listens there: ``http://127.0.0.1:5000``."""
    host, port = listener.getsockname()
    return f"http://{host}:{port}"
