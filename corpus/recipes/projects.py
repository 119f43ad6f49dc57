"""Small projects in many languages, each with units and tests; the tests of chosen units are wrong."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from typing import Final

from .blocks import LOCAL_CLONE, SYSTEM_INFO, c_project, cmake_project
from .model import Recipe, spread
from .wrappers import BUILDERS

UNITS: Final = ("invoice_total", "shipping_cost", "discount_rate", "tax_amount", "loyalty_points", "stock_level", "refund_value", "delivery_days", "credit_limit", "exchange_rate", "session_score", "retry_delay")
CASES: Final = (("adds the handling fee", 2, 3), ("is stable for zero", 0, 4), ("handles large orders", 120, 7), ("accepts a negative amount", -3, 5))
FOUR: Final = ("gitlab", "github", "jenkins", "xtrace")


def case(name: str, cause: str, tool: str, steps: tuple[str, ...], signature: str, wrappers: tuple[str, ...], **more: object) -> Iterator[Recipe]:
    """Give one recipe for each wrapper."""
    options: dict[str, object] = {"exit": 1, "family": f"{tool}-{cause}", **more}
    yield from spread(Recipe(name=name, cause=cause, tool=tool, steps=steps, signature=signature, **options), wrappers)  # type: ignore[arg-type]


_NATIVE: Final = {f"native/{name}": text for name, text in {**c_project(modules=11), "CMakeLists.txt": cmake_project("", modules=11)["CMakeLists.txt"]}.items()}
# What other steps of a job print before the one that fails.
_BEFORE: Final = (
    ("make -C native", "./native/build/app"),
    (LOCAL_CLONE, SYSTEM_INFO, "make -C native CFLAGS='-O1 -g -Isrc'"),
    ("cmake -S native -B native/out", "cmake --build native/out"),
    ("git --version", "tar -czvf /tmp/sources.tar.gz native", "sha256sum native/src/*.c"),
    (SYSTEM_INFO, "find native -type f | sort", "make -C native -j2"),
    ("make -C native --no-print-directory 2>&1 | tail -12", "nm native/build/app | grep ' T '"),
)


def _surrounded(recipe: Recipe, number: int) -> Recipe:
    """Put other steps of a job before a short build that runs on the host."""
    if recipe.wrapper in BUILDERS | {"chroot"} or "/nopy" in recipe.setup:
        return recipe
    return replace(recipe, files={**_NATIVE, **recipe.files}, steps=(*_BEFORE[number % len(_BEFORE)], *recipe.steps))


def prefixed(prefix: str, *groups: Callable[[], Iterator[Recipe]]) -> Iterator[Recipe]:
    """Give the recipes of some groups under names of their own, after other steps of a job."""
    number = 0
    for group in groups:
        for recipe in group():
            number += 1
            yield replace(_surrounded(recipe, number), name=f"{prefix}-{recipe.name}")


def value(index: int, a: int, b: int) -> int:
    """Return what a unit computes."""
    return a * b + index + 1


def rows(index: int, broken: Collection[int]) -> Iterator[tuple[str, int, int, int]]:
    """Give the tests of a unit: what it says, the arguments, the expected value (wrong in the second test of a broken unit)."""
    for number, (words, a, b) in enumerate(CASES):
        off = 10 * (index in broken and number == 2)
        yield words, a, b, value(index, a, b) + off


def camel(name: str) -> str:
    """Write a name as JavaScript and Java do."""
    head, *rest = name.split("_")
    return head + "".join(part.title() for part in rest)


def pascal(name: str) -> str:
    """Write a name as a class name."""
    return name.title().replace("_", "")


def js(test: Callable[[str, str, list[tuple[str, str, int]]], str], broken: Collection[int] = (4,), *, folder: str = "test", suffix: str = ".test.js", count: int = 10, esm: bool = False) -> dict[str, str]:
    """Return a JavaScript project; `test` writes a test file from a name, a path and (words, expression, expected)."""
    files = {}
    for index, name in enumerate(UNITS[:count]):
        export = f"export const {camel(name)} =" if esm else f"exports.{camel(name)} ="
        files[f"src/{name}.js"] = f"{'' if esm else chr(39) + 'use strict' + chr(39) + ';'}\n{export} (a, b) => {{\n  return a * b + {index + 1};\n}};\n"
        table = [(words, f"{camel(name)}({a}, {b})", want) for words, a, b, want in rows(index, broken)]
        files[f"{folder}/{name}{suffix}"] = test(camel(name), f"../src/{name}.js", table)
    return files


def python(broken: Collection[int] = (4,), *, style: str = "pytest", count: int = 10, package: str = "shop") -> dict[str, str]:
    """Return a Python package with tests."""
    files = {f"{package}/__init__.py": '"""The shop."""\n\n__version__ = "1.4.2"\n', "tests/__init__.py": ""}
    for index, name in enumerate(UNITS[:count]):
        files[f"{package}/{name}.py"] = f'"""Compute the {name.replace("_", " ")}."""\n\n\ndef {name}(a: int, b: int) -> int:\n    """Return the {name.replace("_", " ")} of two amounts."""\n    return a * b + {index + 1}\n'
        tests = list(rows(index, broken))
        head = f"from {package}.{name} import {name}\n\n\n"
        if style == "pytest":
            files[f"tests/test_{name}.py"] = head + "\n\n".join(f"def test_{words.replace(' ', '_')}():\n    assert {name}({a}, {b}) == {want}\n" for words, a, b, want in tests)
        else:
            body = "\n".join(f"    def test_{words.replace(' ', '_')}(self):\n        self.assertEqual({name}({a}, {b}), {want})\n" for words, a, b, want in tests)
            files[f"tests/test_{name}.py"] = f"import unittest\n\n{head}class {pascal(name)}Test(unittest.TestCase):\n{body}"
    return files


def ruby(broken: Collection[int] = (4,), *, style: str = "minitest", count: int = 10) -> dict[str, str]:
    """Return a Ruby project with tests."""
    files = {}
    for index, name in enumerate(UNITS[:count]):
        files[f"lib/{name}.rb"] = f"# Computes the {name.replace('_', ' ')}.\nmodule {pascal(name)}\n  def self.call(a, b)\n    a * b + {index + 1}\n  end\nend\n"
        tests = list(rows(index, broken))
        if style == "rspec":
            body = "\n".join(f"  it '{words}' do\n    expect({pascal(name)}.call({a}, {b})).to eq({want})\n  end\n" for words, a, b, want in tests)
            files[f"spec/{name}_spec.rb"] = f"require '{name}'\n\nRSpec.describe {pascal(name)} do\n{body}end\n"
        else:
            base, load = ("Minitest::Test", "minitest/autorun") if style == "minitest" else ("Test::Unit::TestCase", "test/unit")
            body = "\n".join(f"  def test_{words.replace(' ', '_')}\n    assert_equal {want}, {pascal(name)}.call({a}, {b})\n  end\n" for words, a, b, want in tests)
            files[f"test/{name}_test.rb"] = f"require '{load}'\nrequire '{name}'\n\nclass {pascal(name)}Test < {base}\n{body}end\n"
    return files


def golang(broken: Collection[int] = (4,), *, count: int = 10, module: str = "example.org/acme/shop") -> dict[str, str]:
    """Return a Go module with a package and tests for each unit."""
    files = {"go.mod": f"module {module}\n\ngo 1.19\n"}
    imports = "".join(f'\t"{module}/{name.replace("_", "")}"\n' for name in UNITS[:count])
    calls = "".join(f"\tfmt.Println({name.replace('_', '')}.Compute(2, 3))\n" for name in UNITS[:count])
    files["main.go"] = f'package main\n\nimport (\n\t"fmt"\n\n{imports})\n\nfunc main() {{\n{calls}}}\n'
    for index, name in enumerate(UNITS[:count]):
        short = name.replace("_", "")
        files[f"{short}/{short}.go"] = f"// Package {short} computes the {name.replace('_', ' ')}.\npackage {short}\n\n// Compute returns it.\nfunc Compute(a, b int) int {{\n\treturn a*b + {index + 1}\n}}\n"
        body = "\n".join(
            f'func Test{pascal(words.replace(" ", "_"))}(t *testing.T) {{\n\tif got := Compute({a}, {b}); got != {want} {{\n\t\tt.Errorf("Compute({a}, {b}) = %d, want {want}", got)\n\t}}\n}}\n' for words, a, b, want in rows(index, broken)
        )
        files[f"{short}/{short}_test.go"] = f'package {short}\n\nimport "testing"\n\n{body}'
    return files


def rust(broken: Collection[int] = (4,), *, count: int = 10, name: str = "shop", version: str = "2021") -> dict[str, str]:
    """Return a Rust crate with a module and tests for each unit."""
    files = {"Cargo.toml": f'[package]\nname = "{name}"\nversion = "1.4.2"\nedition = "{version}"\n'}
    files["src/lib.rs"] = "//! The shop.\n\n" + "".join(f"pub mod {unit};\n" for unit in UNITS[:count])
    for index, unit in enumerate(UNITS[:count]):
        tests = "\n".join(f"    #[test]\n    fn {words.replace(' ', '_')}() {{\n        assert_eq!({unit}({a}, {b}), {want});\n    }}\n" for words, a, b, want in rows(index, broken))
        files[f"src/{unit}.rs"] = f"/// Returns the {unit.replace('_', ' ')}.\npub fn {unit}(a: i64, b: i64) -> i64 {{\n    a * b + {index + 1}\n}}\n\n#[cfg(test)]\nmod tests {{\n    use super::*;\n\n{tests}}}\n"
    return files


def crate(path: str, name: str, version: str = "0.3.1", extra: str = "", body: str = "pub fn answer() -> i64 { 42 }\n", edition: str = "2021") -> dict[str, str]:
    """Return a small Rust crate in a folder, for path dependencies."""
    return {f"{path}/Cargo.toml": f'[package]\nname = "{name}"\nversion = "{version}"\nedition = "{edition}"\n{extra}', f"{path}/src/lib.rs": body}


def php(broken: Collection[int] = (4,), *, count: int = 10) -> dict[str, str]:
    """Return a PHP project with PHPUnit tests."""
    files = {"phpunit.xml": '<?xml version="1.0"?>\n<phpunit bootstrap="bootstrap.php" colors="false"><testsuites><testsuite name="shop"><directory>tests</directory></testsuite></testsuites></phpunit>\n'}
    files["bootstrap.php"] = "<?php\nspl_autoload_register(function (string $c): void {\n    $file = __DIR__ . '/src/' . basename(strtr($c, chr(92), '/')) . '.php';\n    if (is_file($file)) {\n        require $file;\n    }\n});\n"
    for index, name in enumerate(UNITS[:count]):
        files[f"src/{pascal(name)}.php"] = (
            f"<?php\n\ndeclare(strict_types=1);\n\nnamespace Shop;\n\nfinal class {pascal(name)}\n{{\n    public static function of(int $a, int $b): int\n    {{\n        return $a * $b + {index + 1};\n    }}\n}}\n"
        )
        body = "\n".join(f"    public function test{pascal(words.replace(' ', '_'))}(): void\n    {{\n        $this->assertSame({want}, \\Shop\\{pascal(name)}::of({a}, {b}));\n    }}\n" for words, a, b, want in rows(index, broken))
        files[f"tests/{pascal(name)}Test.php"] = f"<?php\n\nuse PHPUnit\\Framework\\TestCase;\n\nfinal class {pascal(name)}Test extends TestCase\n{{\n{body}}}\n"
    return files


def java(broken: Collection[int] = (4,), *, count: int = 8, style: str = "jupiter", main: str = "src/main/java", tests: str = "src/test/java") -> dict[str, str]:
    """Return Java sources with tests, without a build system."""
    files = {}
    annotation, assertion = ("org.junit.jupiter.api.Test", "static org.junit.jupiter.api.Assertions.assertEquals") if style == "jupiter" else ("org.junit.Test", "static org.junit.Assert.assertEquals")
    for index, name in enumerate(UNITS[:count]):
        files[f"{main}/org/acme/shop/{pascal(name)}.java"] = (
            f"package org.acme.shop;\n\n/** Computes the {name.replace('_', ' ')}. */\npublic final class {pascal(name)} {{\n    private {pascal(name)}() {{ }}\n\n    public static int of(int a, int b) {{\n        return a * b + {index + 1};\n    }}\n}}\n"
        )
        if style:
            body = "\n".join(f"    @Test\n    public void {camel(words.replace(' ', '_'))}() {{\n        assertEquals({want}, {pascal(name)}.of({a}, {b}));\n    }}\n" for words, a, b, want in rows(index, broken))
            files[f"{tests}/org/acme/shop/{pascal(name)}Test.java"] = f"package org.acme.shop;\n\nimport {assertion};\n\nimport {annotation};\n\npublic class {pascal(name)}Test {{\n{body}}}\n"
    return files


def maven_pom(*, release: str = "17", dependencies: str = "", head: str = "", plugins: str = "", tests: bool = True) -> str:
    """Return a pom.xml whose plugins are those of Debian's Maven repository."""
    jupiter = "<dependency><groupId>org.junit.jupiter</groupId><artifactId>junit-jupiter</artifactId><version>5.9.2</version><scope>test</scope></dependency>" if tests else ""
    return f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>{head}
  <groupId>org.acme</groupId>
  <artifactId>shop</artifactId>
  <version>1.4.2</version>
  <properties>
    <maven.compiler.release>{release}</maven.compiler.release>
    <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>
  </properties>
  <dependencies>
    {jupiter}
    {dependencies}
  </dependencies>
  <build>
    <plugins>
      <plugin><artifactId>maven-clean-plugin</artifactId><version>3.2.0</version></plugin>
      <plugin><artifactId>maven-compiler-plugin</artifactId><version>3.10.1</version></plugin>
      <plugin><artifactId>maven-resources-plugin</artifactId><version>3.3.0</version></plugin>
      <plugin><artifactId>maven-surefire-plugin</artifactId><version>2.22.3</version></plugin>
      {plugins}
    </plugins>
  </build>
</project>
"""
