"""What to install for a header, a library, a module: `patterns/data/*.toml`, looked up by what a rule captured."""

from __future__ import annotations

import marshal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from logkb import paths
from logkb.cache import read_private, write_private

# cause -> (file, table in it or "", the capture that is looked up)
TABLES: Mapping[str, tuple[str, str, str]] = {
    "missing-header": ("headers", "", "header"),
    "missing-library": ("libraries", "link", "library"),
    "shared-library-missing": ("libraries", "soname", "library"),
    "pkg-config-missing": ("libraries", "pkgconfig", "module"),
    "cmake-package-missing": ("libraries", "cmake", "package"),
    "python-module-missing": ("python_modules", "", "module"),
}
COMMANDS = (
    ("debian", "Debian and Ubuntu", "apt-get install -y {}"),
    ("alpine", "Alpine", "apk add {}"),
    ("fedora", "Fedora", "dnf install -y {}"),
    ("pip", "with pip", "pip install {}"),
)


def install_hint(cause: str, captures: Mapping[str, str], cache: Path | None = None) -> str | None:
    """One step that names the package on each distribution, or None when the tables do not know it.

    Text from the log is only looked up; what is printed comes from the tables.
    """
    if cause not in TABLES:
        return None
    file, table, name = TABLES[cause]
    wanted = captures.get(name, "")
    if not wanted:
        return None
    rows = _load(file, cache)
    rows = rows.get(table, {}) if table else rows
    packages = next((rows[key] for key in _spellings(cause, wanted) if key in rows), None)
    if not isinstance(packages, dict):
        return None
    ways = [f"{where} `{command.format(packages[key])}`" for key, where, command in COMMANDS if key in packages]
    return f"Install the package: {', '.join(ways)}" if ways else None


def _spellings(cause: str, wanted: str) -> list[str]:
    if cause == "python-module-missing":
        return [wanted, wanted.split(".", maxsplit=1)[0]]
    if cause == "missing-library":
        return [wanted, wanted.removeprefix("-l"), wanted.removeprefix("lib").split(".")[0]]
    if cause == "shared-library-missing":
        return [wanted, wanted.rsplit("/", 1)[-1]]
    return [wanted]


def _load(file: str, cache: Path | None) -> dict[str, Any]:
    path = paths.data_root() / "patterns" / "data" / f"{file}.toml"
    try:
        facts = path.stat()
    except OSError:
        return {}
    key = repr((str(path), facts.st_size, facts.st_mtime_ns)).encode()
    stored = None if cache is None else read_private(cache / f"packages-{file}.bin", key)
    if stored is not None:
        loaded: dict[str, Any] = marshal.loads(stored)
        return loaded
    import tomllib

    parsed = tomllib.loads(path.read_text(encoding="utf-8"))
    if cache is not None:
        write_private(cache / f"packages-{file}.bin", key, marshal.dumps(parsed))
    return parsed
