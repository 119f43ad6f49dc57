"""The JSON reports of `logkb analyze` -> the outputs of the GitHub Action: the most probable cause of all logs."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path


def main() -> None:
    """Print `name=value` lines for $GITHUB_OUTPUT. Arguments: a file with one report a line, and the least probability."""
    path, threshold = Path(sys.argv[1]), sys.argv[2]
    if not re.fullmatch(r"0?\.\d{1,9}|[01](?:\.0{0,9})?", threshold):
        print("::error title=logkb::the input threshold must be a number from 0 to 1, such as 0.5", file=sys.stderr)
        raise SystemExit(2)
    reports = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    outcomes = {report["outcome"] for report in reports}
    print("outcome=" + next((outcome for outcome in ("failed", "unclear", "passed") if outcome in outcomes), ""))
    findings = [finding for report in reports for finding in report["findings"]]
    best = max(findings, key=lambda finding: finding["confidence"], default=None)
    # A user's own rules name causes, too; nothing but an id may reach the file.
    if best and best["confidence"] >= float(threshold) and re.fullmatch(r"[a-z0-9][a-z0-9-]{0,99}", best["cause"]):
        print(f"cause={best['cause']}\nconfidence={best['confidence']}")


if __name__ == "__main__":
    main()
