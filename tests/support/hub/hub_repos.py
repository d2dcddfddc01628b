"""Repositories below the root directory: their settings, commits, files and hashes.

repo.json of a repository (everything optional but `commits`):

    private      true: invisible without one of `tokens`
    gated        false, "auto" or "manual": the list is public, the content needs one of `tokens`
    disabled     true: everything is 403
    tokens       tokens with access
    commits      {"<40 hex>": "<folder beside repo.json with the files of that commit>"}
    refs         {"main": "<40 hex>", ...}; absent: main is the last commit
    tags         those names of `refs` that are tags
    lfs          patterns of large files, default ["*.safetensors"]
    lfs_threshold  any file of at least so many bytes is a large file too, default 10 MiB
    xet          false: no Xet marks
    renamed_to   "namespace/name": every request is redirected there
    extra_tree   raw tree entries, added verbatim at the end of the list
    info         merged into the model's API answer
"""

from __future__ import annotations

import fnmatch
import hashlib
import json
import os
import re
import threading
from dataclasses import dataclass

ALWAYS_VALID_TOKEN = "hf_valid"
PERSIST_FROM = 8 * 1024 * 1024
NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")


def git_blob_id(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def stamp(path: str) -> tuple[int, int, int] | None:
    """What changes when a file is rewritten or replaced; None when it does not exist."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


class Hashes:
    """SHA-256 and git blob ids of files, computed once per path, size and mtime; large ones outlive the server."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._store = os.path.join(root, "hashes.jsonl")
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str, int, int], str] = {}
        self._busy: dict[tuple[str, str, int, int], threading.Lock] = {}
        if os.path.exists(self._store):
            with open(self._store, encoding="ascii") as lines:
                for line in lines:
                    kind, path, size, mtime, value = json.loads(line)
                    self._known[kind, path, size, mtime] = value

    def get(self, kind: str, path: str) -> str:
        """`kind` is "sha256" or "blob"."""
        status = os.stat(path)
        key = kind, os.path.relpath(path, self._root), status.st_size, status.st_mtime_ns
        with self._lock:
            busy = self._busy.setdefault(key, threading.Lock())
        with busy:
            if key not in self._known:
                digest = hashlib.sha256() if kind == "sha256" else hashlib.sha1(b"blob %d\0" % status.st_size)
                with open(path, "rb") as file:
                    hashlib.file_digest(file, lambda: digest)
                self._known[key] = digest.hexdigest()
                if status.st_size >= PERSIST_FROM:
                    with self._lock, open(self._store, "a", encoding="ascii") as lines:
                        lines.write(json.dumps([*key, digest.hexdigest()]) + "\n")
            return self._known[key]


@dataclass(frozen=True)
class RepoFile:
    """One file of a commit: its path in the repository and on disk."""

    path: str
    disk: str
    size: int
    lfs: bool


class Repository:
    """One repository as its repo.json says at this moment."""

    def __init__(self, repo_id: str, folder: str, settings: dict, hashes: Hashes) -> None:
        self.id = repo_id
        self.private = bool(settings.get("private", False))
        self.gated = settings.get("gated", False)
        self.disabled = bool(settings.get("disabled", False))
        self.renamed_to: str | None = settings.get("renamed_to")
        self.tokens: list[str] = settings.get("tokens", [])
        self.commits: dict[str, str] = settings.get("commits", {})
        self.refs: dict[str, str] = settings.get("refs") or {"main": commit for commit in self.commits}
        self.tags: list[str] = settings.get("tags", [])
        self.xet = bool(settings.get("xet", True))
        self.extra_tree: list[dict] = settings.get("extra_tree", [])
        self.info: dict = settings.get("info", {})
        self._lfs: list[str] = settings.get("lfs", ["*.safetensors"])
        self._lfs_threshold: int = settings.get("lfs_threshold", 10 * 1024 * 1024)
        self._folder = folder
        self._hashes = hashes

    def commit(self, revision: str) -> str | None:
        commit = self.refs.get(revision, revision)
        return commit if commit in self.commits else None

    def file(self, commit: str, path: str) -> RepoFile | None:
        if "\0" in path or any(segment in ("", ".", "..") for segment in path.split("/")):
            return None
        disk = os.path.join(self._folder, self.commits[commit], path)
        return self._file(path, disk) if os.path.isfile(disk) else None

    def files(self, commit: str) -> list[RepoFile]:
        """All files of a commit, by path."""
        top = os.path.join(self._folder, self.commits[commit])
        found = []
        for folder, _, names in os.walk(top):
            for name in names:
                disk = os.path.join(folder, name)
                found.append(self._file(os.path.relpath(disk, top), disk))
        return sorted(found, key=lambda file: file.path)

    def _file(self, path: str, disk: str) -> RepoFile:
        size = os.stat(disk).st_size
        matches = any(fnmatch.fnmatchcase(path, pattern) for pattern in self._lfs)
        return RepoFile(path, disk, size, size > 0 and (matches or size >= self._lfs_threshold))

    def sha256(self, file: RepoFile) -> str:
        return self._hashes.get("sha256", file.disk)

    def pointer(self, file: RepoFile) -> bytes:
        """The text that git holds in place of a large file."""
        return (f"version https://git-lfs.github.com/spec/v1\noid sha256:{self.sha256(file)}\n"
                f"size {file.size}\n").encode("ascii")

    def oid(self, file: RepoFile) -> str:
        """The git object id: of the content, or of the pointer of a large file."""
        return git_blob_id(self.pointer(file)) if file.lfs else self._hashes.get("blob", file.disk)

    def etag(self, file: RepoFile) -> str:
        return self.sha256(file) if file.lfs else self.oid(file)

    def xet_hash(self, file: RepoFile) -> str:
        """Invented, but always the same for the same content."""
        return hashlib.sha256(f"xet:{self.sha256(file)}".encode("ascii")).hexdigest()


class Store:
    """Finds repositories below the root; repo.json is read again whenever it changes."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._hashes = Hashes(root)
        self._settings: dict[str, tuple[tuple[int, int, int], dict]] = {}

    def find(self, repo_id: str) -> Repository | None:
        names = repo_id.split("/")
        if len(names) > 2 or not all(NAME.fullmatch(name) for name in names):
            return None
        folder = os.path.join(self._root, *names)
        settings = self._read(folder)
        return None if settings is None else Repository(repo_id, folder, settings, self._hashes)

    def valid_tokens(self) -> set[str]:
        """Every token that some repository knows, and one that has access to nothing special."""
        tokens = {ALWAYS_VALID_TOKEN}
        for first in os.scandir(self._root):
            if first.is_dir():
                for folder in [first.path, *(second.path for second in os.scandir(first.path) if second.is_dir())]:
                    tokens.update((self._read(folder) or {}).get("tokens", []))
        return tokens

    def _read(self, folder: str) -> dict | None:
        path = os.path.join(folder, "repo.json")
        current = stamp(path)
        if current is None:
            return None
        known = self._settings.get(path)
        if known is None or known[0] != current:
            with open(path, encoding="utf-8") as file:
                known = self._settings[path] = current, json.load(file)
        return known[1]
