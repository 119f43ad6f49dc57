"""Private cache files: readable by the user alone, renamed into place, refused when damaged."""

from __future__ import annotations

import os
from pathlib import Path
from zlib import crc32

MAGIC = b"LOGKB2\n"
# Files of one kind that stay: several overlays may be in use at once.
KEPT = 6
DIGEST = 4


def read_private(path: Path, key: bytes) -> bytes | None:
    """What `write_private` stored under this key, or None: missing, damaged, of another key, or writable by others."""
    try:
        with path.open("rb") as stream:
            facts = os.fstat(stream.fileno())
            if hasattr(os, "getuid") and (facts.st_uid != os.getuid() or facts.st_mode & 0o022):
                return None
            raw = stream.read()
    except OSError:
        return None
    payload = raw[len(MAGIC) + DIGEST :]
    if not raw.startswith(MAGIC) or raw[len(MAGIC) : len(MAGIC) + DIGEST] != _digest(key, payload):
        return None
    return payload


def write_private(path: Path, key: bytes, payload: bytes) -> bool:
    """Write atomically with mode 0600 in a folder of 0700. False when it cannot be written: that costs time, not answers."""
    import tempfile

    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError:
        return False
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(MAGIC + _digest(key, payload) + payload)
        Path(temporary).replace(path)
        prune(path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        return False
    return True


def prune(path: Path) -> None:
    """Keep the newest few files of this kind: each change of the rules leaves one behind."""
    kind = path.name.split("-", 1)[0]
    kept = sorted(path.parent.glob(f"{kind}-*{path.suffix}"), key=lambda found: found.stat().st_mtime, reverse=True)
    for old in kept[KEPT:]:
        old.unlink(missing_ok=True)


def short_name(key: bytes) -> str:
    """16 hexadecimal digits for a file's name; two keys of one name are told apart by the file's own check."""
    return f"{crc32(key):08x}{crc32(key[::-1]):08x}"


def _digest(key: bytes, payload: bytes) -> bytes:
    # Against damage, not against an attacker, whom the file's owner and mode keep out; loading OpenSSL for a better
    # sum would take longer than reading the file.
    return crc32(payload, crc32(key, len(key))).to_bytes(DIGEST, "big")
