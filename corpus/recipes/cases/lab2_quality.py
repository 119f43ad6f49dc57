"""Linters, formatters, coverage thresholds and documentation builds."""

from __future__ import annotations

from collections.abc import Iterator

from ..blocks import c_modules
from ..model import Recipe
from ..projects import UNITS, case, golang, java, js, pascal, php, prefixed, python, ruby, rust

PY, JS = "/srv/lab/tools/py/bin", "/srv/lab/tools/js"
USE_PY = f"export PATH={PY}:$PATH\n"
BAD_PY = "import os, sys\nfrom typing import *\n\ndef  total( items ):\n    l = [ i for i in items if i!=None ]\n    unused = 3\n    try:\n        return sum(l)\n    except:\n        return undefined_name\n\ndef rate(a: int) -> str:\n    return a + 1\n"


def _use(name: str) -> str:
    return f"export PATH={JS}/{name}/node_modules/.bin:$PATH; ln -s {JS}/{name}/node_modules node_modules\n"


def _none(_name: str, _path: str, _table: list[tuple[str, str, int]]) -> str:
    return ""


def _lint() -> Iterator[Recipe]:
    c = "lint-failure"
    code = {**python(()), "shop/basket.py": BAD_PY, "shop/report.py": BAD_PY.replace("total", "report")}
    py = {"files": code, "setup": USE_PY}
    yield from case("flake8", c, "flake8", ("python --version", "flake8 --statistics --count shop tests"), r"\.py:\d+:\d+: [EFW]\d+ ", ("gitlab", "github"), version=f"!{PY}/flake8 --version", **py)
    yield from case("ruff", c, "ruff", ("ruff --version", "ruff check --output-format full ."), r"Found \d+ errors", ("jenkins", "gitlab+tty"), key=r"^[EFW]\d+ |Found \d+ error", version=f"!{PY}/ruff --version", **py)
    yield from case("ruff-format", c, "ruff", ("ruff check --select E9 .", "ruff format --check --diff ."), r"files? would be reformatted", ("github",), family="ruff-format", version=f"!{PY}/ruff --version", **py)
    yield from case("black", c, "black", ("python -m pytest -q", "black --check --verbose ."), r"would reformat ", ("travis", "azure"), exit=(1, 123), version=f"!{PY}/black --version", **py)
    yield from case(
        "isort",
        c,
        "isort",
        ("isort --check-only --diff .",),
        r"Imports are incorrectly sorted",
        ("make",),
        version=f"!{PY}/isort --version",
        files={**code, "shop/zeta.py": "import sys\nimport os\nfrom shop import tax_amount\nimport abc\n"},
        setup=USE_PY,
    )
    yield from case("mypy", c, "mypy", ("python -m pytest -q --no-header", "mypy --strict shop"), r"Found \d+ errors? in \d+ file", ("gitlab", "xtrace"), key=r"\.py:\d+: error: ", version=f"!{PY}/mypy --version", **py)
    yield from case("pylint", c, "pylint", ("pylint shop",), r"Your code has been rated", ("github", "jenkins"), exit=tuple(range(1, 32)), key=r"\.py:\d+:\d+: [CEWR]\d+", version=f"!{PY}/pylint --version", **py)
    yield from case("pydocstyle", c, "pydocstyle", ("pydocstyle shop",), r"D10\d: Missing", ("travis",), version=f"!{PY}/pydocstyle --version", **py)
    web = {
        **js(_none, (), folder="empty"),
        ".eslintrc.json": '{"root": true, "extends": "eslint:recommended", "env": {"node": true, "es2022": true}, "rules": {"semi": "error", "quotes": ["error", "single"], "complexity": "warn"}}\n',
        "src/report.js": 'const os = require("os")\nvar rows = []\nexports.report = () => {\n  if (rows = []) {\n    debugger\n    return totals;\n  }\n}\n',
        "src/theme.css": "a { COLOR: #FFFFFF; margin: 0px }\n.card { color: red; color: blue }\n.Card-Title { background: #fffffff }\n",
        "package.json": '{"name": "shop", "version": "1.4.2", "private": true, "scripts": {"lint": "eslint src"}}\n',
        ".stylelintrc.json": '{"extends": "stylelint-config-standard"}\n',
        "README.md": "#Shop\n\n* a\n- b\n\n\n\n### Usage\nSee http://shop.example.org for more\n\n```\nnpm i\n```\n",
    }
    eslint = {"files": web, "version": "!node --version"}
    yield from case("eslint", c, "eslint", ("node --version", "npm run lint"), r"✖ \d+ problems?", ("gitlab", "github", "travis+tty"), setup=_use("lint"), key=r"^ +\d+:\d+ +error|problems", **eslint)
    yield from case("prettier", c, "prettier", ("npx prettier --version", "npx prettier --check 'src/**/*'"), r"Code style issues found|Forgot to run Prettier", ("jenkins", "azure"), setup=_use("lint"), exit=(1, 2), **eslint)
    yield from case("stylelint", c, "stylelint", ("npx stylelint 'src/**/*.css'",), r"\d+ problems? \(|✖", ("make",), setup=_use("lint"), exit=(1, 2), **eslint)
    yield from case("markdownlint", c, "markdownlint", ("ls", "npx markdownlint README.md"), r"MD\d\d\d/", ("gitlab",), setup=_use("md"), **eslint)
    yield from case("biome", c, "biome", ("npx biome --version", "npx biome ci src"), r"Found \d+ errors?", ("github", "xtrace"), setup=_use("biome"), **eslint)
    yield from case("standard", c, "standard", ("npx standard src/",), r"standard: |:\d+:\d+: ", ("travis",), setup=_use("standard"), **eslint)
    yield from case(
        "rubocop",
        c,
        "rubocop",
        ("ruby --version", "rubocop --format progress"),
        r"\d+ files inspected, [1-9]\d* offenses?",
        ("gitlab", "jenkins"),
        files={**ruby(()), "lib/basket.rb": "class basket\n  def Total( items )\n    x = items.map{|i| i.price};\n    return x.inject(:+) if x != nil\n  end\nend\n".replace("basket", "Basket")},
        version="!rubocop --version",
        needs=("rubocop",),
        key=r"[CWE]: |offenses",
    )
    yield from case(
        "phpcs",
        c,
        "phpcs",
        ("phpcs --version", "phpcs --standard=PSR12 src"),
        r"FOUND \d+ ERRORS?",
        ("github", "make"),
        files={**php(()), "src/Basket.php": "<?php\nnamespace Shop;\nclass basket{\n  var $Items=array();\n  function Total( $x ){ if($x==NULL) return 0; else return 1; }\n}\n"},
        exit=(1, 2),
        version="!phpcs --version",
        needs=("phpcs:php-codesniffer",),
    )
    script = '#!/bin/sh\ncd $1\nfor f in $(ls *.txt); do\n  if [ $f == "x" ]; then\n    rm -rf $2/$f\n  fi\ndone\nread line\necho `date` $line\n'
    yield from case(
        "shellcheck", c, "shellcheck", ("shellcheck --version", "shellcheck scripts/*.sh"), r"SC\d{4}", ("gitlab", "azure"), files={f"scripts/{n}.sh": script for n in UNITS[:4]}, version="!shellcheck --version", needs=("shellcheck",)
    )
    yield from case(
        "gofmt",
        c,
        "gofmt",
        ("go version", "go build ./...", 'files=$(gofmt -l -d .); echo "$files"; test -z "$files"'),
        r"^diff .*\.go",
        ("jenkins", "xtrace"),
        files={**golang(()), "taxamount/rate.go": 'package taxamount\nimport "fmt"\nfunc Rate( a int )  int {\n  fmt.Println( a )\n    return a*2 }\n'},
        version="!go version",
        offline=True,
    )
    yield from case(
        "go-vet",
        c,
        "go",
        ("go build ./...", "go vet ./..."),
        r"has arg .* of wrong type|vet: |possible formatting|unreachable code|self-assignment",
        ("github",),
        files={**golang(()), "taxamount/rate.go": 'package taxamount\n\nimport "fmt"\n\n// Rate prints.\nfunc Rate(a int) int {\n\tfmt.Printf("%s\\n", a)\n\ta = a\n\treturn a\n}\n'},
        version="!go version",
        offline=True,
        family="go-vet",
    )
    warn = {**rust(()), "src/lib.rs": rust(())["src/lib.rs"] + "\npub fn first(v: &Vec<i64>) -> i64 {\n    if v.len() == 0 {\n        return 0;\n    }\n    let x = v.iter().map(|n| n.clone()).next().unwrap();\n    return x;\n}\n"}
    yield from case("clippy", c, "clippy", ("cargo build", "cargo clippy --all-targets -- -D warnings"), r"clippy::", ("gitlab", "travis"), files=warn, exit=101, version="!cargo clippy --version", offline=True, key=r"^error: ")
    yield from case(
        "rustfmt",
        c,
        "rustfmt",
        ("cargo --version", "cargo fmt --all -- --check"),
        r"^Diff in ",
        ("github",),
        files={**warn, "src/rate.rs": "pub fn rate( a:i64 )->i64{a*2}\n", "src/lib.rs": warn["src/lib.rs"] + "pub mod rate;\n"},
        version="!cargo fmt --version",
        offline=True,
    )
    sources = c_modules(8)
    yield from case("clang-format", c, "clang-format", ("ls src", "clang-format --dry-run --Werror src/*.c"), r"\[-Wclang-format-violations\]", ("jenkins", "azure"), files=sources, version="!clang-format --version", needs=("clang-format",))
    yield from case(
        "cppcheck",
        c,
        "cppcheck",
        ("cppcheck --version", "cppcheck --enable=all --error-exitcode=1 --suppress=missingIncludeSystem src"),
        r"(error|style|warning): .*\[\w+\]",
        ("make",),
        files={**sources, "src/leak.c": "#include <stdlib.h>\nint f(int n) {\n    int *p = malloc(4);\n    int a[2];\n    a[n] = 1;\n    return a[5];\n}\n"},
        version="!cppcheck --version",
        needs=("cppcheck",),
        key=r"error: ",
    )
    yield from case(
        "yamllint",
        c,
        "yamllint",
        ("yamllint --version", "yamllint --strict ."),
        r"^ +\d+:\d+ +error",
        ("travis", "gitlab"),
        files={f"deploy/{n}.yml": f"name: {n}\nsteps:\n - run:  make\n   when : on\n - run: test \nkey: 1\nkey: 2\n" for n in UNITS[:5]},
        setup=USE_PY,
        version=f"!{PY}/yamllint --version",
    )
    yield from case(
        "checkstyle",
        c,
        "checkstyle",
        ("java -version", "checkstyle -c /sun_checks.xml src/main/java"),
        r"Checkstyle ends with \d+ errors",
        ("github", "xtrace"),
        files=java((), style=""),
        exit=tuple(range(1, 255)),
        version="!dpkg-query -W checkstyle",
        needs=("checkstyle",),
    )
    yield from case(
        "ansible-lint",
        c,
        "ansible-lint",
        ("ansible-lint --offline site.yml",),
        r"Failed: |violation",
        ("jenkins",),
        files={"site.yml": "- hosts: all\n  tasks:\n    - command: rm -rf /tmp/x\n    - name: install\n      apt: name=nginx state=latest\n    - shell: echo hi\n"},
        exit=2,
        env={"LC_ALL": "C.UTF-8"}, version="!ansible-lint --version --offline",
        needs=("ansible-lint",),
    )
    yield from case(
        "luacheck",
        c,
        "luacheck",
        ("luacheck src",),
        r"Total: [1-9]\d* warnings?",
        ("gitlab",),
        files={f"src/{n}.lua": f"local unused = 1\nfunction {n}(a, b)\n  x = a\n  return a * b\nend\n" for n in UNITS},
        exit=(1, 2),
        version="!dpkg-query -W lua-check",
        needs=("luacheck:lua-check",),
    )


def _coverage() -> Iterator[Recipe]:
    c = "coverage-too-low"
    extra = {
        **python(()),
        "shop/export.py": "def export(rows):\n    out = []\n    for row in rows:\n        if row.get('total'):\n            out.append(str(row['total']))\n        elif row.get('tax'):\n            out.append(str(row['tax']))\n        else:\n            raise ValueError('empty row')\n    if not out:\n        return None\n    out.sort()\n    text = ','.join(out)\n    return text\n\n\ndef load(path):\n    with open(path) as file:\n        data = file.read()\n    lines = data.splitlines()\n    if len(lines) < 2:\n        print('short')\n        return []\n    return [line.split(',') for line in lines]\n",
    }
    yield from case(
        "pytest-cov",
        c,
        "pytest-cov",
        ("python --version", "pytest -v --cov=shop --cov-report=term-missing --cov-fail-under=90"),
        r"Required test coverage of",
        ("gitlab", "github", "travis+tty"),
        files=extra,
        setup=USE_PY,
        version=f"!{PY}/pytest --version",
    )
    yield from case(
        "coverage", c, "coverage", ("coverage run --source shop -m pytest -q", "coverage report -m --fail-under=95"), r"Coverage failure: total of", ("jenkins", "make"), files=extra, setup=USE_PY, exit=2, version=f"!{PY}/coverage --version"
    )
    package = '{"name": "shop", "version": "1.4.2", "private": true, "scripts": {"test": "COMMAND"}, "jest": {"coverageThreshold": {"global": {"lines": 95, "branches": 90}}}, "nyc": {"check-coverage": true, "lines": 95, "branches": 90}}\n'
    dead = {
        "src/export.js": "exports.rows = (list) => {\n  const out = [];\n  for (const row of list) {\n    if (row.total) out.push(row.total);\n    else if (row.tax) out.push(row.tax);\n    else throw new Error('empty row');\n  }\n  if (!out.length) return null;\n  out.sort();\n  return out.join(',');\n};\nexports.one = () => 1;\n",
        "test/export.test.js": "const { one } = require('../src/export.js');\nrequire('node:assert').equal(one(), 1);\n",
    }

    def _jest(name: str, path: str, table: list[tuple[str, str, int]]) -> str:
        return f"const {{ {name} }} = require('{path}');\n\ndescribe('{name}', () => {{\n" + "".join(f"  test('{words}', () => expect({call}).toBe({want}));\n" for words, call, want in table) + "});\n"

    def _node(name: str, path: str, table: list[tuple[str, str, int]]) -> str:
        return f"const {{ test }} = require('node:test');\nconst assert = require('node:assert');\nconst {{ {name} }} = require('{path}');\n" + "".join(
            f"test('{name} {words}', () => assert.equal({call}, {want}));\n" for words, call, want in table
        )

    jest = {**js(_jest, ()), **dead, "test/export.test.js": "const { one } = require('../src/export.js');\ntest('one', () => expect(one()).toBe(1));\n", "package.json": package.replace("COMMAND", "jest --coverage")}
    yield from case("jest-coverage", c, "jest", ("npm test",), r"coverage threshold for", ("gitlab", "azure"), files=jest, setup=_use("jest"), version="!node --version")
    for tool, places in (("nyc", ("github", "jenkins")), ("c8", ("travis", "xtrace"))):
        command = "nyc node --test test/" if tool == "nyc" else "c8 --check-coverage --lines 97 --branches 95 node --test test/"
        yield from case(tool, c, tool, ("node --version", "npm test"), r"ERROR: Coverage for", places, files={**js(_node, ()), **dead, "package.json": package.replace("COMMAND", command)}, setup=_use("cov"), version="!node --version")
    cov = {f"src/{n}.c": f"int {n}(int a, int b) {{\n    if (a > 100) {{\n        b = b * 2;\n        a = a - 100;\n    }}\n    if (b < 0)\n        return -1;\n    return a * b + {i};\n}}\n" for i, n in enumerate(UNITS[:6])} | {
        "src/main.c": "int invoice_total(int a, int b);\nint main(void) { return invoice_total(2, 3) != 6; }\n",
        "Makefile": "check:\n\tgcc --coverage -O0 -o app src/*.c\n\t./app\n\tgcovr --root . --fail-under-line 80\n",
    }
    yield from case("gcovr", c, "gcovr", ("make check",), r"failed minimum line coverage|lines: |TOTAL", ("gitlab", "github"), files=cov, exit=2, version="!gcovr --version", needs=("gcovr",), key=r"failed minimum line coverage")
    simple = {
        **ruby(()),
        "test/helper.rb": "require 'simplecov'\nSimpleCov.start { minimum_coverage 95 }\n",
        "lib/export.rb": "module Export\n  def self.rows(list)\n    out = []\n    list.each do |row|\n      if row[:total]\n        out << row[:total]\n      elsif row[:tax]\n        out << row[:tax]\n      else\n        raise 'empty'\n      end\n    end\n    out.sort!\n    out.join(',')\n  end\nend\n",
    }
    yield from case(
        "simplecov",
        c,
        "simplecov",
        ("ruby --version", 'ruby -Ilib -Itest -e \'require "helper"; require "export"; Dir["./test/*_test.rb"].each { |f| require f }\' -- -v'),
        r"below the expected minimum coverage",
        ("jenkins", "azure"),
        files=simple,
        exit=2,
        version="!dpkg-query -W ruby-simplecov",
        needs=("ruby",),
    )
    mix = {
        "mix.exs": 'defmodule Shop.MixProject do\n  use Mix.Project\n  def project, do: [app: :shop, version: "1.4.2", test_coverage: [summary: [threshold: 90]]]\nend\n',
        "test/test_helper.exs": "ExUnit.start()\n",
        "test/shop_test.exs": "defmodule ShopTest do\n  use ExUnit.Case\n" + "".join(f'  test "{n}" do\n    assert Shop.{pascal(n)}.of(2, 3) == {6 + i}\n  end\n' for i, n in enumerate(UNITS[:5])) + "end\n",
    } | {f"lib/{n}.ex": f"defmodule Shop.{pascal(n)} do\n  def of(a, b), do: a * b + {i}\n  def twice(a), do: a * 2\n  def half(a), do: div(a, 2)\nend\n" for i, n in enumerate(UNITS[:8])}
    yield from case("mix-cover", c, "mix", ("mix test --cover",), r"[Cc]overage test failed, threshold not met", ("gitlab", "make"), files=mix, exit=3, env={"LC_ALL": "C.UTF-8"}, version="!elixir --version", needs=("mix:elixir",))
    gate = "go test -coverprofile=c.out ./...\ntotal=$(go tool cover -func=c.out | tee /dev/stderr | awk '/^total/ {print int($3)}')\n[ $total -ge 80 ] || { echo \"coverage $total% is below the threshold of 80%\"; exit 1; }"
    yield from case(
        "go-cover",
        c,
        "go",
        ("go version", gate),
        r"is below the threshold",
        ("xtrace", "github"),
        files={
            **golang(()),
            "main_test.go": 'package main\n\nimport "testing"\n\nfunc TestNothing(t *testing.T) {}\n',
            **{f"{n.replace('_', '')}/more.go": f"package {n.replace('_', '')}\n\n// More is longer.\nfunc More(a int) int {{\n\tif a > 2 {{\n\t\treturn a\n\t}}\n\treturn 1\n}}\n" for n in UNITS[:10]},
        },
        version="!go version",
        offline=True,
    )


def _docs() -> Iterator[Recipe]:
    c = "docs-build-failed"
    conf = "project = 'Shop'\nextensions = ['sphinx.ext.autodoc', 'sphinx.ext.intersphinx']\nintersphinx_mapping = {}\nhtml_theme = 'alabaster'\n"
    pages = {f"docs/{n}.rst": f"{n}\n{'=' * len(n)}\n\nComputes the {n.replace('_', ' ')}.\n\n.. code-block:: python\n\n   {n}(1, 2)\n" for n in UNITS}
    index = "Shop\n====\n\n.. toctree::\n\n" + "".join(f"   {n}\n" for n in UNITS)
    sphinx = {"docs/conf.py": conf, **pages, **python(())}
    version = f"!{PY}/sphinx-build --version"
    yield from case(
        "sphinx-warning",
        c,
        "sphinx",
        ("python --version", "sphinx-build -W --keep-going -b html docs build"),
        r"treated as errors?|WARNING: ",
        ("gitlab", "github", "make"),
        files={**sphinx, "docs/index.rst": index + "   changelog\n\nSee :ref:`nowhere` and :doc:`missing`.\n\n.. automodule:: shop.basket\n"},
        setup=USE_PY,
        key=r"WARNING: |treated as error",
        version=version,
    )
    yield from case(
        "sphinx-extension",
        c,
        "sphinx",
        ("sphinx-build -b html docs build",),
        r"Extension error|Configuration error|Could not import extension",
        ("jenkins", "travis"),
        files={**sphinx, "docs/index.rst": index, "docs/conf.py": conf.replace("'sphinx.ext.autodoc'", "'sphinx.ext.autodocs'")},
        setup=USE_PY,
        exit=2,
        version=version,
        family="sphinx-extension",
    )
    yield from case(
        "sphinx-title",
        c,
        "sphinx",
        ("sphinx-build -n -W -b html docs build",),
        r"[Ww]arning, treated as error|treated as errors",
        ("azure",),
        files={**sphinx, "docs/index.rst": index, "docs/tax_amount.rst": "Tax\n==\n\n* a\n  - b\n c\n\n.. nosuch:: x\n"},
        setup=USE_PY,
        exit=(1, 2),
        version=version,
        family="sphinx-title",
    )
    site = {f"docs/{n}.md": f"# {n}\n\nSee [the total](invoice_total.md).\n" for n in UNITS} | {
        "docs/index.md": "# Shop\n\nSee [setup](setup.md) and [usage](guide/usage.md#install).\n",
        "mkdocs.yml": "site_name: Shop\nsite_url: https://shop.example.org\nnav:\n  - index.md\n  - install.md\n" + "".join(f"  - {n}.md\n" for n in UNITS[:10]),
    }
    yield from case(
        "mkdocs",
        c,
        "mkdocs",
        ("mkdocs --version", "mkdocs build --strict"),
        r"Aborted with \d+ warnings in strict mode|Aborted with",
        ("gitlab", "xtrace"),
        files=site,
        setup=USE_PY,
        key=r"WARNING|Aborted",
        version=f"!{PY}/mkdocs --version",
    )
    yield from case(
        "mkdocs-theme",
        c,
        "mkdocs",
        ("mkdocs build --verbose",),
        r"Aborted with \d+ configuration errors?|Config value",
        ("github",),
        files={**site, "mkdocs.yml": site["mkdocs.yml"] + "theme: materials\nplugins: [search, redirects]\n"},
        setup=USE_PY,
        key="Aborted|Config value",
        version=f"!{PY}/mkdocs --version",
        family="mkdocs-config",
    )
    doc = {
        **rust(()),
        "src/lib.rs": "//! The shop; see [`Basket`] and [the codec](crate::codec::Codec).\n\n"
        + rust(())["src/lib.rs"].removeprefix("//! The shop.\n")
        + "\n/// Returns <b>two. See [Nothing].\n///\n/// ```rust\n/// let x: = ;\n/// ```\npub fn two() -> i64 { 2 }\n",
    }
    yield from case(
        "rustdoc",
        c,
        "rustdoc",
        ("cargo --version", "cargo build", "RUSTDOCFLAGS='-D warnings' cargo doc --no-deps"),
        r"unresolved link to|could not document",
        ("gitlab", "jenkins"),
        files=doc,
        exit=101,
        offline=True,
        version="!rustdoc --version",
    )
    bad = {
        "src/main/java/org/acme/shop/Basket.java": "package org.acme.shop;\n\n/**\n * The basket & its items < 3.\n *\n * @see Nothing#at\n */\npublic class Basket {\n    /**\n     * Adds.\n     *\n     * @param items the number\n     * @return nothing\n     */\n    public void add(int count) { }\n}\n"
    }
    yield from case(
        "javadoc", c, "javadoc", ("java -version", "javadoc -Xdoclint:all -d build/docs $(find src/main -name '*.java')"), r"\.java:\d+: error: ", ("github", "travis"), files={**java((), style=""), **bad}, version="!javadoc --version"
    )
    doxygen = {
        **c_modules(6),
        "Doxyfile": "PROJECT_NAME = shop\nINPUT = src\nGENERATE_LATEX = NO\nEXTRACT_ALL = NO\nWARN_AS_ERROR = FAIL_ON_WARNINGS\nWARN_NO_PARAMDOC = YES\n",
        "src/api.h": "/** \\file */\n/** Adds. \\param x the first\n * \\return the sum \\see missing_thing() \\ref nowhere\n */\nint add(int a, int b);\n",
    }
    yield from case("doxygen", c, "doxygen", ("doxygen --version", "doxygen Doxyfile"), r"api\.h:\d+: (warning|error): ", ("azure", "gitlab"), files=doxygen, version="!doxygen --version", needs=("doxygen",))
    typed = {
        "src/index.ts": "/**\n * See {@link Nothing} and {@link Basket.at}.\n * @param nope - not there\n */\nexport function add(a: number): number { return a + 1; }\n",
        "tsconfig.json": '{"compilerOptions": {"strict": true, "target": "es2020", "module": "commonjs"}, "include": ["src"]}\n',
        "package.json": '{"name": "shop", "version": "1.4.2"}\n',
    }
    yield from case("typedoc", c, "typedoc", ("npx typedoc --treatWarningsAsErrors --out docs src/index.ts",), r"\[(warning|error)\]|Found \d+ (errors|warnings)", ("make",), files=typed, setup=_use("jsdoc"), exit=(1, 2, 3, 4), version="!node --version")


def recipes() -> Iterator[Recipe]:
    """Give all recipes of this module."""
    yield from prefixed("quality", _lint, _coverage, _docs)
