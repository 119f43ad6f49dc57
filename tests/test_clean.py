"""Control codes and prefixes go; the words of the tool and the number of lines stay."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logkb.clean import clean_line, normalise


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        (b"plain\n", b"plain\n"),
        (b"\x1b[31mERROR\x1b[0m: x\n", b"ERROR: x\n"),
        (b"\x1b[91mE\x1b[0m\x1b[91m: Unable to locate package x\n\x1b[0m", b"E: Unable to locate package x\n"),
        (b"\x1b]8;;https://example.org\x07link\x1b]8;;\x07\n", b"link\n"),
        (b"\x1b_bk;t=1700000000\x07make: *** Error\n", b"make: *** Error\n"),
        (b"[31mERROR[0m: pasted without ESC\n", b"ERROR: pasted without ESC\n"),
        (b"^[[31mERROR^[[0m: through cat -v\n", b"ERROR: through cat -v\n"),
        (b"10%\r50%\r100%\n", b"100%\n"),
        (b"windows line\r\nnext\r\n", b"windows line\nnext\n"),
        (b"nul\x00 bytes\x00\n", b"nul bytes\n"),
        ("cannot find ‘-lfoo’ “x”\n".encode(), b"cannot find '-lfoo' \"x\"\n"),
        (b"travis_fold:start:install\r\x1b[0K$ npm ci\n", b"travis_fold:start:install $ npm ci\n"),
        (b"section_start:1700000000:step_script\r\x1b[0KExecuting\n", b"section_start:1700000000:step_script Executing\n"),
        (b"array[0] and list[1mm] stay\n", b"array[0] and list[1mm] stay\n"),
    ],
)
def test_control_codes_are_removed(raw: bytes, clean: bytes) -> None:
    assert normalise(raw) == clean


@given(st.binary(max_size=300).map(lambda data: data.replace(b"\n", b"\r\n") + b"\n"))
def test_normalising_keeps_the_number_of_lines(raw: bytes) -> None:
    assert normalise(raw).count(b"\n") == raw.count(b"\n")


@pytest.mark.parametrize(
    "prefix",
    [
        "2024-05-01T10:00:00.1234567Z ",
        "\ufeff2024-05-01T10:00:00.1234567Z ",
        "[2024-05-01T10:00:00.123Z] ",
        "2024-05-01 10:00:00 ",
        "2024-05-01T10:00:00.123456Z 01O ",
        "2024-05-01T10:00:00.123456Z 00E+",
        "10:00:00 ",
        "[10:00:00] ",
        "[10:00:00]W:\t [Step 2/4] ",
        "[10:00:00] :\t [Step 12/13] ",
        "[10:00:00]i:\t\t ",
        "10:00:00.123  ",
        "#12 3.456 ",
        "#12 ",
        "3.456 ",
        "2024-05-01T10:00:00.1234567Z #12 3.456 ",
        "web-1  | ",
        "app_1    | 10:00:00 ",
        "build\tRun tests\t2024-05-01T10:00:00.1234567Z ",
        "build\tUNKNOWN STEP\t\ufeff2024-05-01T10:00:00.1234567Z ",
        "section_start:1700000000:build ",
        "travis_fold:start:install travis_time:start:0a1b2c3d ",
        "##[error]",
        "::error file=a.c,line=1::",
        "[0] ",
    ],
)
def test_a_ci_prefix_is_stripped(prefix: str) -> None:
    assert clean_line(f"{prefix}E: Unable to locate package x").text == "E: Unable to locate package x"


@pytest.mark.parametrize(
    "line",
    [
        "[ERROR] Failed to execute goal",
        "npm ERR! code E404",
        "   12 | int x;",
        "#include <zlib.h>",
        "ERROR: 3 errors",
        "src/a.c:3:4: error: x",
        "error: a | b",
    ],
)
def test_the_tool_s_own_prefix_stays(line: str) -> None:
    assert clean_line(line).text == line


def test_prefixes_tell_the_step_the_vertex_and_the_level() -> None:
    assert clean_line("build\tRun tests\t2024-05-01T10:00:00.1Z x").step == "build / Run tests"
    assert clean_line("#7 1.234 x").vertex == 7
    assert clean_line("##[warning]x").level == "warning"
    assert clean_line("::error::x").level == "error"
