"""What `import logkb` gives, and what it does not cost."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import logkb

HEAVY = ("sklearn", "scipy", "numpy", "sqlite_utils", "rich", "typer", "yaml", "markdown_it", "tomllib", "regex", "hyperscan")


def python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_public_is_what_all_names() -> None:
    assert dir(logkb) == sorted(logkb.__all__) == logkb.__all__
    assert set(logkb._HOME_OF) | {"__version__"} == set(logkb.__all__)
    assert all(getattr(logkb, name) is not None for name in logkb.__all__)
    assert not hasattr(logkb, "import_modules")


def test_one_public_name_imports_its_own_module_and_those_below() -> None:
    loaded = python("import sys, logkb; logkb.Report; print(*sorted(n for n in sys.modules if n.startswith('logkb.')))")
    assert loaded.split() == ["logkb.errors", "logkb.needs", "logkb.records"]


def test_every_public_name_is_documented() -> None:
    undocumented = [name for name in logkb.__all__ if name != "__version__" and not getattr(logkb, name).__doc__]
    assert undocumented == []


def test_importing_the_package_imports_nothing_heavy() -> None:
    loaded = python(f"import sys, logkb; print(*[name for name in {HEAVY!r} if name in sys.modules])")
    assert loaded == ""


def test_analysing_a_log_imports_no_command_line_and_no_numbers(tmp_path: Path) -> None:
    log = tmp_path / "build.log"
    log.write_text("tar: x: Cannot write: No space left on device\nmake: *** [all] Error 2\n")
    code = (
        "import sys; sys.argv = ['logkb', 'analyze', sys.argv[1]]\n"
        "from logkb.__main__ import _run; _run(sys.argv[1:])\n"
        "print('loaded:', *[n for n in ('sklearn', 'scipy', 'numpy', 'rich', 'typer', 'sqlite_utils') if n in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code, str(log)], capture_output=True, text=True, check=True).stdout
    assert out.rstrip().endswith("loaded:")


def test_the_error_tree_has_one_root() -> None:
    for name in ("InputError", "UsageError", "KnowledgeError"):
        assert issubclass(getattr(logkb, name), logkb.LogkbError)
