"""Files, archives, scripts, line endings, locales, signatures and checksums that are not as a step expects."""

from __future__ import annotations

from collections.abc import Iterator

from ..blocks import SYSTEM_INFO, c_project
from ..model import Recipe, spread


def _case(name: str, cause: str, tool: str, steps: tuple[str, ...], signature: str, wrappers: tuple[str, ...], **more: object) -> Iterator[Recipe]:
    options: dict[str, object] = {"exit": (1, 2), "family": f"{tool}-{cause}", "version": f"!{tool} --version", "image": "gcc:12", "files": c_project(modules=5), **more}
    yield from spread(Recipe(name=name, cause=cause, tool=tool, steps=steps, signature=signature, **options), wrappers)  # type: ignore[arg-type]


def _missing() -> Iterator[Recipe]:
    gone = r"No such file or directory|cannot stat|cannot access|can't open|ENOENT|Couldn't find"
    for index, (tool, command, exits) in enumerate((
        ("cp", "cp build/release/app dist/", (1,)), ("chmod", "chmod +x scripts/deploy.sh", (1,)), ("cat", "cat VERSION.txt > build/version", (1,)), ("tar", "tar -czf app.tar.gz dist/", (2,)),
        ("cd", "cd frontend/packages/web && ls", (1,)), ("python", "python scripts/generate.py --all", (2,)), ("bash", "bash ./ci/test.sh", (127,)), ("mv", "mv target/app.jar release/app-1.4.2.jar", (1,)),
        ("sed", "sed -i s/a/b/ config/settings.ini", (2, 4)), ("diff", "diff expected/output.txt build/output.txt", (2,)), ("npm", "npm ci --prefix web", (254, 1, 243)), ("pip", "python -m pip install -r requirements/dev.txt", (1,)),
    )):  # fmt: skip
        wrappers = (("gitlab", "docker"), ("github",), ("jenkins", "buildx"), ("travis",), ("azure", "gitlab"), ("make",), ("xtrace",), ("buildah",), ("buildkit",), ("gitlab",), ("github",), ("jenkins",))[index]
        yield from _case(f"file-{tool}", "file-not-found", tool, ("make", command), gone, wrappers, exit=exits, version="!bash --version" if tool == "cd" else f"!{tool} --version")
    yield from _case(
        "file-open", "file-not-found", "python", ("python report.py",), gone, ("gitlab", "github"), files={"report.py": "import json\nprint('reading the results', flush=True)\nprint(len(json.load(open('results/summary.json'))))\n"}
    )


def _archives() -> Iterator[Recipe]:
    page = "<html><head><title>404 Not Found</title></head><body>nginx</body></html>\n"
    bad = r"not in gzip format|unexpected end of (file|input)|End-of-central-directory|cannot find zipfile|does not look like a tar|not a (zip|gzip)|File is not a zip|BadZipFile|corrupt|Unexpected EOF|CRC|crc error|invalid compressed data|Compressed data|Failed to extract|premature|File format not recognized"
    make = "mkdir -p data && for i in $(seq 20); do head -c 9000 /dev/urandom > data/f$i; done; tar -czf full.tgz data; tar -cJf full.txz data; head -c 60000 full.tgz > tool.tar.gz; head -c 60000 full.txz > tool.tar.xz; python3 -m zipfile -c full.zip data; head -c 50000 full.zip > tool.zip; rm -rf data full.*\n"
    html = {**c_project(modules=3), "tool-html.tar.gz": page, "tool-html.zip": page}
    for index, (tool, command, exits) in enumerate((
        ("tar", "tar -xzf tool-html.tar.gz", (2,)), ("tar", "tar -xvzf tool.tar.gz", (2,)), ("unzip", "unzip -q tool-html.zip", (9,)), ("unzip", "unzip -o tool.zip", (1, 2, 3, 9)), ("gzip", "gunzip -c tool.tar.gz > tool.tar", (1,)),
        ("tar", "tar -xJf tool.tar.xz", (2,)), ("python", "python3 -c \"import zipfile; zipfile.ZipFile('tool-html.zip').extractall('x')\"", (1,)), ("python", "python3 -c \"import tarfile; tarfile.open('tool.tar.gz').extractall('x')\"", (1,)), ("jar", "jar xf tool-html.zip && ls x", (1, 2)),
    )):  # fmt: skip
        yield from _case(
            f"archive-{index}-{tool}",
            "archive-corrupt",
            tool,
            ("make", "ls -l tool*", command),
            bad + "|Error is not recoverable|No such file",
            (("gitlab", "docker"), ("github", "xtrace"), ("jenkins",), ("travis",), ("azure",), ("gitlab", "buildx"), ("make",), ("github",), ("gitlab",))[index],
            files=html,
            setup=make,
            exit=exits,
            needs=("unzip",),
            key=bad,
            version="!unzip -v" if tool == "unzip" else f"!{tool} --version",
        )
    sums = r"computed checksum did NOT match|checksum mismatch|FAILED|hash mismatch|does not match"
    yield from _case(
        "sum-sha256",
        "checksum-mismatch",
        "sha256sum",
        ("make", "sha256sum -c SHA256SUMS"),
        sums,
        ("gitlab", "github", "docker", "buildx"),
        files={
            **c_project(modules=4),
            "tool.bin": "binary\n",
            "lib.bin": "x\n",
            "SHA256SUMS": "73cb3858a687a8494ca3323053016282f3dad39d42cf62ca4e79dda2aac7d9ac  lib.bin\n0000000000000000000000000000000000000000000000000000000000000000  tool.bin\n",
        },
    )
    yield from _case("sum-md5", "checksum-mismatch", "md5sum", ("echo '00000000000000000000000000000000  src/main.c' | md5sum -c -",), sums, ("jenkins", "travis"))
    yield from _case(
        "sum-cmake",
        "checksum-mismatch",
        "cmake",
        ("cmake -B build",),
        sums + "|HASH mismatch",
        ("gitlab", "azure"),
        files={
            "CMakeLists.txt": "cmake_minimum_required(VERSION 3.16)\nproject(app C)\nfile(DOWNLOAD file://${CMAKE_SOURCE_DIR}/third.tgz ${CMAKE_BINARY_DIR}/third.tgz EXPECTED_HASH SHA256=0000000000000000000000000000000000000000000000000000000000000000)\n",
            "third.tgz": "x\n",
        },
        exit=1,
    )
    yield from _case(
        "sum-script",
        "checksum-mismatch",
        "bash",
        ("bash fetch.sh",),
        sums,
        ("github", "make"),
        files={
            "fetch.sh": "#!/bin/bash\nset -eu\necho 'Downloading tool 2.1'\nwant=5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8\ngot=$(echo tool | sha256sum | cut -d' ' -f1)\n[ $want = $got ] || { echo \"checksum mismatch for tool-2.1.tar.gz: expected $want, got $got\" >&2; exit 1; }\n"
        },
    )


def _scripts() -> Iterator[Recipe]:
    shell = r"syntax error|unbound variable|parameter not set|\[\[: not found|[Bb]ad substitution|unexpected end of file|unexpected EOF|Syntax error"
    bugs = {
        "then": "if [ -f Makefile ]\n  echo ok\nfi\n",
        "unbound": 'set -u\necho "deploying $RELEASE_NAME"\n',
        "quote": 'echo "building the release\nmake\n',
        "substitution": "name=x\necho ${name^^ }\necho ${!}\n${name.x}\n",
        "paren": "function build( {\n  make\n}\nbuild\n",
    }
    for index, (name, text) in enumerate(bugs.items()):
        yield from _case(
            f"shell-{name}",
            "shell-script-error",
            "bash",
            ("make", "bash ci/release.sh"),
            shell,
            (("gitlab", "docker"), ("github", "buildx"), ("jenkins",), ("travis",), ("azure", "make"))[index],
            files={**c_project(modules=4), "ci/release.sh": "#!/bin/bash\necho '==> release'\n" + text},
            exit=(1, 2, 127),
        )
    for name, text in (("bashism", '#!/bin/sh\nset -e\necho start\nif [[ $1 == x ]]; then echo x; fi\n[[ -n "$CI" ]]\n'), ("array", "#!/bin/sh\nfiles=(a b c)\necho ${files[0]}\n"), ("dashsub", "#!/bin/sh\nv=abc\necho ${v:0:1}\n")):
        yield from _case(f"dash-{name}", "shell-script-error", "sh", ("sh build.sh",), shell, ("gitlab", "buildah") if name == "bashism" else ("xtrace",), files={"build.sh": text}, exit=(2, 127), version="!dpkg-query -W dash")
    crlf = r"\\r|\^M|bad interpreter|\r': |\$'\\r'|no such file or directory|cannot execute: required file|not found"
    dos = "#!/bin/bash\r\nset -e\r\necho 'release'\r\ncd build\r\nmake\r\n"
    yield from _case(
        "crlf-exec",
        "crlf-line-endings",
        "bash",
        ("file ci.sh; ls -l ci.sh", "./ci.sh"),
        crlf,
        ("gitlab", "github", "docker", "buildx", "jenkins"),
        files={**c_project(modules=3), "ci.sh": dos},
        exit=(126, 127, 1),
        key=r"\\r|\^M|bad interpreter|cannot execute: required|ci\.sh: not found|ci\.sh: No such file",
    )
    yield from _case(
        "crlf-bash",
        "crlf-line-endings",
        "bash",
        ("bash ci.sh",),
        crlf,
        ("travis", "azure", "buildah"),
        files={"ci.sh": "echo start\r\nset -e\r\ncd src\r\nif true; then\r\n  make\r\nfi\r\n"},
        exit=(1, 2, 127),
        key=r"\\r|\^M|\r'|syntax error|invalid option",
    )
    yield from _case("crlf-python", "crlf-line-endings", "env", ("./tool.py",), crlf, ("make", "xtrace"), files={"tool.py": "#!/usr/bin/env python3\r\nprint('ok')\r\n"}, exit=127, key="No such file or directory|\\^M|\\r")
    locale = r"invalid byte sequence in US-ASCII|'ascii' codec can't|unsupported locale|[Cc]annot set LC_ALL|cannot change locale|Setting locale failed|unmappable character|UnicodeDecodeError|UnicodeEncodeError|Encoding::|invalid multibyte"
    utf = {
        "read.py": "import sys\nprint('reading the changes', flush=True)\nprint(len(open('CHANGES.txt', encoding='ascii').read()))\n",
        "CHANGES.txt": "Größe, naïve, 東京\n",
        "loc.py": "import locale\nlocale.setlocale(locale.LC_ALL, 'de_DE.UTF-8')\n",
        "read.rb": "puts 'scan'\nputs File.read('CHANGES.txt', encoding: 'US-ASCII').split(/,/).size\n",
        "App.java": 'public class App { String s = "Größe 東京"; }\n',
        "write.py": "print('building \\u2713 \\u6771')\n",
    }
    yield from _case("locale-decode", "locale-encoding", "python", ("python read.py",), locale, ("gitlab", "github", "docker"), files=utf, image="python:3.11-slim", version="!python3 --version")
    yield from _case("locale-set", "locale-encoding", "python", ("locale -a | head -5", "python loc.py"), locale, ("jenkins", "buildx", "chroot"), files=utf, image="python:3.11-slim", version="!python3 --version")
    yield from _case("locale-ruby", "locale-encoding", "ruby", ("ruby --version", "ruby read.rb"), locale, ("travis", "make"), files=utf)
    yield from _case("locale-javac", "locale-encoding", "javac", ("javac -encoding US-ASCII -Werror App.java",), locale, ("azure",), files=utf)
    yield from _case("locale-encode", "locale-encoding", "python", ("python write.py",), locale, ("gitlab", "xtrace"), files=utf, env={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}, version="!python3 --version")
    keys = "export GNUPGHOME=$RUN/gnupg; mkdir -m 700 -p $GNUPGHOME; gpg -q --batch --passphrase '' --quick-gen-key 'Release <release@example.org>' rsa2048 sign 1y; echo release > tool.tar.gz; gpg -q --batch -abs tool.tar.gz; gpg --export -a > key.asc; {then} export GNUPGHOME=$HOME/.gnupg; mkdir -m 700 -p $GNUPGHOME\n"
    gpg = r"Can't check signature: No public key|BAD signature|keyserver receive failed|no valid OpenPGP data|verification failed|No such file"
    yield from _case("gpg-nokey", "gpg-verification-failed", "gpg", ("gpg --verify tool.tar.gz.asc tool.tar.gz",), gpg, ("gitlab", "github"), setup=keys.replace("{then}", ""), exit=2, files={})
    yield from _case(
        "gpg-bad", "gpg-verification-failed", "gpg", ("gpg --batch --import key.asc", "gpg --verify tool.tar.gz.asc tool.tar.gz"), gpg, ("jenkins", "travis"), setup=keys.replace("{then}", "echo tampered >> tool.tar.gz;"), exit=1, files={}
    )
    yield from _case(
        "gpg-keyserver",
        "gpg-verification-failed",
        "gpg",
        ("gpg --batch --keyserver hkps://keys.example.org --recv-keys 0123456789ABCDEF0123456789ABCDEF01234567",),
        gpg,
        ("azure", "gitlab"),
        setup=keys.replace("{then}", ""),
        exit=2,
        files={},
        offline=True,
        needs=("dirmngr",),
    )
    yield from _case(
        "gpg-page",
        "gpg-verification-failed",
        "gpg",
        ("gpg --batch --dearmor < key.html > key.gpg && gpg --import key.gpg",),
        gpg,
        ("make", "github"),
        files={"key.html": "<html>Not Found</html>\n"},
        exit=2,
        setup="mkdir -m 700 -p $HOME/.gnupg",
    )
    yield from _case(
        "gpg-git",
        "gpg-verification-failed",
        "git",
        (SYSTEM_INFO, "cd repo && git verify-commit HEAD"),
        gpg,
        ("gitlab",),
        exit=1,
        files={},
        setup=keys.replace("{then}", "git init -q repo; cd repo; git -c user.name=r -c user.email=release@example.org -c user.signingkey=release@example.org commit -S -q --allow-empty -m 'Release 1.4.2'; cd ..;"),
    )


def recipes() -> Iterator[Recipe]:
    """Give all recipes of this module."""
    for group in (_missing, _archives, _scripts):
        yield from group()
