"""Tests that fail, run by many test runners in projects where most tests pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..blocks import c_modules
from ..model import Recipe
from ..projects import UNITS, camel, case, golang, java, js, maven_pom, pascal, php, python, rows, ruby, rust

CAUSE = "test-failure"
Writer = Callable[[str, str, list[tuple[str, str, int]]], str]
PY = "/srv/lab/tools/py/bin"


def _package(scripts: str, dev: str, extra: str = "") -> dict[str, str]:
    return {"package.json": f'{{\n  "name": "shop",\n  "version": "1.4.2",\n  "private": true,\n  "scripts": {{ {scripts} }},\n  "devDependencies": {{ {dev} }}{extra}\n}}\n'}


def _expect(head: str = "") -> Writer:
    def write(name: str, path: str, table: list[tuple[str, str, int]]) -> str:
        body = "\n".join(f"  it('{words}', () => {{\n    expect({call}).toEqual({want});\n  }});\n" for words, call, want in table)
        return f"{head}const {{ {name} }} = require('{path}');\n\ndescribe('{name}', () => {{\n{body}}});\n"

    return write


def _expect_esm(name: str, path: str, table: list[tuple[str, str, int]]) -> str:
    body = "\n".join(f"  it('{words}', () => {{\n    expect({call}).toBe({want})\n  }})\n" for words, call, want in table)
    return f"import {{ describe, expect, it }} from 'vitest'\nimport {{ {name} }} from '{path}'\n\ndescribe('{name}', () => {{\n{body}}})\n"


def _assert(head: str = "const assert = require('node:assert');\n") -> Writer:
    def write(name: str, path: str, table: list[tuple[str, str, int]]) -> str:
        body = "\n".join(f"  it('{words}', () => {{\n    assert.strictEqual({call}, {want});\n  }});\n" for words, call, want in table)
        return f"{head}const {{ {name} }} = require('{path}');\n\ndescribe('{name}', () => {{\n{body}}});\n"

    return write


def _ava(name: str, path: str, table: list[tuple[str, str, int]]) -> str:
    body = "\n".join(f"test('{name} {words}', (t) => {{\n  t.is({call}, {want});\n}});\n" for words, call, want in table)
    return f"const test = require('ava');\nconst {{ {name} }} = require('{path}');\n\n{body}"


def _tap(name: str, path: str, table: list[tuple[str, str, int]]) -> str:
    body = "\n".join(f"test('{name} {words}', (t) => {{\n  t.equal({call}, {want});\n  t.end();\n}});\n" for words, call, want in table)
    return f"const test = require('tape');\nconst {{ {name} }} = require('{path}');\n\n{body}"


def _qunit(name: str, path: str, table: list[tuple[str, str, int]]) -> str:
    body = "\n".join(f"  QUnit.test('{words}', (assert) => {{\n    assert.equal({call}, {want});\n  }});\n" for words, call, want in table)
    return f"const {{ {name} }} = require('{path}');\n\nQUnit.module('{name}', () => {{\n{body}}});\n"


def _node() -> Iterator[Recipe]:
    install = ("node --version && npm --version", "npm install")
    version = "!node --version"
    jest = {**js(_expect(), (2, 7)), **_package('"test": "jest"', '"jest": "29.7.0"')}
    yield from case("jest", CAUSE, "jest", (*install, "npm test"), r"Tests: +\d+ failed", ("gitlab", "github", "docker", "gitlab+tty"), files=jest, key=r"● .* ›|^Tests: ", version=version, image="node:20-slim", timeout=400)
    snapshot = {
        **js(_expect(), ()),
        **_package('"test": "jest --ci"', '"jest": "28.1.3"'),
        "src/page.js": "exports.page = (user) => `<h1>Hello, ${user}!</h1>\\n<p>You have 3 messages.</p>`;\n",
        "test/page.test.js": "const { page } = require('../src/page.js');\n\ntest('renders the page', () => {\n  expect(page('Ana')).toMatchSnapshot();\n});\ntest('loads the user', async () => {\n  await new Promise(() => {});\n}, 800);\n",
        "test/__snapshots__/page.test.js.snap": '// Jest Snapshot v1, https://goo.gl/fbAQLP\n\nexports[`renders the page 1`] = `\n"<h1>Hello, Ana</h1>\n<p>You have 3 messages.</p>"\n`;\n',
    }
    yield from case("jest-snapshot", CAUSE, "jest", (*install, "npm test"), r"Tests: +\d+ failed", ("jenkins", "travis"), files=snapshot, key=r"●|^Tests: ", version=version, timeout=400)
    mocha = {**js(_assert(), (1,)), **_package('"test": "mocha"', '"mocha": "10.8.2"')}
    yield from case("mocha", CAUSE, "mocha", (*install, "npm test"), r"\d+ failing", ("github", "azure", "xtrace+tty"), files=mocha, exit=(1, 2), version=version, timeout=400)
    hook = {
        **js(_assert(), ()),
        **_package('"test": "mocha --reporter tap --timeout 400"', '"mocha": "10.8.2"'),
        "test/api.test.js": "const assert = require('node:assert');\n\ndescribe('api', () => {\n  it('answers', (done) => { setTimeout(() => {}, 900); });\n  it('parses', () => { assert.ok(JSON.parse('{\"a\": 1}').b.c); });\n});\n",
    }
    yield from case("mocha-tap", CAUSE, "mocha", (*install, "npm test"), r"^not ok \d+", ("gitlab", "make"), files=hook, exit=(1, 2), version=version, timeout=400)
    vitest = {**js(_expect_esm, (3, 5), esm=True), **_package('"test": "vitest run"', '"vitest": "2.1.8"', ',\n  "type": "module"')}
    yield from case("vitest", CAUSE, "vitest", (*install, "npm test"), r"FAIL  test/|Tests  \d+ failed", ("gitlab", "github+tty", "jenkins"), files=vitest, version=version, timeout=400)
    ava = {**js(_ava, (6,)), **_package('"test": "ava"', '"ava": "5.3.1"')}
    yield from case("ava", CAUSE, "ava", (*install, "npx ava"), r"\d+ tests? failed", ("github", "travis"), files=ava, key=r"✖|✘|tests? failed", version=version, timeout=400)
    jasmine = {**js(_expect(), (8,), folder="spec", suffix=".spec.js"), **_package('"test": "jasmine"', '"jasmine": "5.4.0"'), "spec/support/jasmine.json": '{"spec_dir": "spec", "spec_files": ["**/*.spec.js"], "random": false}\n'}
    yield from case("jasmine", CAUSE, "jasmine", (*install, "npm test"), r"\d+ specs?, \d+ failures?", ("xtrace", "azure"), files=jasmine, exit=(1, 3), version=version, timeout=400)
    tape = {**js(_tap, (0,)), **_package('"test": "tape test/*.js"', '"tape": "5.9.0"')}
    yield from case("tape", CAUSE, "tape", (*install, "npm test"), r"^# fail +\d|^not ok", ("gitlab",), files=tape, version=version, timeout=400)
    qunit = {**js(_qunit, (9,)), **_package('"test": "qunit"', '"qunit": "2.23.1"')}
    yield from case("qunit", CAUSE, "qunit", (*install, "npx qunit"), r"^not ok|# fail [1-9]", ("jenkins", "github"), files=qunit, version=version, timeout=400)
    own = js(_assert("const assert = require('node:assert');\nconst { describe, it } = require('node:test');\n"), (4,))
    yield from case("node-test", CAUSE, "node", ("node --version", "node --test test/"), r"^(#|ℹ) fail [1-9]", ("gitlab", "travis+tty"), files=own, key=r"^ *not ok|✖|^(#|ℹ) fail", version=version, image="node:20-slim")


def _python() -> Iterator[Recipe]:
    version = f"!{PY}/python -m pytest --version"
    make = f"export PATH={PY}:$PATH\n"
    failed = r"=+ .*\d+ failed"
    yield from case("pytest", CAUSE, "pytest", ("python --version", "pytest -v"), failed, ("gitlab", "github+tty", "jenkins"), files=python((2, 9)), setup=make, key=r"^FAILED tests/", version=version)
    fixture = {
        **python(()),
        "tests/test_store.py": "import pytest\n\nfrom shop.tax_amount import tax_amount\n\n\n@pytest.fixture\ndef store():\n    raise ConnectionError('the test database is not there')\n\n\ndef test_save(store):\n    assert store.save() is None\n\n\n@pytest.mark.parametrize('a', [1, 2, 3])\ndef test_tax(a):\n    assert tax_amount(a, a) > 8\n\n\ndef test_types():\n    tax_amount('1', None)\n",
    }
    yield from case("pytest-fixture", CAUSE, "pytest", ("python -m pytest -q --durations=5",), r"\d+ failed.*error", ("xtrace", "azure"), files=fixture, setup=make, key=r"^(FAILED|ERROR) tests/", version=version)
    yield from case(
        "pytest-venv",
        CAUSE,
        "pytest",
        ("python3 -m venv .venv", ".venv/bin/pip install pytest==8.3.4 requests==2.32.3 pyyaml", ".venv/bin/python -m pytest --maxfail=1 --tb=short"),
        failed,
        ("travis", "github"),
        files=python((5,)),
        key=r"^FAILED tests/",
        version="pip --version",
        image="python:3.11-slim",
    )
    slow = {**python(()), "tests/test_sync.py": "import time\n\n\ndef test_sync_waits_for_the_queue():\n    time.sleep(20)\n"}
    yield from case("pytest-timeout", CAUSE, "pytest", ("python -m pytest --timeout 2 -v",), r"Timeout \(?>2", ("github",), files=slow, setup=make, version=version, key=r"^FAILED tests/|Timeout \(?>2")
    unit = python((1, 3), style="unittest")
    yield from case(
        "unittest", CAUSE, "unittest", ("python -m unittest discover -v",), r"^FAILED \(failures=", ("gitlab", "make", "buildah"), files=unit, setup=make, key=r"^FAIL: |^FAILED", version="python3 --version", image="python:3.11-slim"
    )
    yield from case("nose2", CAUSE, "nose2", ("nose2 -v",), r"^FAILED \(failures=", ("jenkins",), files=python((4,), style="unittest"), setup=make, key=r"^FAIL: |^FAILED", version=f"!{PY}/nose2 --version")
    django = {
        **python((), style="unittest"),
        "manage.py": "import os\nimport sys\n\nos.environ['DJANGO_SETTINGS_MODULE'] = 'shop.settings'\nfrom django.core.management import execute_from_command_line\n\nexecute_from_command_line(sys.argv)\n",
        "shop/settings.py": "SECRET_KEY = 'tests-only'\nDATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': ':memory:'}}\nINSTALLED_APPS = ['django.contrib.auth', 'django.contrib.contenttypes']\nROOT_URLCONF = 'shop.urls'\nUSE_TZ = True\n",
        "shop/urls.py": "from django.http import HttpResponse\nfrom django.urls import path\n\nurlpatterns = [path('', lambda request: HttpResponse('hello'))]\n",
        "tests/test_views.py": "from django.contrib.auth.models import User\nfrom django.test import TestCase\n\n\nclass ViewTest(TestCase):\n    def test_home(self):\n        self.assertContains(self.client.get('/'), 'welcome')\n\n    def test_missing(self):\n        self.assertEqual(self.client.get('/basket/').status_code, 200)\n\n    def test_user(self):\n        User.objects.create_user('ana')\n        self.assertEqual(User.objects.count(), 2)\n",
    }
    yield from case(
        "django", CAUSE, "django", ("python manage.py check", "python manage.py test -v 2 tests"), r"^FAILED \(failures=", ("gitlab", "azure"), files=django, setup=make, key=r"^FAIL: |^FAILED", version=f"!{PY}/django-admin --version"
    )
    robot = {
        "tests/shop.robot": "*** Settings ***\nLibrary    Collections\nLibrary    String\n\n*** Test Cases ***\n"
        + "".join(f"{name.replace('_', ' ').title()} Is Right\n    ${{got}}=    Evaluate    2 * 3 + {i}\n    Should Be Equal As Integers    ${{got}}    {6 + i + (i == 5)}\n\n" for i, name in enumerate(UNITS))
        + "Title Is Upper Case\n    ${t}=    Convert To Lower Case    SHOP\n    Should Be Equal    ${t}    SHOP\n"
    }
    yield from case("robot", CAUSE, "robot", ("robot --outputdir reports tests",), r"\d+ tests?, \d+ passed, [1-9]\d* failed", ("github", "xtrace"), files=robot, setup=make, exit=(1, 2), key=r"\| FAIL \|", version=f"!{PY}/robot --version")
    behave = {
        "features/basket.feature": "Feature: The basket\n"
        + "".join(f"\n  Scenario: {name.replace('_', ' ')}\n    Given a basket with {i} items\n    When I add {i + 2} items\n    Then it holds {2 * i + 2 + (i == 3)} items\n" for i, name in enumerate(UNITS[:7])),
        "features/steps/basket.py": "from behave import given, then, when\n\n\n@given('a basket with {n:d} items')\ndef start(context, n):\n    context.n = n\n\n\n@when('I add {n:d} items')\ndef add(context, n):\n    context.n += n\n\n\n@then('it holds {n:d} items')\ndef check(context, n):\n    assert context.n == n, f'{context.n} items, not {n}'\n",
    }
    yield from case(
        "behave",
        CAUSE,
        "behave",
        ("behave --no-capture",),
        r"[1-9]\d* scenarios? failed|scenarios passed, [1-9]\d* failed",
        ("gitlab", "travis"),
        files=behave,
        setup=make,
        key=r"(?i)assert.* failed|Failing scenarios|scenarios? .*failed",
        version=f"!{PY}/behave --version",
    )
    doctest = {
        **python(()),
        "shop/money.py": '"""Money.\n\n>>> split(10, 3)\n[4, 3, 3]\n>>> split(9, 3)\n[3, 3, 3]\n>>> split(1, 2)\n[1, 0]\n"""\n\n\ndef split(total: int, parts: int) -> list[int]:\n    return [total // parts + (n < total % parts - (total == 10)) for n in range(parts)]\n',
    }
    yield from case(
        "doctest", CAUSE, "doctest", ("python -m compileall -q shop", "python -m doctest -v shop/money.py"), r"\*\*\*Test Failed\*\*\*", ("jenkins", "azure"), files=doctest, version="!python3 --version", key=r"Failed example|Test Failed"
    )


def _scripts() -> Iterator[Recipe]:
    rub = {"Rakefile": "require 'rake/testtask'\nRake::TestTask.new do |t|\n  t.libs << 'lib'\n  t.pattern = 'test/*_test.rb'\n  t.verbose = true\nend\ntask default: :test\n"}
    yield from case(
        "minitest",
        CAUSE,
        "minitest",
        ("ruby --version", "rake test TESTOPTS=-v"),
        r"\d+ runs, .* [1-9]\d* failures",
        ("gitlab", "github"),
        files={**ruby((4, 6)), **rub},
        key=r"Failure:|\d+ runs,",
        version="!ruby --version",
        needs=("rake",),
    )
    yield from case(
        "test-unit",
        CAUSE,
        "test-unit",
        ("ruby -Ilib -e 'Dir[\"./test/*_test.rb\"].each { |f| require f }' -- -v",),
        r"\d+ tests, .* [1-9]\d* failures",
        ("xtrace",),
        files=ruby((2,), style="test-unit"),
        key=r"^Failure: |\d+ tests,",
        version="!ruby --version",
    )
    yield from case(
        "rspec",
        CAUSE,
        "rspec",
        ("rspec --format documentation",),
        r"\d+ examples, [1-9]\d* failures?",
        ("gitlab", "jenkins", "travis+tty"),
        files=ruby((3, 5), style="rspec"),
        key=r"FAILED|Failure/Error|^rspec \./spec",
        version="!rspec --version",
        needs=("rspec",),
    )
    yield from case(
        "phpunit",
        CAUSE,
        "phpunit",
        ("php --version", "phpunit --testdox"),
        r"Tests: \d+, Assertions: \d+, Failures: [1-9]",
        ("github", "azure", "make"),
        files=php((1,)),
        key=r"✘|^FAILURES!|Failed asserting",
        version="!phpunit --version",
        needs=("phpunit",),
    )
    perl = {
        f"t/{i:02d}-{name}.t": f"use strict;\nuse warnings;\nuse Test::More tests => 4;\n\nsub {name} {{ my ($x, $y) = @_; return $x * $y + {i + 1}; }}\n\n"
        + "".join(f"is({name}({a}, {b}), {want}, '{words}');\n" for words, a, b, want in rows(i, (3, 8)))
        for i, name in enumerate(UNITS)
    }
    yield from case("prove", CAUSE, "prove", ("perl -v | head -2", "prove -v t"), r"^Result: FAIL", ("gitlab", "make"), files=perl, key=r"^ *not ok|Failed test|^Result: FAIL", version="!prove --version")
    yield from case("prove-quiet", CAUSE, "prove", ("prove -j2 t",), r"^Result: FAIL", ("jenkins",), files=perl, key=r"Failed test", version="!prove --version")
    bats = {
        f"test/{name}.bats": f"{name}() {{ echo $(( $1 * $2 + {i + 1} )); }}\n" + "".join(f'\n@test "{name}: {words}" {{\n  run {name} {a} {b}\n  [ "$status" -eq 0 ]\n  [ "$output" = "{want}" ]\n}}\n' for words, a, b, want in rows(i, (5,)))
        for i, name in enumerate(UNITS)
    }
    yield from case("bats", CAUSE, "bats", ("bats --version", "bats test"), r"^not ok \d+", ("github", "travis"), files=bats, version="!bats --version", needs=("bats",))
    shunit = {
        "tests.sh": "#!/bin/sh\n"
        + "".join(f"{name}() {{ echo $(( $1 * $2 + {i + 1} )); }}\ntest_{name}() {{\n" + "".join(f"  assertEquals '{words}' {want} \"$({name} {a} {b})\"\n" for words, a, b, want in rows(i, (2,))) + "}\n" for i, name in enumerate(UNITS))
        + ". shunit2\n"
    }
    yield from case("shunit2", CAUSE, "shunit2", ("sh tests.sh",), r"^FAILED \(failures=[1-9]", ("xtrace", "gitlab"), files=shunit, key=r"^ASSERT:|^FAILED", version="!dpkg-query -W shunit2", needs=("shunit2",))
    lua = {
        "tests.lua": "local lu = require('luaunit')\n"
        + "".join(
            f"local function {name}(a, b) return a * b + {i + 1} end\nTest{pascal(name)} = {{}}\n"
            + "".join(f"function Test{pascal(name)}:test_{words.replace(' ', '_')}() lu.assertEquals({name}({a}, {b}), {want}) end\n" for words, a, b, want in rows(i, (7,)))
            for i, name in enumerate(UNITS)
        )
        + "os.exit(lu.LuaUnit.run('-v'))\n"
    }
    yield from case(
        "luaunit", CAUSE, "luaunit", ("lua5.3 tests.lua || lua5.4 tests.lua",), r"Ran \d+ tests.*[1-9]\d* failure", ("azure", "gitlab"), files=lua, exit=(1, 255), key=r"FAIL|failure", version="!dpkg-query -W lua-unit", needs=("lua5.3",)
    )
    elixir = {"mix.exs": 'defmodule Shop.MixProject do\n  use Mix.Project\n  def project, do: [app: :shop, version: "1.4.2", elixir: "~> 1.12"]\nend\n', "test/test_helper.exs": "ExUnit.start()\n"}
    for i, name in enumerate(UNITS[:8]):
        elixir[f"lib/{name}.ex"] = f"defmodule Shop.{pascal(name)} do\n  def of(a, b), do: a * b + {i + 1}\nend\n"
        elixir[f"test/{name}_test.exs"] = (
            f"defmodule Shop.{pascal(name)}Test do\n  use ExUnit.Case\n" + "".join(f'\n  test "{words}" do\n    assert Shop.{pascal(name)}.of({a}, {b}) == {want}\n  end\n' for words, a, b, want in rows(i, (2, 6))) + "end\n"
        )
    yield from case(
        "exunit",
        CAUSE,
        "exunit",
        ("mix compile", "mix test --trace"),
        r"\d+ tests, [1-9]\d* failures?",
        ("github", "jenkins"),
        files=elixir,
        exit=(1, 2),
        env={"LC_ALL": "C.UTF-8"},
        key=r"^ +\d+\) test|failures?$",
        version="!elixir --version",
        needs=("mix:elixir",),
    )
    tcl = {
        "all.tcl": "package require tcltest\nnamespace import tcltest::*\nconfigure -verbose {pass fail body error}\n"
        + "".join(f"proc {name} {{a b}} {{ expr {{$a * $b + {i + 1}}} }}\n" + "".join(f"test {name}-{n} {{{words}}} {{ {name} {a} {b} }} {want}\n" for n, (words, a, b, want) in enumerate(rows(i, (1,)))) for i, name in enumerate(UNITS))
        + "set bad $tcltest::numTests(Failed)\ncleanupTests\nexit [expr {$bad > 0}]\n"
    }
    yield from case("tcltest", CAUSE, "tcltest", ("tclsh all.tcl",), r"Failed\t[1-9]", ("travis",), files=tcl, key=r"FAILED|Failed\t", version="!echo 'puts [info patchlevel]' | tclsh", needs=("tclsh:tcl",))


def _compiled() -> Iterator[Recipe]:
    yield from case("go-test", CAUSE, "go", ("go version", "go vet ./...", "go test ./..."), r"^--- FAIL: ", ("gitlab", "github", "jenkins"), files=golang((4, 7)), version="!go version", env={"GOFLAGS": "-mod=mod"}, offline=True)
    panics = {
        **golang(()),
        "cart/cart_test.go": 'package cart\n\nimport (\n\t"sync"\n\t"testing"\n)\n\nfunc TestAdd(t *testing.T) {\n\tvar items map[string]int\n\tvar m sync.Mutex\n\tm.Lock()\n\titems["apple"]++\n\tm.Unlock()\n}\n',
        "cart/cart.go": "package cart\n",
    }
    yield from case("go-panic", CAUSE, "go", ("go test -v ./...",), r"^panic: |^FAIL\t", ("azure", "travis"), files=panics, version="!go version", offline=True)
    hang = {**golang(()), "queue/queue.go": "package queue\n", "queue/queue_test.go": 'package queue\n\nimport "testing"\n\nfunc TestDrain(t *testing.T) {\n\tdone := make(chan bool)\n\tgo func() { select {} }()\n\t<-done\n}\n'}
    yield from case("go-timeout", CAUSE, "go", ("go test -timeout 3s ./...",), r"panic: test timed out", ("xtrace",), files=hang, version="!go version", offline=True)
    yield from case(
        "cargo-test",
        CAUSE,
        "cargo",
        ("cargo --version", "cargo test"),
        r"^test result: FAILED",
        ("gitlab", "github+tty", "make"),
        files=rust((0, 5)),
        exit=101,
        version="!cargo --version",
        offline=True,
        key=r"\.\.\. FAILED|panicked at|^test result: FAILED",
    )
    doc = {**rust(()), "src/lib.rs": rust(())["src/lib.rs"] + "\n/// Doubles.\n///\n/// ```\n/// assert_eq!(shop::double(2), 5);\n/// ```\npub fn double(n: i64) -> i64 { n * 2 }\n"}
    yield from case(
        "cargo-doctest",
        CAUSE,
        "cargo",
        ("cargo build --release", "cargo test --release"),
        r"^test result: FAILED",
        ("jenkins", "azure"),
        files=doc,
        exit=101,
        version="!cargo --version",
        offline=True,
        key=r"\.\.\. FAILED|panicked at|^test result: FAILED",
    )
    ctest = {
        "CMakeLists.txt": "cmake_minimum_required(VERSION 3.16)\nproject(shop C)\nenable_testing()\n"
        + "".join(f"add_executable(test_{n} tests/{n}.c)\nadd_test(NAME {n} COMMAND test_{n})\n" for n in UNITS)
        + "set_tests_properties(retry_delay PROPERTIES TIMEOUT 2)\n",
        **c_modules(4),
    }
    for i, name in enumerate(UNITS):
        checks = "".join(f'    if ({name}({a}, {b}) != {want}) {{ fprintf(stderr, "{words}: %d, not {want}\\n", {name}({a}, {b})); return 1; }}\n' for words, a, b, want in rows(i, (2, 6)))
        ctest[f"tests/{name}.c"] = f"#include <stdio.h>\n#include <unistd.h>\nstatic int {name}(int a, int b) {{ return a * b + {i + 1}; }}\nint main(void) {{\n{checks}{'    sleep(9);' if name == 'retry_delay' else ''}\n    return 0;\n}}\n"
    yield from case(
        "ctest",
        CAUSE,
        "ctest",
        ("cmake -S . -B build", "cmake --build build", "ctest --test-dir build --output-on-failure"),
        r"tests passed, [1-9]\d* tests? failed",
        ("gitlab", "docker", "travis"),
        files=ctest,
        exit=8,
        image="gcc:12",
        version="ctest --version",
        key=r"\*\*\*(Failed|Timeout)|tests failed",
    )
    gtest = {
        "CMakeLists.txt": "cmake_minimum_required(VERSION 3.16)\nproject(shop CXX)\nfind_package(GTest REQUIRED)\nenable_testing()\nadd_executable(shop_test tests/shop_test.cc)\ntarget_link_libraries(shop_test GTest::gtest_main)\n",
        "tests/shop_test.cc": "#include <gtest/gtest.h>\n"
        + "".join(
            f"static int {n}(int a, int b) {{ return a * b + {i + 1}; }}\n" + "".join(f"TEST({pascal(n)}, {pascal(w.replace(' ', '_'))}) {{ EXPECT_EQ({n}({a}, {b}), {want}); }}\n" for w, a, b, want in rows(i, (3, 8)))
            for i, n in enumerate(UNITS)
        ),
    }
    yield from case(
        "gtest",
        CAUSE,
        "gtest",
        ("cmake -S . -B build", "cmake --build build", "./build/shop_test"),
        r"\[  FAILED  \]",
        ("github", "xtrace+tty", "jenkins"),
        files=gtest,
        version="!dpkg-query -W libgtest-dev",
        needs=("/usr/include/gtest/gtest.h:libgtest-dev",),
    )
    catch = {
        "shop_test.cc": "#define CATCH_CONFIG_MAIN\n#include <catch2/catch.hpp>\n"
        + "".join(f"static int {n}(int a, int b) {{ return a * b + {i + 1}; }}\n" + "".join(f'TEST_CASE("{n}: {w}") {{ REQUIRE({n}({a}, {b}) == {want}); }}\n' for w, a, b, want in rows(i, (1,))) for i, n in enumerate(UNITS)),
        "Makefile": "check: shop_test\n\t./shop_test\nshop_test: shop_test.cc\n\tg++ -O0 -std=c++17 -o $@ $<\n",
    }
    yield from case(
        "catch2",
        CAUSE,
        "catch2",
        ("g++ --version | head -1", "make check"),
        r"test cases: +\d+ \| +\d+ passed \| +[1-9]\d* failed",
        ("gitlab", "azure"),
        files=catch,
        exit=2,
        version="!dpkg-query -W catch2",
        key=r"FAILED:|test cases:",
        needs=("/usr/include/catch2/catch.hpp:catch2",),
    )
    check = {
        "check_shop.c": "#include <check.h>\n#include <stdlib.h>\n"
        + "".join(
            f"static int {n}(int a, int b) {{ return a * b + {i + 1}; }}\n" + "".join(f"START_TEST({n}_{k}) {{ ck_assert_int_eq({n}({a}, {b}), {want}); }} END_TEST\n" for k, (w, a, b, want) in enumerate(rows(i, (6,))))
            for i, n in enumerate(UNITS)
        )
        + 'int main(void) {\n    Suite *s = suite_create("shop"); TCase *t = tcase_create("core");\n'
        + "".join(f"    tcase_add_test(t, {n}_{k});\n" for n in UNITS for k in range(4))
        + "    suite_add_tcase(s, t); SRunner *r = srunner_create(s); srunner_run_all(r, CK_VERBOSE);\n    return srunner_ntests_failed(r) ? 1 : 0;\n}\n",
        "Makefile": "check: check_shop\n\t./check_shop\ncheck_shop: check_shop.c\n\tgcc -o $@ $< -lcheck -lsubunit -lm -lrt -lpthread\n",
    }
    yield from case("check", CAUSE, "check", ("make check",), r"\d+%: Checks: \d+, Failures: [1-9]", ("travis",), files=check, exit=2, version="!dpkg-query -W check", needs=("/usr/include/check.h:check",), key=r":F:|Failures: [1-9]")
    nim = {
        "tests/test_shop.nim": "import unittest\n"
        + "".join(f'proc {camel(n)}(a, b: int): int = a * b + {i + 1}\nsuite "{n}":\n' + "".join(f'  test "{w}":\n    check {camel(n)}({a}, {b}) == {want}\n' for w, a, b, want in rows(i, (5,))) for i, n in enumerate(UNITS))
    }
    yield from case("nim", CAUSE, "nim", ("nim c -r tests/test_shop.nim",), r"\[FAILED\]", ("gitlab",), files=nim, version="!nim --version", needs=("nim",))


def _java() -> Iterator[Recipe]:
    surefire = r"Tests run: \d+, Failures: [1-9]"
    pom = maven_pom()
    mvn = "mvn -o -s /etc/maven/settings-debian.xml"
    needs = ("mvn:maven", "/usr/share/maven-repo/org/apache/maven/plugins/maven-surefire-plugin/2.22.3:libsurefire-java", "/usr/share/java/junit-jupiter.jar:junit5")
    broken = {
        "src/test/java/org/acme/shop/StoreTest.java": 'package org.acme.shop;\n\nimport org.junit.jupiter.api.Test;\n\nclass StoreTest {\n    @Test\n    void opens() {\n        throw new IllegalStateException("the store is closed", new java.io.IOException("no socket"));\n    }\n}\n'
    }
    yield from case(
        "surefire", CAUSE, "maven", ("mvn --version", f"{mvn} -B test"), surefire, ("gitlab", "github", "jenkins"), files={**java((2, 5)), "pom.xml": pom}, version="!mvn --version", key=r"ERROR.*(Tests run|expected:)", needs=needs
    )
    yield from case(
        "surefire-verify", CAUSE, "maven", (f"{mvn} -ntp verify",), surefire, ("xtrace+tty", "azure"), files={**java((0,)), "pom.xml": pom, **broken}, version="!mvn --version", key=r"ERROR.*(Tests run|expected:)", needs=needs
    )
    gradle = "apply plugin: 'java'\nversion = '1.4.2'\nrepositories { flatDir { dirs '/usr/share/java' } }\ndependencies { testCompile ':junit4:', ':hamcrest:' }\ntest { testLogging { events 'passed', 'failed' } }\n"
    yield from case(
        "gradle-test",
        CAUSE,
        "gradle",
        ("gradle --version", "gradle --offline --no-daemon test"),
        r"\d+ tests completed, [1-9]\d* failed",
        ("gitlab", "travis"),
        files={**java((3,), style="junit4"), "build.gradle": gradle},
        version="!gradle --version | grep Gradle",
        key=r"FAILED$|tests completed",
        offline=True,
        needs=("gradle",),
    )
    ant = "<project name='shop' default='test'>\n<path id='cp'><pathelement location='build'/><fileset dir='/usr/share/java' includes='junit4.jar hamcrest.jar'/></path>\n<target name='compile'><mkdir dir='build'/><javac srcdir='src' destdir='build' classpathref='cp' includeantruntime='false'/></target>\n<target name='test' depends='compile'><junit haltonfailure='no' failureproperty='bad' printsummary='yes'><classpath refid='cp'/><formatter type='plain' usefile='false'/><batchtest><fileset dir='build' includes='**/*Test.class'/></batchtest></junit><fail if='bad' message='Tests failed'/></target>\n</project>\n"
    yield from case(
        "ant-junit", CAUSE, "ant", ("ant -version", "ant"), surefire, ("github", "make"), files={**java((1, 4), style="junit4"), "build.xml": ant}, version="!ant -version", key=r"FAILED|Tests failed|Failures: [1-9]", needs=("ant",)
    )
    plain = "mkdir -p build\njavac -d build -cp /usr/share/java/junit4.jar $(find src -name '*.java')"
    yield from case(
        "junit4",
        CAUSE,
        "junit",
        (plain, "java -cp build:/usr/share/java/junit4.jar:/usr/share/java/hamcrest.jar org.junit.runner.JUnitCore " + " ".join(f"org.acme.shop.{pascal(n)}Test" for n in UNITS[:8])),
        r"^Tests run: \d+,  Failures: [1-9]",
        ("gitlab",),
        files=java((6,), style="junit4"),
        version="!java -version",
        key=r"^\d+\) |^Tests run",
        needs=("/usr/share/java/junit4.jar:junit4",),
    )


def recipes() -> Iterator[Recipe]:
    """Give all recipes of this module."""
    for group in (_node, _python, _scripts, _compiled, _java):
        yield from group()
