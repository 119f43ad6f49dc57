"""How many of the samples masking finds, what it masks in passed logs, and how fast; beside detect-secrets where that is installed.

    python benchmarks/redaction.py [FOLDER WITH LOGS]

The folder is `corpus/passing/` if none is given. The peer comes with `pip install detect-secrets`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from logkb.redact import PLACEHOLDER, redact  # noqa: E402
from tests.test_redact import ALL_PLACES, ALL_TOKENS  # noqa: E402


def row(name: str, logs: list[str], masks: Callable[[str], int], found: Callable[[str, str], tuple[bool, bool]]) -> None:
    """Print one line of the table. `found` says of a line and its secret whether it was found at all, and whole."""
    samples = [(f"using {token} now", token) for _, token in ALL_TOKENS]
    samples += [(before + secret + after, secret) for _, before, secret, after in ALL_PLACES]
    hits = [found(line, secret) for line, secret in samples]
    started = time.process_time()
    count = sum(masks(text) for text in logs)
    seconds = time.process_time() - started
    speed = sum(map(len, logs)) / seconds / 1e6
    some, whole = (sum(hit[index] for hit in hits) for index in (0, 1))
    print(
        f"{name:32} {count:6} masks  {some:3} of {len(samples)} found, {whole:3} whole  {speed:5.2f} million characters a CPU second"
    )


def peer(logs: list[str]) -> None:
    """detect-secrets, line by line, with all of its plug-ins and without those that go by entropy alone."""
    from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
    from detect_secrets.core.scan import scan_line
    from detect_secrets.settings import transient_settings

    plugins = sorted(plugin.__name__ for plugin in get_mapping_from_secret_type_to_class().values())

    def masks(text: str) -> int:
        return sum(1 for line in text.split("\n") for _ in scan_line(line))

    def found(line: str, secret: str) -> tuple[bool, bool]:
        values = [hit.secret_value or "" for hit in scan_line(line)]
        return any(value and (value in secret or secret in value) for value in values), secret in values

    for name, chosen in (("all", plugins), ("no entropy", [name for name in plugins if "HighEntropy" not in name])):
        with transient_settings({"plugins_used": [{"name": plugin} for plugin in chosen]}):
            row(f"detect-secrets, {name}", logs, masks, found)


def main() -> None:
    """Print the table."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "corpus" / "passing"
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix not in (".toml", ".md"))
    logs = [path.read_bytes().decode("utf-8", "replace") for path in paths]
    print(f"{len(logs)} logs, {sum(map(len, logs)) / 1e6:.1f} million characters")

    def found(line: str, secret: str) -> tuple[bool, bool]:
        shown = redact(line)
        return secret not in shown, secret not in shown and bool(PLACEHOLDER.search(shown))

    row("logkb", logs, lambda text: len(PLACEHOLDER.findall(redact(text))), found)
    try:
        peer(logs)
    except ImportError:
        print("detect-secrets is not installed")


if __name__ == "__main__":
    main()
