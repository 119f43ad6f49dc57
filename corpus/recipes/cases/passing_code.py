"""Builds that pass although their logs look alarming: compilers, tests, linters, scripts."""

from __future__ import annotations

from collections.abc import Iterator

from ..blocks import autotools_project, c_main, c_modules, c_project, cmake_project, merge
from ..model import PASSING, Recipe, spread

ALL = ("gitlab", "github", "jenkins", "xtrace")


def ok(name: str, tool: str, steps: tuple[str, ...], signature: str, wrappers: tuple[str, ...], **more: object) -> Iterator[Recipe]:
    """Give a build that ends well, and whose log holds the alarming `signature`."""
    options: dict[str, object] = {"exit": 0, "family": f"{tool}-passing", **more}
    yield from spread(Recipe(name=f"ok-{name}", cause=PASSING, tool=tool, steps=steps, signature=signature, **options), wrappers)  # type: ignore[arg-type]


def _compilers() -> Iterator[Recipe]:
    cc = ("gitlab", "github", "docker", "buildx", "buildah", "xtrace+tty")
    yield from ok("gcc-warnings", "gcc", ("gcc --version", "make", "./build/app"), "warning: unused variable", cc, files=c_project(modules=12), image="gcc:12")
    yield from ok("clang-warnings", "clang", ("make CC=clang", "./build/app"), r"1 warning generated", ("travis", "azure"), files=c_project(modules=12))
    yield from ok(
        "cmake-missing",
        "cmake",
        ("cmake -S . -B build", "cmake --build build -j2", "./build/app"),
        "Could NOT find",
        ("gitlab", "github+tty", "buildkit", "jenkins"),
        files=cmake_project('find_package(Doxygen)\nfind_package(Boost)\nfind_package(GTest)\nif(NOT GTest_FOUND)\n  message(WARNING "GTest not found, the tests are not built")\nendif()'),
        image="gcc:12",
    )
    yield from ok(
        "configure-no",
        "autoconf",
        ("autoreconf -fi", "./configure", "make", "make check"),
        r"\.\.\. no$",
        ("gitlab", "travis", "docker", "buildx", "chroot"),
        files=autotools_project("AC_CHECK_LIB([oqs], [OQS_init])\nAC_CHECK_HEADERS([oqs/oqs.h openssl/ssl.h])\nPKG_CHECK_MODULES([X], [gtk4], [], [AC_MSG_WARN([gtk4 not found, no window])])"),
        image="gcc:12",
    )
    ignored = c_project()
    yield from ok(
        "make-ignored",
        "make",
        ("make prepare all", "make check"),
        r"Error \d+ \(ignored\)",
        ("gitlab", "jenkins", "azure"),
        files={**ignored, "Makefile": ignored["Makefile"] + "\nprepare:\n\t-rm build/app\n\t-test -f /etc/acme.conf\n\t-false\n"},
    )
    ctest = cmake_project(
        "enable_testing()\nadd_test(NAME app_runs COMMAND app)\nadd_test(NAME error_is_reported COMMAND false)\nadd_test(NAME fails_without_file COMMAND cat /nonexistent)\nset_tests_properties(error_is_reported fails_without_file PROPERTIES WILL_FAIL TRUE)"
    )
    yield from ok("ctest-willfail", "ctest", ("cmake -B build", "cmake --build build", "cd build && ctest --output-on-failure -V"), "0 tests failed out of|No such file", ("gitlab", "github", "buildx"), files=ctest, image="gcc:12")
    crash = c_project(c_main("#include <string.h>\n", "    if (total == 1) abort();\n").replace("#include <stdio.h>", "#include <stdio.h>\n#include <stdlib.h>"))
    yield from ok(
        "expected-crash",
        "bash",
        ("make", "./test.sh"),
        "Segmentation fault|Aborted",
        ("gitlab", "github", "travis"),
        files={
            **crash,
            "test.sh": "#!/bin/bash\n# The watchdog must notice a crash.\nbash -c 'kill -SEGV $$'; code=$?\n[ $code = 139 ] && echo 'watchdog: crash noticed (139): ok'\nbash -c 'kill -ABRT $$'; [ $? = 134 ] && echo 'watchdog: abort noticed (134): ok'\n./build/app\n",
        },
    )


def _tests() -> Iterator[Recipe]:
    py = {
        "app/__init__.py": "",
        "app/client.py": "import logging\n\nlog = logging.getLogger('client')\n\n\nclass FetchError(Exception):\n    pass\n\n\ndef fetch(code):\n    if code >= 500:\n        log.error('server answered %s: Service Unavailable, giving up', code)\n        raise FetchError(f'HTTP {code}')\n    if code == 429:\n        log.warning('429 Too Many Requests, retrying')\n    return 'ok'\n",
        "tests/test_errors.py": "import pytest\nfrom app.client import FetchError, fetch\n\n\ndef test_error_is_raised():\n    with pytest.raises(FetchError, match='HTTP 503'):\n        fetch(503)\n\n\ndef test_connection_refused_is_handled(caplog):\n    print('ConnectionRefusedError: [Errno 111] Connection refused')\n    assert fetch(429) == 'ok'\n\n\ndef test_no_space_left_on_device_message():\n    print('OSError: [Errno 28] No space left on device')\n    assert str(OSError(28, 'No space left on device')).endswith('device')\n\n\n@pytest.mark.xfail(reason='known failure')\ndef test_known_failure():\n    assert 1 == 2\n\n\n@pytest.mark.skip(reason='needs a server')\ndef test_failed_login():\n    pass\n\n\ndef test_deprecated():\n    import warnings\n    warnings.warn('fetch() is deprecated', DeprecationWarning)\n",
    }
    setup = ("python -m venv .venv", ".venv/bin/pip install pytest==8.3.3 pytest-cov==5.0.0")
    yield from ok("pytest-verbose", "pytest", (*setup, ".venv/bin/python -m pytest -v -rA -s"), r"No space left on device|Connection refused", ("gitlab", "github", "make", "github+tty"), files=py)
    yield from ok("pytest-coverage", "pytest", (*setup, ".venv/bin/python -m pytest --cov=app --cov-fail-under=60"), "Required test coverage of 60|xfailed", ("jenkins", "azure", "gitlab"), files=py)
    yield from ok("pytest-log", "pytest", (*setup, ".venv/bin/python -m pytest -o log_cli=true -o log_cli_level=INFO -W error::UserWarning"), "ERROR .*giving up", ("travis", "gitlab", "buildx"), files=py, image="python:3.11-slim")
    unittest = {
        "test_io.py": "import io\nimport sys\nimport traceback\nimport unittest\n\n\nclass ErrorTests(unittest.TestCase):\n    def test_error_output(self):\n        try:\n            raise RuntimeError('simulated failure: disk full')\n        except RuntimeError:\n            traceback.print_exc()\n\n    def test_failure_is_logged(self):\n        print('ERROR: could not connect to database: Connection refused', file=sys.stderr)\n\n    @unittest.expectedFailure\n    def test_bug_1234(self):\n        self.fail('still broken')\n\n    @unittest.skip('no network')\n    def test_timeout(self):\n        pass\n"
    }
    yield from ok("unittest-traceback", "unittest", ("python --version", "python -m unittest -v"), "Traceback|expected failure", ("gitlab", "github", "xtrace", "docker", "buildah"), files=unittest, image="python:3.11-slim")
    go = {
        "go.mod": "module example.org/acme/app\n\ngo 1.19\n",
        "app.go": 'package app\n\nimport "errors"\n\nvar ErrGone = errors.New("connection refused")\n\nfunc Do(n int) error { if n > 2 { return ErrGone }; return nil }\n',
        "app_test.go": 'package app\n\nimport (\n\t"log"\n\t"testing"\n)\n\nfunc TestErrorIsReturned(t *testing.T) {\n\tif err := Do(3); err == nil { t.Fatal("want an error") } else { log.Printf("ERROR: dial tcp 10.0.0.9:5432: %v", err) }\n}\n\nfunc TestFailureMode(t *testing.T) {\n\tfor _, n := range []string{"panic", "timeout", "disk_full"} {\n\t\tt.Run(n, func(t *testing.T) { t.Logf("simulating %s: exit status 1", n) })\n\t}\n}\n\nfunc TestSkipped(t *testing.T) { t.Skip("cannot find docker: executable file not found in $PATH") }\n',
    }
    yield from ok("go-test", "go", ("go version", "go vet ./...", "go test -v ./..."), r"ERROR: dial tcp", ("gitlab", "github", "jenkins", "azure"), files=go, env={"GOCACHE": "/srv/lab/cache/go"}, needs=("go:golang-go",))
    rust = {
        "Cargo.toml": "[package]\nname = 'app'\nversion = '1.4.2'\nedition = '2021'\n",
        "src/lib.rs": '#[deprecated(note = "use parse2")]\npub fn parse(s: &str) -> Result<u32, std::num::ParseIntError> { s.parse() }\nfn unused_helper() -> u32 { 3 }\n#[cfg(test)]\nmod tests {\n    use super::*;\n    #[test]\n    #[should_panic(expected = "boom")]\n    fn panics_on_error() { eprintln!("error: simulated"); panic!("boom: index out of bounds"); }\n    #[test]\n    fn error_is_returned() { assert!(parse("x").is_err()); println!("error[E0000]: not a real error"); }\n    #[test]\n    #[ignore]\n    fn fails_without_network() { panic!(); }\n}\n',
    }
    yield from ok("cargo-test", "cargo", ("cargo build", "cargo test -- --nocapture"), "panicked at|test result: ok", ("gitlab", "github+tty", "travis"), files=rust, needs=("cargo",))
    node = {
        "package.json": '{"name": "app", "version": "1.0.0", "private": true, "scripts": {"test": "node --test --test-reporter=spec"}}\n',
        "test/errors.test.js": "const test = require('node:test');\nconst assert = require('node:assert');\ntest('throws ECONNREFUSED when the server is gone', () => { console.error('Error: connect ECONNREFUSED 127.0.0.1:5432'); assert.throws(() => { throw new Error('ECONNREFUSED'); }); });\ntest('reports a failure', () => { console.warn('npm ERR! this is only a message'); });\ntest('fails on bad input', { todo: true }, () => {});\ntest('error boundary', { skip: 'needs a browser' }, () => {});\ntest('rejects', async () => { await assert.rejects(Promise.reject(new TypeError('Cannot read properties of undefined'))); });\n",
    }
    yield from ok("node-test", "node", ("node --version", "npm test"), "ECONNREFUSED", ("gitlab", "github", "docker", "buildx", "jenkins"), files=node, image="node:20-slim")
    mocha = {
        **node,
        "package.json": '{"name": "app", "version": "1.0.0", "private": true, "scripts": {"test": "mocha test/*.spec.js"}, "devDependencies": {"mocha": "9.2.2"}}\n',
        "test/a.spec.js": "const assert = require('assert');\ndescribe('error handling', () => {\n  it('fails when the file is missing', () => { console.error(\"Error: ENOENT: no such file or directory, open 'missing.json'\"); assert.ok(true); });\n  it('prints 1 failing for the user', () => { console.log('1 failing'); });\n  it.skip('times out', () => {});\n});\n",
    }
    yield from ok("mocha", "mocha", ("npm install", "npm test"), "ENOENT|deprecated", ("gitlab", "github", "travis"), files=mocha)
    ruby = {
        "test_app.rb": "require 'minitest/autorun'\nclass TestErrors < Minitest::Test\n  def test_error; warn 'ERROR: could not open the socket (Errno::ECONNREFUSED)'; assert_raises(ZeroDivisionError) { 1 / 0 }; end\n  def test_failure; assert true; end\n  def test_skip; skip 'no docker'; end\nend\n"
    }
    yield from ok("minitest", "ruby", ("ruby --version", "ruby test_app.rb -v"), "0 failures, 0 errors", ("gitlab", "jenkins", "xtrace"), files=ruby, needs=("ruby",))
    java = {
        "src/App.java": 'import java.util.*;\npublic class App { @Deprecated static void old() {} static void raw() { List l = new ArrayList(); l.add(1); new Date(2020, 1, 1); }\n public static void main(String[] a) { System.err.println("SEVERE: java.net.ConnectException: Connection refused (expected by the test)"); raw(); System.out.println("Tests run: 3, Failures: 0, Errors: 0, Skipped: 1"); } }\n'
    }
    yield from ok("javac-notes", "javac", ("javac -version", "mkdir -p out && javac -Xlint:all -d out src/App.java", "java -cp out App"), "Failures: 0, Errors: 0", ("gitlab", "github", "make"), files=java)


def _checkers() -> Iterator[Recipe]:
    lint = "/srv/lab/tools/lint/bin"
    code = {
        "app/__init__.py": "",
        "app/error.py": '"""Errors."""\n\n\nclass FatalError(Exception):\n    """A fatal error."""\n\n\ndef failed(code: int) -> bool:\n    """Tell whether it failed."""\n    return code != 0\n',
        "setup.cfg": "[flake8]\nmax-line-length = 100\n",
    }
    yield from ok(
        "lint-clean",
        "ruff",
        (f"{lint}/ruff check --verbose app", f"{lint}/mypy --strict app", f"{lint}/black --check app", f"{lint}/flake8 --verbose app"),
        "All checks passed|no issues found",
        ("gitlab", "github", "make", "jenkins"),
        files=code,
    )
    yield from ok(
        "flake8-exit-zero",
        "flake8",
        (f"{lint}/flake8 --exit-zero app", f"{lint}/pylint --exit-zero app"),
        r"[EFW]\d{3}|rated at",
        ("gitlab", "travis", "azure"),
        files={**code, "app/bad.py": "import os, sys\nx=1\ndef f( a ):\n  return a\n"},
    )
    yield from ok("bandit-low", "bandit", (f"{lint}/bandit -r app --severity-level high",), "No issues identified|Total issues", ("gitlab", "github"), files={**code, "app/sub.py": "import subprocess\nsubprocess.call('ls', shell=False)\n"})
    docs = {"docs/conf.py": "project = 'app'\nextensions = ['sphinx.ext.autodoc']\n", "docs/index.rst": "App\n===\n\nSee :ref:`nowhere`.\n\n.. image:: missing.png\n\n* item\n not indented\n"}
    yield from ok("sphinx-warnings", "sphinx", (f"{lint}/sphinx-build -b html docs out",), r"build succeeded, \d+ warning", ("gitlab", "github", "jenkins"), files=docs)
    yield from ok(
        "mkdocs-warnings", "mkdocs", (f"{lint}/mkdocs build",), "WARNING", ("gitlab", "travis"), files={"mkdocs.yml": "site_name: app\nnav:\n  - index.md\n", "docs/index.md": "# App\n\n[gone](gone.md)\n", "docs/error.md": "# Errors\n"}
    )
    tox = {
        "tox.ini": "[tox]\nskipsdist = true\nenvlist = lint,unit\n[testenv:lint]\nallowlist_externals = sh\ncommands = - sh -c 'echo error: optional check failed; exit 3'\n[testenv:unit]\ncommands = python -c \"print('0 failed, 0 errors')\"\n"
    }
    yield from ok("tox-ignored", "tox", ("/srv/lab/tools/tox/bin/tox",), "congratulations|ignored", ("gitlab", "github", "azure"), files=tox)
    yield from ok(
        "tools-missing",
        "bash",
        ("./ci.sh",),
        "not found|No such file",
        ALL,
        files=merge(
            c_modules(3),
            {
                "ci.sh": "#!/bin/bash\nset -eu\ncommand -v ccache || echo 'ccache: command not found, compiling without a cache'\nls /etc/acme.conf || true\ngit describe 2>&1 || echo 'fatal error ignored: no tags'\nshellcheckx ci.sh || echo 'skipped: shellcheckx'\nfor f in src/*.c; do gcc -c -Isrc -o /dev/null $f && echo \"compiled $f: 0 errors\"; done\ngrep -c ERROR src/buffer.c || true\necho 'Build finished with 0 errors and 0 failures'\n"
            },
        ),
    )


def recipes() -> Iterator[Recipe]:
    """Give all recipes of this module."""
    for group in (_compilers, _tests, _checkers):
        yield from group()
