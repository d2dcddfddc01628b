"""Tests of hub_server.py: every answer and every fault rule, seen through http.client."""

from __future__ import annotations

import email.utils
import gzip
import hashlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass

HERE = os.path.dirname(os.path.abspath(__file__))
COMMIT = "1" * 40
OTHER = "2" * 40
BIG = bytes(range(256)) * 1024  # 256 KiB
CONFIG = b'{"model_type": "test"}\n'
BEARER = "Authorization"


@dataclass
class Reply:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self):
        return json.loads(self.body)

    def __getitem__(self, name: str) -> str | None:
        return self.headers[name]


class Hub:
    """A running server over a fresh root."""

    def __init__(self, *options: str) -> None:
        self.root = tempfile.mkdtemp(prefix="hub-test-")
        self.repo("ns/model")
        self.repo("ns/private", private=True, tokens=["hf_good"])
        self.repo("ns/gated", gated="auto", tokens=["hf_good"])
        self.repo("ns/disabled", disabled=True)
        self.repo("ns/old", renamed_to="ns/model")
        self.repo("ns/noxet", xet=False)
        self.repo("plain")
        self.options = options
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen([sys.executable, os.path.join(HERE, "hub_server.py"), self.root, *self.options],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        origins = json.loads(self.process.stdout.readline())
        self.hub, self.storage = origins["hub"], origins["storage"]

    def stop(self) -> None:
        self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.root)

    def write(self, path: str, data: bytes) -> None:
        path = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path + "~", "wb") as file:
            file.write(data)
        os.replace(path + "~", path)

    def repo(self, repo_id: str, **settings) -> None:
        settings = {"commits": {COMMIT: "v1"}, "refs": {"main": COMMIT, "v1.0": COMMIT, "refs/pr/1": COMMIT},
                    "tags": ["v1.0"], **settings}
        self.write(f"{repo_id}/repo.json", json.dumps(settings).encode())
        for name, data in {"config.json": CONFIG, "empty.txt": b"", "model.safetensors": BIG,
                           "sub/deep/a b.txt": b"hello\n"}.items():
            self.write(f"{repo_id}/v1/{name}", data)

    def faults(self, *rules: dict) -> None:
        self.write("faults.json", json.dumps(rules).encode())

    def request(self, url: str, method: str = "GET", token: str | None = None, **headers: str) -> Reply:
        """One request on a new connection; redirects are not followed."""
        parts = urllib.parse.urlsplit(url if "://" in url else self.hub + url)
        connection = http.client.HTTPConnection(parts.netloc, timeout=60)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            sent[BEARER] = f"Bearer {token}"
        try:
            connection.request(method, parts.path + ("?" + parts.query if parts.query else ""), headers=sent)
            answer = connection.getresponse()
            return Reply(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def signed(self, repo: str = "ns/model") -> str:
        """A signed URL of the large file."""
        return self.request(f"/{repo}/resolve/{COMMIT}/model.safetensors", "HEAD")["Location"]

    def log(self) -> list[dict]:
        """The lines of finished requests in the order in which these began."""
        self.request("/-/idle")
        with open(os.path.join(self.root, "requests.jsonl"), encoding="ascii") as lines:
            return sorted(map(json.loads, lines), key=lambda line: line["n"])


class Case(unittest.TestCase):
    options: tuple[str, ...] = ()

    @classmethod
    def setUpClass(cls) -> None:
        cls.server = Hub(*cls.options)

    @classmethod
    def tearDownClass(cls) -> None:
        cls.server.remove()

    def setUp(self) -> None:
        self.server.faults()

    def get(self, url: str, method: str = "GET", token: str | None = None, **headers: str) -> Reply:
        return self.server.request(url, method, token, **headers)

    def refused(self, url: str, status: int, code: str | None, message: str, token: str | None = None) -> None:
        reply = self.get(url, token=token)
        self.assertEqual((reply.status, reply["X-Error-Code"]), (status, code), url)
        self.assertIn(message, reply["X-Error-Message"])
        self.assertIsNotNone(reply["X-Request-Id"])


class Metadata(Case):
    options = ("--page-size", "2")

    def test_revisions(self) -> None:
        for url in ("/api/models/ns/model", "/api/models/ns/model/revision/main", "/api/models/plain",
                    f"/api/models/ns/model/revision/{COMMIT}", "/api/models/ns/model/revision/refs%2Fpr%2F1",
                    "/api/models/plain/revision/v1.0"):
            reply = self.get(url)
            self.assertEqual((reply.status, reply.json()["sha"]), (200, COMMIT), url)
            self.assertRegex(reply["RateLimit"], r'^"api";r=\d+;t=\d+$')
            self.assertEqual(reply["RateLimit-Policy"], '"fixed window";"api";q=500;w=300')
        info = self.get("/api/models/ns/gated").json()
        self.assertEqual((info["id"], info["gated"], info["private"], info["disabled"]),
                         ("ns/gated", "auto", False, False))
        self.assertIn({"rfilename": "sub/deep/a b.txt"}, info["siblings"])

    def test_blobs(self) -> None:
        siblings = {item["rfilename"]: item for item in self.get("/api/models/ns/model?blobs=true").json()["siblings"]}
        self.assertEqual(siblings["model.safetensors"]["lfs"]["sha256"], hashlib.sha256(BIG).hexdigest())
        self.assertEqual(siblings["config.json"]["size"], len(CONFIG))
        self.assertNotIn("lfs", siblings["config.json"])

    def test_refs(self) -> None:
        refs = self.get("/api/models/ns/model/refs").json()
        self.assertEqual([ref["name"] for ref in refs["branches"]], ["main"])
        self.assertEqual(refs["tags"], [{"name": "v1.0", "ref": "refs/tags/v1.0", "targetCommit": COMMIT}])

    def pages(self, url: str) -> list[list[dict]]:
        pages = []
        while url:
            reply = self.get(url)
            self.assertEqual(reply.status, 200)
            pages.append(reply.json())
            match = re.fullmatch(r'<(http://[^>]+)>; rel="next"', reply["Link"] or "")
            url = match[1] if match else ""
        return pages

    def test_tree_pages(self) -> None:
        pages = self.pages(f"/api/models/ns/model/tree/{COMMIT}?recursive=true&expand=false")
        self.assertEqual([len(page) for page in pages], [2, 2, 2])
        entries = {entry["path"]: entry for page in pages for entry in page}
        self.assertEqual(sorted(entries), ["config.json", "empty.txt", "model.safetensors", "sub", "sub/deep",
                                           "sub/deep/a b.txt"])
        self.assertEqual(entries["sub"]["type"], "directory")
        blob = hashlib.sha1(b"blob %d\0" % len(CONFIG) + CONFIG).hexdigest()
        self.assertEqual(entries["config.json"], {"type": "file", "oid": blob, "size": len(CONFIG),
                                                  "path": "config.json"})
        large, sha = entries["model.safetensors"], hashlib.sha256(BIG).hexdigest()
        pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha}\nsize {len(BIG)}\n".encode()
        self.assertEqual(large["oid"], hashlib.sha1(b"blob %d\0" % len(pointer) + pointer).hexdigest())
        self.assertEqual(large["lfs"], {"oid": sha, "size": len(BIG), "pointerSize": len(pointer)})
        self.assertRegex(large["xetHash"], "^[0-9a-f]{64}$")
        self.assertNotIn("lfs", entries["empty.txt"])

    def test_tree_variants(self) -> None:
        def paths(url: str) -> list[str]:
            return [entry["path"] for page in self.pages(url) for entry in page]

        base = "/api/models/ns/model/tree/main"
        self.assertEqual(sorted(paths(base)), ["config.json", "empty.txt", "model.safetensors", "sub"])
        self.assertEqual(paths(base + "/sub"), ["sub/deep"])
        self.assertEqual(paths(base + "/sub%2Fdeep?recursive=true"), ["sub/deep/a b.txt"])
        self.assertIn("lastCommit", self.get(base + "?expand=true").json()[0])
        self.assertEqual(self.get(base + "?cursor=999").json(), [])
        noxet = [entry for page in self.pages("/api/models/ns/noxet/tree/main") for entry in page]
        self.assertFalse(any("xetHash" in entry for entry in noxet))
        self.refused(base + "/missing", 404, "EntryNotFound", "does not exist")

    def test_extra_tree_and_threshold(self) -> None:
        hostile = [{"type": "file", "path": "../evil", "size": 1, "oid": "0" * 40}, {"type": "file", "path": 7}]
        self.server.repo("ns/hostile", extra_tree=hostile, lfs=[], lfs_threshold=6)
        entries = [entry for page in self.pages("/api/models/ns/hostile/tree/main?recursive=true") for entry in page]
        self.assertEqual(entries[-2:], hostile)
        self.assertEqual({entry["path"] for entry in entries if "lfs" in entry},
                         {"config.json", "model.safetensors", "sub/deep/a b.txt"})

    def test_moving_commit_and_new_settings(self) -> None:
        self.server.repo("ns/moves")
        self.assertEqual(self.get("/api/models/ns/moves").json()["sha"], COMMIT)
        self.server.write("ns/moves/v2/config.json", b"{}")
        self.server.repo("ns/moves", commits={COMMIT: "v1", OTHER: "v2"}, refs={"main": OTHER})
        self.assertEqual(self.get("/api/models/ns/moves").json()["sha"], OTHER)
        self.assertEqual(len(self.pages(f"/api/models/ns/moves/tree/{OTHER}")[0]), 1)

    def test_whoami(self) -> None:
        self.assertEqual(self.get("/api/whoami-v2", token="hf_valid").json()["name"], "tester")
        self.refused("/api/whoami-v2", 401, None, "Invalid username or password.")
        self.refused("/api/whoami-v2", 401, None, "Invalid credentials in Authorization header", "nonsense")


class Access(Case):
    def test_unknown_repository(self) -> None:
        for url in ("/api/models/ns/none/revision/main", "/api/models/none", "/ns/none/resolve/main/config.json",
                    "/api/models/..%2F/revision/main"):
            self.refused(url, 401, "RepoNotFound", "not found")
            self.refused(url, 404, "RepoNotFound", "not found", "hf_good")
            self.refused(url, 401, None, "Invalid credentials in Authorization header", "nonsense")

    def test_private(self) -> None:
        for url in ("/api/models/ns/private", "/ns/private/resolve/main/config.json"):
            self.refused(url, 401, "RepoNotFound", "not found")
            self.refused(url, 404, "RepoNotFound", "not found", "hf_valid")
            self.assertEqual(self.get(url, token="hf_good").status, 200)

    def test_gated(self) -> None:
        for url in ("/api/models/ns/gated", "/api/models/ns/gated/tree/main"):
            self.assertEqual(self.get(url).status, 200)
        url = "/ns/gated/resolve/main/config.json"
        self.refused(url, 401, "GatedRepo", "log in")
        self.refused(url, 401, "GatedRepo", "log in", "nonsense")
        self.refused(url, 403, "GatedRepo", "not in the authorized list", "hf_valid")
        self.assertEqual(self.get(url, token="hf_good").body, CONFIG)

    def test_disabled_and_bad_token(self) -> None:
        for url in ("/api/models/ns/disabled", "/ns/disabled/resolve/main/config.json"):
            self.refused(url, 403, "DisabledRepo", "Access to this resource is disabled.")
        for url in ("/api/models/ns/model", "/ns/model/resolve/main/config.json"):
            self.refused(url, 401, None, "Invalid credentials in Authorization header", "nonsense")
            self.assertLess(self.get(url, token="hf_valid").status, 400)

    def test_missing(self) -> None:
        self.refused("/api/models/ns/model/revision/nope", 404, "RevisionNotFound", "nope")
        self.refused("/ns/model/resolve/nope/config.json", 404, "RevisionNotFound", "nope")
        self.refused("/ns/model/resolve/main/nope", 404, "EntryNotFound", "Entry not found")
        for path in ("../repo.json", "..%2Frepo.json", "sub", "", "sub//deep"):
            self.refused(f"/ns/model/resolve/main/{path}", 404, "EntryNotFound", "Entry not found")


class Resolve(Case):
    def test_direct(self) -> None:
        blob = hashlib.sha1(b"blob %d\0" % len(CONFIG) + CONFIG).hexdigest()
        for repo, token in (("plain", None), ("ns/private", "hf_good"), ("ns/gated", "hf_good")):
            reply = self.get(f"/{repo}/resolve/main/config.json", token=token)
            self.assertEqual((reply.status, reply.body, reply["ETag"], reply["X-Repo-Commit"], reply["Accept-Ranges"]),
                             (200, CONFIG, f'"{blob}"', COMMIT, "bytes"))
            self.assertEqual(reply["RateLimit-Policy"], '"fixed window";"resolvers";q=3000;w=300')
            reply = self.get(f"/{repo}/resolve/main/config.json", "HEAD", token)
            self.assertEqual((reply.status, reply["Content-Length"], reply.body), (200, str(len(CONFIG)), b""))
        reply = self.get("/ns/model/resolve/main/empty.txt")
        self.assertEqual((reply.status, reply["Content-Length"]), (200, "0"))

    def test_same_origin_hop(self) -> None:
        for path, body in (("config.json", CONFIG), ("sub/deep/a%20b.txt", b"hello\n")):
            reply = self.get(f"/ns/model/resolve/main/{path}")
            self.assertEqual(reply.status, 307)
            self.assertTrue(reply["Location"].startswith(f"/api/resolve-cache/models/ns/model/{COMMIT}/{path}?"))
            self.assertIn("etag=%22", reply["Location"])
            reply = self.get(reply["Location"], Range="bytes=1-3")
            self.assertEqual((reply.status, reply.body, reply["X-Repo-Commit"]), (206, body[1:4], COMMIT))

    def test_storage_hop(self) -> None:
        for method in ("GET", "HEAD"):
            reply = self.get("/ns/model/resolve/main/model.safetensors", method)
            sha = hashlib.sha256(BIG).hexdigest()
            self.assertEqual((reply.status, reply["X-Linked-Etag"], reply["X-Linked-Size"], reply["X-Repo-Commit"]),
                             (302, f'"{sha}"', str(len(BIG)), COMMIT))
            self.assertTrue(reply["Location"].startswith(self.server.storage + "/"))
            self.assertRegex(reply["Location"], r"\?sig=[0-9a-f]{64}&expires=[0-9.]+&")
            self.assertRegex(reply["X-Xet-Hash"], "^[0-9a-f]{64}$")
            self.assertIn('rel="xet-auth"', reply["Link"])
            self.assertIn('rel="xet-reconstruction-info"', reply["Link"])
        body = self.get(reply["Location"])
        self.assertEqual((body.status, body.body), (200, BIG))
        self.assertNotIn(sha, body["ETag"])
        self.assertNotEqual(self.server.signed(), self.server.signed())
        reply = self.get("/ns/noxet/resolve/main/model.safetensors")
        self.assertEqual((reply["X-Xet-Hash"], reply["Link"]), (None, None))

    def test_signature(self) -> None:
        url = self.server.signed()
        self.assertEqual(self.get(url.partition("?")[0]).status, 403)
        self.assertEqual(self.get(url.replace("sig=", "sig=0")).status, 403)
        self.assertEqual(self.get(url.replace("model.safetensors", "config.json")).status, 403)
        self.server.faults({"on": "hub", "expires_in": -1})
        reply = self.get(self.server.signed())
        self.assertEqual(reply.status, 403)
        self.assertIn(b"Request has expired", reply.body)

    def test_rename(self) -> None:
        for old, new in (("/ns/old/resolve/main/config.json?x=1", "/ns/model/resolve/main/config.json?x=1"),
                         ("/api/models/ns/old/revision/main", "/api/models/ns/model/revision/main"),
                         ("/api/models/ns/old", "/api/models/ns/model")):
            reply = self.get(old)
            self.assertEqual((reply.status, reply["Location"], reply["X-Repo-Commit"]), (307, new, None))
        self.server.faults({"path": "/ns/old/", "status": 301, "location": "{hub}{target}"})
        reply = self.get("/ns/old/resolve/main/config.json")
        self.assertEqual((reply.status, reply["Location"]),
                         (301, self.server.hub + "/ns/model/resolve/main/config.json"))

    def test_raw_is_the_pointer(self) -> None:
        self.assertTrue(self.get("/ns/model/raw/main/model.safetensors").body.startswith(b"version https://git-lfs"))
        self.assertEqual(self.get("/ns/model/raw/main/config.json").body, CONFIG)

    def test_ranges(self) -> None:
        url, size = self.server.signed(), len(BIG)
        for asked, first, last in (("0-0", 0, 0), ("100-299", 100, 299), ("262000-", 262000, size - 1),
                                   ("-10", size - 10, size - 1), (f"5-{size + 9}", 5, size - 1),
                                   (f"-{size * 2}", 0, size - 1)):
            reply = self.get(url, Range=f"bytes={asked}")
            self.assertEqual((reply.status, reply["Content-Range"]), (206, f"bytes {first}-{last}/{size}"), asked)
            self.assertEqual(reply.body, BIG[first:last + 1])
        for asked in (f"{size}-", "9-5", "-0"):
            reply = self.get(url, Range=f"bytes={asked}")
            self.assertEqual((reply.status, reply["Content-Range"]), (416, f"bytes */{size}"), asked)
        for asked in ("bytes=1-2,4-5", "bytes=-", "lines=1-2"):
            self.assertEqual(self.get(url, Range=asked).status, 200)
        self.assertEqual(self.get(url, Range="bytes=1-2", If_Range='"other"').status, 200)
        self.assertEqual(self.get("/plain/resolve/main/empty.txt", Range="bytes=0-").status, 416)
        reply = self.get(url, "HEAD", Range="bytes=1-2")
        self.assertEqual((reply.status, reply["Content-Length"], reply.body), (206, "2", b""))


class Connections(Case):
    def test_keep_alive_and_log(self) -> None:
        url = urllib.parse.urlsplit(self.server.signed())
        before = len(self.server.log())
        connection = http.client.HTTPConnection(url.netloc, timeout=60)
        for first in (0, 1000):
            connection.request("GET", f"{url.path}?{url.query}", headers={
                "Range": f"bytes={first}-{first + 99}", "User-Agent": "test/1", BEARER: "Bearer leaked"})
            self.assertEqual(connection.getresponse().read(), BIG[first:first + 100])
        connection.close()
        lines = self.server.log()[before:]
        self.assertEqual(len({line["connection"] for line in lines}), 1)
        line = lines[1]
        self.assertEqual({key: line[key] for key in ("host", "method", "path", "query", "range", "status", "bytes",
                                                     "authorization", "user_agent", "rule")},
                         {"host": "storage", "method": "GET", "path": url.path, "query": url.query,
                          "range": "bytes=1000-1099", "status": 206, "bytes": 100, "authorization": "Bearer leaked",
                          "user_agent": "test/1", "rule": None})
        self.assertGreaterEqual(line["t1"], line["t0"])
        self.assertEqual(lines[1]["n"], lines[0]["n"] + 1)

    def test_bodies_pipelines_and_nonsense(self) -> None:
        host, port = urllib.parse.urlsplit(self.server.hub).netloc.split(":")
        with socket.create_connection((host, int(port)), timeout=60) as sock:
            sock.sendall(b"POST /api/models/plain HTTP/1.1\r\nContent-Length: 5\r\n\r\nhelloHEAD /api/models/plain "
                         b"HTTP/1.1\r\n\r\nGET http://x/plain/resolve/main/config.json HTTP/1.0\r\n\r\n")
            received = b"".join(iter(lambda: sock.recv(65536), b""))
        self.assertEqual(re.findall(rb"HTTP/1.1 (\d+)", received), [b"405", b"200", b"200"])
        self.assertTrue(received.endswith(CONFIG))
        with socket.create_connection((host, int(port)), timeout=60) as sock:
            sock.sendall(b"nonsense\r\n\r\n")
            self.assertIn(b"HTTP/1.1 400 ", b"".join(iter(lambda: sock.recv(65536), b"")))

    def test_many_connections(self) -> None:
        url, bodies = self.server.signed(), []
        threads = [threading.Thread(target=lambda: bodies.append(self.get(url).body == BIG)) for _ in range(32)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(bodies, [True] * 32)
        lines = self.server.log()
        self.assertEqual(sorted(line["n"] for line in lines), list(range(1, len(lines) + 1)))

    def test_killed_client_is_logged(self) -> None:
        size = 64 * 1024 * 1024
        self.server.repo("ns/sparse")
        path = os.path.join(self.server.root, "ns/sparse/v1/model.safetensors")
        with open(path, "wb") as file:
            file.truncate(size)
        url = urllib.parse.urlsplit(self.server.signed("ns/sparse"))
        with socket.create_connection(tuple(url.netloc.split(":")), timeout=60) as sock:
            sock.sendall(f"GET {url.path}?{url.query} HTTP/1.1\r\n\r\n".encode())
            self.assertTrue(sock.recv(1000))
        line = self.server.log()[-1]
        self.assertEqual(line["status"], 200)
        self.assertTrue(0 < line["bytes"] < size)
        with open(os.path.join(self.server.root, "hashes.jsonl"), encoding="ascii") as lines:
            self.assertIn("ns/sparse/v1/model.safetensors", lines.read())

    def test_end(self) -> None:
        server = Hub()
        try:
            server.faults({"path": "config", "stall_after": 3})
            url = urllib.parse.urlsplit(server.hub)
            with socket.create_connection(tuple(url.netloc.split(":")), timeout=60) as sock:
                sock.sendall(b"GET /plain/resolve/main/config.json HTTP/1.1\r\n\r\n")
                received = b""
                while not received.endswith(b"\r\n\r\n" + CONFIG[:3]):
                    received += sock.recv(1000)
                server.process.send_signal(signal.SIGTERM)
                self.assertEqual(server.process.wait(60), 0)
            with open(os.path.join(server.root, "requests.jsonl"), encoding="ascii") as lines:
                self.assertEqual(json.loads(lines.read())["bytes"], 3)
            server.process.stdin.close()
            server.process.stdout.close()
            server.start()
        finally:
            server.remove()
        self.assertEqual(server.process.returncode, 0)


class RuleMatching(Case):
    def statuses(self, count: int, url: str = "/api/models/plain", method: str = "GET", **headers: str) -> list[int]:
        return [self.get(url, method, **headers).status for _ in range(count)]

    def test_skip_times_and_order(self) -> None:
        self.server.faults({"path": "plain", "skip": 1, "times": 2, "status": 500}, {"path": "plain", "times": 1,
                                                                                     "skip": 1, "status": 502})
        self.assertEqual(self.statuses(6), [200, 500, 500, 502, 200, 200])
        self.server.faults({"path": "plain", "skip": 1, "times": 1, "status": 503})
        self.assertEqual(self.statuses(3), [200, 503, 200])
        self.assertEqual([line["rule"] for line in self.server.log()[-3:]], [None, 0, None])

    def test_host_method_path_range(self) -> None:
        self.server.faults({"on": "storage", "status": 500}, {"method": "HEAD", "status": 501},
                           {"path": r"blobs=true$", "status": 502}, {"range": "^bytes=5-", "status": 503})
        self.assertEqual(self.statuses(1), [200])
        self.assertEqual(self.statuses(1, method="HEAD"), [501])
        self.assertEqual(self.statuses(1, "/api/models/plain?blobs=true"), [502])
        self.assertEqual(self.statuses(1, "/plain/resolve/main/config.json", Range="bytes=5-6"), [503])
        self.assertEqual(self.statuses(1, self.server.storage + "/x"), [500])

    def test_counts_are_exact_with_many_threads(self) -> None:
        self.server.faults({"path": "plain", "times": 10, "status": 500})
        found: list[int] = []
        threads = [threading.Thread(target=lambda: found.extend(self.statuses(4))) for _ in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual((found.count(500), found.count(200)), (10, 30))

    def test_mistakes_are_loud(self) -> None:
        self.server.faults({"stauts": 500})
        reply = self.get("/api/models/plain")
        self.assertEqual(reply.status, 500)
        self.assertIn("stauts", reply["X-Error-Message"])


class AnswerFaults(Case):
    SMALL = "/plain/resolve/main/config.json"
    LARGE = "/ns/model/resolve/main/model.safetensors"

    def test_every_status_of_the_failure_table(self) -> None:
        for status in (400, 401, 403, 404, 408, 409, 410, 416, 418, 425, 429, 451, 500, 501, 502, 503, 504, 599):
            self.server.faults({"status": status})
            for url in ("/api/models/plain", self.SMALL, self.server.storage + "/x"):
                reply = self.get(url)
                self.assertEqual((reply.status, reply["X-Error-Code"], reply["RateLimit"]), (status, None, None))
                self.assertIsNotNone(reply["X-Request-Id"])

    def test_headers_and_body(self) -> None:
        self.server.faults({"status": 403, "body": "no \udcff {hub}", "headers": {
            "x-error-code": "Other", "X-Request-ID": None, "X-Amzn-Trace-Id": "t1", "X-Self": "{self} {n} {path}",
            "X-Two": ["a", "b"]}})
        reply = self.get(self.SMALL + "?q=1")
        self.assertEqual(reply.body, b"no \xff " + self.server.hub.encode())
        self.assertEqual((reply["X-Error-Code"], reply["X-Request-Id"], reply["X-Amzn-Trace-Id"]),
                         ("Other", None, "t1"))
        self.assertRegex(reply["X-Self"], rf"^{self.server.hub}{self.SMALL}\?q=1 \d+ {self.SMALL}\?q=1$")
        self.assertEqual(reply.headers.get_all("X-Two"), ["a", "b"])
        self.server.faults({"body": {"not": "a tree"}})
        self.assertEqual(self.get("/api/models/plain/tree/main").json(), {"not": "a tree"})

    def test_removed_error_code(self) -> None:
        self.server.faults({"headers": {"X-Error-Code": None, "X-Error-Message": None}})
        reply = self.get("/ns/none/resolve/main/x")
        self.assertEqual((reply.status, reply["X-Error-Code"], reply["X-Error-Message"]), (401, None, None))

    def test_rate_limits(self) -> None:
        self.server.faults({"status": 429, "rate_limit": {"r": 0, "q": 500, "t": 3, "w": 300}})
        reply = self.get("/api/models/plain")
        self.assertEqual((reply.status, reply["RateLimit"], reply["RateLimit-Policy"], reply["Retry-After"]),
                         (429, '"api";r=0;t=3', '"fixed window";"api";q=500;w=300', None))
        self.assertEqual(self.get(self.SMALL)["RateLimit"], '"resolvers";r=0;t=3')
        self.server.faults({"status": 429, "headers": {"Retry-After": "7"}})
        self.assertEqual(self.get(self.SMALL)["Retry-After"], "7")
        for sign in (1, -1):
            self.server.faults({"status": 429, "headers": {"Retry-After": f"{{date{sign * 60:+}}}"}})
            moment = email.utils.parsedate_to_datetime(self.get(self.SMALL)["Retry-After"]).timestamp()
            self.assertAlmostEqual(moment - time.time(), sign * 60, delta=30)
        self.server.faults({"rate_limit": {"r": 9, "q": 500, "t": 20}})
        reply = self.get("/api/models/plain")
        self.assertEqual((reply.status, reply["RateLimit"]), (200, '"api";r=9;t=20'))

    def test_locations(self) -> None:
        for rule, expected in (
                ({"location": "{self}"}, self.server.hub + self.LARGE),
                ({"location": "ftp://u@x/"}, "ftp://u@x/"),
                ({"location": "/relative"}, "/relative"),
                ({"location": "http://u:p@{storage_host}/x"},
                 f"http://u:p@{self.server.storage.partition('://')[2]}/x"),
                ({"status": 308, "location": "{storage}/y"}, self.server.storage + "/y")):
            self.server.faults(rule)
            reply = self.get(self.LARGE)
            self.assertEqual((reply.status, reply["Location"]), (rule.get("status", 302), expected))
            self.assertIsNotNone(reply["X-Linked-Etag"])
        self.server.faults({"on": "hub", "location": "//{storage_host}{target_path}"})
        self.assertEqual(self.get("http:" + self.get(self.LARGE)["Location"]).body, BIG)
        self.server.faults({"location": "{hub}/elsewhere"})
        for url in ("/api/models/plain", self.SMALL):
            reply = self.get(url)
            self.assertEqual((reply.status, reply["Location"], reply.body), (307, self.server.hub + "/elsewhere", b""))
        self.server.faults({"status": 302, "location": "{self}"})
        self.assertEqual(self.get("/api/models/plain").status, 302)

    def test_etags_commits_warnings(self) -> None:
        self.server.faults({"etag": "../../x", "weak_etag": True, "commit_header": "../y", "warning": "topic; text"})
        for url, name in ((self.LARGE, "X-Linked-Etag"), (self.SMALL, "ETag")):
            reply = self.get(url)
            self.assertEqual((reply[name], reply["X-Repo-Commit"], reply["X-HF-Warning"]),
                             ('W/"../../x"', "../y", "topic; text"))
        self.server.faults({"no_commit_header": True, "weak_etag": True})
        reply = self.get(self.LARGE)
        self.assertIsNone(reply["X-Repo-Commit"])
        self.assertEqual(reply["X-Linked-Etag"], f'W/"{hashlib.sha256(BIG).hexdigest()}"')

    def test_json_patches(self) -> None:
        self.server.faults({"path": "/tree/", "entry": "safetensors$", "set": {"xetHash": None, "lfs": {"oid": "00"}}},
                           {"set": {"sha": OTHER, "gated": None, "cardData": {"license": "mit"}}, "times": 1})
        tree = {entry["path"]: entry for entry in self.get("/api/models/plain/tree/main").json()}
        self.assertNotIn("xetHash", tree["model.safetensors"])
        self.assertEqual(tree["model.safetensors"]["lfs"]["oid"], "00")
        self.assertEqual(tree["model.safetensors"]["lfs"]["size"], len(BIG))
        self.assertNotIn("lfs", tree["config.json"])
        info = self.get("/api/models/plain").json()
        self.assertEqual((info["sha"], info["cardData"], "gated" in info), (OTHER, {"license": "mit"}, False))
        self.assertEqual(self.get("/api/models/plain").json()["sha"], COMMIT)
        self.server.faults({"set": []})
        self.assertEqual(self.get("/api/models/plain/tree/main").json(), [])
        self.server.faults({"pad": 100000})
        reply = self.get("/api/models/plain")
        self.assertGreater(len(reply.body), 100000)
        self.assertEqual(reply.json()["id"], "plain")

    def test_links(self) -> None:
        url = "/api/models/plain/tree/main?limit=1"
        for host, origin in (("evil.example:1", "http://evil.example:1"),
                             ("https://huggingface.co", "https://huggingface.co")):
            self.server.faults({"link_host": host})
            self.assertTrue(self.get(url)["Link"].startswith(f"<{origin}/api/models/plain/tree/main?"))
        self.server.faults({"headers": {"Link": '<{self}>; rel="next"'}})
        self.assertEqual(self.get(url)["Link"], f'<{self.server.hub}{url}>; rel="next"')

    def test_delay(self) -> None:
        self.server.faults({"delay": 0.3})
        start = time.monotonic()
        self.get("/api/models/plain")
        self.assertGreaterEqual(time.monotonic() - start, 0.3)


class ContentFaults(Case):
    def setUp(self) -> None:
        super().setUp()
        self.url = self.server.signed()

    def partial(self, url: str = "", **headers: str) -> tuple[bytes, str]:
        """What arrives before the end, and how it ends."""
        parts = urllib.parse.urlsplit(url or self.url)
        with socket.create_connection(tuple(parts.netloc.split(":")), timeout=60) as sock:
            head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            sock.sendall(f"GET {parts.path}?{parts.query} HTTP/1.1\r\n{head}\r\n".encode())
            received = b""
            try:
                while data := sock.recv(65536):
                    received += data
                ending = "close"
            except ConnectionResetError:
                ending = "reset"
            except TimeoutError:
                ending = "open"
        return received.partition(b"\r\n\r\n")[2], ending

    def test_drop_and_reset(self) -> None:
        for count in (0, 1, 100000):
            self.server.faults({"drop_after": count})
            self.assertEqual(self.partial(), (BIG[:count], "close"))
            self.assertEqual(self.server.log()[-1]["bytes"], count)
            self.server.faults({"reset_after": count})
            self.assertEqual(self.partial(), (BIG[:count], "reset"))
            self.assertEqual(self.server.log()[-1]["bytes"], count)
        for key, ending in (("drop_after", "close"), ("reset_after", "reset")):
            self.server.faults({key: -1})
            self.assertEqual(self.partial(), (b"", ending))
            self.assertEqual(self.server.log()[-1]["status"], 0)
        self.server.faults({"drop_after": 10})
        self.assertRegex(self.partial(self.server.hub + "/api/models/plain")[0], rb'^\{"_id":"..$')

    def test_stall(self) -> None:
        self.server.faults({"stall_after": 1000, "stall_seconds": 0.4})
        start = time.monotonic()
        self.assertEqual(self.get(self.url).body, BIG)
        self.assertGreaterEqual(time.monotonic() - start, 0.4)
        self.server.faults({"stall_after": 1000})
        parts = urllib.parse.urlsplit(self.url)
        with socket.create_connection(tuple(parts.netloc.split(":")), timeout=60) as sock:
            sock.sendall(f"GET {parts.path}?{parts.query} HTTP/1.1\r\n\r\n".encode())
            received = b""
            while len(received.partition(b"\r\n\r\n")[2]) < 1000:
                self.assertTrue(data := sock.recv(65536))
                received += data
            sock.settimeout(0.3)
            with self.assertRaises(TimeoutError):
                sock.recv(65536)
        self.assertEqual(received.partition(b"\r\n\r\n")[2], BIG[:1000])
        line = self.server.log()[-1]  # logged at once, not after the hour
        self.assertEqual((line["bytes"], line["status"]), (1000, 200))

    def test_trickle(self) -> None:
        self.server.faults({"trickle": 1000})
        start = time.monotonic()
        self.assertEqual(self.get(self.url, Range="bytes=7-506").body, BIG[7:507])
        self.assertGreaterEqual(time.monotonic() - start, 0.4)

    def test_flip(self) -> None:
        self.server.faults({"flip": [70000, 0, 1, len(BIG) - 1]})
        changed = bytearray(BIG)
        for offset in (0, 1, 70000, len(BIG) - 1):
            changed[offset] ^= 1
        self.assertEqual(self.get(self.url).body, changed)
        self.assertEqual(self.get(self.url, Range="bytes=69000-71000").body, changed[69000:71001])
        self.assertEqual(self.get(self.url, Range="bytes=10-20").body, BIG[10:21])
        self.server.faults({"flip": [0]})
        self.assertEqual(self.get("/api/models/plain").body[:1], b"z")

    def test_content_length(self) -> None:
        for delta in (5, -5):
            self.server.faults({"content_length": delta})
            self.assertEqual(self.get(self.url, "HEAD")["Content-Length"], str(len(BIG) + delta))
            self.assertEqual(self.partial(), (BIG, "close"))

    def test_ranges(self) -> None:
        size = len(BIG)
        cases = (
            ({"ignore_range": True}, 200, None, BIG),
            ({"shift_range": 7}, 206, f"bytes 100-199/{size}", BIG[107:207]),
            ({"shift_range": 7, "honest": True}, 206, f"bytes 107-206/{size}", BIG[107:207]),
            ({"shift_range": -500}, 206, f"bytes 100-199/{size}", BIG[0:100]),
            ({"shift_range": size}, 206, f"bytes 100-199/{size}", BIG[size - 100:]),
            ({"truncate_range": 30}, 206, f"bytes 100-199/{size}", BIG[100:170]),
            ({"truncate_range": 30, "honest": True}, 206, f"bytes 100-169/{size}", BIG[100:170]),
            ({"total": size + 1}, 206, f"bytes 100-199/{size + 1}", BIG[100:200]),
            ({"total": "*"}, 206, "bytes 100-199/*", BIG[100:200]),
            ({"headers": {"Content-Range": None}}, 206, None, BIG[100:200]),
        )
        for rule, status, claim, body in cases:
            self.server.faults(rule)
            reply = self.get(self.url, Range="bytes=100-199")
            self.assertEqual((reply.status, reply["Content-Range"], reply.body), (status, claim, body), rule)
        self.server.faults({"shift_range": 10})
        self.assertEqual(self.get(self.url, Range="bytes=0-").body, BIG[10:])

    def test_gzip(self) -> None:
        self.server.faults({"gzip": True})
        for url, body in ((self.url, BIG), (self.server.hub + "/plain/resolve/main/config.json", CONFIG)):
            reply = self.get(url, Accept_Encoding="identity")
            self.assertEqual((reply["Content-Encoding"], reply["Content-Length"]), ("gzip", None))
            self.assertEqual(gzip.decompress(reply.body), body)
        self.assertEqual(json.loads(gzip.decompress(self.get("/api/models/plain").body))["id"], "plain")

    def test_storage_refusals(self) -> None:
        self.server.faults({"on": "storage", "expire": True, "times": 1},
                           {"on": "storage", "refuse_unranged_over": 1000})
        self.assertEqual([self.get(self.url).status, self.get(self.url).status,
                          self.get(self.url, Range="bytes=0-9").status], [403, 400, 206])
        self.server.faults({"on": "storage", "refuse_unranged_over": len(BIG)})
        self.assertEqual(self.get(self.url).status, 200)
        for status in (404, 410):
            self.server.faults({"on": "storage", "status": status})
            self.assertEqual(self.get(self.url).status, status)


@unittest.skipUnless(shutil.which("openssl"), "needs openssl to make a certificate")
class Tls(unittest.TestCase):
    def test_tls(self) -> None:
        folder = tempfile.mkdtemp(prefix="hub-tls-")
        cert, key = os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                        "-nodes", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2",
                        "-keyout", key, "-out", cert], check=True, capture_output=True)
        server = Hub("--tls", cert, key)
        try:
            trusting = ssl.create_default_context(cafile=cert)
            url = server.hub + "/ns/model/resolve/main/model.safetensors"
            self.assertTrue(url.startswith("https://"))
            with urllib.request.urlopen(url, context=trusting, timeout=60) as answer:  # follows to the storage host
                self.assertEqual(answer.read(), BIG)
                self.assertTrue(answer.url.startswith(server.storage))
            with self.assertRaises(urllib.error.URLError):
                urllib.request.urlopen(url, context=ssl.create_default_context(), timeout=60)
            server.faults({"on": "storage", "drop_after": 1000})
            with urllib.request.urlopen(url, context=trusting, timeout=60) as answer:
                with self.assertRaises((http.client.IncompleteRead, ssl.SSLError)):
                    answer.read()
            server.faults({"on": "hub", "location": "http://{hub_host}/x"})
            http_parts = urllib.parse.urlsplit(url)
            connection = http.client.HTTPSConnection(http_parts.netloc, context=trusting, timeout=60)
            connection.request("HEAD", http_parts.path)
            self.assertTrue(connection.getresponse().headers["Location"].startswith("http://127.0.0.1:"))
            connection.close()
        finally:
            server.remove()
            shutil.rmtree(folder)


if __name__ == "__main__":
    unittest.main()
