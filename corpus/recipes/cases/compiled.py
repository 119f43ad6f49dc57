"""Java, Rust, Go, C#, Ruby and PHP: dependencies that do not resolve, code that does not compile, tools too old."""

from __future__ import annotations

from collections.abc import Iterator

from ..model import Recipe, spread


def _case(name: str, cause: str, tool: str, steps: tuple[str, ...], signature: str, wrappers: tuple[str, ...], **more: object) -> Iterator[Recipe]:
    options: dict[str, object] = {"exit": (1, 2), "family": f"{tool}-{cause}", "version": f"!{tool} --version", **more}
    yield from spread(Recipe(name=name, cause=cause, tool=tool, steps=steps, signature=signature, **options), wrappers)  # type: ignore[arg-type]


MVN = "mvn -B -o -Dmaven.repo.local=/usr/share/maven-repo"
MAVEN_NEEDS = ("mvn:maven", "/usr/share/maven-repo/org/apache/maven/plugins/maven-compiler-plugin:maven-debian-helper")


def pom(body: str = "", level: str = "11") -> str:
    """Return a Maven project file."""
    return f"<project xmlns='http://maven.apache.org/POM/4.0.0'>\n  <modelVersion>4.0.0</modelVersion>\n  <groupId>org.acme</groupId>\n  <artifactId>app</artifactId>\n  <version>1.4.2</version>\n  <properties><maven.compiler.source>{level}</maven.compiler.source><maven.compiler.target>{level}</maven.compiler.target></properties>\n  {body}\n</project>\n"


def java(count: int = 6, bad: str = "") -> dict[str, str]:
    """Return some Java classes, and one more."""
    files = {f"src/main/java/org/acme/Part{i}.java": f"package org.acme;\npublic class Part{i} {{ public int value() {{ return {i}; }} }}\n" for i in range(count)}
    return {**files, "src/main/java/org/acme/App.java": "package org.acme;\npublic class App {\n" + (bad or "    public static void main(String[] a) { System.out.println(1); }\n") + "}\n"}


def _jvm() -> Iterator[Recipe]:
    bad = ('    int size = "ten";\n', "    void run() { Undefined u = new Undefined(); u.go(); }\n", "    int f() { }\n", "    void g() { String s = null\n }\n")
    wrappers = (("gitlab", "github"), ("jenkins", "make"), ("travis",), ("azure",))
    for index, code in enumerate(bad):
        yield from _case(
            f"mvn-compile-{index}",
            "java-compile-error",
            "mvn",
            ("java -version", f"{MVN} package"),
            "COMPILATION ERROR|Compilation failure",
            wrappers[index],
            files={"pom.xml": pom(), **java(bad=code)},
            needs=MAVEN_NEEDS,
            key=r"ERROR.*\.java|COMPILATION ERROR",
        )
    for index, code in enumerate(bad[:3]):
        yield from _case(
            f"gradle-compile-{index}",
            "java-compile-error",
            "gradle",
            ("gradle --offline --console=plain build",),
            "compileJava' FAILED|compileJava FAILED|Compilation failed",
            (("gitlab", "github"), ("jenkins",), ("xtrace",))[index],
            files={"build.gradle": "apply plugin: 'java'\n", **java(bad=code)},
            needs=("gradle",),
            key=r"error: |Compilation failed",
            timeout=200,
        )
    yield from _case("javac-compile", "java-compile-error", "javac", ("javac -d out $(find src -name '*.java')",), r"error: ", ("gitlab", "azure"), files=java(bad=bad[1]))
    absent = r"Could not resolve dependencies|Could not find artifact|Could not resolve all|Could not transfer|Cannot access|No cached version"
    for index, dep in enumerate(("org.acme:core-client:3.1", "com.google.guava:guava:99.0-jre", "org.junit.jupiter:junit-jupiter:5.99.0", "org.acme.internal:secrets:1.0-SNAPSHOT")):
        group, artifact, version = dep.split(":")
        body = f"<dependencies><dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId><version>{version}</version></dependency></dependencies>"
        yield from _case(
            f"mvn-dependency-{artifact}", "maven-dependency", "mvn", (f"{MVN} compile",), absent, (("gitlab", "github"), ("jenkins",), ("travis", "azure"), ("make",))[index], files={"pom.xml": pom(body), **java()}, needs=MAVEN_NEEDS
        )
        yield from _case(
            f"gradle-dependency-{artifact}",
            "maven-dependency",
            "gradle",
            ("gradle --offline --console=plain compileJava",),
            absent,
            (("gitlab",), ("github",), ("jenkins",), ("azure",))[index],
            files={"build.gradle": f"apply plugin: 'java'\nrepositories {{ mavenCentral() }}\ndependencies {{ compile '{dep}' }}\n", **java()},
            needs=("gradle",),
        )
    version = r"invalid target release|UnsupportedClassVersionError|release version \d+ not supported|Unsupported class file major|JAVA_HOME is not|Source option \d is no longer supported|wrong version|class file version|invalid source release|defined in an invalid way"
    yield from _case("mvn-release", "java-version-mismatch", "mvn", ("java -version", f"{MVN} package"), version, ("gitlab", "github"), files={"pom.xml": pom(level="21"), **java()}, needs=MAVEN_NEEDS)
    yield from _case("javac-release", "java-version-mismatch", "javac", ("javac -version", "javac --release 21 -d out $(find src -name '*.java')"), version, ("travis", "make"), files=java())
    yield from _case(
        "java-class",
        "java-version-mismatch",
        "java",
        ("javac -d out $(find src -name '*.java')", "printf '\\x00\\x41' | dd of=out/org/acme/App.class bs=1 seek=6 conv=notrunc status=none", "java -version", "java -cp out org.acme.App"),
        version,
        ("gitlab", "azure"),
        files=java(),
    )
    yield from _case("java-home", "java-version-mismatch", "mvn", (f"{MVN} package",), version + "|JAVA_HOME", ("github",), files={"pom.xml": pom(), **java()}, needs=MAVEN_NEEDS, env={"JAVA_HOME": "/usr/lib/jvm/java-21-openjdk"})
    yield from _case(
        "gradle-target",
        "java-version-mismatch",
        "gradle",
        ("gradle --offline --console=plain build",),
        version,
        ("gitlab",),
        files={"build.gradle": "apply plugin: 'java'\ntasks.withType(JavaCompile) { options.compilerArgs += ['--release', '21'] }\n", **java()},
        needs=("gradle",),
    )
    invalid = r"MissingProjectException|no POM in this directory|Non-resolvable parent POM|Non-parseable POM|No plugin found for prefix|Task '.*' not found|Unknown lifecycle phase|ProjectBuildingException|Could not (find|get unknown)|unresolvable build extension"
    for index, (name, files, goal) in enumerate(
        (
            ("nopom", {"README": "x\n"}, "package"),
            ("parent", {"pom.xml": pom("<parent><groupId>org.acme</groupId><artifactId>parent</artifactId><version>9</version></parent>")}, "package"),
            ("xml", {"pom.xml": pom("<dependencies><dependency></dependencies>")}, "package"),
            ("prefix", {"pom.xml": pom()}, "sprng-boot:run"),
            ("phase", {"pom.xml": pom()}, "pakage"),
        )
    ):
        yield from _case(f"mvn-project-{name}", "maven-project-invalid", "mvn", ("mvn --version", f"{MVN} {goal}"), invalid, (("gitlab", "github"), ("jenkins",), ("travis",), ("azure",), ("make",))[index], files=files, needs=MAVEN_NEEDS)
    yield from _case("gradle-task", "maven-project-invalid", "gradle", ("gradle --offline --console=plain assembleRelease",), invalid, ("gitlab", "github"), files={"build.gradle": "apply plugin: 'java'\n"}, needs=("gradle",))
    yield from _case(
        "gradle-script", "maven-project-invalid", "gradle", ("gradle --offline --console=plain build",), invalid + "|Plugin with id", ("jenkins",), files={"build.gradle": "apply plugin: 'jave'\ndependencis { }\n"}, needs=("gradle",)
    )
    slow = {"build.gradle": "apply plugin: 'java'\ntask slow { doLast { println 'indexing'; Thread.sleep(60000) } }\n"}
    for wrapper, wait in (("gitlab", 9), ("github", 11), ("jenkins", 10), ("azure", 12), ("travis", 10)):
        yield from _case(
            "gradle-daemon",
            "gradle-daemon-lost",
            "gradle",
            ("gradle --offline --console=plain --daemon slow",),
            "daemon disappeared",
            (wrapper,),
            files=slow,
            setup=f"(for i in $(seq 200); do sleep 0.2; grep -q indexing $RUN/log && break; done; sleep {wait - 8}; for p in $(ls /proc | grep -E '^[0-9]+$'); do tr '\\0' ' ' < /proc/$p/cmdline 2>/dev/null | grep -q 'GradleDaemon' && kill -9 $p; done) &\n",
            needs=("gradle",),
            timeout=90,
        )


def _rust() -> Iterator[Recipe]:
    base = {"Cargo.toml": "[package]\nname = 'app'\nversion = '1.4.2'\nedition = '2021'\n", "src/util.rs": "pub fn sum(xs: &[u32]) -> u32 { xs.iter().sum() }\n"}
    bugs = (
        'mod util;\nfn main() { let n: u32 = "three"; println!("{n}"); }\n',
        'mod util;\nfn main() { let v = vec![1]; let w = v; println!("{:?} {:?}", v, w); }\n',
        "mod util;\nfn main() { util::total(&[1]); }\n",
        'mod util;\nfn main() { let s: &str; { let t = String::from("x"); s = &t; } println!("{s}") }\n',
    )
    for index, code in enumerate(bugs):
        yield from _case(
            f"cargo-compile-{index}",
            "rust-compile-error",
            "cargo",
            ("cargo --version", "cargo build" if index % 2 else "cargo test"),
            r"error\[E\d+\]",
            (("gitlab", "github+tty"), ("jenkins",), ("travis", "make"), ("azure",))[index],
            files={**base, "src/main.rs": code},
            exit=101,
        )
    yield from _case("rustc-compile", "rust-compile-error", "rustc", ("rustc --edition 2021 -o app src/main.rs",), r"error(\[E\d+\])?:", ("gitlab",), files={**base, "src/main.rs": bugs[0]})
    select = r"failed to select a version|needs to be updated but|no matching package|failed to (get|load|read)|lock file .* needs|failed to parse manifest|cannot update the lock file"
    ok = "fn main() {}\n"
    lib = {"lib/Cargo.toml": "[package]\nname = 'corelib'\nversion = '0.3.0'\nedition = '2021'\n[features]\nfast = []\n", "lib/src/lib.rs": ""}
    dependencies = {"version": "corelib = { path = 'lib', version = '0.9' }", "absent": "serde_acme = '1'", "feature": "corelib = { path = 'lib', features = ['simd'] }", "path": "corelib = { path = '../corelib' }"}
    for index, (name, line) in enumerate(dependencies.items()):
        yield from _case(
            f"cargo-dep-{name}",
            "cargo-dependency",
            "cargo",
            ("cargo --version", "cargo build --offline"),
            select,
            (("gitlab", "github"), ("jenkins",), ("travis", "xtrace+tty"), ("azure",))[index],
            files={**base, **lib, "Cargo.toml": base["Cargo.toml"] + f"[dependencies]\n{line}\n", "src/main.rs": ok},
            exit=101,
        )
    yield from _case(
        "cargo-locked",
        "cargo-dependency",
        "cargo",
        ("cargo build --locked",),
        select,
        ("gitlab", "make"),
        files={**base, **lib, "Cargo.toml": base["Cargo.toml"] + "[dependencies]\ncorelib = { path = 'lib' }\n", "src/main.rs": ok, "Cargo.lock": 'version = 3\n\n[[package]]\nname = "app"\nversion = "1.4.1"\n'},
        exit=101,
    )
    old = r"requires rustc|feature `edition\d+` is required|cannot be built because it requires|is not supported by the following package|this version of Cargo is older"
    yield from _case("rustc-old", "rustc-too-old", "cargo", ("rustc --version", "cargo build"), old, ("gitlab", "github", "jenkins"), files={**base, "Cargo.toml": base["Cargo.toml"] + "rust-version = '1.99'\n", "src/main.rs": ok}, exit=101)
    yield from _case(
        "rustc-old-dep",
        "rustc-too-old",
        "cargo",
        ("cargo check",),
        old,
        ("travis", "azure"),
        files={
            **base,
            **lib,
            "lib/Cargo.toml": lib["lib/Cargo.toml"].replace("edition = '2021'", "edition = '2021'\nrust-version = '1.98.1'"),
            "Cargo.toml": base["Cargo.toml"] + "[dependencies]\ncorelib = { path = 'lib' }\n",
            "src/main.rs": ok,
        },
        exit=101,
    )
    yield from _case(
        "cargo-edition",
        "rustc-too-old",
        "cargo",
        ("apt-get update && apt-get install -y --no-install-recommends cargo", "cargo --version", "cargo build"),
        old,
        ("chroot",),
        files={**base, "Cargo.toml": base["Cargo.toml"].replace("2021", "2024"), "src/main.rs": ok},
        exit=101,
        image="gcc:12",
        version="",
        timeout=400,
    )


def _go() -> Iterator[Recipe]:
    base = {"go.mod": "module example.org/acme/app\n\ngo 1.19\n", "util/util.go": "package util\n\nfunc Sum(xs []int) (n int) {\n\tfor _, x := range xs {\n\t\tn += x\n\t}\n\treturn\n}\n"}
    env = {"GOCACHE": "/srv/lab/cache/go", "GOFLAGS": "", "GOPROXY": "off"}
    bugs = ("func main() { undefinedCall() }\n", "func main() { x := 3 }\n", 'func main() { var n int = "three"; fmt.Println(n) }\n', "func main() { fmt.Println(util.Sum(1)) }\n", "func main() { return 1 }\n")
    for index, code in enumerate(bugs):
        imports = ("", 'import "fmt"\n\n', 'import "fmt"\n\n', 'import (\n\t"fmt"\n\n\t"example.org/acme/app/util"\n)\n\n', "")[index]
        yield from _case(
            f"go-compile-{index}",
            "go-compile-error",
            "go",
            ("go version", ("go build ./...", "go vet ./...", "go test ./...", "go build -v ./...", "go run .")[index]),
            r"\.go:\d+:\d+: ",
            (("gitlab", "github"), ("jenkins",), ("travis", "make"), ("azure",), ("xtrace",))[index],
            files={**base, "main.go": "package main\n\n" + imports + code},
            env=env,
            version="!go version",
        )
    main = 'package main\n\nimport "github.com/acme/lib"\n\nfunc main() { lib.Run() }\n'
    absent = r"missing go.sum entry|no required module provides|cannot find module|unknown revision|inconsistent vendoring|module lookup disabled|is not in (GOROOT|std)|updates to go.mod needed"
    modules = {
        "required": ({}, "go build ./..."),
        "sum": ({"go.mod": base["go.mod"] + "\nrequire github.com/acme/lib v1.2.3\n"}, "go build ./..."),
        "vendor": ({"go.mod": base["go.mod"] + "\nrequire github.com/acme/lib v1.2.3\n", "vendor/modules.txt": "# github.com/acme/lib v1.0.0\n## explicit\n"}, "go build -mod=vendor ./..."),
        "off": ({"go.mod": base["go.mod"] + "\nrequire github.com/acme/lib v1.2.3\n"}, "go mod download -x"),
        "local": ({"main.go": 'package main\n\nimport "example.org/acme/app/internal/gone"\n\nfunc main() { gone.Run() }\n'}, "go vet ./..."),
    }
    for index, (name, (files, command)) in enumerate(modules.items()):
        yield from _case(
            f"go-module-{name}",
            "go-module-missing",
            "go",
            ("go version", command),
            absent,
            (("gitlab", "github"), ("jenkins",), ("travis",), ("azure",), ("make", "gitlab"))[index],
            files={**base, "main.go": main, **files},
            env=env,
            version="!go version",
        )
    toolchain = r"requires go >=|invalid go version|module requires Go|is not in GOROOT|note: module requires"
    yield from _case(
        "go-version-mod",
        "go-version-mismatch",
        "go",
        ("go version", "go build ./..."),
        toolchain,
        ("gitlab", "github", "jenkins"),
        files={**base, "go.mod": "module example.org/acme/app\n\ngo 1.22.3\n", "main.go": "package main\n\nfunc main() {}\n"},
        env=env,
        version="!go version",
    )
    yield from _case(
        "go-version-std",
        "go-version-mismatch",
        "go",
        ("go version", "go vet ./..."),
        toolchain,
        ("travis", "azure"),
        files={**base, "go.mod": "module example.org/acme/app\n\ngo 1.21\n", "main.go": 'package main\n\nimport (\n\t"log/slog"\n\t"slices"\n)\n\nfunc main() { slog.Info("x"); slices.Sort([]int{1}) }\n'},
        env=env,
        version="!go version",
    )


def _others() -> Iterator[Recipe]:
    gems = r"Could not find (gem|compatible)|could not find compatible versions|An error occurred while installing|Failed to build gem native extension|version solving has failed|Could not find"
    yield from _case(
        "bundle-absent",
        "ruby-dependency",
        "bundler",
        ("ruby --version && bundle --version", "bundle install --local"),
        gems,
        ("gitlab", "github"),
        files={"Gemfile": "gem 'rake'\ngem 'railsx', '~> 7.1'\n"},
        exit=(1, 7, 6),
        needs=("bundle:bundler",),
        version="!bundle --version",
    )
    yield from _case(
        "bundle-versions", "ruby-dependency", "bundler", ("bundle install --local --jobs 4",), gems, ("jenkins", "travis"), files={"Gemfile": "gem 'rake', '>= 99'\ngem 'minitest'\n"}, exit=(1, 6, 7), version="!bundle --version"
    )
    native = {
        "ext/fast/extconf.rb": "require 'mkmf'\nabort 'libyajl is missing' unless have_library('yajl', 'yajl_alloc')\ncreate_makefile('fast')\n",
        "ext/fast/fast.c": "void Init_fast(void) {}\n",
        "fast.gemspec": "Gem::Specification.new { |s| s.name = 'fast'; s.version = '0.2.0'; s.summary = 'fast'; s.authors = ['Acme']; s.files = Dir['ext/**/*']; s.extensions = ['ext/fast/extconf.rb'] }\n",
    }
    yield from _case("gem-native", "ruby-dependency", "gem", ("gem build fast.gemspec", "gem install --local --install-dir vendor fast-0.2.0.gem"), gems, ("gitlab", "azure", "make"), files=native, version="!gem --version")
    php = r"Your requirements could not be resolved|requires ext-|could not be found"
    for index, require in enumerate(('"ext-redis": "*", "ext-imagick": "*"', '"php": "^9.0"', '"acme/client": "^2.1"', '"php": ">=7.2 <8.0", "ext-mongodb": "^1.9"')):
        yield from _case(
            f"composer-{index}",
            "php-dependency",
            "composer",
            ("php --version | head -1", "composer install --no-interaction --no-progress"),
            php,
            (("gitlab", "github"), ("jenkins", "github+tty"), ("travis",), ("azure",))[index],
            files={"composer.json": '{"name": "acme/app", "repositories": [{"packagist.org": false}], "require": {' + require + "}}\n"},
            env={"COMPOSER_ALLOW_SUPERUSER": "1"},
            version="!COMPOSER_ALLOW_SUPERUSER=1 composer --version --no-ansi",
        )
    cs = (
        "class App { static void Main() { Undefined u = new Undefined(); } }\n",
        'using System;\nclass App { static void Main() { int n = "three"; Console.WriteLine(n) } }\n',
        "using Newtonsoft.Json;\nclass App { static int F() { } static void Main() { Missing(1); } }\n",
    )
    for index, code in enumerate(cs):
        yield from _case(
            f"mcs-{index}",
            "dotnet-compile-error",
            "mcs",
            ("mcs --version", "mcs -warn:4 -out:app.exe src/*.cs"),
            r"error CS\d+",
            (("gitlab", "github"), ("jenkins", "make"), ("azure",))[index],
            files={"src/App.cs": code, "src/Util.cs": "public static class Util { public static int Sum(int a, int b) { int unused; return a + b; } }\n"},
            needs=("mcs:mono-mcs",),
        )


def recipes() -> Iterator[Recipe]:
    """Give all recipes of this module."""
    for group in (_jvm, _rust, _go, _others):
        yield from group()
