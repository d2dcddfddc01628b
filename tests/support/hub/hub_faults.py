"""Fault rules: faults.json below the root, a list of objects, read again whenever the file changes.

Which requests (all optional):

    on        "hub", "storage" or "any" (default)
    method    "GET", "HEAD", ...
    path      regular expression searched in the undecoded path with its query
    range     regular expression searched in the Range header ("" where there is none)
    skip      the first n matches pass
    times     after n uses the rule is used up
    comment   ignored

The first rule that matches and has uses left applies; counts begin again when the file changes. What happens:

    delay             seconds before the answer
    status            this status and nothing of the real answer (a redirect that stays a redirect keeps its headers)
    headers           {name: value}, value null removes, a list sends the header several times
    body              text or a JSON value in place of the body ("\\udcNN" in text is the raw byte NN)
    location          Location header; turns an answer that is no redirect into a 307
    set               JSON merge patch (RFC 7396) on an API answer; on the entries of a list; a list replaces the answer
    entry             regular expression: `set` touches only the list entries whose path it is found in
    pad               so many blanks behind the body
    link_host         host (or scheme://host) in the Link header
    etag, weak_etag   other value of ETag and X-Linked-Etag; "W/" before them
    commit_header, no_commit_header    other X-Repo-Commit; none
    warning           X-HF-Warning
    rate_limit        {"r", "q", "t", "w", "name"} for RateLimit and RateLimit-Policy
    expires_in        lifetime in seconds of the signed URL that `resolve` hands out
    expire            403 as for an expired signature
    refuse_unranged_over    400 for a request without Range on a file above so many bytes
    ignore_range      200 with everything
    shift_range       serves the range moved by n bytes, claims the one asked for (with `honest` the one served)
    truncate_range    serves n bytes less at the end of the range, claims as above
    total             other total in Content-Range, a number or "*"
    flip              [offset in the file, ...]: the lowest bit of these bytes is inverted
    gzip              Content-Encoding: gzip, chunked
    content_length    n is added to Content-Length, the body stays; then the connection closes
    drop_after        closes after n body bytes, -1: without an answer
    reset_after       the same with RST
    stall_after       nothing more for `stall_seconds` (default 3600) after n body bytes
    trickle           bytes per second

Placeholders in headers, body text and location: {hub} {storage} (origins), {hub_host} {storage_host} (host:port),
{self} (URL of this request), {path} (its path with query), {target} (Location of the real answer), {target_path}
(that without scheme and host), {n} (number of the request), {date+S} {date-S} (HTTP date S seconds from now).
"""

from __future__ import annotations

import email.utils
import gzip
import http
import json
import re
import threading
import time
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass

from hub_http import Answer, Delivery, FilePart, Part, Request, json_bytes, part_length
from hub_repos import stamp

MATCHING = {"on", "method", "path", "range", "skip", "times", "comment"}
DELIVERY = {"delay", "drop_after", "reset_after", "stall_after", "stall_seconds", "trickle"}
ACTIONS = {
    "status", "headers", "body", "location", "set", "entry", "pad", "link_host", "etag", "weak_etag", "commit_header",
    "no_commit_header", "warning", "rate_limit", "expires_in", "expire", "refuse_unranged_over", "ignore_range",
    "shift_range", "truncate_range", "honest", "total", "flip", "gzip", "content_length",
}
PLACEHOLDER = re.compile(r"\{(hub|storage|hub_host|storage_host|self|path|target|target_path|n|date([+-]\d+))\}")

Rule = dict


@dataclass
class Use:
    """A rule and how often it matched."""

    index: int
    rule: Rule
    matches: int = 0

    def fits(self, request: Request) -> bool:
        rule = self.rule
        return (rule.get("on", "any") in ("any", request.host)
                and rule.get("method", request.method) == request.method
                and re.search(rule.get("path", ""), request.target) is not None
                and re.search(rule.get("range", ""), request.headers.get("range", "")) is not None)

    def take(self) -> bool:
        """Counts a match; says whether the rule applies to it."""
        skip, times = self.rule.get("skip", 0), self.rule.get("times")
        if times is not None and self.matches >= skip + times:
            return False
        self.matches += 1
        return self.matches > skip


class Faults:
    """The current rules with their counts."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._stamp: tuple[int, int, int] | None = None
        self._uses: list[Use] = []

    def pick(self, request: Request) -> tuple[int | None, Rule]:
        """The rule for this request and its index; an empty rule when there is none."""
        with self._lock:
            self._refresh()
            for use in self._uses:
                if use.fits(request) and use.take():
                    return use.index, use.rule
        return None, {}

    def _refresh(self) -> None:
        current = stamp(self._path)
        if current == self._stamp:
            return
        rules: list[Rule] = []
        if current is not None:
            with open(self._path, encoding="utf-8") as file:
                rules = json.load(file)
        for rule in rules:
            if unknown := set(rule) - MATCHING - DELIVERY - ACTIONS:
                raise ValueError(f"faults.json: unknown keys {sorted(unknown)}")
            if rule.get("on", "any") not in ("any", "hub", "storage"):
                raise ValueError("faults.json: \"on\" is hub, storage or any")
        self._uses = [Use(index, rule) for index, rule in enumerate(rules)]
        self._stamp = current


# ------------------------------------------------------------------------------------------------------------ ranges

def served_range(rule: Rule, first: int, last: int, size: int) -> tuple[int, int, str]:
    """First and last byte to serve for a satisfiable range, and the Content-Range to claim."""
    served_first, served_last = first, last
    if shift := rule.get("shift_range", 0):
        length = last - first + 1
        served_first = min(max(first + shift, 0), size - length)
        if served_first == first:  # no room for the same length
            served_first = min(max(first + shift, 0), size - 1)
        served_last = min(served_first + length, size) - 1
    served_last = max(served_last - rule.get("truncate_range", 0), served_first)
    claimed = (served_first, served_last) if rule.get("honest") else (first, last)
    return served_first, served_last, f"bytes {claimed[0]}-{claimed[1]}/{rule.get('total', size)}"


# ------------------------------------------------------------------------------------------- changing the real answer

class Change:
    """Applies one rule to the answer that the server would give."""

    def __init__(self, rule: Rule, request: Request, answer: Answer, hub: str, storage: str) -> None:
        self._rule = rule
        self._request = request
        self._answer = answer
        target = str(answer.get("Location") or "")
        parts = urllib.parse.urlsplit(target)
        self._values = {
            "hub": hub, "storage": storage, "hub_host": hub.partition("://")[2],
            "storage_host": storage.partition("://")[2], "path": request.target, "n": str(request.number),
            "self": (hub if request.host == "hub" else storage) + request.target, "target": target,
            "target_path": urllib.parse.urlunsplit(("", "", parts.path, parts.query, "")),
        }

    def apply(self) -> Answer:
        self._replace()
        self._location()
        self._json()
        self._headers()
        self._body()
        rule = self._rule
        self._answer.delivery = Delivery(length_error=rule.get("content_length", 0),
                                         **{key: rule[key] for key in DELIVERY & set(rule)})
        return self._answer

    def _expand(self, text: str) -> str:
        def value(match: re.Match) -> str:
            if match[2]:
                return email.utils.formatdate(time.time() + int(match[2]), usegmt=True)
            return self._values[match[1]]

        return PLACEHOLDER.sub(value, text)

    def _replace(self) -> None:
        """Another answer altogether."""
        rule, real = self._rule, self._answer
        limit = rule.get("refuse_unranged_over")
        status = rule.get("status")
        if limit is not None and "range" not in self._request.headers and (real.file_size or 0) > limit:
            self._bare(400, "Range header required for objects of this size")
        elif rule.get("expire"):
            self._bare(403, "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code>"
                            "<Message>Request has expired</Message></Error>")
        elif status is not None and 300 <= status < 400 and real.get("Location") is not None:
            real.status = status
        elif status is not None:
            try:
                self._bare(status, http.HTTPStatus(status).phrase)
            except ValueError:
                self._bare(status, "Unknown")

    def _bare(self, status: int, text: str) -> None:
        answer = Answer(status, {"X-Request-Id": self._answer.get("X-Request-Id") or ""})
        if self._request.path.startswith("/api/"):
            answer.json = {"error": text}
            answer.put("Content-Type", "application/json; charset=utf-8")
        else:
            answer.parts = [text.encode() + b"\n"]
            answer.put("Content-Type", "application/xml" if text.startswith("<") else "text/plain; charset=utf-8")
        self._answer = answer

    def _location(self) -> None:
        location = self._rule.get("location")
        if location is not None:
            if not 300 <= self._answer.status < 400:
                self._answer.status, self._answer.parts, self._answer.json = 307, [], None
                self._answer.put("Content-Range", None)
            self._answer.put("Location", self._expand(location))

    def _json(self) -> None:
        answer, patch = self._answer, self._rule.get("set")
        if patch is not None and answer.json is not None:
            if isinstance(answer.json, list) and isinstance(patch, dict):
                wanted = self._rule.get("entry", "")
                answer.json = [merge(entry, patch) if re.search(wanted, str(entry.get("path", ""))) else entry
                               for entry in answer.json]
            else:
                answer.json = merge(answer.json, patch)

    def _headers(self) -> None:
        rule, answer = self._rule, self._answer
        for name in ("ETag", "X-Linked-Etag"):
            if answer.get(name) is not None:
                if "etag" in rule:
                    answer.put(name, f"\"{rule['etag']}\"")
                if rule.get("weak_etag"):
                    answer.put(name, f"W/{answer.get(name)}")
        if rule.get("no_commit_header"):
            answer.put("X-Repo-Commit", None)
        if "commit_header" in rule:
            answer.put("X-Repo-Commit", rule["commit_header"])
        if "link_host" in rule and answer.get("Link") is not None:
            origin = rule["link_host"] if "://" in rule["link_host"] else (
                self._values["hub"].partition("://")[0] + "://" + rule["link_host"])
            answer.put("Link", str(answer.get("Link")).replace(self._values["hub"], origin))
        if "warning" in rule:
            answer.put("X-HF-Warning", rule["warning"])
        if "rate_limit" in rule:
            put_rate_limit(answer, self._request, **rule["rate_limit"])
        for name, value in rule.get("headers", {}).items():
            if value is not None:
                value = [self._expand(item) for item in value] if isinstance(value, list) else self._expand(str(value))
            answer.put(name, value)

    def _body(self) -> None:
        rule, answer = self._rule, self._answer
        body = rule.get("body")
        if body is not None:
            if isinstance(body, str):
                answer.json, answer.parts = None, [self._expand(body).encode("utf-8", "surrogateescape")]
            else:
                answer.json = body
                answer.put("Content-Type", "application/json; charset=utf-8")
        if answer.json is not None:
            answer.parts, answer.json = [json_bytes(answer.json)], None
        if "pad" in rule:
            answer.parts.append(b" " * rule["pad"])
        if "flip" in rule:
            answer.parts = list(flipped(answer.parts, sorted(rule["flip"])))
        if rule.get("gzip"):
            packed = gzip.compress(b"".join(map(part_bytes, answer.parts)))
            answer.parts = [b"%x\r\n" % len(packed) + packed + b"\r\n0\r\n\r\n"]
            answer.put("Content-Encoding", "gzip")
            answer.put("Transfer-Encoding", "chunked")
            answer.put("Vary", "Accept-Encoding")


def merge(value: object, patch: object) -> object:
    """JSON merge patch: objects are merged, null deletes, anything else replaces."""
    if not isinstance(patch, dict):
        return patch
    result = dict(value) if isinstance(value, dict) else {}
    for key, item in patch.items():
        if item is None:
            result.pop(key, None)
        else:
            result[key] = merge(result.get(key), item)
    return result


def part_bytes(part: Part) -> bytes:
    if isinstance(part, bytes):
        return part
    with open(part.path, "rb") as file:
        file.seek(part.offset)
        return file.read(part.length)


def flipped(parts: list[Part], offsets: list[int]) -> Iterator[Part]:
    """The parts with one bit inverted at each offset: in the file, or in the body where that is not a file."""
    position = 0
    for part in parts:
        length = part_length(part)
        begin = part.offset if isinstance(part, FilePart) else position
        done = 0
        for offset in offsets:
            if begin <= offset < begin + length:
                at = offset - begin
                yield part.slice(done, at) if isinstance(part, FilePart) else part[done:at]
                byte = part_bytes(part.slice(at, at + 1)) if isinstance(part, FilePart) else part[at:at + 1]
                yield bytes([byte[0] ^ 1])
                done = at + 1
        yield part.slice(done, length) if isinstance(part, FilePart) else part[done:]
        position += length


def quota_name(request: Request) -> str:
    """Which quota a request of the hub counts against."""
    api = request.path.startswith("/api/") and not request.path.startswith("/api/resolve-cache/")
    return "api" if api else "resolvers"


def put_rate_limit(answer: Answer, request: Request, r: int, q: int, t: int, w: int = 300, name: str = "") -> None:
    """RateLimit and RateLimit-Policy as the Hub sends them, by default for the quota that the request belongs to."""
    name = name or quota_name(request)
    answer.put("RateLimit", f"\"{name}\";r={r};t={t}")
    answer.put("RateLimit-Policy", f"\"fixed window\";\"{name}\";q={q};w={w}")
