"""Builds that pass although their logs look alarming: installs, images, downloads, deployments."""

from __future__ import annotations

from collections.abc import Iterator

from ..blocks import c_project
from ..model import Recipe
from .compiled import MAVEN_NEEDS, MVN, java, pom
from .git import CLONE, UPSTREAM
from .network import LOCAL, SERVER
from .node import PNPM, YARN, package
from .passing_code import ok

VENV = "python -m venv .venv"
UV = "/srv/lab/tools/uv/bin/uv"
UV_ENV = {"UV_CACHE_DIR": "/srv/lab/cache/uv", "UV_NATIVE_TLS": "1", "UV_SYSTEM_CERTS": "1"}


def _python() -> Iterator[Recipe]:
    yield from ok(
        "pip-conflict-warning",
        "pip",
        (VENV, ".venv/bin/pip install requests==2.19.1", ".venv/bin/pip install urllib3==2.2.1", ".venv/bin/python -c 'print(\"ok\")'"),
        "dependency resolver does not currently",
        ("gitlab", "github", "jenkins", "azure"),
    )
    yield from ok(
        "pip-retries",
        "pip",
        (VENV, ".venv/bin/pip install --retries 2 --extra-index-url https://wheels.example.org/simple click==8.1.7"),
        "Retrying",
        ("gitlab", "github", "travis", "github+tty"),
        setup=LOCAL.replace("mirror.example.org", "wheels.example.org"),
    )
    yield from ok(
        "pip-root",
        "pip",
        ("pip install --upgrade pip wheel", "pip install click==8.1.7 pyyaml==6.0.2 jinja2==3.1.4", "pip check"),
        "WARNING|No broken requirements",
        ("docker", "buildx", "buildah", "buildkit", "chroot"),
        image="python:3.11-slim",
        env={"PIP_ROOT_USER_ACTION": ""},
    )
    yield from ok(
        "pip-optional", "pip", (VENV, ".venv/bin/pip install acme-speedups==9.9 || echo 'optional speedups not available, continuing'", ".venv/bin/pip install colorama==0.4.6"), "No matching distribution", ("gitlab", "github", "make")
    )
    yield from ok(
        "uv-warnings",
        "uv",
        (f"{UV} --version", f"{UV} venv", f"{UV} pip install click==8.1.7 rich==13.8.1 'pytest==8.3.3'", ".venv/bin/python -c 'import warnings; warnings.warn(\"error handling is deprecated\", DeprecationWarning)'"),
        "warning|Warning|Installed",
        ("gitlab", "github+tty", "travis"),
        env=UV_ENV,
    )
    yield from ok(
        "import-fallback",
        "python",
        ("python app.py",),
        "ModuleNotFoundError|ImportError",
        ("gitlab", "github", "xtrace", "docker", "buildah"),
        files={
            "app.py": "import logging\nimport traceback\n\nlogging.basicConfig(level=logging.INFO)\ntry:\n    import ujson_fast as json\nexcept ImportError:\n    logging.warning('ModuleNotFoundError: ujson_fast is not installed, using json')\n    traceback.print_exc()\n    import json\nlogging.error('cache: [Errno 2] No such file or directory: cache.json (first run)')\nprint(json.dumps({'failed': 0, 'errors': []}))\n"
        },
        image="python:3.11-slim",
    )


def _node() -> Iterator[Recipe]:
    old = {"package.json": package(scripts={"build": "node -e \"console.log('built with 0 errors and 3 warnings')\""}, dependencies={"request": "2.88.2", "uuid": "3.4.0"}, devDependencies={"rimraf": "2.7.1", "glob": "7.2.3"})}
    yield from ok("npm-deprecated", "npm", ("node --version", "npm install", "npm run build"), "deprecated|3 warnings", ("gitlab", "github", "docker", "buildx", "buildah", "jenkins"), files=old, image="node:20-slim")
    yield from ok("npm-engine-warn", "npm", ("npm install", "npm ls"), "EBADENGINE", ("gitlab", "travis", "github+tty"), files={"package.json": package(engines={"node": ">=99"}, dependencies={"ms": "2.1.3"})})
    yield from ok("yarn-warnings", "yarn", (YARN, "./tools/bin/yarn install", "./tools/bin/yarn run build"), "warning", ("gitlab", "azure"), files=old)
    yield from ok("pnpm-deprecated", "pnpm", (PNPM, "./tools/bin/pnpm install", "./tools/bin/pnpm run build"), "deprecated|WARN|3 warnings", ("github", "jenkins"), files=old)


def _images() -> Iterator[Recipe]:
    four = ("docker", "buildkit", "buildx", "buildah")
    yield from ok("apt-debconf", "apt", ("apt-get update", "apt-get install -y ca-certificates curl make procps tzdata"), "delaying package configuration|update-alternatives|debconf|invoke-rc.d", (*four, "chroot"))
    yield from ok("apt-trixie", "apt", ("apt update", "apt install -y --no-install-recommends git make gcc libc6-dev", "gcc --version"), "stable CLI interface|Setting up", ("chroot", "docker", "buildx"), image="debian:trixie-slim")
    yield from ok("apt-bullseye", "apt", ("apt-get update", "apt-get install -y --no-install-recommends cron rsyslog", "service cron status || true"), "invoke-rc.d|cron|policy-rc.d", ("chroot", "buildah"), image="debian:bullseye-slim")
    yield from ok("apt-missing-ok", "apt", ("apt-get update", "apt-get install -y libfoo-none || echo 'libfoo is optional'", "apt-get install -y --no-install-recommends make"), "Unable to locate package", ("chroot", "docker"))
    yield from ok("image-make", "docker", ("make", "make check", "rm -f /nonexistent && cat /none 2>&1 || true"), "No such file or directory", four, files=c_project(modules=10), image="gcc:12")
    yield from ok(
        "image-ignored", "docker", ("apt-get update && (apt-get install -y oqs-none || true)", "groupadd -r app && useradd -r -g app app && (id root2 || true)", "ls /data || mkdir /data"), "cannot access|Unable to locate|no such user", four
    )


def _downloads() -> Iterator[Recipe]:
    flaky = LOCAL + SERVER.format(port=80, mode="flaky", files="")
    yield from ok(
        "curl-retry", "curl", ("curl -fSL --retry 5 --retry-delay 1 -o tool.bin http://mirror.example.org/tool.bin", "ls -l tool.bin"), r"50[23]|Will retry|retry", ("gitlab", "github", "jenkins", "xtrace"), setup=flaky, offline=True
    )
    yield from ok(
        "wget-retry",
        "wget",
        ('for i in 1 2 3 4; do wget -O tool.bin http://mirror.example.org/tool.bin && break; echo "attempt $i failed, waiting"; sleep 1; done', "ls -l tool.bin"),
        "503|failed",
        ("gitlab", "travis", "make"),
        setup=flaky,
        offline=True,
    )
    yield from ok(
        "wait-for-port",
        "bash",
        ('for i in 1 2 3 4 5 6 7 8; do curl -sf http://localhost:9091/health && break; echo "curl: (7) Failed to connect to localhost port 9091: Connection refused - attempt $i"; sleep 0.4; done; echo ready',),
        "Connection refused",
        ("gitlab", "github", "azure"),
        setup="(sleep 1.6; exec python3 $TOOLS/badserver.py 9091 200 > /dev/null 2>&1) &",
        offline=True,
    )
    yield from ok(
        "dns-optional",
        "bash",
        ("curl -fsS https://telemetry.example.org/v1/build || true", "git ls-remote https://git.example.org/acme/app.git || echo 'fatal: mirror not reachable, using the local copy'", "echo 'Build finished: 0 errors'"),
        "Could not resolve host",
        ("gitlab", "github", "jenkins", "make"),
        offline=True,
    )
    yield from ok(
        "git-hints",
        "git",
        ("git init -q a; git -C a status; git -C /tmp rev-parse HEAD || true", CLONE, "cd checkout && git checkout -b error-handling && git checkout no-such-branch || true", "git -C checkout log --oneline | head -3"),
        "fatal: not a git|did not match",
        ("gitlab", "github", "travis"),
        setup=UPSTREAM,
    )
    yield from ok(
        "git-merge-ours",
        "git",
        (CLONE, "cd checkout && git merge --no-edit origin/feature || (git checkout --ours . && git add -A && git commit -m 'Resolve')", "git -C checkout log --oneline | head -2"),
        "CONFLICT",
        ("gitlab", "jenkins"),
        setup=UPSTREAM + "cd seed; git checkout -qb feature; sed -i s/^7$/x/ src/f1.txt; git commit -qam a; git push -q origin feature; git checkout -q main; sed -i s/^7$/y/ src/f1.txt; git commit -qam b; git push -q origin main; cd ..\n",
    )


def _tools() -> Iterator[Recipe]:
    yield from ok("mvn-warnings", "mvn", (f"{MVN} compile",), "WARNING", ("gitlab", "github", "jenkins", "azure"), files={"pom.xml": pom(), **java(8)}, needs=MAVEN_NEEDS)
    yield from ok(
        "gradle-deprecated",
        "gradle",
        ("gradle --offline --console=plain --warning-mode all build || gradle --offline --console=plain build",),
        "WARNING|warning|deprecat",
        ("gitlab", "github"),
        files={"build.gradle": "apply plugin: 'java'\n", **java(8)},
        needs=("gradle",),
    )
    yield from ok(
        "terraform-valid",
        "terraform",
        ("terraform init -backend=false", "terraform validate", "terraform plan -refresh=false"),
        "Warning|Success|No changes",
        ("gitlab", "github+tty", "travis"),
        files={"main.tf": 'variable "error_document" {\n  default = "error.html"\n}\noutput "failed_count" {\n  value = 0\n}\n'},
        needs=("terraform",),
    )
    yield from ok(
        "ansible-ignored",
        "ansible",
        ("ansible-playbook -i localhost, -c local site.yml",),
        "ignoring|FAILED|ignored=",
        ("gitlab", "github", "jenkins"),
        files={
            "site.yml": "- hosts: all\n  gather_facts: false\n  tasks:\n  - name: check the optional mirror\n    command: cat /nonexistent\n    ignore_errors: true\n  - name: rescue a failure\n    block:\n    - command: 'false'\n    rescue:\n    - debug: {msg: 'rescued from the error'}\n"
        },
        needs=("ansible-playbook:ansible-core",),
        env={"LC_ALL": "C.UTF-8"},
    )
    yield from ok(
        "kubectl-dry",
        "kubectl",
        ("kubectl version --client", "kubectl create configmap errors --from-literal=failed=0 --dry-run=client -o yaml", "kubectl get pods --request-timeout=1s || echo 'no cluster, skipped'"),
        "refused|no cluster|was refused",
        ("gitlab", "travis"),
        needs=("kubectl",),
        offline=True,
    )
    yield from ok("bundle-none", "ruby", ("gem list --local", "bundle --version", 'ruby -W2 -e \'def f(x) = 1; warn "warning: deprecated: error_class"; puts "0 errors"\''), "warning", ("gitlab", "azure"), needs=("ruby",))
    yield from ok(
        "php-notices",
        "php",
        ("php --version", "php -d error_reporting=-1 -d display_errors=1 app.php"),
        "Warning|Deprecated|Notice",
        ("gitlab", "github", "jenkins"),
        files={"app.php": '<?php\necho "run\\n";\n$x = @file_get_contents(\'/none\');\necho $undefined;\necho strlen(null), "\\n";\necho "OK (12 tests, 34 assertions, 0 errors, 0 failures)\\n";\n'},
        needs=("php:php-cli",),
    )
    yield from ok(
        "docker-pull-warn",
        "docker",
        ("/usr/bin/docker info 2>&1 | tail -8", "/usr/bin/docker images", "/usr/bin/docker rm no-such-container || true", "/usr/bin/docker run --rm --network host debian:bookworm-slim echo 'container ok'"),
        "No such container|WARNING",
        ("gitlab", "github", "jenkins"),
    )


def recipes() -> Iterator[Recipe]:
    """Give all recipes of this module."""
    for group in (_python, _node, _images, _downloads, _tools):
        yield from group()
