#!/usr/bin/env python3
"""A Hugging Face Hub for tests: the API, the resolver and a storage host of another origin, with fault switches.

    hub_server.py ROOT [--tls CERT.pem KEY.pem] [--page-size N] [--prefix /PATH]

Prints one JSON line with both origins, {"hub": "http://127.0.0.1:P", "storage": "http://127.0.0.1:Q"}, and serves
until standard input ends or SIGTERM comes.

    ROOT/<namespace>/<name>/repo.json    a repository, see hub_repos.py (ROOT/<name>/repo.json: one without namespace)
    ROOT/faults.json                     fault rules, see hub_faults.py
    ROOT/requests.jsonl                  written: one line per finished request
    ROOT/hashes.jsonl                    written: hashes of large files, so that they are computed once

Lines stand in the order in which requests finished ("n" is the order in which they began). A line is written right
after the last byte was sent, so a client may be done a moment earlier: GET /-/idle on either host answers when no
request is running any more (503 after 30 s); it is neither logged nor touched by rules.

With --prefix the hub is a mirror below that path, which its own addresses then have and the log leaves out.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import ssl
import sys
import threading

from hub_api import Hub, Signer, Storage
from hub_faults import Change, Faults
from hub_http import Answer, Connection, Log, Request, json_bytes
from hub_repos import Store


class Server:
    """Both hosts with what they share: the repositories, the rules and the log."""

    def __init__(self, root: str, tls: ssl.SSLContext | None, page_size: int, prefix: str) -> None:
        self._prefix = prefix
        self._tls = tls
        self._sockets = {host: socket.create_server(("127.0.0.1", 0), backlog=1024) for host in ("hub", "storage")}
        scheme = "https" if tls else "http"
        self.origins = {host: f"{scheme}://127.0.0.1:{sock.getsockname()[1]}" for host, sock in self._sockets.items()}
        self.origins["hub"] += prefix
        store, signer = Store(root), Signer(self.origins["storage"])
        self._sites: dict[str, Hub | Storage] = {
            "hub": Hub(store, signer, self.origins["hub"], self.origins["storage"], page_size),
            "storage": Storage(store, signer),
        }
        self._faults = Faults(os.path.join(root, "faults.json"))
        self.log = Log(os.path.join(root, "requests.jsonl"))
        self._lock = threading.Lock()
        self._connections = 0

    def start(self) -> None:
        for host in self._sockets:
            threading.Thread(target=self._accept, args=(host,), daemon=True).start()

    def _accept(self, host: str) -> None:
        while True:
            sock, _ = self._sockets[host].accept()
            with self._lock:
                self._connections += 1
                number = self._connections
            connection = Connection(sock, number, host, self._handle, self.log, self._tls)
            threading.Thread(target=connection.run, daemon=True).start()

    def _handle(self, request: Request) -> Answer:
        """The real answer, changed by the rule that fits."""
        if request.host == "hub" and not self._strip_prefix(request):
            return Answer(404, {"Content-Type": "text/plain"}, [b"not below the prefix\n"])
        index, rule = self._faults.pick(request)
        answer = self._sites[request.host].answer(request, rule)
        location = answer.get("Location")
        if request.host == "hub" and isinstance(location, str) and location.startswith("/"):
            answer.put("Location", self._prefix + location)
        answer.put("X-Request-Id", f"hub-test-{request.number}")
        if rule:
            answer = Change(rule, request, answer, self.origins["hub"], self.origins["storage"]).apply()
        elif answer.json is not None:
            answer.parts = [json_bytes(answer.json)]
        answer.rule = index
        return answer

    def _strip_prefix(self, request: Request) -> bool:
        inside = request.target.startswith(self._prefix + "/")
        if inside:
            request.target = request.target[len(self._prefix):]
        return inside


def tls_context(certificate: str, key: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.set_alpn_protocols(["http/1.1"])
    return context


def main() -> None:
    parser = argparse.ArgumentParser(description="A Hugging Face Hub for tests.")
    parser.add_argument("root", help="directory with the repositories")
    parser.add_argument("--tls", nargs=2, metavar=("CERT", "KEY"), help="serve https with this certificate and key")
    parser.add_argument("--page-size", type=int, default=1000, help="entries on a page of a tree (default 1000)")
    parser.add_argument("--prefix", default="", metavar="/PATH", help="the path that the hub's addresses begin with")
    options = parser.parse_args()

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
    server = Server(os.path.abspath(options.root), tls_context(*options.tls) if options.tls else None,
                    options.page_size, options.prefix)
    try:
        server.start()
        print(json.dumps(server.origins), flush=True)
        while os.read(0, 4096):
            pass
    finally:
        server.log.end_all()
        os._exit(0)  # connection threads may still be busy; nothing they hold is worth waiting for


if __name__ == "__main__":
    main()
