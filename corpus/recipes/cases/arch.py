"""Binaries of another processor architecture, started by every kind of parent; platforms that an image lacks."""

from __future__ import annotations

from collections.abc import Iterator

from ..blocks import SYSTEM_INFO, c_main, c_modules, c_project, makefile, merge
from ..model import Recipe, spread

CAUSE = "exec-format-error"
FORMAT = r"(?i)exec format error|cannot execute binary file|ENOEXEC|wrong ELF class|Errno 8\b|incompatible architecture|ELF.*: not found|Syntax error: word unexpected|spawn(Sync)? \S+ UNKNOWN"
CROSS = {"aarch64": "aarch64-linux-gnu-gcc:gcc-aarch64-linux-gnu", "arm": "arm-linux-gnueabihf-gcc:gcc-arm-linux-gnueabihf", "riscv64": "riscv64-linux-gnu-gcc:gcc-riscv64-linux-gnu"}
HELLO = '#include <stdio.h>\nint main(int argc, char **argv) { printf("codegen 2.1 %d\\n", argc); return 0; }\n'


def foreign(name: str = "tools/codegen", arch: str = "aarch64") -> str:
    """Compile a program for another processor into the build's folder."""
    compiler = CROSS[arch].split(":")[0]
    return f"mkdir -p $(dirname {name})\ncat > $RUN/hello.c <<'E'\n{HELLO}E\n{compiler} -static -O1 -o {name} $RUN/hello.c && strip {name} 2>/dev/null || true\n[ -x {name} ]\n"


def _case(name: str, tool: str, steps: tuple[str, ...], wrappers: tuple[str, ...], arch: str = "aarch64", program: str = "tools/codegen", **more: object) -> Iterator[Recipe]:
    options: dict[str, object] = {"signature": FORMAT, "needs": (CROSS[arch],), "setup": foreign(program, arch), "exit": 126, **more}
    yield from spread(Recipe(name=f"exec-{name}", cause=CAUSE, tool=tool, family=f"{tool}-exec-format", steps=steps, **options), wrappers)  # type: ignore[arg-type]


def _shells() -> Iterator[Recipe]:
    project = c_project()
    yield from _case("bash", "bash", (SYSTEM_INFO, "make", "./tools/codegen --out gen/ proto/*.proto"), ("gitlab", "github", "xtrace", "jenkins"), files=project, version="!bash --version")
    yield from _case("bash-riscv", "bash", ("file tools/codegen || true", "./tools/codegen"), ("travis",), arch="riscv64", version="!bash --version")
    yield from _case("sh", "sh", ("sh -c 'set -e; echo building; ./tools/codegen'",), ("azure", "gitlab"), exit=(2, 126), version="!dpkg-query -W dash", arch="arm")
    yield from _case(
        "script",
        "bash",
        ("./build.sh",),
        ("gitlab", "github"),
        files={**project, "build.sh": "#!/usr/bin/env bash\nset -euo pipefail\necho '==> compile'\nmake\necho '==> generate'\n./tools/codegen --version\necho '==> done'\n"},
        version="!bash --version",
    )
    yield from _case(
        "make",
        "make",
        ("make generate all",),
        ("gitlab", "jenkins", "xtrace+tty"),
        files=merge(c_modules(8), {"src/main.c": c_main(), "Makefile": makefile() + "\ngenerate:\n\t./tools/codegen --out src\n\n"}),
        exit=2,
        version="!make --version",
    )
    yield from _case("cross-test", "make", ("make CC=aarch64-linux-gnu-gcc", "./build/app"), ("github",), files=project, version="!aarch64-linux-gnu-gcc --version")
    yield from _case(
        "cmake",
        "cmake",
        ("cmake -S . -B build", "cmake --build build"),
        ("gitlab", "azure"),
        exit=(1, 2),
        version="!cmake --version",
        files={
            **c_modules(4),
            "src/main.c": c_main(),
            "CMakeLists.txt": "cmake_minimum_required(VERSION 3.16)\nproject(app C)\nfile(GLOB SOURCES src/*.c)\nadd_custom_command(OUTPUT gen.h COMMAND ${CMAKE_SOURCE_DIR}/tools/codegen gen.h DEPENDS ${SOURCES} VERBATIM)\nadd_executable(app ${SOURCES} gen.h)\n",
        },
    )
    yield from _case(
        "configure",
        "autoconf",
        ("./configure.sh",),
        ("gitlab",),
        files={"configure.sh": "#!/bin/bash\nset -e\necho 'checking for gcc... gcc'\necho 'checking whether the code generator works...'\n./tools/codegen --check\n"},
        version="!bash --version",
    )


def _languages() -> Iterator[Recipe]:
    python = {"gen.py": "import subprocess\nprint('generating the bindings', flush=True)\nsubprocess.run(['./tools/codegen', '--lang', 'python'], check=True)\n"}
    yield from _case("python", "python", ("python --version", "python gen.py"), ("gitlab", "github", "make"), files=python, exit=1, version="!python3 --version")
    setup = {"setup.py": "import subprocess\nfrom setuptools import setup\nsubprocess.check_call(['./tools/codegen'])\nsetup(name='app', version='1.4.2')\n"}
    yield from _case(
        "pip", "pip", ("python -m venv .venv", ".venv/bin/pip install 'setuptools<80' wheel click==8.1.7", ".venv/bin/pip install --no-build-isolation ."), ("gitlab", "jenkins"), files=setup, exit=1, version="!python3 -m pip --version"
    )
    node = {
        "package.json": '{"name": "app", "version": "1.0.0", "private": true, "scripts": {"prebuild": "node -e \\"console.log(1)\\"", "build": "./tools/codegen --lang ts"}}\n',
        "gen.js": "const { execFileSync } = require('child_process');\nconsole.log('codegen');\nexecFileSync('./tools/codegen', ['--lang', 'ts'], { stdio: 'inherit' });\n",
    }
    yield from _case("npm", "npm", ("node --version", "npm run build"), ("gitlab", "github"), files=node, version="!npm --version")
    yield from _case("node", "node", ("node gen.js",), ("travis", "xtrace"), files=node, exit=1, version="!node --version")
    go = {"go.mod": "module example.org/acme/app\n\ngo 1.19\n", "main.go": 'package main\n\nimport "fmt"\n\n//go:generate ./tools/codegen -lang go\nfunc main() { fmt.Println("ok") }\n'}
    yield from _case("go-generate", "go", ("go version", "go generate ./..."), ("gitlab",), files=go, exit=1, needs=("go:golang-go",), version="!go version")
    yield from _case(
        "go-test",
        "go",
        ("go env GOOS GOARCH", "GOARCH=arm64 go test -v ./..."),
        ("github", "azure"),
        files={**go, "main_test.go": 'package main\n\nimport "testing"\n\nfunc TestMain1(t *testing.T) {}\n'},
        exit=1,
        needs=("go:golang-go",),
        env={"GOCACHE": "/srv/lab/cache/go"},
        version="!go version",
    )
    rust = {
        "Cargo.toml": "[package]\nname = 'app'\nversion = '1.4.2'\nedition = '2021'\nbuild = 'build.rs'\n",
        "build.rs": 'use std::process::Command;\nfn main() { Command::new("./tools/codegen").status().expect("failed to run the code generator"); }\n',
        "src/main.rs": "fn main() {}\n",
    }
    yield from _case("cargo", "cargo", ("cargo build",), ("gitlab", "github+tty"), files=rust, exit=101, needs=("cargo",), version="!cargo --version")
    yield from _case("ruby", "ruby", ("ruby -e 'puts :start; system(\"./tools/codegen\", exception: true)'",), ("jenkins",), exit=1, needs=("ruby",), version="!ruby --version")
    yield from _case("perl", "perl", ('perl -e \'system("./tools/codegen") == 0 or die "codegen: $!\\n"\'',), ("make",), exit=(2, 8, 255), version="!perl -v")
    yield from _case("env", "env", ("env PATH=$PWD/tools:$PATH codegen --version",), ("gitlab",), exit=(2, 126), version="!env --version")
    yield from _case("xargs", "xargs", ("ls *.txt | xargs ./tools/codegen",), ("github",), exit=(123, 126), files={"a.txt": "a\n", "b.txt": "b\n"}, version="!xargs --version")


def _containers() -> Iterator[Recipe]:
    run = 'FROM debian:bookworm-slim\nWORKDIR /app\nCOPY . .\nRUN cat /etc/os-release | head -2\nRUN ls -l tools\nRUN ./tools/codegen --out /app/gen\nCMD ["bash"]\n'
    install = 'FROM debian:bookworm-slim\nRUN apt-get update && apt-get install -y --no-install-recommends make xz-utils\nCOPY tools/codegen /usr/local/bin/codegen\nRUN ["codegen", "--version"]\n'
    for wrapper in ("docker", "buildkit", "buildx", "buildah"):
        yield from _case("image-run", wrapper, (), (wrapper,), dockerfile=run, files={"proto/a.proto": "syntax = 'proto3';\n"}, exit=(1, 126, 255, 2))
        yield from _case("image-exec", wrapper, (), (wrapper,), dockerfile=install, exit=(1, 126, 255, 125), arch="riscv64")
    script = 'FROM debian:bookworm-slim\nWORKDIR /app\nCOPY entry.sh entry.sh\nRUN chmod +x entry.sh && ls -l\nRUN ["/app/entry.sh"]\n'
    for wrapper in ("docker", "buildx"):  # a script without its first line: the kernel cannot tell what it is
        yield from _case("no-shebang", wrapper, (), (wrapper,), dockerfile=script, files={"entry.sh": "\n#!/bin/sh\necho ready\n"}, exit=(1, 126, 125), setup="", needs=())
    arm = (
        "mkdir -p $RUN/arm/bin && "
        + foreign("$RUN/arm/bin/sh")
        + "tar -C $RUN/arm -c . | /usr/bin/docker import --platform linux/arm64 - acme/base:arm64 >/dev/null 2>&1 || tar -C $RUN/arm -c . | /usr/bin/docker import - acme/base:arm64 >/dev/null\n"
    )
    for wrapper in ("docker", "buildkit"):
        yield from _case("arm-base", wrapper, (), (wrapper,), dockerfile="FROM acme/base:arm64\nWORKDIR /app\nCOPY . .\nRUN uname -m\n", files={"a.txt": "a\n"}, setup=arm, exit=(1, 126, 125))
    entry = "/usr/bin/docker build -q --network host -t acme/gen .\n/usr/bin/docker run --rm --network host acme/gen --version"
    dockerfile = 'FROM debian:bookworm-slim\nCOPY tools/codegen /usr/local/bin/codegen\nENTRYPOINT ["/usr/local/bin/codegen"]\n'
    yield from _case(
        "entrypoint", "docker", ("/usr/bin/docker version --format '{{.Server.Version}}'", entry), ("gitlab", "github", "make"), files={"Dockerfile": dockerfile}, exit=(1, 125, 126), version="!/usr/bin/docker --version", needs=()
    )
    yield from _case("chroot", "bash", ("uname -m", "apt-get update && apt-get install -y --no-install-recommends make", "./tools/codegen --out gen"), ("chroot",), version="bash --version")


def _emulated() -> Iterator[Recipe]:
    """Programs under QEMU's user-mode emulation, without the other architecture's loader or with a crash."""
    words = r"qemu: uncaught target signal|Could not open '/lib"
    needs = ("qemu-aarch64-static:qemu-user-static", CROSS["aarch64"])
    crash = "mkdir -p tools\naarch64-linux-gnu-gcc -static -O0 -o tools/ldconfig -x c - <<'E'\n#include <stdio.h>\nint main(void) { puts(\"Processing triggers for libc-bin\"); fflush(stdout); *(volatile int *)8 = 1; return 0; }\nE\n"
    dynamic = "mkdir -p tools\naarch64-linux-gnu-gcc -O1 -o tools/protoc -x c - <<'E'\n#include <stdio.h>\nint main(void) { puts(\"protoc\"); return 0; }\nE\n"
    files = c_project(modules=6)
    for index, (setup, steps, exits) in enumerate(
        (
            (crash, ("make", "qemu-aarch64-static tools/ldconfig"), (139, 1)),
            (dynamic, ("make", "qemu-aarch64-static tools/protoc --version"), (1, 255)),
            (crash, (SYSTEM_INFO, "bash -c 'qemu-aarch64-static ./tools/ldconfig; exit $?'"), (139, 1)),
        )
    ):
        recipe = Recipe(name=f"qemu-{index}", cause="qemu-crash", tool="qemu", family=f"qemu-crash-{index}", steps=steps, setup=setup, files=files, signature=words, exit=exits, needs=needs, version="!qemu-aarch64-static --version")
        yield from spread(recipe, ("gitlab", "github", "make") if index < 2 else ("jenkins",))


def recipes() -> Iterator[Recipe]:
    """Give all recipes of this module."""
    for group in (_shells, _languages, _containers, _emulated):
        yield from group()
