"""A small image registry that answers wrongly in one chosen way. Usage: registry.py PORT MODE"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import sys
import tarfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LIMIT = "You have reached your pull rate limit. You may increase the limit by authenticating and upgrading: https://www.docker.com/increase-rate-limit"
REFUSED = {"code": "DENIED", "message": "requested access to the resource is denied", "detail": [{"Type": "repository", "Name": "acme/base", "Action": "pull"}]}
ANSWERS = {
    "rate": (429, {"code": "TOOMANYREQUESTS", "message": LIMIT}),
    "missing": (404, {"code": "MANIFEST_UNKNOWN", "message": "manifest unknown", "detail": {"Tag": "9"}}),
    "noname": (404, {"code": "NAME_UNKNOWN", "message": "repository name not known to registry"}),
    "denied": (403, REFUSED),
    "error": (503, {"code": "UNAVAILABLE", "message": "service unavailable"}),
    "broken": (500, {"code": "UNKNOWN", "message": "unknown error"}),
}


def _digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def _image() -> tuple[bytes, bytes, bytes]:
    """Return the layer, the configuration and the manifest of a tiny image."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for number in range(40):
            body = hashlib.sha512(str(number).encode()).digest() * 500
            info = tarfile.TarInfo(f"opt/base/part-{number}.bin")
            info.size = len(body)
            archive.addfile(info, io.BytesIO(body))
    layer = gzip.compress(buffer.getvalue())
    config = json.dumps({"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": [_digest(buffer.getvalue())]}, "history": [{"created_by": "base"}]}).encode()
    kind = "application/vnd.docker."
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{kind}distribution.manifest.v2+json",
        "config": {"mediaType": f"{kind}container.image.v1+json", "size": len(config), "digest": _digest(config)},
        "layers": [{"mediaType": f"{kind}image.rootfs.diff.tar.gzip", "size": len(layer), "digest": _digest(layer)}],
    }
    return layer, config, json.dumps(manifest).encode()


LAYER, CONFIG, MANIFEST = _image()
FAT = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.list.v2+json",
        "manifests": [{"mediaType": "application/vnd.docker.distribution.manifest.v2+json", "size": len(MANIFEST), "digest": _digest(MANIFEST), "platform": {"architecture": "arm64", "os": "linux", "variant": "v8"}}],
    }
).encode()


class Handler(BaseHTTPRequestHandler):
    """Answer as the mode says."""

    protocol_version = "HTTP/1.1"
    mode = ""
    port = 0

    def _send(self, status: int, body: bytes, kind: str = "application/json", headers: dict[str, str] | None = None, cut: int = 0) -> None:
        self.send_response(status)
        own = {"Content-Type": kind, "Content-Length": str(len(body)), "Docker-Distribution-Api-Version": "registry/2.0", **(headers or {})}
        for name, value in own.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[: len(body) - cut])
        if cut:
            self.close_connection = True

    def _errors(self, status: int, error: dict[str, object], headers: dict[str, str] | None = None) -> None:
        self._send(status, json.dumps({"errors": [error]}).encode(), headers=headers)

    def do_GET(self) -> None:
        """Answer a request."""
        path = self.path.split("?")[0]
        unauthorized: dict[str, object] = {"code": "UNAUTHORIZED", "message": "authentication required", "detail": None}
        if path == "/token":
            return self._send(401, b'{"details":"incorrect username or password"}')
        if self.mode == "basic":
            return self._errors(401, unauthorized, {"WWW-Authenticate": 'Basic realm="Acme registry"'})
        if self.mode == "bearer":
            return self._errors(401, unauthorized, {"WWW-Authenticate": f'Bearer realm="http://localhost:{self.port}/token",service="registry",scope="repository:acme/base:pull"'})
        if path == "/v2/":
            return self._send(200, b"{}")
        if self.mode in ANSWERS:
            return self._errors(*ANSWERS[self.mode])  # type: ignore[arg-type]
        if "/manifests/" in path:
            if self.mode == "arm" and not path.endswith(_digest(MANIFEST)):
                return self._send(200, FAT, "application/vnd.docker.distribution.manifest.list.v2+json", {"Docker-Content-Digest": _digest(FAT)})
            return self._send(200, MANIFEST, "application/vnd.docker.distribution.manifest.v2+json", {"Docker-Content-Digest": _digest(MANIFEST)})
        if path.endswith(_digest(CONFIG)):
            return self._send(200, CONFIG, "application/octet-stream")
        if self.mode == "noblob":
            return self._errors(404, {"code": "BLOB_UNKNOWN", "message": "blob unknown to registry"})
        if self.mode == "corrupt":
            return self._send(200, LAYER[:2000] + bytes(200) + LAYER[2200:], "application/octet-stream")
        return self._send(200, LAYER, "application/octet-stream", cut=len(LAYER) // 2 if self.mode == "cut" else 0)

    do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


if __name__ == "__main__":
    Handler.port, Handler.mode = int(sys.argv[1]), sys.argv[2]
    ThreadingHTTPServer(("127.0.0.1", Handler.port), Handler).serve_forever()
