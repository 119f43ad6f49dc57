"""The shipped rules and articles hold together: `logkb check` finds nothing to mend, and the key scenarios come out right."""

from __future__ import annotations

from pathlib import Path

import pytest

from logkb import Report
from logkb.analysis import Analyzer
from logkb.check import check
from logkb.knowledge import Knowledge
from tests.conftest import rule_text


@pytest.fixture(scope="module")
def analyzer(shipped: Knowledge) -> Analyzer:
    return Analyzer(shipped)


def test_the_catalogue_passes_every_check() -> None:
    result = check()
    assert [str(problem) for problem in result.errors] == []
    assert result.rules >= 170


def test_a_folder_of_one_s_own_gets_the_notes_that_concern_it_and_no_others(tmp_path: Path) -> None:
    sample = {"line": "acme-disk: write: No space left on device"}
    (tmp_path / "patterns").mkdir()
    rule = {"id": "acme-disk", "cause": "out-of-memory", "keyword": "acme-disk", "pattern": "^acme-disk: ", "message": "acme"}
    (tmp_path / "patterns" / "acme.toml").write_text(rule_text(**rule, fingerprint=[], should_match=[sample]))
    result = check([tmp_path])
    assert result.notes
    assert all("acme-disk" in str(problem) for problem in result.notes)


def causes(report: Report, role: str) -> list[str]:
    return [finding.cause for finding in report.findings if finding.role == role]


SIGNATURE = """\
Get:1 http://deb.example.org/debian bookworm InRelease [151 kB]
Err:1 http://deb.example.org/debian bookworm InRelease
  At least one invalid signature was encountered.
Reading package lists...
W: GPG error: http://deb.example.org/debian bookworm InRelease: At least one invalid signature was encountered.
E: The repository 'http://deb.example.org/debian bookworm InRelease' is not signed.
The command '/bin/sh -c apt-get update' returned a non-zero code: 100
"""
FULL = "cp: error writing '/var/cache/app/data.bin': No space left on device\n"


def test_a_signature_beside_a_full_disk_is_a_consequence(analyzer: Analyzer) -> None:
    report = analyzer.analyze((FULL + SIGNATURE).encode())
    assert report.findings[0].cause == "disk-full"
    assert report.findings[0].role == "cause"
    assert "apt-signature-invalid" in causes(report, "consequence")


def test_a_signature_alone_names_what_may_be_behind_it(analyzer: Analyzer) -> None:
    report = analyzer.analyze(SIGNATURE.encode())
    assert report.findings[0].cause == "apt-signature-invalid"
    possible = {finding.cause: finding.check for finding in report.findings if finding.role == "possible"}
    assert {"disk-full", "libseccomp-outdated", "clock-skew"} <= set(possible)
    assert all(possible.values())


APK = """\
Step 4/9 : RUN apk add --no-cache build-base
 ---> Running in 0123456789ab
(12/19) Installing gcc (13.2.1_git20240309-r0)
ERROR: Failed to create usr/libexec/gcc/x86_64-alpine-linux-musl/13.2.1/cc1plus: I/O error
ERROR: gcc-13.2.1_git20240309-r0: IO ERROR
The command '/bin/sh -c apk add --no-cache build-base' returned a non-zero code: 1
"""
DPKG = """\
Unpacking gcc-12 (12.2.0-14+deb12u1) ...
dpkg: error processing archive /var/cache/apt/archives/gcc-12_12.2.0-14+deb12u1_amd64.deb (--unpack):
 cannot copy extracted data for './usr/lib/gcc/x86_64-linux-gnu/12/cc1' to '/usr/lib/gcc/x86_64-linux-gnu/12/cc1.dpkg-new': failed to write ({reason})
E: Sub-process /usr/bin/dpkg returned an error code (1)
The command '/bin/sh -c apt-get install -y gcc' returned a non-zero code: 100
"""


@pytest.mark.parametrize(
    ("log", "cause"),
    [
        (APK, "io-error"),
        (APK.replace("(12/19)", "tar: write error: No space left on device\n(12/19)"), "disk-full"),
        (DPKG.format(reason="No space left on device"), "disk-full"),
        (DPKG.format(reason="Input/output error"), "io-error"),
    ],
)
def test_an_io_error_is_told_from_a_full_disk(analyzer: Analyzer, log: str, cause: str) -> None:
    assert analyzer.analyze(log.encode()).findings[0].cause == cause


WHEEL = """\
  Building wheel for psycopg2 (setup.py): started
  error: subprocess-exited-with-error
  × python setup.py bdist_wheel did not run successfully.
  │ exit code: 1
  ╰─> [12 lines of output]
      running build_ext
      gcc -Wall -fPIC -c psycopg/psycopgmodule.c -o build/temp.linux-x86_64/psycopgmodule.o
      In file included from psycopg/psycopgmodule.c:28:
      ./psycopg/psycopg.h:36:10: fatal error: libpq-fe.h: No such file or directory
         36 | #include <libpq-fe.h>
            |          ^~~~~~~~~~~~
      compilation terminated.
      error: command '/usr/bin/gcc' failed with exit code 1
      [end of output]
  ERROR: Failed building wheel for psycopg2
ERROR: Could not build wheels for psycopg2, which is required to install pyproject.toml-based projects
"""


def test_a_missing_header_stops_the_wheel(analyzer: Analyzer) -> None:
    report = analyzer.analyze(WHEEL.encode())
    assert report.findings[0].cause == "missing-header"
    assert "libpq-fe.h" in report.findings[0].message
    assert "python-build-failed" in causes(report, "consequence")


STAGE = """\
Step 5/7 : FROM alpine:3.20
 ---> 0123456789ab
Step 6/7 : COPY --from=builder /app/bin /usr/local/bin/
{line}
"""


@pytest.mark.parametrize(
    "line",
    [
        "invalid from flag value builder: pull access denied for builder, repository does not exist or may require"
        " 'docker login': denied: requested access to the resource is denied",
        "pull access denied for builder, repository does not exist or may require 'docker login'",
    ],
)
def test_an_unknown_stage_is_no_registry_refusal(analyzer: Analyzer, line: str) -> None:
    assert analyzer.analyze(STAGE.format(line=line).encode()).findings[0].cause == "build-stage-missing"


def test_a_refused_private_image_is_no_unknown_stage(analyzer: Analyzer) -> None:
    log = (
        "Step 1/4 : FROM registry.example.org/team/private-app:1.2\npull access denied for registry.example.org/team/private-app, "
        "repository does not exist or may require 'docker login': denied: requested access to the resource is denied\n"
    )
    assert analyzer.analyze(log.encode()).findings[0].cause in {"registry-auth", "image-not-found"}


@pytest.mark.parametrize(
    ("path", "word"),
    [("/docker-entrypoint.sh", "#!|shebang"), ("/usr/local/bin/server", "processor|platform|architecture")],
)
def test_a_script_without_a_shebang_is_told_from_a_foreign_binary(analyzer: Analyzer, path: str, word: str) -> None:
    import re

    report = analyzer.analyze(f"exec {path}: exec format error\n".encode())
    assert report.findings[0].cause == "exec-format-error"
    told = f"{report.findings[0].message} {report.findings[0].fixes[0]}"
    assert re.search(word, told)


@pytest.mark.parametrize(
    "line",
    [
        "make: *** [Makefile:3: all] Error 2",
        "##[error]Process completed with exit code 1.",
        "The command '/bin/sh -c make' returned a non-zero code: 2",
        "npm ERR! code ELIFECYCLE",
        "[INFO] BUILD FAILURE",
        "ERROR: Job failed: exit code 1",
        "task finished with exit code 3",
    ],
)
def test_a_wrapper_is_never_a_cause(analyzer: Analyzer, line: str) -> None:
    report = analyzer.analyze(f"{line}\n".encode())
    assert report.outcome == "failed"
    assert report.findings == ()
    assert report.unknown == 1.0
