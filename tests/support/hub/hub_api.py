"""The answers of the hub and of the storage host, as the Hugging Face Hub gives them."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import time
import urllib.parse
from typing import NoReturn

from hub_faults import Rule, put_rate_limit, quota_name, served_range
from hub_http import Answer, FilePart, Request
from hub_repos import RepoFile, Repository, Store

API = "/api/models/"
RESOLVE_CACHE = "/api/resolve-cache/models/"
STORAGE = "/xet-bridge-us/"
API_WORDS = ("revision", "tree", "refs", "xet-read-token")
EXPANDED_PAGE = 50
QUOTAS = {"api": 500, "resolvers": 3000}
RANGE = re.compile(r"bytes=(\d*)-(\d*)")

TreeItem = RepoFile | str | dict  # a file, the name of a directory, a raw entry


class Stop(Exception):
    """Ends the work on a request with this answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def json_answer(value: object, **headers: str) -> Answer:
    return Answer(200, {"Content-Type": "application/json; charset=utf-8", **headers}, json=value)


def refuse(request: Request, status: int, code: str | None, message: str, commit: str | None = None) -> NoReturn:
    """A failure as the Hub words it: JSON from the API, text from everything else."""
    answer = Answer(status, {"X-Error-Message": message})
    if code:
        answer.put("X-Error-Code", code)
    if commit:
        answer.put("X-Repo-Commit", commit)
    if request.path.startswith("/api/"):
        answer.json = {"error": message}
        answer.put("Content-Type", "application/json; charset=utf-8")
    else:
        answer.parts = [message.encode()]
        answer.put("Content-Type", "text/plain; charset=utf-8")
    raise Stop(answer)


def quote_path(path: str) -> str:
    return urllib.parse.quote(path, errors="surrogateescape")


def unquote(text: str) -> str:
    return urllib.parse.unquote(text, errors="surrogateescape")


def content(request: Request, rule: Rule, file: RepoFile, etag: str, **headers: str) -> Answer:
    """The bytes of a file: everything, one range, or 416."""
    answer = Answer(200, {"Content-Type": "application/octet-stream", "Accept-Ranges": "bytes", "ETag": f"\"{etag}\"",
                          **headers}, file_size=file.size)
    asked = RANGE.fullmatch(request.headers.get("range", ""))
    condition = request.headers.get("if-range")
    if not asked or not any(asked.groups()) or rule.get("ignore_range") or condition not in (None, f"\"{etag}\""):
        answer.parts = [FilePart(file.disk, 0, file.size)]
        return answer
    if asked[1]:
        first, last = int(asked[1]), min(int(asked[2]) if asked[2] else file.size - 1, file.size - 1)
    else:
        first, last = max(file.size - int(asked[2]), 0), file.size - 1
    if first > last:
        return Answer(416, {"Content-Type": "text/plain", "Content-Range": f"bytes */{rule.get('total', file.size)}",
                            **headers}, [b"range not satisfiable\n"], file_size=file.size)
    first, last, claim = served_range(rule, first, last, file.size)
    answer.status = 206
    answer.put("Content-Range", claim)
    answer.parts = [FilePart(file.disk, first, last - first + 1)]
    return answer


class Signer:
    """Signed URLs on the storage host: valid for a while, different each time."""

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._key = secrets.token_bytes(32)

    def url(self, path: str, lifetime: float) -> str:
        expires, nonce = f"{time.time() + lifetime:.3f}", secrets.token_hex(8)
        return f"{self._origin}{path}?sig={self._sign(path, expires, nonce)}&expires={expires}&nonce={nonce}"

    def fault(self, request: Request) -> str | None:
        """Why the request's signature does not hold, or None."""
        expires, nonce = request.parameter("expires"), request.parameter("nonce")
        if self._sign(request.path, expires, nonce) != request.parameter("sig"):
            return "The request signature we calculated does not match the signature you provided"
        return "Request has expired" if float(expires) < time.time() else None

    def _sign(self, path: str, expires: str, nonce: str) -> str:
        return hmac.new(self._key, f"{path}\n{expires}\n{nonce}".encode(), hashlib.sha256).hexdigest()


class Storage:
    """The host of the large files: serves what carries a valid signature."""

    def __init__(self, store: Store, signer: Signer) -> None:
        self._store = store
        self._signer = signer

    def answer(self, request: Request, rule: Rule) -> Answer:
        if request.method not in ("GET", "HEAD"):
            return self._error(405, "MethodNotAllowed", "The specified method is not allowed against this resource")
        if fault := self._signer.fault(request):
            return self._error(403, "AccessDenied", fault)
        repo_id, commit, path = (unquote(part) for part in request.path.removeprefix(STORAGE).split("/", 2))
        repo = self._store.find(repo_id)
        file = repo.file(commit, path) if repo and commit in repo.commits else None
        if not repo or not file:
            return self._error(404, "NoSuchKey", "The specified key does not exist")
        own_etag = hashlib.md5(repo.etag(file).encode()).hexdigest()
        return content(request, rule, file, own_etag)

    @staticmethod
    def _error(status: int, code: str, message: str) -> Answer:
        body = f"<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>{message}</Message></Error>\n"
        return Answer(status, {"Content-Type": "application/xml", "X-Error-Message": message}, [body.encode()])


class Hub:
    """The API and the resolver."""

    def __init__(self, store: Store, signer: Signer, origin: str, storage_origin: str, page_size: int) -> None:
        self._store = store
        self._signer = signer
        self._origin = origin
        self._storage_origin = storage_origin
        self._page_size = page_size

    def answer(self, request: Request, rule: Rule) -> Answer:
        try:
            answer = self._route(request, rule)
        except Stop as stop:
            answer = stop.answer
        quota = QUOTAS[quota_name(request)]
        put_rate_limit(answer, request, r=quota - 1, q=quota, t=172)
        return answer

    # -- routes

    def _route(self, request: Request, rule: Rule) -> Answer:
        path = request.path
        if request.method not in ("GET", "HEAD"):
            refuse(request, 405, None, "Method not allowed")
        if path == "/api/whoami-v2":
            return self._whoami(request)
        if path.startswith(RESOLVE_CACHE):
            repo_id, rest = self._split_cache(path)
            repo = self._repository(request, RESOLVE_CACHE, repo_id, content_wanted=True)
            return self._resolve(request, rule, repo, unquote(rest[0]), unquote("/".join(rest[1:])), direct=True)
        if path.startswith(API):
            repo_id, rest = self._split_api(path)
            return self._api(request, self._repository(request, API, repo_id, content_wanted=False), rest)
        parts = path[1:].split("/")
        for names in (1, 2):
            if len(parts) > names + 2 and parts[names] in ("resolve", "raw"):
                repo = self._repository(request, "/", "/".join(parts[:names]), content_wanted=True)
                revision, file = unquote(parts[names + 1]), unquote("/".join(parts[names + 2:]))
                if parts[names] == "raw":
                    return self._raw(request, rule, repo, revision, file)
                return self._resolve(request, rule, repo, revision, file)
        refuse(request, 404, None, "Page not found")

    def _split_api(self, path: str) -> tuple[str, list[str]]:
        """Repository and rest of an API path; the repository has one name or two."""
        parts = path.removeprefix(API).split("/")
        two_fit = len(parts) == 2 or (len(parts) > 2 and parts[2] in API_WORDS)
        one_fits = len(parts) == 1 or (len(parts) > 1 and parts[1] in API_WORDS)
        one = one_fits and (not two_fit or self._store.find(parts[0]) is not None)
        names = 1 if one else 2
        return "/".join(parts[:names]), parts[names:]

    def _split_cache(self, path: str) -> tuple[str, list[str]]:
        parts = path.removeprefix(RESOLVE_CACHE).split("/")
        names = 1 if self._store.find(parts[0]) is not None else 2
        return "/".join(parts[:names]), parts[names:] or [""]

    # -- who may see what

    def _token(self, request: Request) -> str | None:
        """The token that was sent; "" for an Authorization header that holds none."""
        header = request.headers.get("authorization")
        if header is None:
            return None
        return header[7:].strip() if header[:7].lower() == "bearer " else ""

    def _repository(self, request: Request, prefix: str, repo_id: str, content_wanted: bool) -> Repository:
        """The repository if this request may see it; otherwise the Hub's refusal."""
        token = self._token(request)
        known = token is not None and token in self._store.valid_tokens()
        repo = self._store.find(repo_id)
        bad_token = "Invalid credentials in Authorization header"
        if repo is None or (repo.private and token not in repo.tokens):
            if token is not None and not known:
                refuse(request, 401, None, bad_token)
            refuse(request, 404 if known else 401, "RepoNotFound", "Repository not found")
        if repo.renamed_to:
            raise Stop(Answer(307, {"Location": prefix + repo.renamed_to + request.target[len(prefix + repo_id):]}))
        if repo.disabled:
            refuse(request, 403, "DisabledRepo", "Access to this resource is disabled.")
        if repo.gated and content_wanted and token not in repo.tokens:
            start = f"Access to model {repo.id} is restricted"
            if known:
                refuse(request, 403, "GatedRepo", f"{start} and you are not in the authorized list. "
                                                  f"Visit {self._origin}/{repo.id} to ask for access.")
            refuse(request, 401, "GatedRepo", f"{start}. You must have access to it and be authenticated to access it. "
                                              "Please log in.")
        if token is not None and not known:
            refuse(request, 401, None, bad_token)
        return repo

    def _whoami(self, request: Request) -> Answer:
        token = self._token(request)
        if token is None:
            refuse(request, 401, None, "Invalid username or password.")
        if token not in self._store.valid_tokens():
            refuse(request, 401, None, "Invalid credentials in Authorization header")
        return json_answer({"type": "user", "id": "0", "name": "tester", "fullname": "Test User", "orgs": [], "auth": {
            "type": "access_token", "accessToken": {"displayName": "test", "role": "read"}}})

    # -- the API of one repository

    def _commit(self, request: Request, repo: Repository, revision: str) -> str:
        commit = repo.commit(revision)
        if commit is None:
            refuse(request, 404, "RevisionNotFound", f"Invalid rev id: {ascii(revision)[1:-1]}")
        return commit

    def _api(self, request: Request, repo: Repository, rest: list[str]) -> Answer:
        if not rest:
            return self._info(request, repo, "main")
        if rest[0] == "revision" and len(rest) == 2:
            return self._info(request, repo, unquote(rest[1]))
        if rest[0] == "tree" and len(rest) >= 2:
            return self._tree(request, repo, unquote(rest[1]), unquote("/".join(rest[2:])))
        if rest == ["refs"]:
            return self._refs(repo)
        refuse(request, 404, None, "Not found")

    def _info(self, request: Request, repo: Repository, revision: str) -> Answer:
        commit = self._commit(request, repo, revision)
        siblings = []
        for file in repo.files(commit):
            sibling: dict = {"rfilename": file.path}
            if request.parameter("blobs") in ("true", "1"):
                sibling |= {"size": file.size, "blobId": repo.oid(file)}
                if file.lfs:
                    sibling["lfs"] = {"sha256": repo.sha256(file), "size": file.size,
                                      "pointerSize": len(repo.pointer(file))}
            siblings.append(sibling)
        siblings += [{"rfilename": entry["path"]} for entry in repo.extra_tree if entry.get("type") == "file"]
        return json_answer({
            "_id": hashlib.sha256(repo.id.encode()).hexdigest()[:24], "id": repo.id, "modelId": repo.id,
            "author": repo.id.split("/")[0], "sha": commit, "lastModified": "2026-01-02T03:04:05.000Z",
            "createdAt": "2026-01-02T03:04:05.000Z", "private": repo.private, "gated": repo.gated,
            "disabled": repo.disabled, "downloads": 1, "likes": 1, "tags": [], "siblings": siblings, **repo.info})

    def _refs(self, repo: Repository) -> Answer:
        result: dict[str, list] = {"branches": [], "tags": [], "converts": []}
        for name, commit in repo.refs.items():
            if not name.startswith("refs/"):
                kind, place = ("tags", "tags") if name in repo.tags else ("branches", "heads")
                result[kind].append({"name": name, "ref": f"refs/{place}/{name}", "targetCommit": commit})
        return json_answer(result)

    def _tree(self, request: Request, repo: Repository, revision: str, below: str) -> Answer:
        commit = self._commit(request, repo, revision)
        recursive, expand = (request.parameter(name) in ("true", "1") for name in ("recursive", "expand"))
        entries = self._tree_entries(repo, commit, below, recursive)
        if below and not entries:
            refuse(request, 404, "EntryNotFound", f"{ascii(below)[1:-1]} does not exist on \"{revision}\"", commit)
        cursor, limit = (request.parameter(name) for name in ("cursor", "limit"))
        if (cursor and not cursor.isdecimal()) or (limit and not limit.isdecimal()):
            refuse(request, 400, None, "Invalid cursor or limit")
        start = int(cursor or 0)
        page = min(self._page_size, int(limit or self._page_size) or 1, EXPANDED_PAGE if expand else 1 << 30)
        answer = json_answer([self._tree_entry(repo, commit, entry, expand) for entry in entries[start:start + page]])
        if start + page < len(entries):
            query = urllib.parse.urlencode({"recursive": str(recursive).lower(), "expand": str(expand).lower(),
                                            "limit": page, "cursor": start + page})
            answer.put("Link", f"<{self._origin}{request.path}?{query}>; rel=\"next\"")
        return answer

    @staticmethod
    def _tree_entries(repo: Repository, commit: str, below: str, recursive: bool) -> list[TreeItem]:
        """Files, names of directories, and the raw entries, without any hashing yet."""
        prefix = below + "/" if below else ""
        files = [file for file in repo.files(commit) if file.path.startswith(prefix)]
        folders = {os.path.dirname(file.path) for file in files}
        while parents := {os.path.dirname(folder) for folder in folders} - folders:
            folders |= parents
        folders = {folder for folder in folders if folder.startswith(prefix) and folder != below}
        if not recursive:
            folders = {folder for folder in folders if "/" not in folder[len(prefix):]}
            files = [file for file in files if "/" not in file.path[len(prefix):]]
        return [*sorted(folders), *files, *([] if below else repo.extra_tree)]

    @staticmethod
    def _tree_entry(repo: Repository, commit: str, item: TreeItem, expand: bool) -> dict:
        if isinstance(item, dict):
            return item
        if isinstance(item, str):
            entry: dict = {"type": "directory", "oid": hashlib.sha1(os.fsencode(item)).hexdigest(), "size": 0,
                           "path": item}
        else:
            entry = {"type": "file", "oid": repo.oid(item), "size": item.size, "path": item.path}
            if item.lfs:
                entry["lfs"] = {"oid": repo.sha256(item), "size": item.size, "pointerSize": len(repo.pointer(item))}
                if repo.xet:
                    entry["xetHash"] = repo.xet_hash(item)
        if expand:
            entry["lastCommit"] = {"id": commit, "title": "Upload", "date": "2026-01-02T03:04:05.000Z"}
            if not isinstance(item, str):
                entry["securityFileStatus"] = {"status": "safe"}
        return entry

    # -- files

    def _find(self, request: Request, repo: Repository, revision: str, path: str) -> tuple[str, RepoFile]:
        commit = self._commit(request, repo, revision)
        file = repo.file(commit, path)
        if file is None:
            refuse(request, 404, "EntryNotFound", "Entry not found", commit)
        return commit, file

    def _raw(self, request: Request, rule: Rule, repo: Repository, revision: str, path: str) -> Answer:
        commit, file = self._find(request, repo, revision, path)
        if not file.lfs:
            return content(request, rule, file, repo.oid(file), **{"X-Repo-Commit": commit})
        return Answer(200, {"Content-Type": "text/plain; charset=utf-8", "X-Repo-Commit": commit},
                      [repo.pointer(file)])

    def _resolve(self, request: Request, rule: Rule, repo: Repository, revision: str, path: str,
                 direct: bool = False) -> Answer:
        """A redirect to the storage host, a hop on this host, or the content itself."""
        commit, file = self._find(request, repo, revision, path)
        answer = Answer(302, {"X-Repo-Commit": commit, "Accept-Ranges": "bytes"}, [b"Redirecting\n"])
        if file.lfs:
            place = f"{STORAGE}{urllib.parse.quote(repo.id, safe='')}/{commit}/{quote_path(file.path)}"
            answer.put("Location", self._signer.url(place, rule.get("expires_in", 3600)))
            answer.put("X-Linked-Etag", f"\"{repo.sha256(file)}\"")
            answer.put("X-Linked-Size", str(file.size))
            if repo.xet:
                xet = repo.xet_hash(file)
                answer.put("X-Xet-Hash", xet)
                token, parts = f"{API}{repo.id}/xet-read-token/{commit}", f"/v1/reconstructions/{xet}"
                answer.put("Link", f"<{self._origin}{token}>; rel=\"xet-auth\", "
                                   f"<{self._storage_origin}{parts}>; rel=\"xet-reconstruction-info\"")
            return answer
        etag = repo.oid(file)
        if direct or repo.private or repo.gated or "/" not in repo.id or file.size == 0:
            return content(request, rule, file, etag, **{"X-Repo-Commit": commit})
        query = f"{urllib.parse.quote(request.path, safe='')}=&etag=%22{etag}%22"
        answer.status = 307
        answer.put("Location", f"{RESOLVE_CACHE}{repo.id}/{commit}/{quote_path(file.path)}?{query}")
        return answer
