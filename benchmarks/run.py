"""Measure the scan, its memory and the cold start beside ripgrep, wc and `import numpy`, in one run."""

from __future__ import annotations

import argparse
import compileall
import os
import platform
import random
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from logkb.knowledge import load_knowledge  # noqa: E402

MB = 1024**2
# ripgrep is ended after so many CPU seconds; its ratio is then an upper bound, and the page says so.
RG_LIMIT = 1500
COLD_LOGS = 12


def main() -> None:
    """Parse the options, measure, print and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="leave out the 1 GB log")
    parser.add_argument("--only-cold", action="store_true", help="measure the cold start alone and print it; needs no ripgrep")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "benchmarks.md")
    options = parser.parse_args()
    if options.only_cold:
        logkb = [sys.executable, "-m", "logkb", "analyze"]
        subprocess.run([*logkb, logs_of_that_size()[0]], stdout=subprocess.DEVNULL, check=True)
        for row in cold_start(logkb, logs_of_that_size(), options.rounds):
            print("| " + " | ".join(row) + " |")
        return
    rg = shutil.which("rg")
    if rg is None:
        sys.exit("ripgrep is needed: install it (apt-get install ripgrep) and run again")
    with tempfile.TemporaryDirectory() as folder:
        rows = measure(Path(folder), rg, options.rounds, quick=options.quick)
    # benchmarks/search.py and webhooks.py write their own sections below this page's table.
    kept = options.out.read_text(encoding="utf-8").partition("\n## ") if options.out.exists() else ("", "", "")
    options.out.write_text(page(rows, options.quick) + "".join(kept[1:]), encoding="utf-8")
    print(options.out.read_text(encoding="utf-8"))


def measure(folder: Path, rg: str, rounds: int, *, quick: bool) -> list[tuple[str, str, str, str]]:
    """Rows of (what, measured, must, command)."""
    patterns = folder / "patterns.txt"
    patterns.write_text("\n".join(rust_patterns(rg)) + "\n")
    small = folder / "small.log"
    small.write_bytes(make_log(23 * 1024, failures=1))
    rows: list[tuple[str, str, str, str]] = []
    logkb = [sys.executable, "-m", "logkb", "analyze", "--format", "json"]
    subprocess.run([*logkb, small], stdout=subprocess.DEVNULL, check=True)
    tuned = [rg, "-c", "--dfa-size-limit", "2G", "--regex-size-limit", "2G", "-f", str(patterns)]
    for name, size, must in (("100 MB", 100 * MB, ""), ("1 GB", 1024 * MB, "≤ 0.6")):
        if quick and size > 100 * MB:
            continue
        log = folder / "big.log"
        with log.open("wb") as stream:
            write_log(stream, size)
        ours, theirs, lines = [], [], []
        peak = 0
        for _ in range(rounds if size < 500 * MB else 1):
            seconds, memory = cpu([*logkb, str(log)])
            ours.append(seconds)
            peak = max(peak, memory)
            theirs.append(cpu([*tuned, str(log)], RG_LIMIT)[0])
            lines.append(cpu(["wc", "-l", str(log)])[0])
        rows.append(
            (
                f"scan of {name} / tuned `rg -c`",
                ratio(ours, theirs),
                must,
                f"{statistics.median(ours):.2f} s / {statistics.median(theirs):.2f} s",
            )
        )
        rows.append(
            (
                f"scan of {name} / `wc -l`",
                ratio(ours, lines),
                "",
                f"{statistics.median(ours):.2f} s / {statistics.median(lines):.3f} s",
            )
        )
        rows.append((f"peak memory, {name}", f"{peak / 1024:.0f} MB", "≤ 100 MB", "maximum resident set"))
    return rows + cold_start([*logkb[:-2]], [small, *logs_of_that_size()], rounds)


def logs_of_that_size() -> list[Path]:
    """Recorded logs of some 23 KB, spread over the causes."""
    found = sorted(path for path in (ROOT / "corpus").glob("*/*.log") if 20 * 1024 <= path.stat().st_size <= 26 * 1024)
    return found[:: max(1, len(found) // COLD_LOGS)][:COLD_LOGS]


def cold_start(logkb: Sequence[str], logs: Sequence[Path], rounds: int) -> list[tuple[str, str, str, str]]:
    """The median log's ratio and the worst log's, each the median of interleaved rounds."""
    # NumPy's bytecode was written when it was installed; this checkout's may be missing.
    compileall.compile_dir(ROOT / "logkb", quiet=1)
    ratios, ours, theirs = [], [], []
    for log in logs:
        cold, numpy = [], []
        for _ in range(rounds):
            cold.append(cpu([*logkb, str(log)])[0])
            numpy.append(cpu([sys.executable, "-c", "import numpy"])[0])
        ratios.append(float(ratio(cold, numpy)))
        ours += cold
        theirs += numpy
    detail = f"{statistics.median(ours) * 1000:.0f} ms / {statistics.median(theirs) * 1000:.0f} ms"
    name = "cold `analyze` of 23 KB / `python -c 'import numpy'`"
    return [
        (f"{name}, median of {len(logs)} logs", f"{statistics.median(ratios):.3g}", "≤ 0.75", detail),
        (f"{name}, the worst of them", f"{max(ratios):.3g}", "≤ 0.75", "recorded logs, and one that is made"),
    ]


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> str:
    """The median of the rounds' ratios."""
    return f"{statistics.median(one / other for one, other in zip(ours, theirs, strict=True)):.3g}"


def cpu(command: Sequence[str], limit: int | None = None) -> tuple[float, int]:
    """(CPU seconds, peak memory in KB) of one process, ended after `limit` CPU seconds; the output is thrown away."""

    def bound() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))

    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, preexec_fn=bound)  # noqa: PLW1509  one thread only
    _, _, usage = os.wait4(process.pid, 0)
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss


def rust_patterns(rg: str) -> list[str]:
    """The rules' patterns as ripgrep takes them; what it cannot compile becomes its keyword."""
    kept = []
    for rule in load_knowledge().rules:
        pattern = re.sub(r"\(\?<?[=!](?:[^()\\]|\\.|\((?:[^()\\]|\\.)*\))*\)", "", rule.pattern)
        pattern = f"(?-u:{re.sub(r'[(][?]P<[^>]+>', '(?:', pattern)})"
        done = subprocess.run([rg, "-c", "-e", pattern, "/dev/null"], capture_output=True, check=False)
        kept.append(pattern if done.returncode < 2 else f"(?u:{literal(rule.keywords[0])})")
    return kept


def literal(text: str) -> str:
    """The text as a regular expression that ripgrep reads; it refuses some of `re.escape`'s escapes."""
    return re.sub(r"([.^$*+?{}\[\]\\|()])", r"\\\1", text)


def blocks() -> tuple[list[list[bytes]], list[bytes]]:
    """Blocks of 200 ordinary lines (builds that passed, where there are any), and whole failed logs."""
    passed = sorted((ROOT / "corpus" / "passing").glob("*.log"))
    failed = sorted(path for path in (ROOT / "corpus").glob("*/*.log") if path.parent.name != "passing")
    ordinary: list[list[bytes]] = []
    for path in passed or failed:
        lines = path.read_bytes().splitlines(keepends=True)
        ordinary += [lines[start : start + 200] for start in range(0, len(lines), 200)]
    return ordinary, [path.read_bytes() for path in failed if path.stat().st_size < 64 * 1024]


def write_log(stream: object, size: int) -> None:
    """Shuffled blocks with varied digits, and a failure in every 8 MB."""
    pick = random.Random(20261121)
    ordinary, failed = blocks()
    written = since = 0
    while written < size:
        block = b"".join(pick.choice(ordinary))
        table = bytes.maketrans(b"123456789", bytes(pick.sample(b"123456789", 9)))
        data = block.translate(table)
        if since > 8 * MB and failed:
            data, since = pick.choice(failed) + b"\n", 0
        stream.write(data)  # type: ignore[attr-defined]
        written += len(data)
        since += len(data)


def make_log(size: int, failures: int) -> bytes:
    """A small failed log of about this size."""
    ordinary, failed = blocks()
    pick = random.Random(7)
    tail = b"\n".join(pick.choice(failed)[:8000] for _ in range(failures))
    head = b""
    while len(head) + len(tail) < size:
        head += b"".join(pick.choice(ordinary))
    return head[: size - len(tail)] + b"\n" + tail


def page(rows: list[tuple[str, str, str, str]], quick: bool) -> str:
    """The page for docs/."""
    model = next(
        (line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")),
        platform.machine(),
    )
    version = subprocess.run(["rg", "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
    table = "\n".join(f"| {what} | {value} | {must} | {detail} |" for what, value, must, detail in rows)
    return (
        "# Benchmarks\n\n"
        "Written by `python benchmarks/run.py"
        + (" --quick" if quick else "")
        + "`. CPU time (user + system), medians of interleaved rounds; the ratios of one\n"
        "run are what counts, the times beside them are not stable. `benchmarks/README.md` says how the log is made and how ripgrep is tuned.\n\n"
        f"| what | measured | must | detail |\n|---|---|---|---|\n{table}\n\n"
        f"Machine: {model}, {os.cpu_count()} cores, Python {platform.python_version()}, {version}, {len(load_knowledge().rules)} rules.\n"
    )


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
