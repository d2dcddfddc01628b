"""HTTP/1.1 over plain sockets: requests, answers, bodies sent with sendfile, broken deliveries, the request log.

Nothing here knows about repositories or fault rules: a handler turns a Request into an Answer, and the Answer says
how it is to be delivered.
"""

from __future__ import annotations

import contextlib
import email.utils
import fcntl
import http
import json
import os
import select
import socket
import ssl
import struct
import sys
import termios
import threading
import time
import traceback
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

HEAD_LIMIT = 64 * 1024
FILE_STEP = 4 * 1024 * 1024
TLS_STEP = 256 * 1024
IDLE_PATH = "/-/idle"


# ---------------------------------------------------------------------------------------------- requests and answers

@dataclass
class Request:
    """One parsed request. `target` is the path with its query as received, nothing decoded."""

    host: str
    method: str
    target: str
    headers: dict[str, str] = field(default_factory=dict)
    close: bool = False
    number: int = 0

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]

    def parameter(self, name: str, default: str = "") -> str:
        return urllib.parse.parse_qs(self.query, keep_blank_values=True).get(name, [default])[0]


@dataclass(frozen=True)
class FilePart:
    """`length` bytes of a file from `offset` on, never read into memory where sendfile works."""

    path: str
    offset: int
    length: int

    def slice(self, start: int, stop: int) -> FilePart:
        return FilePart(self.path, self.offset + start, stop - start)


Part = bytes | FilePart


def part_length(part: Part) -> int:
    return part.length if isinstance(part, FilePart) else len(part)


def cut(parts: list[Part], start: int, stop: int) -> Iterator[Part]:
    """The pieces of a body that lie in [start, stop)."""
    position = 0
    for part in parts:
        length = part_length(part)
        first, last = max(start - position, 0), min(stop - position, length)
        if first < last:
            yield part.slice(first, last) if isinstance(part, FilePart) else part[first:last]
        position += length


@dataclass
class Delivery:
    """How the bytes of an answer leave. The *_after values count body bytes; -1 is before the head."""

    delay: float = 0
    drop_after: int | None = None
    reset_after: int | None = None
    stall_after: int | None = None
    stall_seconds: float = 3600
    trickle: int = 0
    length_error: int = 0


@dataclass
class Answer:
    """Status, headers and body. A `json` value becomes the body when the answer is finished."""

    status: int
    headers: dict[str, str | list[str]] = field(default_factory=dict)
    parts: list[Part] = field(default_factory=list)
    json: object = None
    file_size: int | None = None
    delivery: Delivery = field(default_factory=Delivery)
    rule: int | None = None

    def get(self, name: str) -> str | list[str] | None:
        return next((value for key, value in self.headers.items() if key.lower() == name.lower()), None)

    def put(self, name: str, value: str | list[str] | None) -> None:
        """Replaces a header whatever its spelling; None removes it."""
        for key in [key for key in self.headers if key.lower() == name.lower()]:
            del self.headers[key]
        if value is not None:
            self.headers[name] = value

    def length(self) -> int:
        return sum(part_length(part) for part in self.parts)

    def head(self) -> bytes:
        """Status line and headers; adds the length unless the answer is chunked or may have no body."""
        try:
            phrase = http.HTTPStatus(self.status).phrase
        except ValueError:
            phrase = "Unknown"
        lines = [f"HTTP/1.1 {self.status} {phrase}", f"Date: {email.utils.formatdate(usegmt=True)}"]
        for name, value in self.headers.items():
            lines += [f"{name}: {item}" for item in (value if isinstance(value, list) else [value])]
        if self.get("Transfer-Encoding") is None and self.get("Content-Length") is None and not self.bodiless():
            lines.append(f"Content-Length: {max(self.length() + self.delivery.length_error, 0)}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape")

    def bodiless(self) -> bool:
        return self.status in (204, 304)


def json_bytes(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("ascii")


# --------------------------------------------------------------------------------------------------- the request log

@dataclass
class Exchange:
    """What the log says about one request; `sent` counts the body bytes that the kernel or TLS took."""

    request: Request
    connection: int
    sock: socket.socket
    status: int = 0
    sent: int = 0
    rule: int | None = None
    started: float = field(default_factory=time.time)

    def line(self) -> bytes:
        request = self.request
        return json_bytes({
            "n": request.number, "host": request.host, "method": request.method, "path": request.path,
            "query": request.query, "range": request.headers.get("range"), "status": self.status, "bytes": self.sent,
            "authorization": request.headers.get("authorization"), "user_agent": request.headers.get("user-agent"),
            "t0": round(self.started, 6), "t1": round(time.time(), 6), "connection": self.connection,
            "rule": self.rule,
        }) + b"\n"


class Log:
    """requests.jsonl: one line per finished request, each written with a single append."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._changed = threading.Condition()
        self._active: dict[int, Exchange] = {}
        self._count = 0

    def begin(self, request: Request, connection: int, sock: socket.socket) -> Exchange:
        with self._changed:
            self._count += 1
            request.number = self._count
            exchange = self._active[request.number] = Exchange(request, connection, sock)
            return exchange

    def end(self, exchange: Exchange) -> None:
        with self._changed:
            if self._active.pop(exchange.request.number, None):
                self._write(exchange)
            self._changed.notify_all()

    def end_all(self) -> None:
        """Breaks off what is still running, so that its thread logs what was sent; for the end of the server."""
        with self._changed:
            for exchange in self._active.values():
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(exchange.sock, socket.SHUT_RDWR)
        self.wait_idle(5)

    def wait_idle(self, seconds: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: not self._active, seconds)

    def _write(self, exchange: Exchange) -> None:
        file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            os.write(file, exchange.line())
        finally:
            os.close(file)


# -------------------------------------------------------------------------------------------------------- connection

Handler = Callable[[Request], Answer]


class Connection:
    """One accepted connection, served by its own thread until either side ends it."""

    def __init__(self, sock: socket.socket, number: int, host: str, handler: Handler, log: Log,
                 tls: ssl.SSLContext | None) -> None:
        self._sock = sock
        self._number = number
        self._host = host
        self._handler = handler
        self._log = log
        self._tls = tls
        self._buffer = b""

    def run(self) -> None:
        try:
            self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls:
                self._sock = self._tls.wrap_socket(self._sock, server_side=True)
            while self._serve_one():
                pass
        except OSError:
            pass  # the client went away, or its handshake failed
        finally:
            self._sock.close()

    def _serve_one(self) -> bool:
        """Reads one request and answers it; False ends the connection."""
        request = self._read_request()
        if request is None:
            return False
        if request.path.endswith(IDLE_PATH):
            self._deliver(request, self._idle_answer(), Exchange(request, self._number, self._sock))
            return not request.close
        exchange = self._log.begin(request, self._number, self._sock)
        try:
            answer = self._answer(request)
            exchange.rule = answer.rule
            ending = self._deliver(request, answer, exchange)
        finally:
            self._log.end(exchange)
        if ending == "reset":
            self._reset()
        return ending == "keep" and not request.close

    def _idle_answer(self) -> Answer:
        idle = self._log.wait_idle(30)
        return Answer(200 if idle else 503, {"Content-Type": "text/plain"}, [b"idle\n" if idle else b"busy\n"])

    def _answer(self, request: Request) -> Answer:
        if request.method == "?":
            request.close = True
            return Answer(400, {"Content-Type": "text/plain"}, [b"malformed request\n"])
        try:
            return self._handler(request)
        except Exception as error:  # a mistake in the rules or in the server: loud in the test, not a dead connection
            traceback.print_exc(file=sys.stderr)
            return Answer(500, {"Content-Type": "text/plain", "X-Error-Message": f"test server: {error!r}"},
                          [f"test server: {error!r}\n".encode()])

    # -- reading

    def _read_request(self) -> Request | None:
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            if len(self._buffer) > HEAD_LIMIT:
                return Request(self._host, "?", "?")
            received = self._sock.recv(HEAD_LIMIT)
            if not received:
                return None
            self._buffer += received
        lines = self._buffer[:end].decode("latin-1").lstrip("\r\n").split("\r\n")
        self._buffer = self._buffer[end + 4:]
        words = lines[0].split(" ")
        if len(words) != 3 or not words[2].startswith("HTTP/1."):
            return Request(self._host, "?", lines[0])
        headers: dict[str, str] = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        target = words[1]
        if target.startswith(("http://", "https://")):  # absolute form
            target = "/" + target.split("/", 3)[3] if target.count("/") > 2 else "/"
        close = words[2] == "HTTP/1.0" or headers.get("connection", "").lower() == "close"
        length = headers.get("content-length", "0")
        if "transfer-encoding" in headers or not length.isdecimal():
            return Request(self._host, "?", target, headers)
        self._discard(int(length))
        return Request(self._host, words[0], target, headers, close)

    def _discard(self, count: int) -> None:
        """Reads over a request body."""
        while len(self._buffer) < count:
            count -= len(self._buffer)
            self._buffer = self._sock.recv(HEAD_LIMIT)
            if not self._buffer:
                raise ConnectionAbortedError("the request ended early")
        self._buffer = self._buffer[count:]

    # -- writing

    def _deliver(self, request: Request, answer: Answer, exchange: Exchange) -> str:
        """Sends the answer as its delivery says; returns "keep", "close" or "reset" for the connection."""
        delivery = answer.delivery
        self._pause(delivery.delay)
        total = 0 if request.method == "HEAD" or answer.bodiless() else answer.length()
        stop, ending = total, "close" if delivery.length_error and request.method != "HEAD" else "keep"
        for limit, name in ((delivery.drop_after, "close"), (delivery.reset_after, "reset")):
            if limit is not None and limit <= stop:
                stop, ending = limit, name
        if stop < 0:
            return ending
        if request.close or ending == "close":
            answer.put("Connection", "close")
        exchange.status = answer.status
        self._send(answer.head(), more=stop > 0 and delivery == Delivery())
        position = 0
        if delivery.stall_after is not None and delivery.stall_after <= stop:
            position = delivery.stall_after
            self._send_parts(answer, 0, position, exchange)
            self._pause(delivery.stall_seconds)
        self._send_parts(answer, position, stop, exchange)
        return ending

    def _send_parts(self, answer: Answer, start: int, stop: int, exchange: Exchange) -> None:
        rate = answer.delivery.trickle
        step = max(rate // 10, 1) if rate else stop - start
        while start < stop:
            end = min(start + step, stop)
            for part in cut(answer.parts, start, end):
                if isinstance(part, FilePart):
                    self._send_file(part, exchange)
                else:
                    self._send(part, exchange)
            if rate:
                self._pause((end - start) / rate)
            start = end

    def _send(self, data: bytes, exchange: Exchange | None = None, more: bool = False) -> None:
        view = memoryview(data)
        flags = socket.MSG_MORE if more and not self._tls else 0
        while view:
            sent = self._sock.send(view[:FILE_STEP], flags)
            if exchange:
                exchange.sent += sent
            view = view[sent:]

    def _send_file(self, part: FilePart, exchange: Exchange) -> None:
        offset, end = part.offset, part.offset + part.length
        file = os.open(part.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            while offset < end:
                if self._tls:
                    sent = self._sock.send(os.pread(file, min(end - offset, TLS_STEP), offset))
                else:
                    sent = os.sendfile(self._sock.fileno(), file, offset, min(end - offset, FILE_STEP))
                if sent == 0:
                    raise ConnectionAbortedError(f"{part.path} became shorter")
                exchange.sent += sent
                offset += sent
        finally:
            os.close(file)

    def _pause(self, seconds: float) -> None:
        """Sleeps, but no longer than the client stays connected."""
        if seconds <= 0:
            return
        poll = select.poll()
        poll.register(self._sock.fileno(), select.POLLRDHUP)
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if poll.poll(int(left * 1000) + 1):
                raise ConnectionAbortedError("the client hung up")

    def _reset(self) -> None:
        """Ends with RST, after the bytes sent so far have arrived (a reset throws away what is still queued)."""
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            queued = struct.unpack("i", fcntl.ioctl(self._sock.fileno(), termios.TIOCOUTQ, b"\0" * 4))[0]
            if queued == 0:
                break
            time.sleep(0.002)
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
