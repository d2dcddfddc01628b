#!/usr/bin/env python3
"""A proxy for tests: passes http requests on, and tunnels what comes with CONNECT.

    proxy.py ROOT [--user NAME:PASSWORD]

Prints one JSON line, {"address": "127.0.0.1:P"}, and serves until standard input ends or SIGTERM comes. With --user a
request without these credentials is 407. ROOT/proxied.jsonl gets one line per request, when it comes in: its method,
its target, and whether it was let through.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import signal
import socket
import sys
import threading
import urllib.parse

HEAD_LIMIT = 64 * 1024


def pump(source: socket.socket, target: socket.socket) -> None:
    """Everything that comes, until one side ends."""
    try:
        while data := source.recv(1 << 18):
            target.sendall(data)
    except OSError:
        pass
    for sock in (source, target):
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


class Proxy:
    def __init__(self, root: str, user: str | None) -> None:
        self._log = os.path.join(root, "proxied.jsonl")
        self._wanted = None if user is None else "Basic " + base64.b64encode(user.encode()).decode()
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.address = "127.0.0.1:%d" % self._socket.getsockname()[1]

    def start(self) -> None:
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            client, _ = self._socket.accept()
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        """One request for each connection: what follows on it goes the same way."""
        try:
            self._pass_on(client)
        except (OSError, ValueError):
            pass
        finally:
            client.close()

    def _pass_on(self, client: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            data = client.recv(HEAD_LIMIT)
            if not data or len(head) > HEAD_LIMIT:
                return
            head += data
        head, _, rest = head.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, version = first.split(" ")
        given = [line.partition(":")[2].strip() for line in lines if line.lower().startswith("proxy-authorization:")]
        passed = self._wanted is None or given == [self._wanted]
        self._write({"method": method, "target": target, "passed": passed})
        if not passed:
            client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"test\"\r\n"
                           b"Content-Length: 0\r\nConnection: close\r\n\r\n")
            return
        if method == "CONNECT":
            host, _, port = target.rpartition(":")
            upstream = socket.create_connection((host, int(port)))
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            url = urllib.parse.urlsplit(target)
            upstream = socket.create_connection((url.hostname, url.port or 80))
            kept = [line for line in lines if not line.lower().startswith(("proxy-", "connection:"))]
            path = urllib.parse.urlunsplit(("", "", url.path or "/", url.query, ""))
            request = "\r\n".join([f"{method} {path} {version}", *kept, "Connection: close"])
            rest = request.encode("latin-1") + b"\r\n\r\n" + rest
        with upstream:
            upstream.sendall(rest)
            if method == "CONNECT":
                threading.Thread(target=pump, args=(client, upstream), daemon=True).start()
            pump(upstream, client)

    def _write(self, line: dict) -> None:
        file = os.open(self._log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            os.write(file, json.dumps(line).encode() + b"\n")
        finally:
            os.close(file)


def main() -> None:
    parser = argparse.ArgumentParser(description="A proxy for tests.")
    parser.add_argument("root", help="directory for the log")
    parser.add_argument("--user", metavar="NAME:PASSWORD", help="refuse who does not send these")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    proxy = Proxy(options.root, options.user)
    proxy.start()
    print(json.dumps({"address": proxy.address}), flush=True)
    try:
        while os.read(0, 4096):
            pass
    finally:
        os._exit(0)  # connection threads hold nothing worth waiting for


if __name__ == "__main__":
    main()
