"""Passed, failed or unclear, and never a finding for a build that passed."""

from __future__ import annotations

import pytest

from logkb.analysis import Analyzer
from logkb.knowledge import Knowledge


@pytest.fixture(scope="module")
def analyzer(shipped: Knowledge) -> Analyzer:
    return Analyzer(shipped)


ALARMING = "WARNING: retrying\nerror: 0 errors\nmake: [clean] Error 1 (ignored)\nE: this is only a test named error\n"


@pytest.mark.parametrize(
    ("log", "outcome"),
    [
        ("", "unclear"),
        ("all is quiet\n", "unclear"),
        (f"{ALARMING}Done. Your build exited with 0.\n", "passed"),
        ("[INFO] BUILD FAILURE\nretry\n[INFO] BUILD SUCCESS\n", "passed"),
        ("[INFO] BUILD SUCCESS\n[INFO] BUILD FAILURE\n", "failed"),
        ("[INFO] BUILD SUCCESS\nDone. Your build exited with 1.\n", "failed"),
        ("Finished: SUCCESS\n", "passed"),
        ("Finished: FAILURE\n", "failed"),
        ("ERROR: Job failed: exit code 1\n", "failed"),
        ("Job succeeded\n", "passed"),
        ("##[error]Process completed with exit code 2.\nCleaning up orphan processes\n", "failed"),
        ("##[error]something odd\nCleaning up orphan processes\n", "failed"),
        (f"{ALARMING}Cleaning up orphan processes\n", "passed"),
        ("Successfully built 0123456789ab\nSuccessfully tagged app:1\n", "passed"),
        ("Successfully built pyyaml\nmake: *** [all] Error 1\n", "failed"),
        ("E: Sub-process failed\nThe command '/bin/sh -c x' returned a non-zero code: 100\n", "failed"),
        ("hook exited with status 1\n", "failed"),
        ("exited with code 0\n", "unclear"),
    ],
)
def test_the_outcome_is_read_from_the_verdicts(analyzer: Analyzer, log: str, outcome: str) -> None:
    report = analyzer.analyze(log.encode())
    assert report.outcome == outcome
    if outcome == "passed":
        assert report.findings == ()
        assert report.excerpt is None
        assert not report.retry.safe
