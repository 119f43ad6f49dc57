"""Reads or writes fail at the device: a file system that answers EIO under real tools."""

from __future__ import annotations

from collections.abc import Iterator

from ..blocks import PIP_SMALL, SYSTEM_INFO, c_project, cmake_project
from ..faults import PYTHON, failing, in_root
from ..model import Recipe, spread

CAUSE = "io-error"
EIO = r"(?i)input/output error|\bEIO\b|i/o error|Errno::EIO"
ALL = "write,create"


def _case(name: str, tool: str, steps: tuple[str, ...], setup: str, wrappers: tuple[str, ...], **more: object) -> Iterator[Recipe]:
    options: dict[str, object] = {"signature": EIO, "forbid": "No space left|failed to mount", "needs": (PYTHON,), "exit": 1, **more}
    yield from spread(Recipe(name=f"eio-{name}", cause=CAUSE, tool=tool, family=f"{tool}-eio", steps=steps, setup=setup, **options), wrappers)  # type: ignore[arg-type]


def _compilers() -> Iterator[Recipe]:
    main = c_project(modules=12)
    yield from _case("gcc-assembler", "gcc", (SYSTEM_INFO, "make"), failing("write", match=r"codec|ring", after=0), ("gitlab", "github", "xtrace+tty"), files=main, exit=2, version="!gcc --version")
    yield from _case("gcc-create", "gcc", ("make",), failing("create", match=r"build/src/logger"), ("make", "jenkins"), files=main, exit=2, version="!gcc --version")
    yield from _case("gcc-read", "gcc", ("make",), failing("read", match=r"src/parser\.c"), ("gitlab", "azure"), files=main, exit=2, version="!gcc --version")
    yield from _case("ld", "ld", ("make CC=gcc",), failing("write", match=r"build/app"), ("gitlab", "travis"), files=main, exit=2, version="!ld --version")
    yield from _case("clang", "clang", ("make",), failing("write", match=r"config\.o|config-.*\.o"), ("github",), files=c_project(modules=12, cc="clang"), exit=2, version="!clang --version")
    yield from _case("ar", "ar", ("make", "ar rcs build/libapp.a build/src/*.o"), failing(ALL, match=r"libapp\.a|/st"), ("gitlab",), files=main, version="!ar --version")
    yield from _case("cmake", "cmake", ("cmake -S . -B build", "cmake --build build -j2"), failing("write,create", match=r"build/.*(buffer|clock)\.c"), ("gitlab", "jenkins"), files=cmake_project(""), exit=(1, 2), version="!cmake --version")
    yield from _case("cmake-configure", "cmake", ("cmake -S . -B build",), failing("create", match=r"build/CMakeFiles/.*"), ("github",), files=cmake_project(""), exit=(1, 2), version="!cmake --version")
    yield from _case(
        "ninja",
        "ninja",
        ("cmake -S . -B build -G Ninja", "ninja -C build"),
        failing("write", match=r"\.ninja_log|\.ninja_deps"),
        ("gitlab",),
        files=cmake_project(""),
        exit=(1, 2),
        needs=(PYTHON, "ninja:ninja-build"),
        version="!ninja --version",
    )


def _files() -> Iterator[Recipe]:
    pack = "mkdir -p assets && for i in $(seq 40); do head -c 60000 /dev/urandom > assets/part-$i.bin; done"
    yield from _case("cp", "cp", (SYSTEM_INFO, "make", "mkdir -p dist && cp -rv build assets dist/"), pack + "\n" + failing("write", match="dist/assets", after=1400000), ("gitlab", "xtrace"), files=c_project(), version="!cp --version")
    yield from _case("tar-create", "tar", ("make", "tar -czvf release.tar.gz build assets"), pack + "\n" + failing("write", match="release", after=900000), ("github", "make"), files=c_project(), exit=(1, 2), version="!tar --version")
    yield from _case(
        "tar-extract", "tar", ("mkdir -p vendor", "tar -xvf assets.tar -C vendor"), pack + "\ntar -cf assets.tar assets\n" + failing("write", match="vendor/", after=800000), ("gitlab", "azure"), exit=2, version="!tar --version"
    )
    yield from _case("tar-read", "tar", ("ls -l", "tar -cf /tmp/out.tar assets"), pack + "\n" + failing("read", match="part-2", after=100000), ("jenkins",), exit=2, version="!tar --version")
    yield from _case("dd", "dd", ("dd if=/dev/zero of=disk.img bs=1M count=64 status=progress",), failing("write", match="disk.img", after=9000000), ("gitlab",), version="!dd --version")
    yield from _case("rsync", "rsync", ("mkdir -p deploy", "rsync -av assets/ deploy/"), pack + "\n" + failing("write", match="deploy", after=1200000), ("github",), exit=(11, 23, 12), needs=(PYTHON, "rsync"), version="!rsync --version")
    yield from _case("gzip", "gzip", ("tar -cf assets.tar assets", "gzip -9 assets.tar"), pack + "\n" + failing("write", match=r"\.gz"), ("gitlab",), version="!gzip --version")
    yield from _case("sha256sum", "coreutils", ("sha256sum assets/* > SHA256SUMS",), pack + "\n" + failing("read", match="part-17"), ("xtrace",), version="!sha256sum --version")
    yield from _case("sed", "sed", ("make", "sed -i 's/1.4.2/1.4.3/' version.txt", "cat version.txt"), failing(ALL, match="/sed"), ("gitlab",), files={**c_project(), "version.txt": "1.4.2\n"}, exit=(1, 4), version="!sed --version")


def _languages() -> Iterator[Recipe]:
    yield from _case(
        "pip-install", "pip", (PIP_SMALL, ".venv/bin/pip install 'sqlparse==0.5.1' 'markdown==3.7'"), failing("write", match=r"site-packages/(markdown|sqlparse)/"), ("gitlab", "github+tty", "make"), version="!python3 -m pip --version"
    )
    yield from _case(
        "pip-fsync", "pip", ("python -m venv .venv", ".venv/bin/pip install 'requests==2.32.3'"), failing("create,mkdir", match=r"site-packages/(requests|urllib3|idna)"), ("jenkins", "azure"), version="!python3 -m pip --version"
    )
    yield from _case(
        "python-build",
        "python",
        ("python -m compileall -q lib || true", "python make_index.py"),
        failing("write", match=r"index\.json", after=40000),
        ("github", "xtrace"),
        files={
            "lib/a.py": "X = 1\n",
            "make_index.py": "import json\nrows = [{'id': i, 'name': f'row {i}'} for i in range(20000)]\nprint('building the index of', len(rows), 'rows')\nwith open('index.json', 'w') as out:\n    json.dump(rows, out)\n",
        },
        version="!python3 --version",
    )
    sqlite = {
        "load.py": "import sqlite3\nbase = sqlite3.connect('app.db')\nbase.execute('create table rows (id integer, body text)')\nfor i in range(200):\n    base.executemany('insert into rows values (?, ?)', [(n, 'x' * 500) for n in range(50)])\n    base.commit()\n    print('batch', i, 'done', flush=True)\n"
    }
    yield from _case("sqlite", "sqlite", ("python load.py",), failing("write", match=r"app\.db", after=600000), ("gitlab",), files=sqlite, version="!python3 --version")
    package = {"package.json": '{"name": "app", "version": "1.0.0", "private": true, "dependencies": {"left-pad": "1.3.0", "semver": "7.6.3", "ms": "2.1.3", "lodash": "4.17.21"}}\n'}
    yield from _case(
        "npm-install",
        "npm",
        ("node --version", "npm install", "node -e \"require('lodash'); console.log('ok')\""),
        failing("write", match=r"node_modules/(lodash|\.lodash)"),
        ("gitlab", "github+tty"),
        files=package,
        exit=(1, 5, 251, 242),
        version="!npm --version",
    )
    yield from _case(
        "node-write",
        "node",
        ("node build.js",),
        failing("write", match=r"dist/bundle", after=200000),
        ("travis", "make"),
        files={
            "build.js": "const fs = require('fs');\nfs.mkdirSync('dist', { recursive: true });\nconsole.log('bundling 48 modules');\nfor (let i = 0; i < 48; i++) { fs.appendFileSync('dist/bundle.js', 'x'.repeat(20000)); console.log(`module ${i} ok`); }\n"
        },
        version="!node --version",
    )
    rust = {"Cargo.toml": "[package]\nname = 'app'\nversion = '1.4.2'\nedition = '2021'\n", "src/main.rs": 'mod a;\nfn main() { println!("{}", a::sum(&[1, 2, 3])); }\n', "src/a.rs": "pub fn sum(xs: &[u32]) -> u32 { xs.iter().sum() }\n"}
    yield from _case("cargo", "cargo", ("cargo --version", "cargo build"), failing("write", match=r"target/debug/deps/.*(\.o|rcgu|rmeta|\.d)"), ("gitlab", "github"), files=rust, exit=101, needs=(PYTHON, "cargo"), version="!cargo --version")
    go = {"go.mod": "module example.org/acme/app\n\ngo 1.19\n", "main.go": 'package main\n\nimport "fmt"\n\nfunc main() { fmt.Println("hello") }\n'}
    yield from _case("go", "go", ("go version", "go build -o bin/app ."), failing("write", match=r"bin/app"), ("gitlab", "azure"), files=go, exit=(1, 2), needs=(PYTHON, "go:golang-go"), version="!go version")
    java = {f"src/org/acme/C{i}.java": f"package org.acme;\npublic class C{i} {{ public int v() {{ return {i}; }} }}\n" for i in range(12)}
    yield from _case(
        "javac",
        "javac",
        ("javac -version", "mkdir -p out", "javac -verbose -d out $(find src -name '*.java' | sort)"),
        failing("write", match=r"out/.*C7"),
        ("gitlab", "jenkins"),
        files=java,
        exit=(1, 3),
        needs=(PYTHON, "javac:default-jdk"),
        version="!javac -version",
    )
    yield from _case(
        "jar",
        "jar",
        ("mkdir -p out", "javac -d out $(find src -name '*.java' | sort)", "jar cvf app.jar -C out ."),
        failing("write", match=r"\.jar|jartmp"),
        ("gitlab",),
        files=java,
        exit=(1, 3),
        needs=(PYTHON, "javac:default-jdk"),
        version="!jar --version",
    )
    yield from _case(
        "ruby",
        "ruby",
        ("ruby gen.rb",),
        failing("write", match="site/"),
        ("github",),
        files={"gen.rb": "require 'fileutils'\nFileUtils.mkdir_p 'site'\n40.times { |i| puts \"render page #{i}\"; File.write(\"site/page-#{i}.html\", 'x' * 9000) }\n"},
        needs=(PYTHON, "ruby"),
        version="!ruby --version",
    )


def _git() -> Iterator[Recipe]:
    make = "git init -q -b main up; cd up; for i in $(seq 30); do head -c 40000 /dev/urandom > blob-$i; done; git add . && git -c user.name=a -c user.email=a@example.org commit -qm 'Add blobs'; cd ..; mv up /srv/upstream-$$ 2>/dev/null || true; mkdir -p $RUN/tmp; mv /srv/upstream-$$ $RUN/tmp/upstream\n"
    yield from _case("git-clone", "git", ("git --version", "git clone --no-local file:///tmp/upstream checkout"), make + failing("write", match=r"pack", after=300000), ("gitlab", "github", "xtrace+tty"), exit=128, version="!git --version")
    yield from _case("git-fetch", "git", ("git init -q work", "cd work\ngit fetch --depth 1 file:///tmp/upstream main"), make + failing(ALL, match=r"\.git/objects/"), ("azure",), exit=(1, 128), version="!git --version")


def _packages() -> Iterator[Recipe]:
    """Tools inside a container whose folder is on the failing file system."""

    def root(folder: str, operations: str, match: str, after: int = 0) -> str:
        inner = failing(operations, match=match, after=after, where=f"$ROOT{folder}")
        return in_root(inner)

    apt = ("apt-get update", "apt-get install -y --no-install-recommends make libyaml-0-2 xz-utils")
    for name, folder, match, operations in (
        ("apt-lists", "/var/lib/apt/lists", "partial/", "write,create"),
        ("apt-archives", "/var/cache/apt", r"archives/partial/", "write"),
        ("dpkg-unpack", "/usr/bin", r"make\.dpkg-new|gmake|xz", "write,create"),
        ("dpkg-status", "/var/lib/dpkg", r"status-new|updates/tmp", "write"),
        ("dpkg-lib", "/usr/lib/x86_64-linux-gnu", "yaml", "write,create"),
        ("dpkg-info", "/var/lib/dpkg/info", r".*", "write,create"),
    ):
        yield from _case(name, "apt", apt, root(folder, operations, match), ("chroot",), exit=100, version="apt-get --version")
        if name in {"dpkg-unpack", "apt-lists"}:
            yield from _case(f"{name}-bullseye", "apt", apt, root(folder, operations, match), ("chroot",), exit=100, version="apt-get --version", image="debian:bullseye-slim")
        if name in {"dpkg-unpack", "apt-archives", "dpkg-status"}:
            yield from _case(f"{name}-trixie", "apt", apt, root(folder, operations, match), ("chroot",), exit=100, version="apt-get --version", image="debian:trixie-slim")
    yield from _case("pip-root", "pip", ("pip --version", "pip install --no-cache-dir click==8.1.7 pyyaml==6.0.2"), root("/usr/local/lib", "write", r"yaml/"), ("chroot",), version="pip --version", image="python:3.11-slim")
    yield from _case("ldconfig", "dpkg", ("ldconfig -v | tail -3", "ldconfig"), root("/etc", "write,create", r"ld\.so\.cache"), ("chroot",), version="ldconfig --version")


def _builders() -> Iterator[Recipe]:
    pack = "mkdir -p assets && for i in $(seq 20); do head -c 60000 /dev/urandom > assets/part-$i.bin; done\n"
    files = {"Makefile": "all:\n\techo ok\n"}
    dockerfile = "FROM debian:bookworm-slim\nWORKDIR /app\nCOPY Makefile .\nRUN ls -l\nCOPY assets assets\nRUN du -sh assets\n"
    for wrapper in ("docker", "buildah"):
        yield from _case("context-read", wrapper, (), pack + failing("read", match="part-13"), (wrapper,), files=files, dockerfile=dockerfile, exit=(1, 125, 2), timeout=60)
    volume = 'FROM debian:bookworm-slim\nWORKDIR /app\nCOPY . .\nRUN uname -a && cat /etc/os-release\nRUN for i in 1 2 3 4 5 6; do echo "chunk $i"; dd if=/dev/zero of=/data/chunk-$i bs=64k count=8 2>/dev/null || exit; done; cp -v Makefile /data/Makefile\n'
    yield from _case("buildah-volume", "buildah", (), "mkdir -p $RUN/vol\n" + failing("write", match="Makefile", where="$RUN/vol"), ("buildah",), files=files, dockerfile=volume, build_args="-v $RUN/vol:/data", exit=(1, 125, 2))


def recipes() -> Iterator[Recipe]:
    """Give all recipes of this module."""
    for group in (_compilers, _files, _languages, _git, _packages, _builders):
        yield from group()
