"""Builds that pass, by the runners and linters whose failures are recorded beside them."""

from __future__ import annotations

from collections.abc import Iterator

from ..model import PASSING, Recipe
from ..projects import UNITS, case, crate, golang, java, php, prefixed, python, rows, ruby, rust

USE_PY = "export PATH=/srv/lab/tools/py/bin:$PATH\n"


def _tests() -> Iterator[Recipe]:
    noisy = {**python(()), "tests/test_errors.py": "import warnings\n\nimport pytest\n\n\ndef test_error_is_raised():\n    with pytest.raises(ZeroDivisionError):\n        1 / 0\n\n\n@pytest.mark.xfail(reason='the server answers 500 Internal Server Error')\ndef test_failure_of_the_server():\n    assert False\n\n\n@pytest.mark.skip(reason='ModuleNotFoundError: No module named torch')\ndef test_fatal_error():\n    pass\n\n\ndef test_deprecated():\n    warnings.warn('error: this call will fail in 2.0', DeprecationWarning)\n"}
    yield from case("pytest", PASSING, "pytest", ("python --version", "pytest -v -rA"), r"\d+ passed, 1 skipped, 1 xfailed", ("gitlab", "github+tty", "jenkins", "azure"), files=noisy, setup=USE_PY, exit=0)
    yield from case("unittest", PASSING, "unittest", ("python -m unittest -v",), r"^OK", ("jenkins", "gitlab", "make"), files=python((), style="unittest"), exit=0)
    yield from case("coverage", PASSING, "coverage", ("coverage run --source shop -m pytest -q", "coverage report -m --fail-under=40"), r"TOTAL", ("azure",), files=python(()), setup=USE_PY, exit=0)
    yield from case("black", PASSING, "black", ("black --version", "black --check shop", "flake8 --max-line-length 120 shop"), r"would be left unchanged", ("travis",), files=python(()), setup=USE_PY, exit=0)
    panics = {**golang(()), "taxamount/error_test.go": 'package taxamount\n\nimport (\n\t"fmt"\n\t"testing"\n)\n\nfunc TestErrorIsRecovered(t *testing.T) {\n\tdefer func() { fmt.Println("recovered: panic: runtime error:", recover()) }()\n\tvar m map[string]int\n\tm["a"] = 1\n}\n'}
    yield from case("go", PASSING, "go", ("go version", "go vet ./...", "go test -v ./..."), r"panic: runtime error", ("gitlab", "xtrace", "azure"), files=panics, exit=0, offline=True)
    fails = {**rust(()), "src/lib.rs": rust(())["src/lib.rs"] + '\n#[cfg(test)]\nmod errors {\n    #[test]\n    #[should_panic(expected = "FAILED")]\n    fn panics_on_error() {\n        panic!("error: test result: FAILED");\n    }\n}\n', **crate("crates/util", "util")}
    yield from case("cargo", PASSING, "cargo", ("cargo --version", "cargo test"), r"should panic|panics_on_error", ("github", "make"), files=fails, exit=0, offline=True)
    yield from case("minitest", PASSING, "minitest", ("ruby --version", "ruby -Ilib -e 'Dir[\"./test/*_test.rb\"].each { |f| require f }' -- -v"), r"0 failures, 0 errors", ("travis",), files=ruby(()), exit=0)
    yield from case("rspec", PASSING, "rspec", ("rspec --format documentation",), r"examples, 0 failures", ("azure",), files=ruby((), style="rspec"), exit=0, needs=("rspec",))
    yield from case("phpunit", PASSING, "phpunit", ("php --version", "phpunit --testdox"), r"^OK", ("jenkins",), files=php(()), exit=0, needs=("phpunit",))
    perl = {f"t/{i:02d}-{name}.t": f"use strict;\nuse Test::More tests => 5;\nsub {name} {{ return $_[0] * $_[1] + {i + 1}; }}\ndiag('error: no server, 2 tests failed to start (skipped)');\npass('not ok is handled');\n" + "".join(f"is({name}({a}, {b}), {want}, '{words}');\n" for words, a, b, want in rows(i, ())) for i, name in enumerate(UNITS)}
    yield from case("prove", PASSING, "prove", ("prove -v t",), r"failed to start", ("gitlab", "travis"), files=perl, exit=0)
    bats = {f"test/{name}.bats": "".join(f'\n@test "{name}: error {words}" {{\n  run false\n  [ "$status" -eq 1 ]\n}}\n' for words, _a, _b, _w in rows(i, ())) for i, name in enumerate(UNITS)}
    yield from case("bats", PASSING, "bats", ("bats --version", "bats test"), r"^ok .* error", ("github",), files=bats, exit=0, needs=("bats",))
    plain = "mkdir -p build\njavac -Xlint:all -d build -cp /usr/share/java/junit4.jar $(find src -name '*.java')"
    run = "java -cp build:/usr/share/java/junit4.jar:/usr/share/java/hamcrest.jar org.junit.runner.JUnitCore org.acme.shop.TaxAmountTest org.acme.shop.ErrorTest"
    error = {"src/test/java/org/acme/shop/ErrorTest.java": "package org.acme.shop;\n\nimport org.junit.Test;\n\npublic class ErrorTest {\n    @Test(expected = IllegalStateException.class)\n    public void fails() {\n        new Exception(\"COMPILATION ERROR: expected by the test\").printStackTrace();\n        throw new IllegalStateException();\n    }\n}\n"}
    yield from case("junit", PASSING, "junit", (plain, run), r"COMPILATION ERROR", ("xtrace",), files={**java((), style="junit4"), **error}, exit=0, needs=("/usr/share/java/junit4.jar:junit4",))


def recipes() -> Iterator[Recipe]:
    """Give all recipes of this module."""
    yield from prefixed("ok2", _tests)
