"""The disk is full: real tools on a file system too small for what they do."""

from __future__ import annotations

from collections.abc import Iterator

from ..blocks import PIP_SMALL, SYSTEM_INFO, autotools_project, c_project, cmake_project, merge
from ..faults import PYTHON, failing, in_root, small, small_docker, small_ext4, small_root
from ..model import Recipe, spread

CAUSE = "disk-full"
FULL = r"(?i)no space left on device|ENOSPC|enough free space|not enough (free )?space|Disk quota exceeded|disk is full|disk full"


def _case(name: str, tool: str, steps: tuple[str, ...], setup: str, wrappers: tuple[str, ...], **more: object) -> Iterator[Recipe]:
    options: dict[str, object] = {"signature": FULL, "forbid": "setup failed|Input/output error", "exit": 1, **more}
    yield from spread(Recipe(name=f"full-{name}", cause=CAUSE, tool=tool, family=f"{tool}-full", steps=steps, setup=setup, **options), wrappers)  # type: ignore[arg-type]


FILL = "mkdir -p data && for i in $(seq 30); do head -c 100000 /dev/urandom > data/part-$i.bin; done\n"


def _compilers() -> Iterator[Recipe]:
    project = c_project(modules=12)
    yield from _case("gcc", "gcc", (SYSTEM_INFO, "make -j2"), small("150k"), ("gitlab", "github"), files=project, exit=2, version="!gcc --version")
    yield from _case("gcc-tmp", "gcc", ("gcc --version", "make"), small("12k", where="/tmp"), ("make", "travis"), files=c_project(modules=12, cflags="-O2 -g3 -Wall -Isrc"), exit=2, version="!gcc --version")
    yield from _case("ld", "ld", ("make CFLAGS='-Isrc -O1'", "df -h ."), small("172k"), ("gitlab", "jenkins"), files=project, exit=2, version="!ld --version", signature="final link failed|No space left")
    yield from _case("clang", "clang", ("make",), small("130k"), ("azure", "gitlab"), files=c_project(modules=12, cc="clang"), exit=2, version="!clang --version")
    yield from _case("cmake", "cmake", ("cmake -S . -B build", "cmake --build build", "df -h build"), small("350k"), ("gitlab", "github+tty"), files=cmake_project(""), exit=(1, 2), version="!cmake --version")
    yield from _case("configure", "autoconf", ("autoreconf -fi", "./configure", "make"), small("900k"), ("gitlab", "travis"), files=autotools_project(""), exit=(1, 2), version="!autoconf --version")
    yield from _case("make-install", "make", ("make", "mkdir -p dist && cp -v build/app data/*.bin dist/"), FILL + small_ext4(6), ("jenkins", "xtrace"), files=project, version="!make --version")


def _files() -> Iterator[Recipe]:
    yield from _case("tar", "tar", ("df -h .", "tar -xzvf bundle.tgz"), FILL + "tar -czf bundle.tgz data && rm -rf data\n" + small("5m"), ("gitlab", "make"), exit=2, version="!tar --version")
    yield from _case("tar-create", "tar", ("tar -czvf release.tar.gz data", "ls -l"), FILL + small_ext4(5), ("github", "xtrace"), exit=(1, 2, 141), version="!tar --version")
    yield from _case("unzip", "unzip", ("unzip -o bundle.zip",), FILL + "python3 -m zipfile -c bundle.zip data && rm -rf data\n" + small("4m"), ("travis", "gitlab"), exit=(1, 2, 50), needs=("unzip",), version="!unzip -v")
    yield from _case("cp", "cp", ("make", "cp -rv data out"), FILL + small("4500k"), ("azure",), files=c_project(), version="!cp --version")
    yield from _case("dd", "dd", ("dd if=/dev/zero of=swapfile bs=1M count=32", "mkswap swapfile"), small_ext4(20), ("gitlab",), version="!dd --version")
    yield from _case("rsync", "rsync", ("rsync -a --info=progress2 data/ mirror/",), FILL + small("4m"), ("jenkins", "github"), exit=(11, 12, 23), needs=("rsync",), version="!rsync --version")
    yield from _case("gzip", "gzip", ("tar -cf all.tar data", "gzip -k all.tar"), FILL + small("7m"), ("gitlab",), version="!gzip --version")
    yield from _case(
        "split-write",
        "python",
        ("python report.py",),
        small("600k"),
        ("github", "gitlab"),
        files={"report.py": "print('rendering 64 charts')\nfor i in range(64):\n    with open(f'chart-{i}.svg', 'w') as out:\n        out.write('<svg>' + '<path/>' * 3000 + '</svg>')\n    print('chart', i, 'ok', flush=True)\n"},
        version="!python3 --version",
    )
    yield from _case("quota", "cp", ("cp -rv data out",), FILL + failing("write", match="out/", after=900000, errno="EDQUOT"), ("gitlab", "xtrace"), version="!cp --version", needs=(PYTHON,))


def _languages() -> Iterator[Recipe]:
    yield from _case("pip-venv", "pip", ("df -h .", PIP_SMALL, ".venv/bin/pip install 'sympy==1.13.3'"), small("38m"), ("gitlab", "github+tty", "make"), version="!python3 -m pip --version")
    yield from _case("pip-tmp", "pip", ("python -m venv .venv", ".venv/bin/pip install --no-cache-dir 'numpy==1.26.4'"), small("6m", where="/tmp"), ("jenkins", "azure"), version="!python3 -m pip --version")
    yield from _case(
        "pip-sdist",
        "pip",
        ("python -m venv .venv", ".venv/bin/pip install setuptools wheel", ".venv/bin/pip wheel --no-build-isolation -w dist ./pkg"),
        small("5m", where="/tmp"),
        ("travis",),
        files={"pkg/setup.py": "from setuptools import setup\nsetup(name='pkg', version='1.0', packages=['pkg'], package_data={'pkg': ['*.bin']})\n", "pkg/pkg/__init__.py": "", "pkg/pkg/big.bin": "0123456789abcdef" * 500000},
        version="!python3 -m pip --version",
    )
    package = {"package.json": '{"name": "app", "version": "1.0.0", "private": true, "dependencies": {"lodash": "4.17.21", "rxjs": "7.8.1", "typescript": "5.5.4", "semver": "7.6.3"}}\n'}
    yield from _case("npm", "npm", ("node --version", "npm install"), small("9m"), ("gitlab", "github"), files=package, exit=(1, 228, 242, 254), version="!npm --version")
    yield from _case("npm-cache", "npm", ("npm install --cache ./.npm",), small("5m"), ("jenkins",), files=package, exit=(1, 228, 242, 254), version="!npm --version")
    yield from _case(
        "node",
        "node",
        ("node build.js",),
        small("800k"),
        ("travis", "make"),
        files={"build.js": "const fs = require('fs');\nfs.mkdirSync('dist', { recursive: true });\nfor (let i = 0; i < 80; i++) { fs.writeFileSync(`dist/chunk-${i}.js`, 'x'.repeat(20000)); console.log(`wrote dist/chunk-${i}.js`); }\n"},
        version="!node --version",
    )
    rust = {"Cargo.toml": "[package]\nname = 'app'\nversion = '1.4.2'\nedition = '2021'\n", "src/main.rs": 'mod a;\nfn main() { println!("{}", a::sum(&[1, 2, 3])); }\n', "src/a.rs": "pub fn sum(xs: &[u32]) -> u32 { xs.iter().sum() }\n"}
    yield from _case("cargo", "cargo", ("cargo build",), small("100k"), ("gitlab", "github"), files=rust, exit=101, needs=("cargo",), version="!cargo --version")
    yield from _case("cargo-link", "cargo", ("cargo test",), small("400k"), ("azure",), files=rust, exit=101, needs=("cargo",), version="!cargo --version")
    go = {"go.mod": "module example.org/acme/app\n\ngo 1.19\n", "main.go": 'package main\n\nimport (\n\t"fmt"\n\t"net/http"\n)\n\nfunc main() { fmt.Println(http.StatusOK) }\n'}
    yield from _case("go-build", "go", ("go version", "go build -o bin/app ."), "export GOCACHE=/srv/lab/cache/go\n" + small("3m"), ("gitlab", "github"), files=go, exit=(1, 2), needs=("go:golang-go",), version="!go version")
    yield from _case("go-tmp", "go", ("go vet ./...", "go build ./..."), "export GOCACHE=/srv/lab/cache/go\n" + small("200k", where="/tmp"), ("jenkins",), files=go, exit=(1, 2), needs=("go:golang-go",), version="!go version")
    java = {f"src/org/acme/C{i}.java": f'package org.acme;\npublic class C{i} {{ public String v() {{ return "{"x" * 3000}"; }} }}\n' for i in range(24)}
    yield from _case(
        "javac", "javac", ("javac -version", "mkdir -p out", "javac -d out $(find src -name '*.java' | sort)"), small("150k"), ("gitlab", "travis"), files=java, exit=(1, 3), needs=("javac:default-jdk",), version="!javac -version"
    )
    yield from _case(
        "jar", "jar", ("mkdir -p out && javac -d out $(find src -name '*.java')", "jar --create --file app.jar -C out ."), small("250k"), ("github",), files=java, exit=(1, 3), needs=("javac:default-jdk",), version="!jar --version"
    )
    sqlite = {
        "load.py": "import sqlite3\nbase = sqlite3.connect('app.db')\nbase.execute('create table rows (id integer, body text)')\nfor i in range(400):\n    base.executemany('insert into rows values (?, ?)', [(n, 'x' * 500) for n in range(50)])\n    base.commit()\n    print('migration', i, 'done', flush=True)\n"
    }
    yield from _case("sqlite", "sqlite", ("python load.py",), small("2m"), ("gitlab", "make"), files=sqlite, signature="database or disk is full", version="!python3 --version")
    yield from _case(
        "ruby",
        "ruby",
        ("ruby gen.rb",),
        small("500k"),
        ("github",),
        files={"gen.rb": "require 'fileutils'\nFileUtils.mkdir_p 'site'\n80.times { |i| puts \"render page #{i}\"; File.write(\"site/page-#{i}.html\", 'x' * 9000) }\n"},
        needs=("ruby",),
        version="!ruby --version",
    )
    yield from _case(
        "pytest",
        "pytest",
        (".venv/bin/pip list", "df -h /tmp", ".venv/bin/python -m pytest"),
        "python3 -m venv .venv && .venv/bin/pip install pytest==8.3.3\n" + small("300k", where="/tmp"),
        ("gitlab", "github"),
        files={
            "tests/test_export.py": "import pytest\n\n\n@pytest.mark.parametrize('size', range(1, 12))\ndef test_export(tmp_path, size):\n    target = tmp_path / 'export.bin'\n    target.write_bytes(b'x' * size * 40000)\n    assert target.stat().st_size == size * 40000\n"
        },
        version="!python3 --version",
        env={"PIP_NO_COMPILE": "1"},
        timeout=60,
        exit=(1, 2),
    )


def _git() -> Iterator[Recipe]:
    make = "git init -q -b main up; cd up; for i in $(seq 30); do head -c 100000 /dev/urandom > blob-$i; done; git add . && git -c user.name=a -c user.email=a@example.org commit -qm 'Add blobs'; cd ..; mkdir -p $RUN/tmp; mv up $RUN/tmp/upstream\n"
    yield from _case("git-clone", "git", ("git clone --no-local file:///tmp/upstream checkout",), make + small("2m"), ("gitlab", "github+tty"), exit=128, version="!git --version")
    yield from _case(
        "git-checkout",
        "git",
        ("df -h .", "git clone --no-local file:///tmp/upstream checkout"),
        make + small("5m"),
        ("jenkins", "azure"),
        exit=128,
        version="!git --version",
        signature="No space left|unable to write file",
        key="No space left|unable to write file",
    )
    yield from _case("git-add", "git", ("git init -q repo && cp -r data repo/", "cd repo && git add -A"), FILL + small("6500k"), ("xtrace",), exit=128, version="!git --version")


def _packages() -> Iterator[Recipe]:
    apt = ("apt-get update", "apt-get install -y --no-install-recommends gcc libc6-dev make")
    for image, sizes in (("debian:bookworm-slim", ("20m", "60m", "110m", "160m")), ("debian:bullseye-slim", ("18m", "90m")), ("debian:trixie-slim", ("25m", "120m"))):
        suite = image.split(":")[1].split("-")[0]
        for size in sizes:
            yield from _case(f"apt-{suite}-{size}", "apt", (SYSTEM_INFO, *apt), small_root(size), ("chroot",), image=image, exit=100, version="apt-get --version")
    for size in ("192k", "256k"):  # the words blame the signature, and df tells why
        yield from _case(
            f"apt-signature-df-{size}",
            "apt",
            ("df -h /tmp /", "apt-get update || { code=$?; df -h /tmp; dd if=/dev/zero of=/tmp/probe bs=64k count=8; exit $code; }"),
            in_root(f"umount $ROOT/tmp; mount -t tmpfs -o size={size} tmpfs $ROOT/tmp"),
            ("chroot",),
            exit=100,
            version="apt-get --version",
        )
    yield from _case(
        "dpkg",
        "dpkg",
        (
            "apt-get update && apt-get install -y --download-only --no-install-recommends perl-modules-5.36 git",
            "df -h /opt/new",
            'mkdir -p /opt/new && for deb in /var/cache/apt/archives/*.deb; do echo "$deb"; dpkg-deb -x $deb /opt/new; done',
        ),
        in_root("mkdir -p $ROOT/opt/new; mount -t tmpfs -o size=16m tmpfs $ROOT/opt/new"),
        ("chroot",),
        exit=2,
        version="dpkg --version",
    )


def _builders() -> Iterator[Recipe]:
    image, folder = "debian:bookworm-slim", "debian-bookworm-slim"
    apt = f"FROM {image}\nWORKDIR /app\nRUN uname -a && df -h /\nRUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev make cmake\nCOPY . .\nRUN make\n"
    pack = f'FROM {image}\nWORKDIR /app\nCOPY . .\nRUN cat Makefile | head -3\nRUN for i in $(seq 1 60); do echo "shard $i"; dd if=/dev/zero of=/app/shard-$i.bin bs=1M count=8 status=none; done\nCMD ["bash"]\n'
    copy = f"FROM {image}\nWORKDIR /app\nRUN ls /\nCOPY data data\nRUN cp -r data data2 && cp -r data data3\nRUN cp -rv data data4\n"
    for wrapper in ("docker", "buildkit"):
        yield from _case("docker-apt", wrapper, (), small_docker("430m", image, folder), (wrapper,), dockerfile=apt, files=c_project(), exit=(1, 100))
        yield from _case("docker-dd", wrapper, (), small_docker("480m", image, folder), (wrapper,), dockerfile=pack, files=c_project())
        yield from _case("docker-copy", wrapper, (), FILL.replace("100000", "1500000") + small_docker("340m", image, folder), (wrapper,), dockerfile=copy, files={"Makefile": "all:\n"})
    for size in ("192k", "128k", "64k"):  # /tmp as small as some hardened hosts have it
        run = f"docker run --rm --network host --tmpfs /tmp:size={size} debian:bookworm-slim sh -c 'dd if=/dev/zero of=/tmp/probe bs=64k count=8; apt-get update'"
        yield from _case(f"docker-run-{size}", "docker", ("docker version --format '{{.Server.Version}}'", run.replace("docker run", "/usr/bin/docker run")), "", ("gitlab",), exit=100, version="!/usr/bin/docker --version")
    for name, extra in (("apt", apt), ("dd", pack)):
        yield from _case(
            f"buildah-{name}",
            "buildah",
            (f"cat > Dockerfile <<'END'\n{extra}END", "buildah --storage-driver vfs bud --isolation chroot --network host --pull-never -t acme/app ."),
            f"mkdir -p /var/lib/containers /run/containers; mount -t tmpfs -o size=420m tmpfs /var/lib/containers; mount -t tmpfs tmpfs /run/containers; export HOME=/home/ci; c=$(buildah --storage-driver vfs from scratch); rm -rf $RUN/lean; mkdir $RUN/lean; tar -C $LAB/roots/{folder} --exclude=./usr/share/doc --exclude=./usr/share/locale -c . | tar -C $RUN/lean -x; buildah --storage-driver vfs add -q $c $RUN/lean / ; buildah --storage-driver vfs commit -q --rm $c docker.io/library/{image}",
            ("gitlab",),
            files=merge(c_project()),
            exit=(1, 125, 2, 100),
            version="!buildah --version",
            needs=("buildah",),
        )


def recipes() -> Iterator[Recipe]:
    """Give all recipes of this module."""
    for group in (_compilers, _files, _languages, _git, _packages, _builders):
        yield from group()
