"""Measure `logkb search`: cold beside `import sqlite3`, and warm on a knowledge base of ten thousand articles."""

from __future__ import annotations

import argparse
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from sqlite_utils import Database  # noqa: E402

from logkb import kb, kb_build  # noqa: E402
from logkb.lookup import answer  # noqa: E402
from logkb.search_evaluation import read_queries  # noqa: E402

HEADING = "\n## Search\n"
MUST_COLD, MUST_WARM = 2.0, 5.0
COLD = (
    ("a question", ["why is my docker build out of space"]),
    ("an error line that a rule names", ["E: Unable to locate package libfoo-dev"]),
    ("an error line with a CI's timestamp", ["2026-01-05T10:11:12.1234567Z ERROR: No matching distribution found for foo"]),
    ("a question, as JSON", ["--format", "json", "why is my docker build out of space"]),
)
TEXT = ("title", "tags", "lead", "symptoms", "reasons", "fix", "other", "parts")


def main() -> None:
    """Parse the options, measure, write the section of the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--articles", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "benchmarks.md")
    options = parser.parse_args()
    rows = [*cold(options.rounds), *warm(options.articles)]
    write(options.out, rows, options.articles)
    print("\n".join(f"{what}: {value} (must: {must or '-'}; {detail})" for what, value, must, detail in rows))


def cold(rounds: int) -> Iterator[tuple[str, str, str, str]]:
    """The CPU time of a whole process that searches, over that of one that imports sqlite3, in interleaved pairs."""
    with tempfile.TemporaryDirectory() as folder:
        # Installed packages have their bytecode beside them; a developer's shell may forbid writing it.
        environment = {**os.environ, "LOGKB_CACHE_DIR": folder, "PYTHONPYCACHEPREFIX": f"{folder}/bytecode"}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        for what, arguments in COLD:
            command = [sys.executable, "-m", "logkb", "search", *arguments]
            subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
            ours, theirs = [], []
            for _ in range(rounds):
                ours.append(cpu(command, environment))
                theirs.append(cpu([sys.executable, "-c", "import sqlite3"], environment))
            ratio = statistics.median(one / other for one, other in zip(ours, theirs, strict=True))
            detail = f"{statistics.median(ours) * 1000:.0f} ms / {statistics.median(theirs) * 1000:.0f} ms"
            yield f"cold search, {what} / `python -c 'import sqlite3'`", f"{ratio:.2f}", f"≤ {MUST_COLD:.0f}", detail


def cpu(command: Sequence[str], environment: dict[str, str]) -> float:
    """CPU seconds (user and system) of one process; the output is thrown away."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{command} failed")
    return usage.ru_utime + usage.ru_stime


def warm(articles: int) -> Iterator[tuple[str, str, str, str]]:
    """CPU milliseconds a query on an open database, for every query of corpus/queries.tsv, as shipped and at `articles`."""
    queries = [query.text for query in read_queries(ROOT / "corpus" / "queries.tsv")]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.sqlite"
        enlarge(path, articles)
        bases = ((f"{articles:,} articles", kb.connect(str(path)), f"≤ {MUST_WARM:.0f} ms"), ("as shipped", kb.open_kb(), ""))
        for name, base, must in bases:
            spent = []
            for query in [*queries[:50], *queries]:
                start = time.process_time()
                answer(lambda _fresh, base=base: base, query, None, (), None, 10)  # type: ignore[misc]
                spent.append((time.process_time() - start) * 1000)
            measured = sorted(spent[50:])
            median, last = statistics.median(measured), measured[int(len(measured) * 0.95)]
            count = base.execute("SELECT count(*) FROM rules").fetchone()[0]
            detail = f"95 % within {last:.1f} ms; {len(measured)} queries, {count:,} rules"
            yield f"warm search, {name}", f"{median:.2f} ms", must, detail


def enlarge(path: Path, articles: int) -> None:
    """A knowledge base with the shipped articles and rules, and copies of them with every third word another one."""
    pick = random.Random(20261121)
    base = kb.open_kb()
    written = [term for (term,) in base.execute("SELECT term FROM vocabulary")]
    # Names that only a few articles hold, as in a company's own: three new words for each article.
    invented = ["".join(pick.choices("bcdfglmnprstvaeiou", k=pick.randint(5, 11))) for _ in range(3 * articles)]
    originals, rules = rows_of(base, "articles"), rows_of(base, "rules")
    by_cause: dict[str, list[dict[str, Any]]] = {}
    for rule in rules:
        by_cause.setdefault(rule["cause"], []).append(rule)

    def varied(text: str) -> str:
        return " ".join(
            word if pick.random() > 0.33 else pick.choice(invented) if pick.random() < 0.2 else pick.choice(written)
            for word in text.split(" ")
        )

    db = Database(str(path))
    kb_build.MIGRATIONS.apply(db, stop_before="full_text")
    copies, copied_rules, keywords = list(originals), list(rules), {}
    while len(copies) < articles:
        number = len(copies) + 1
        original = originals[number % len(originals)]
        cause = f"{original['cause']}-{number}"
        copies.append({**original, "id": number, "cause": cause, **{name: varied(original[name] or "") for name in TEXT}})
        for rule in pick.sample(by_cause.get(original["cause"], []), k=min(2, len(by_cause.get(original["cause"], [])))):
            own = {name: varied(rule[name]) for name in ("message", "samples", "parts")}
            copied_rules.append({**rule, "id": len(copied_rules) + 1, "rule": f"{rule['rule']}-{number}", "cause": cause, **own})
            keywords[len(copied_rules)] = [f"{pick.choice(invented)} {pick.choice(invented)}"]
    db.table("articles").insert_all(copies)
    db.table("rules").insert_all(copied_rules)
    db.table("synonyms").insert_all(rows_of(base, "synonyms"))
    shipped = kb_build.collect(kb.roots_of(())).rules
    keywords |= {row["id"]: shipped[row["rule"]].keywords for row in rules}
    kb_build.write_meta(db, "", keywords)
    kb_build.migrate(db)
    db.execute("ANALYZE")
    db.conn.commit()
    db.close()


def rows_of(base: Any, table: str) -> list[dict[str, Any]]:
    """All rows of a table."""
    found = base.execute(f"SELECT * FROM {table}")
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found]


def write(path: Path, rows: Sequence[tuple[str, str, str, str]], articles: int) -> None:
    """Put the section at the end of the page, in place of the one that is there."""
    head = path.read_text(encoding="utf-8").partition(HEADING)[0].rstrip() + "\n" if path.exists() else "# Benchmarks\n"
    table = "\n".join(f"| {what} | {value} | {must} | {detail} |" for what, value, must, detail in rows)
    path.write_text(
        f"{head}{HEADING}\nWritten by `python benchmarks/search.py`. CPU time (user + system). Cold: the median ratio of interleaved pairs of whole\n"
        f"processes, with the database built and bytecode written. Warm: an open database; {articles:,} articles are the shipped ones and copies of\n"
        "them with every third word another one.\n\n"
        f"| what | measured | must | detail |\n|---|---|---|---|\n{table}\n",
        encoding="utf-8",
    )


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
