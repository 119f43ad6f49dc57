"""The host: memory, inodes, read-only and forbidden files, limits, crashes, ports, old kernels' filters."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, cast

from ..blocks import SYSTEM_INFO, c_main, c_project, cmake_project
from ..faults import failing, in_root, small
from ..model import Recipe, spread


def _case(name: str, cause: str, tool: str, steps: tuple[str, ...], signature: str, wrappers: tuple[str, ...], **more: object) -> Iterator[Recipe]:
    options: dict[str, object] = {"exit": (1, 2), "family": f"{tool}-{cause}", "version": f"!{tool} --version", **more}
    yield from spread(Recipe(name=name, cause=cause, tool=tool, steps=steps, signature=signature, **options), wrappers)  # type: ignore[arg-type]


GO = {"go.mod": "module example.org/acme/app\n\ngo 1.19\n", "main.go": 'package main\n\nimport "fmt"\n\nfunc main() { fmt.Println("hello") }\n'}
RUST = {"Cargo.toml": "[package]\nname = 'app'\nversion = '1.4.2'\nedition = '2021'\n", "src/main.rs": "fn main() {}\n"}


def _inodes() -> Iterator[Recipe]:
    full = r"No space left on device|ENOSPC"
    show = "df -h .; df -i ."
    many = "for i in $(seq 400); do echo $i > cache-$i.tmp; done"
    after = " || { df -h .; df -i .; (exit 1); }"
    yield from _case(
        "inode-cp", "inode-exhausted", "cp", (show, many.replace("; done", " || break; done; [ -e cache-400.tmp ]") + after), full, ("gitlab", "github"), setup=small("50m", inodes="120"), files=c_project(), version="!cp --version"
    )
    yield from _case("inode-gcc", "inode-exhausted", "gcc", ("df -h .", "make" + after), full, ("jenkins", "xtrace"), setup=small("50m", inodes="36"), files=c_project(modules=12))
    yield from _case(
        "inode-npm",
        "inode-exhausted",
        "npm",
        (show, "npm install lodash@4.17.21 || { df -i .; (exit 1); }"),
        full,
        ("gitlab", "travis"),
        setup=small("500m", inodes="300"),
        files={"package.json": '{"name": "app", "private": true}\n'},
        exit=(1, 228),
    )
    yield from _case(
        "inode-git",
        "inode-exhausted",
        "git",
        ("df -i .", "git init -q repo && for i in $(seq 90); do mkdir -p repo/d$i && echo $i > repo/d$i/f || break; done; git -C repo add -A" + after),
        full,
        ("azure", "gitlab"),
        setup=small("50m", inodes="200"),
        exit=(1, 128),
    )
    yield from _case(
        "inode-tar", "inode-exhausted", "tar", ("tar -xzf bundle.tgz" + after,), full, ("gitlab",), setup="mkdir many; for i in $(seq 300); do echo $i > many/$i; done; tar -czf bundle.tgz many; rm -rf many\n" + small("50m", inodes="150")
    )
    readonly = r"(?i)read-only file ?system|EROFS"
    mount = "mount --bind . . && mount -o remount,bind,ro $PWD\n"
    yield from _case("readonly-make", "read-only-filesystem", "make", (SYSTEM_INFO, "make"), readonly, ("gitlab", "github"), setup=mount, files=c_project())
    yield from _case("readonly-pip", "read-only-filesystem", "pip", ("python -m venv .venv",), readonly, ("gitlab", "azure"), setup=mount, version="!python3 -m pip --version")
    yield from _case("readonly-git", "read-only-filesystem", "git", ("git clone file:///tmp/none.git checkout",), readonly, ("xtrace",), setup=mount, exit=128)
    yield from _case("readonly-cargo", "read-only-filesystem", "cargo", ("cargo build",), readonly, ("github+tty",), setup=mount, files=RUST, exit=101)
    yield from _case("readonly-fuse", "read-only-filesystem", "gcc", ("make",), readonly, ("make",), setup=failing("create,write", match="parser", errno="EROFS"), files=c_project(modules=12))
    for folder in ("/var/lib/dpkg", "/usr", "/var/cache/apt"):
        yield from _case(
            f"readonly-apt{folder.replace('/', '-')}",
            "read-only-filesystem",
            "apt",
            ("apt-get update", "apt-get install -y --no-install-recommends make"),
            readonly,
            ("chroot",),
            setup=in_root(f"mount --bind $ROOT{folder} $ROOT{folder}; mount -o remount,bind,ro $ROOT{folder}"),
            exit=100,
            version="apt-get --version",
        )


def _memory() -> Iterator[Recipe]:
    killed = r"Killed|out of memory|Cannot allocate memory|exhausted|OutOfMemoryError|SIGKILL|MemoryError|bad_alloc|exit code:? 137|insufficient memory"
    table = "#define A 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,\n" + "".join(f"#define {n} {' '.join([o] * 10)}\n" for o, n in zip("ABCDEF", "BCDEFG", strict=True)) + "int table[] = { F F F F G };\n"
    big = {**c_project(modules=6), "src/tables.c": table}
    yield from _case("oom-gcc-ulimit", "out-of-memory", "gcc", ("ulimit -v 300000; make",), killed, ("gitlab", "github", "travis"), files=big, exit=2)
    yield from _case(
        "oom-gcc-docker",
        "out-of-memory",
        "gcc",
        (),
        killed,
        ("docker",),
        dockerfile="FROM gcc:12\nWORKDIR /app\nCOPY . .\nRUN cmake --version\nRUN make\n",
        files=big,
        build_args="-m 150m --memory-swap 150m",
        exit=(1, 2),
        version="gcc --version",
    )
    js = {
        "build.js": "const cache = [];\nconsole.log('webpack: building 1822 modules');\nfor (let i = 0; ; i++) { cache.push(new Array(100000).fill({ id: i })); if (i % 20 === 0) console.log(`${i} chunks`); }\n",
        "package.json": '{"name": "app", "private": true, "scripts": {"build": "node --max-old-space-size=90 build.js"}}\n',
    }
    yield from _case("oom-node", "out-of-memory", "node", ("node --version", "npm run build"), killed, ("gitlab", "github", "docker", "buildx", "jenkins"), files=js, exit=(1, 134), image="node:20-slim")
    java = {
        "App.java": 'import java.util.*;\npublic class App { public static void main(String[] a) { List<long[]> l = new ArrayList<>(); for (int i = 0; ; i++) { l.add(new long[1 << 18]); if (i % 5 == 0) System.out.println("indexed " + i + " classes"); } } }\n'
    }
    yield from _case("oom-java", "out-of-memory", "java", ("javac App.java", "java -Xmx48m App"), killed, ("gitlab", "azure", "make"), files=java)
    yield from _case("oom-java-native", "out-of-memory", "java", ("ulimit -v 4000000; java -Xms6g -Xmx6g -version",), killed + "|Could not reserve enough space", ("github",), exit=1)
    py = {"train.py": "rows = []\nprint('loading the data set', flush=True)\nfor i in range(10**6):\n    rows.append(bytearray(4_000_000))\n    if i % 10 == 0:\n        print('batch', i, flush=True)\n"}
    yield from _case("oom-python-ulimit", "out-of-memory", "python", ("ulimit -v 300000; python train.py",), killed, ("gitlab", "jenkins"), files=py)
    run = "/usr/bin/docker run --rm --network host -m 100m --memory-swap 100m -v /srv/none:/none python:3.11-slim python -c \"rows = []\nfor i in range(10**6):\n    rows.append(bytearray(4000000))\n    if i % 5 == 0: print('batch', i, flush=True)\""
    yield from _case(
        "oom-docker-run",
        "out-of-memory",
        "docker",
        ("/usr/bin/docker version --format '{{.Server.Version}}'", run),
        killed + "|exit code:? 137|exited with code 137|exit code 137",
        ("github", "gitlab"),
        exit=137,
        version="!/usr/bin/docker --version",
    )
    yield from _case(
        "oom-docker-build",
        "out-of-memory",
        "docker",
        (),
        killed,
        ("docker",),
        dockerfile="FROM python:3.11-slim\nWORKDIR /app\nCOPY . .\nRUN python --version\nRUN python train.py\n",
        files=py,
        build_args="-m 120m --memory-swap 120m",
        exit=(1, 137),
        version="!/usr/bin/docker --version",
    )
    yield from _case("oom-go", "out-of-memory", "go", ("ulimit -v 500000; go build ./...",), killed + "|failed to reserve|cannot reserve", ("github",), files=GO, exit=(1, 2), version="!go version", env={"GOCACHE": "/tmp/gocache"})


def _limits() -> Iterator[Recipe]:
    emfile = r"(?i)too many open files|EMFILE|file watchers reached"
    py = {"open_all.py": "handles = []\nprint('opening the shards', flush=True)\nfor i in range(5000):\n    handles.append(open(f'/tmp/shard-{i}', 'w'))\n"}
    yield from _case("emfile-python", "too-many-open-files", "python", ("ulimit -n 64; python open_all.py",), emfile, ("gitlab", "github"), files=py)
    js = {
        "copy.js": "const fs = require('fs');\nconsole.log('copying 5000 assets');\nfor (let i = 0; i < 5000; i++) fs.openSync(`/tmp/asset-${i}`, 'w');\n",
        "watch.js": "const fs = require('fs');\nconsole.log('watching');\nfor (let i = 0; i < 200000; i++) { fs.mkdirSync(`/tmp/w/${i}`, { recursive: true }); fs.watch(`/tmp/w/${i}`); }\n",
    }
    yield from _case("emfile-node", "too-many-open-files", "node", ("node --version", "ulimit -n 100; node copy.js"), emfile, ("jenkins", "travis"), files=js)
    yield from _case("emfile-gcc", "too-many-open-files", "ld", ("make", "ulimit -n 9; gcc -o all build/src/*.o"), emfile, ("gitlab", "make"), files=c_project(modules=12), version="!ld --version", exit=(1, 2, 127, 126))
    yield from _case(
        "emfile-java",
        "too-many-open-files",
        "java",
        ("javac Open.java", "ulimit -n 60; java Open"),
        emfile,
        ("github",),
        files={
            "Open.java": 'import java.io.*;\nimport java.util.*;\npublic class Open { public static void main(String[] a) throws Exception { List<FileOutputStream> l = new ArrayList<>(); for (int i = 0; i < 999; i++) { l.add(new FileOutputStream("/tmp/part-" + i)); } } }\n'
        },
    )
    yield from _case("emfile-ruby", "too-many-open-files", "ruby", ('ulimit -n 50; ruby -e \'h = (0..500).map { |i| puts "asset #{i}"; File.open("/tmp/a#{i}", "w") }\'',), emfile, ("xtrace",))
    yield from _case(
        "emfile-go",
        "too-many-open-files",
        "go",
        ("go build -o open main.go", "ulimit -n 40; ./open"),
        emfile,
        ("gitlab",),
        files={
            **GO,
            "main.go": 'package main\n\nimport (\n\t"fmt"\n\t"os"\n)\n\nfunc main() {\n\tvar keep []*os.File\n\tfor i := 0; i < 1000; i++ {\n\t\tf, err := os.Create(fmt.Sprintf("/tmp/seg-%d", i))\n\t\tif err != nil { panic(err) }\n\t\tkeep = append(keep, f)\n\t}\n\tfmt.Println(len(keep))\n}\n',
        },
        version="!go version",
        exit=2,
        env={"GOCACHE": "/srv/lab/cache/go"},
    )
    denied = r"(?i)permission denied|EACCES|Errno 13|Operation not permitted"
    drop = "setpriv --reuid 1000 --regid 1000 --clear-groups env HOME=/tmp "
    yield from _case("denied-script", "permission-denied", "bash", ("make", "./scripts/release.sh"), denied, ("gitlab", "github", "jenkins", "make"), files={**c_project(), "scripts/release.sh": "echo release\n"}, exit=126)
    yield from _case("denied-write", "permission-denied", "make", (f"{drop} make",), denied, ("travis", "azure"), files=c_project(), exit=2)
    yield from _case("denied-npm", "permission-denied", "npm", (f"{drop} npm install -g --prefix /usr/local left-pad@1.3.0 --cache /tmp/c",), denied, ("gitlab", "github+tty"), exit=(1, 243))
    yield from _case(
        "denied-pip", "permission-denied", "pip", (f"{drop} /usr/bin/python3 -c 'import sys; print(sys.version)'", f"{drop} /usr/bin/python3 -m venv /opt/venv"), denied, ("github", "xtrace"), version="!python3 -m pip --version"
    )
    yield from _case(
        "denied-docker",
        "permission-denied",
        "docker",
        (),
        denied,
        ("docker", "buildx", "buildah"),
        dockerfile="FROM debian:bookworm-slim\nWORKDIR /app\nCOPY . .\nRUN useradd -m ci\nUSER ci\nRUN cp scripts/release.sh /usr/local/bin/release && chmod +x /usr/local/bin/release\n",
        files={"scripts/release.sh": "echo\n"},
        version="!/usr/bin/docker --version",
        exit=(1, 125),
    )
    yield from _case("denied-python", "permission-denied", "python", ("python -c 'print(1)'", f"{drop} /usr/bin/python3 -c \"open('/etc/app.conf', 'w')\""), denied, ("gitlab",))
    yield from _case("denied-apt", "permission-denied", "apt", (f"{drop} apt-get install -y make",), denied, ("gitlab", "azure"), exit=100, version="!apt-get --version")
    port = r"(?i)EADDRINUSE|address already in use|port is already allocated|Errno 98"
    hold = "python3 -m http.server --bind 127.0.0.1 8080 > /dev/null 2>&1 &\nfor i in $(seq 60); do (echo > /dev/tcp/127.0.0.1/8080) 2>/dev/null && break; sleep 0.1; done\n"
    for index, (tool, command, more) in enumerate(
        (
            ("python", "python -m http.server --bind 127.0.0.1 8080", {}),
            ("node", "node server.js", {"files": {"server.js": "const http = require('http');\nconsole.log('starting the test server');\nhttp.createServer(() => {}).listen(8080, '127.0.0.1');\n"}}),
            (
                "java",
                "java Server.java",
                {
                    "files": {
                        "Server.java": 'import java.net.*;\npublic class Server { public static void main(String[] a) throws Exception { System.out.println("starting"); new ServerSocket(8080, 5, InetAddress.getByName("127.0.0.1")).accept(); } }\n'
                    }
                },
            ),
            ("ruby", "ruby -rsocket -e 'puts :listen; TCPServer.new(\"127.0.0.1\", 8080).accept'", {}),
            (
                "go",
                "go run main.go",
                {
                    "files": {**GO, "main.go": 'package main\n\nimport (\n\t"log"\n\t"net/http"\n)\n\nfunc main() { log.Println("serving"); log.Fatal(http.ListenAndServe("127.0.0.1:8080", nil)) }\n'},
                    "version": "!go version",
                    "env": {"GOCACHE": "/srv/lab/cache/go"},
                },
            ),
            ("php", "php -S 127.0.0.1:8080", {}),
        )
    ):
        yield from _case(
            f"port-{tool}",
            "port-in-use",
            tool,
            (SYSTEM_INFO, command),
            port,
            (("gitlab", "github"), ("jenkins", "azure"), ("travis",), ("make",), ("gitlab",), ("xtrace",))[index],
            setup=hold,
            offline=True,
            timeout=40,
            **cast(dict[str, Any], more),
        )


def _commands() -> Iterator[Recipe]:
    absent = r"command not found|: not found|executable file not found|No such file or directory|ENOENT"
    key = r"command not found|: not found|executable file not found|No such file or directory: '|ENOENT|No such file"
    for index, command in enumerate(
        ("protoc --go_out=. api.proto", "awscli2 s3 sync dist s3://acme-site", "jq .version package.json5", "yarnpkg2 install --immutable", "golangci-lint run ./...", "kubectx production", "dotnet build -c Release")
    ):
        yield from _case(
            f"nocommand-{command.split()[0]}",
            "command-not-found",
            "bash",
            ("make", command),
            absent,
            (("gitlab", "docker"), ("github", "buildx"), ("jenkins",), ("travis", "buildah"), ("azure", "xtrace"), ("buildkit",), ("chroot", "make"))[index],
            files=c_project(modules=5),
            exit=127,
            image="gcc:12",
            key=key,
        )
    yield from _case("nocommand-make", "command-not-found", "make", ("make lint",), absent, ("gitlab", "github"), files={"Makefile": "lint:\n\tshfmt -d .\n\thadolint Dockerfile\n"}, exit=2, key=key)
    yield from _case("nocommand-npm", "command-not-found", "npm", ("npm run build",), absent, ("gitlab", "jenkins"), files={"package.json": '{"name": "app", "private": true, "scripts": {"build": "vite build"}}\n'}, exit=127, key=key)
    yield from _case(
        "nocommand-python", "command-not-found", "python", ("python gen.py",), absent, ("github",), files={"gen.py": "import subprocess\nprint('generate', flush=True)\nsubprocess.run(['protoc', '--version'], check=True)\n"}, exit=1, key=key
    )
    crash = r"Segmentation fault|SIGSEGV|Aborted|SIGABRT|core dumped|signal 11|exit code:? 139|segfault"
    segv = c_project(c_main("#include <string.h>\n", '    if (total) { char *p = (char *)(unsigned long)(total & 8); strcpy(p, "x"); }\n'))
    yield from _case("crash-c", "segmentation-fault", "gcc", ("make", "./build/app"), crash, ("gitlab", "github", "xtrace"), files=segv, exit=139)
    yield from _case("crash-make", "segmentation-fault", "make", ("make check",), crash, ("jenkins", "docker", "buildah"), files=segv, exit=2, image="gcc:12", version="make --version")
    yield from _case(
        "crash-ctest",
        "segmentation-fault",
        "ctest",
        ("cmake -B build", "cmake --build build", "cd build && ctest --output-on-failure"),
        crash + "|SegFault",
        ("gitlab", "buildx"),
        files=cmake_project("enable_testing()\nadd_test(NAME smoke COMMAND app)", segv["src/main.c"]),
        exit=8,
        image="gcc:12",
        version="cmake --version",
    )
    yield from _case("crash-python", "segmentation-fault", "python", ("python -X faulthandler -c 'import ctypes; ctypes.string_at(0)'",), crash, ("travis", "gitlab"), exit=139)
    yield from _case("crash-node", "segmentation-fault", "node", ("node -e 'console.log(1); process.abort()'",), crash, ("azure", "github"), exit=134)
    yield from _case("crash-assert", "segmentation-fault", "gcc", ("make", "./build/app"), crash + "|Assertion", ("gitlab",), files=c_project(c_main("#include <assert.h>\n", "    assert(total == 0);\n")), exit=134)


def _filters() -> Iterator[Recipe]:
    """Old hosts: a system-call filter that answers EPERM to what it has never heard of."""
    profile = json.dumps(
        {
            "defaultAction": "SCMP_ACT_ALLOW",
            "syscalls": [{"names": ["clone3", "faccessat2", "statx", "openat2", "close_range", "pidfd_open", "futex_waitv", "epoll_pwait2", "rseq", "mseal", "fchmodat2"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1}],
        }
    )
    words = r"Operation not permitted|At least one invalid signature|can't start new thread|EPERM|pthread_create|uv_thread_create|Assertion|node::"
    run = "/usr/bin/docker run --rm --network host --security-opt seccomp=old.json"
    info = "uname -r; /usr/bin/docker version --format '{{.Server.Version}}'"
    files = {"old.json": profile + "\n"}
    for index, (image, command) in enumerate(
        (
            ("debian:bookworm-slim", "apt-get update"),
            ("debian:trixie-slim", "apt-get update"),
            ("debian:trixie-slim", "bash -c 'ls -la /etc/apt; test -r /etc/passwd && echo readable; apt-get update && apt-get install -y make'"),
            ("python:3.11-slim", "python -c 'import threading; threading.Thread(target=print).start()'"),
            ("node:20-slim", "node -e 'console.log(process.version)'"),
            ("python:3.11-slim", "pip install --no-cache-dir click==8.1.7"),
            ("gcc:12", "bash -c 'cmake --version && git clone /none /tmp/x'"),
        )
    ):
        if index in {1, 6}:
            continue  # they work all the same
        yield from _case(
            f"seccomp-{index}",
            "apt-signature-invalid" if index == 0 else "libseccomp-outdated",
            "docker",
            (info, f"{run} {image} {command}"),
            words,
            (("gitlab", "github"), ("jenkins",), ("travis", "gitlab"), ("azure", "make"), ("github",), ("gitlab",), ("xtrace",))[index],
            files=files,
            exit=(1, 100, 125, 126, 128, 133, 134, 139),
            version="!/usr/bin/docker --version",
            timeout=100,
        )


def recipes() -> Iterator[Recipe]:
    """Give all recipes of this module."""
    for group in (_inodes, _memory, _limits, _commands, _filters):
        yield from group()
