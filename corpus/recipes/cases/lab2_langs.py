"""Go, Rust, Ruby and PHP: modules, crates, gems and packages that do not fit, and code that does not compile."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from ..blocks import merge
from ..model import Recipe
from ..projects import case, crate, golang, php, prefixed, ruby, rust

GO, CARGO = "!go version", "!cargo --version"


def _go() -> Iterator[Recipe]:
    good = golang(())
    off = {"offline": True, "version": GO, "timeout": 200}

    def main(imports: str, body: str) -> dict[str, str]:
        return {**good, "cmd/server/main.go": f"package main\n\nimport (\n{imports})\n\nfunc main() {{\n{body}}}\n"}

    c = "go-module-missing"
    words = r"no required module provides package|missing go\.sum entry|inconsistent vendoring|cannot find module providing package|unknown revision|module lookup disabled|is explicitly required in go\.mod"
    yield from case("go-required", c, "go", ("go version", "go vet ./invoicetotal/...", "go build ./..."), words, ("gitlab", "github"), files=main('\t"github.com/acme/router"\n', "\trouter.Serve()\n"), **off)
    yield from case(
        "go-sum",
        c,
        "go",
        ("go env GOFLAGS GOPROXY", "go build -v ./..."),
        words,
        ("jenkins", "travis"),
        files={**main('\t"github.com/acme/router"\n', "\trouter.Serve()\n"), "go.mod": good["go.mod"] + "\nrequire github.com/acme/router v1.8.0\n"},
        family="go-sum",
        **off,
    )
    vendored = {
        **main('\t"github.com/acme/router"\n', "\trouter.Serve()\n"),
        "go.mod": good["go.mod"] + "\nrequire github.com/acme/router v1.8.0\n",
        "vendor/modules.txt": "# github.com/acme/router v1.7.2\n## explicit\ngithub.com/acme/router\n",
        "vendor/github.com/acme/router/router.go": "package router\n\nfunc Serve() {}\n",
    }
    yield from case("go-vendor", c, "go", ("go version", "go build ./...", "go test ./..."), words, ("gitlab", "azure"), files=vendored, family="go-vendor", **off)
    yield from case("go-lookup", c, "go", ("go test ./taxamount/", "go get github.com/acme/metrics@v0.9.1"), words, ("make", "github"), files=good, env={"GOPROXY": "off"}, family="go-lookup", **off)
    upstream = "git config --global user.name ci; git config --global user.email ci@example.org; git config --global protocol.file.allow always; mkdir $RUN/tmp/router; cd $RUN/tmp/router; git init -q; echo 'module github.com/acme/router' > go.mod; echo 'package router' > r.go; git add .; git commit -qm one; git tag v1.0.0; git config --global url.file:///tmp/router.insteadOf https://github.com/acme/router; cd - > /dev/null\n"
    yield from case(
        "go-revision",
        c,
        "go",
        ("go version", "go mod download -x github.com/acme/router", "go build ./..."),
        words,
        ("jenkins", "xtrace"),
        files={**good, "go.mod": good["go.mod"] + "\nrequire github.com/acme/router v1.2.0\n"},
        setup=upstream,
        env={"GOPROXY": "direct", "GONOSUMDB": "*", "GOFLAGS": "-mod=mod", "GOPRIVATE": "github.com/acme"},
        family="go-revision",
        **off,
    )

    c, words = (
        "go-compile-error",
        r"\.go:\d+:\d+: (undefined: |declared but not used|\"\w+\" imported and not used|imported and not used|cannot use |syntax error|missing return|\w+ declared)|imported and not used|undefined: |cannot use |syntax error",
    )
    errors = {
        "undefined": ('\t"fmt"\n', "\tfmt.Println(total)\n\tserve()\n"),
        "unused": ('\t"fmt"\n\t"os"\n', '\tcount := 2\n\tfmt.Println("ok")\n'),
        "types": ('\t"fmt"\n\n\t"example.org/acme/shop/taxamount"\n', '\tvar rate string = taxamount.Compute("2", 3)\n\tfmt.Println(rate)\n'),
        "syntax": ('\t"fmt"\n', "\tfor i := 0; i < 3; i++\n\t{\n\t\tfmt.Println(i)\n\t}\n"),
        "method": ('\t"strings"\n', '\tvar b strings.Builder\n\tb.WriteLine("x")\n\tvar w error = b\n\t_ = w\n'),
    }
    commands = ("go build -v ./...", "go vet ./...", "go test ./...", "go run ./cmd/server", "go install ./...")
    wrappers = (("gitlab", "github"), ("jenkins",), ("travis", "azure"), ("make",), ("xtrace",))
    for (name, (imports, body)), command, places in zip(errors.items(), commands, wrappers, strict=True):
        yield from case(f"go-{name}", c, "go", ("go version", "go test ./taxamount ./creditlimit", command), words, places, files=main(imports, body), exit=(1, 2), family=f"go-compile-{name}", **off)
    test = {**good, "taxamount/extra_test.go": 'package taxamount\n\nimport "testing"\n\nfunc TestExtra(t *testing.T) {\n\tif Compute(1) != newRate() {\n\t\tt.Fatal("no")\n\t}\n}\n'}
    yield from case("go-testfile", c, "go", ("go build ./...", "go test ./..."), r"\[build failed\]|undefined: ", ("gitlab",), files=test, exit=(1, 2), family="go-compile-test", key=r"undefined: |not enough arguments", **off)

    c, words = "go-version-mismatch", r"requires go >= 1|invalid go version|note: module requires Go 1\.|is not in GOROOT|unknown directive: toolchain|unknown block type: (tool|godebug)"
    yield from case("go-invalid", c, "go", ("go version", "go build ./..."), words, ("gitlab", "github"), files={**good, "go.mod": "module example.org/acme/shop\n\ngo 1.22.3\n"}, family="go-invalid", **off)
    yield from case("go-toolchain", c, "go", ("go version", "go env", "go test ./..."), words, ("jenkins", "azure"), files={**good, "go.mod": "module example.org/acme/shop\n\ngo 1.21\n\ntoolchain go1.21.6\n"}, family="go-toolchain", **off)
    yield from case(
        "go-goroot", c, "go", ("go version", "go test ./taxamount", "go build ./..."), words, ("travis", "gitlab"), files=main('\t"log/slog"\n\t"slices"\n', '\tslog.Info("ok", "n", slices.Max([]int{1, 2}))\n'), family="go-goroot", **off
    )
    newer = {**main('\t"fmt"\n', "\tfmt.Println(min(1, 2))\n\tfor i := range 3 {\n\t\tfmt.Println(i)\n\t}\n"), "go.mod": "module example.org/acme/shop\n\ngo 1.22\n"}
    yield from case("go-note", c, "go", ("go version", "go vet ./taxamount", "go build ./..."), r"note: module requires Go 1\.", ("make", "xtrace"), files=newer, exit=2, family="go-note", **off)


def _rust() -> Iterator[Recipe]:
    good = rust(())
    off = {"offline": True, "version": CARGO, "exit": 101}
    c, words = "rust-compile-error", r"^error\[E\d{4}\]|^error: (expected|cannot find|unused|mismatched|could not compile)|could not compile `"
    key = r"^error\[E\d{4}\]|^error: "
    bodies = {
        "types": 'pub fn price(n: u32) -> String {\n    let total: u32 = "12";\n    n + total\n}\n',
        "borrow": "pub fn join(names: Vec<String>) -> usize {\n    let moved = names;\n    let first = &moved[0];\n    drop(moved);\n    names.len() + first.len()\n}\n",
        "names": "use crate::store::Store;\n\npub fn open() -> Store {\n    Store::connect(port).unwrap()\n}\n",
        "macro": 'pub fn show() {\n    println!("{} {}", 1);\n    let v = vec![1, 2, 3;\n}\n',
        "trait": "#[derive(Clone, Copy)]\npub struct Order { names: Vec<String> }\n\npub fn sort(mut orders: Vec<Order>) -> Vec<Order> {\n    orders.sort();\n    orders\n}\n",
        "deny": "#![deny(warnings)]\nuse std::collections::HashMap;\n\npub fn f() -> i32 {\n    let unused = 3;\n    2\n}\n",
    }
    commands = ("cargo build", "cargo test", "cargo check --all-targets", "cargo build --release", "cargo doc", "cargo build --verbose")
    wrappers = (("gitlab", "github+tty"), ("jenkins",), ("travis", "azure"), ("make",), ("xtrace",), ("gitlab",))
    for (name, body), command, places in zip(bodies.items(), commands, wrappers, strict=True):
        workspace = merge(
            good,
            {"src/report.rs": body.removeprefix("#![deny(warnings)]\n"), "src/lib.rs": ("#![deny(warnings)]\n" if name == "deny" else "") + good["src/lib.rs"] + "pub mod report;\n"},
            crate("crates/util", "util"),
            crate("crates/codec", "codec"),
        )
        workspace["Cargo.toml"] += '\n[dependencies]\nutil = { path = "crates/util" }\ncodec = { path = "crates/codec" }\n'
        yield from case(f"rust-{name}", c, "cargo", ("cargo --version && rustc --version", command), words, places, files=workspace, key=key, family=f"cargo-compile-{name}", **off)
    yield from case(
        "rustc",
        c,
        "rustc",
        ("rustc --version", "rustc --edition 2021 --crate-type lib src/lib.rs"),
        words,
        ("github",),
        files={**good, "src/lib.rs": good["src/lib.rs"] + bodies["borrow"]},
        key=key,
        family="rustc-compile",
        **{**off, "exit": 1},
    )

    c = "cargo-dependency"
    words = r"failed to select a version for|needs to be updated but --locked|no matching package named|does not have (that|this|these) feature|cannot update the lock file|failed to get `|attempting to make an HTTP request, but --offline|no matching package found"

    def needs(line: str) -> dict[str, str]:
        files = merge(good, crate("crates/util", "util"), crate("crates/codec", "codec", extra="\n[features]\nfast = []\n"))
        files["Cargo.toml"] += f'\n[dependencies]\ncodec = {{ path = "crates/codec" }}\n{line}\n'
        return files

    yield from case("crate-version", c, "cargo", ("cargo --version", "cargo build"), words, ("gitlab", "github"), files=needs('util = { path = "crates/util", version = "2.0" }'), family="cargo-version", **off)
    yield from case("crate-absent", c, "cargo", ("cargo fetch --offline",), words, ("jenkins", "travis"), files=needs('acme-telemetry = "0.4"'), family="cargo-absent", **off)
    yield from case(
        "crate-locked",
        c,
        "cargo",
        ("cargo build", "sed -i 's/^util.*/util2 = { path = \"crates\\/util2\" }/' Cargo.toml", "cargo build --locked"),
        words,
        ("azure", "make"),
        files=merge(needs('util = { path = "crates/util" }'), crate("crates/util2", "util2")),
        family="cargo-locked",
        **off,
    )
    yield from case("crate-feature", c, "cargo", ("cargo test",), words, ("gitlab", "xtrace"), files=needs('util = { path = "crates/util", features = ["async", "serde"] }'), family="cargo-feature", **off)
    links = merge(
        needs('a = { path = "crates/a" }\nb = { path = "crates/b" }'),
        crate("crates/a", "a", extra='links = "z"\nbuild = "build.rs"\n'),
        crate("crates/b", "b", extra='links = "z"\nbuild = "build.rs"\n'),
        {"crates/a/build.rs": "fn main() {}\n", "crates/b/build.rs": "fn main() {}\n"},
    )
    yield from case("crate-links", c, "cargo", ("cargo build --release",), words + "|links to the native library", ("github",), files=links, family="cargo-links", **off)
    yield from case("crate-path-name", c, "cargo", ("cargo check",), words, ("travis",), files=needs('utils = { path = "crates/util" }'), family="cargo-name", **off)

    c = "rustc-too-old"
    words = r"requires rustc 1|is not supported by the following package|feature `edition\d+` is required|cannot be built because it requires rustc|lock file version .* requires|does not understand this lock file|this version of Cargo is older than|unstable feature|requires `?-Znext-lockfile-bump"
    old = {"offline": True, "version": "!/usr/bin/cargo --version", "exit": 101, "needs": ("/usr/bin/cargo:cargo",), "setup": "export PATH=/usr/bin:$PATH; unset RUSTUP_HOME\n"}
    yield from case("msrv", c, "cargo", ("cargo --version", "cargo build"), words, ("gitlab", "github"), files=merge(good, {"Cargo.toml": good["Cargo.toml"] + 'rust-version = "1.99"\n'}), family="cargo-msrv", **off)
    dependency = merge(needs('next = { path = "crates/next" }'), crate("crates/next", "next", extra='rust-version = "1.99"\n'))
    yield from case("msrv-dependency", c, "cargo", ("rustc --version", "cargo test --workspace"), words, ("jenkins",), files=dependency, family="cargo-msrv-dependency", **off)
    yield from case(
        "msrv-old",
        c,
        "cargo",
        ("cargo --version && rustc --version", "cargo build --release"),
        words,
        ("travis", "azure"),
        files=merge(needs('next = { path = "crates/next" }'), crate("crates/next", "next", extra='rust-version = "1.74"\n')),
        family="cargo-old-msrv",
        **old,
    )
    yield from case("edition", c, "cargo", ("cargo --version", "cargo build"), words, ("gitlab", "make"), files=merge(needs('next = { path = "crates/next" }'), crate("crates/next", "next", edition="2024")), family="cargo-edition", **old)
    yield from case(
        "lockfile",
        c,
        "cargo",
        ("rustc --version", "cargo build --locked"),
        words,
        ("github", "xtrace"),
        files=merge(good, {"Cargo.lock": '# This file is automatically @generated by Cargo.\nversion = 4\n\n[[package]]\nname = "shop"\nversion = "1.4.2"\n'}),
        family="cargo-lockfile",
        **old,
    )

    c, words = "rust-missing", r"can't find Rust compiler|Cargo, the Rust package manager, is not installed|[Rr]ust.*not (installed|found)|`cargo`.*not found|No such file or directory: 'cargo'|Rust toolchain"
    none = "export PATH=$(echo $PATH | tr ':' '\\n' | grep -v cargo | tr '\\n' ':'); mkdir $RUN/nors; for p in /usr/bin/*; do case $p in */cargo|*/rustc) ;; *) ln -s $p $RUN/nors/;; esac; done; export PATH=$(echo $PATH | sed \"s|:/usr/bin:|:$RUN/nors:|; s|:/bin:.*||\")\nunset PIP_FIND_LINKS\n"
    for name, packages, places in (
        ("cryptography", "cryptography==41.0.7", ("gitlab", "docker")),
        ("pydantic", "pydantic-core==2.14.5", ("github", "jenkins")),
        ("bcrypt", "bcrypt==4.0.1", ("travis",)),
        ("rpds", "rpds-py==0.13.2", ("azure", "buildx")),
        ("orjson", "orjson==3.9.10", ("xtrace",)),
    ):
        module = packages.split("==")[0]
        yield from case(
            f"rust-absent-{name}",
            c,
            "pip",
            ("python3 -m venv .venv", ".venv/bin/pip install click==8.1.7 requests==2.32.3", f".venv/bin/pip install --no-binary {module} {packages}"),
            words,
            places,
            setup=none,
            image="python:3.11-slim",
            version="!python3 -m pip --version",
            timeout=500,
            family=f"rust-missing-{'setuptools' if name in {'cryptography', 'bcrypt'} else 'maturin' + name}",
        )


GEMS = (
    "mkdir -p $RUN/tmp/gems/gems; cd $RUN/tmp/gems\n"
    "g() { echo \"Gem::Specification.new { |s| s.name = '$1'; s.version = '$2'; s.summary = 'x'; s.authors = ['a']; s.files = []; $3 }\" > x.gemspec; gem build x.gemspec > /dev/null 2>&1; mv $1-$2.gem gems/; }\n"
    "g core 1.0.0; g core 2.0.0; g web 3.0.0 \"s.add_dependency 'core', '~> 1.0'\"; g admin 1.2.0 \"s.add_dependency 'core', '~> 2.0'\"; gem generate_index > /dev/null 2>&1; cd - > /dev/null\n"
)


def _ruby() -> Iterator[Recipe]:
    c = "ruby-dependency"
    words = r"Bundler could not find compatible versions|Could not find (a valid )?gem|An error occurred while installing|[Ff]ailed to build gem native extension|Could not find \S+ in (any of the sources|locally installed gems|rubygems)|Your Ruby version is|version solving has failed|which is required by gem"
    source = 'source "file:///tmp/gems"\n'
    base = {**ruby(()), "Rakefile": "task(:default) { puts 'ok' }\n"}
    bundle = {"version": "!bundle --version", "needs": ("bundle:bundler",), "exit": (1, 5, 6, 7, 16, 18), "offline": True, "setup": GEMS}
    yield from case(
        "gem-conflict",
        c,
        "bundler",
        ("ruby --version && bundle --version", "bundle install"),
        words,
        ("gitlab", "github"),
        files={**base, "Gemfile": source + 'gem "web", "3.0.0"\ngem "admin", "1.2.0"\n'},
        family="bundler-conflict",
        **bundle,
    )
    yield from case(
        "gem-absent", c, "bundler", ("rake", "bundle install --jobs 2 --retry 1"), words, ("jenkins", "travis"), files={**base, "Gemfile": source + 'gem "core"\ngem "acme-payments", "~> 4.2"\n'}, family="bundler-absent", **bundle
    )
    yield from case("gem-local", c, "bundler", ("bundle install --local", "bundle exec rake"), words, ("azure", "make"), files={**base, "Gemfile": source + 'gem "rake"\ngem "sidekiq", ">= 7"\n'}, family="bundler-local", **bundle)
    yield from case("gem-ruby", c, "bundler", ("ruby --version", "bundle install"), words, ("gitlab",), files={**base, "Gemfile": source + 'ruby "2.7.8"\ngem "core"\n'}, family="bundler-ruby", **bundle)
    yield from case(
        "gem-exec",
        c,
        "bundler",
        ("ruby -Ilib -e 'puts 1'", "bundle exec rspec"),
        words,
        ("github", "xtrace"),
        files={**base, "Gemfile": source + 'gem "core", "2.0.0"\n', "Gemfile.lock": "GEM\n  remote: file:///tmp/gems/\n  specs:\n    core (2.0.0)\n\nPLATFORMS\n  ruby\n\nDEPENDENCIES\n  core (= 2.0.0)\n\nBUNDLED WITH\n   2.3.15\n"},
        family="bundler-exec",
        **bundle,
    )
    native = {
        **base,
        "fastcsv.gemspec": "Gem::Specification.new { |s| s.name = 'fastcsv'; s.version = '0.9.1'; s.summary = 'x'; s.authors = ['a']; s.files = Dir['ext/**/*']; s.extensions = ['ext/extconf.rb'] }\n",
        "ext/extconf.rb": "require 'mkmf'\nabort 'fastcsv needs libcsv 3 or newer' unless find_library('csv3', 'csv_init')\ncreate_makefile('fastcsv')\n",
        "ext/fastcsv.c": "#include <ruby.h>\nvoid Init_fastcsv(void) {}\n",
    }
    yield from case(
        "gem-native",
        c,
        "gem",
        ("gem --version", "gem build fastcsv.gemspec", "gem install --local --install-dir vendor fastcsv-0.9.1.gem"),
        words,
        ("gitlab", "travis"),
        files=native,
        family="gem-native",
        key="Failed to build gem native extension",
        **{**bundle, "version": "!gem --version"},
    )
    yield from case(
        "gem-install",
        c,
        "gem",
        ("ruby --version", "gem install --clear-sources --source file:///tmp/gems --install-dir vendor core", "gem install --clear-sources --source file:///tmp/gems --install-dir vendor acme-payments"),
        words,
        ("jenkins", "github"),
        files=base,
        family="gem-install",
        **{**bundle, "exit": 2, "version": "!gem --version"},
    )


def _php() -> Iterator[Recipe]:
    c = "php-dependency"
    words = r"Your requirements could not be resolved to an installable set of packages|requires ext-|Your lock file does not contain a compatible set|lock file is not up to date|could not be found in any version|do not match your PHP|Your Composer dependencies require"

    def project(require: dict[str, str], *packages: Mapping[str, object], **more: object) -> dict[str, str]:
        body = {
            "name": "acme/shop",
            "repositories": [{"type": "package", "package": [{"dist": {"type": "path", "url": "lib"}, **package} for package in packages]}, {"packagist": False}],
            "require": require,
            "autoload": {"psr-4": {"Shop\\": "src/"}},
            **more,
        }
        return {**php(()), "composer.json": json.dumps(body, indent=4) + "\n", "lib/x.php": "<?php\n"}

    router = {"name": "acme/router", "version": "3.2.0", "require": {"psr/log": "^3.0"}}
    log1, log3 = {"name": "psr/log", "version": "1.1.4"}, {"name": "psr/log", "version": "3.0.0"}
    common = {"version": "!composer --version", "exit": 2, "needs": ("composer",), "offline": True, "env": {"COMPOSER_ALLOW_SUPERUSER": "1"}}
    install = ("php --version", "composer --version", "composer install --no-interaction --prefer-dist")
    yield from case("php-conflict", c, "composer", install, words, ("gitlab", "github"), files=project({"acme/router": "^3.0", "psr/log": "^1.1"}, router, log1, log3), family="composer-conflict", **common)
    yield from case("php-version", c, "composer", ("composer validate --no-check-publish || true", *install[2:]), words, ("jenkins", "travis"), files=project({"php": "^8.4", "psr/log": "^3.0"}, log3), family="composer-php", **common)
    yield from case(
        "php-extension",
        c,
        "composer",
        install,
        words,
        ("azure", "make"),
        files=project({"acme/store": "^2.0"}, {"name": "acme/store", "version": "2.1.0", "require": {"ext-mongodb": "^1.15", "ext-redis": "*"}}),
        family="composer-extension",
        **common,
    )
    yield from case("php-absent", c, "composer", ("php -m | head -20", "composer update --no-interaction"), words, ("xtrace", "github"), files=project({"acme/billing": "^5.1", "psr/log": "^3.0"}, log3), family="composer-absent", **common)
    yield from case(
        "php-stability",
        c,
        "composer",
        ("composer require --no-interaction acme/preview:^4.0",),
        words,
        ("gitlab",),
        files=project({"psr/log": "^3.0"}, log3, {"name": "acme/preview", "version": "4.0.0-beta2"}),
        family="composer-stability",
        **common,
    )
    locked = project({"psr/log": "^3.0"}, log3)
    yield from case(
        "php-lock",
        c,
        "composer",
        ("composer update --no-interaction", 'sed -i \'s/"psr.log": "^3.0"/"psr\\/log": "^1.0"/\' composer.json', "composer install --no-interaction"),
        words,
        ("travis", "jenkins"),
        files=locked,
        family="composer-lock",
        **{**common, "exit": (2, 4)},
    )


def recipes() -> Iterator[Recipe]:
    """Give all recipes of this module."""
    yield from prefixed("lang", _go, _rust, _ruby, _php)
