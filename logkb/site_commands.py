"""What `logkb site` does, apart from parsing: build, and say where the first page is."""

from __future__ import annotations

import gc
from importlib.util import find_spec
from pathlib import Path

from logkb.errors import UsageError

NEEDED = ("sphinx", "myst_parser", "furo")


def run_site(out: Path, overlays: tuple[Path, ...], work: Path | None, jobs: int) -> int:
    """Build the site, print its first page. Raises `UsageError` without the extra `site`, `KnowledgeError` for what is broken."""
    missing = next((name for name in NEEDED if find_spec(name) is None), None)
    if missing:
        raise UsageError(f"the site needs {missing}; install it with: pip install 'logkb[site]'")
    from logkb.site import build_site

    gc.enable()
    built = build_site(out, overlays, work=work, jobs=jobs)
    print(f"{built.index}: {built.pages} pages")
    return 0
