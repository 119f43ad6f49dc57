"""Run a recipe: a fresh folder, its own mounts, processes, host name and, if asked, network."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .errors import RecipeError
from .lab import LAB, SOCKET26, search_path
from .model import Recipe
from .wrappers import script

_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
_HOME = "/home/ci"

# Everything below lives and dies with the namespaces: mounts, servers, loop devices.
_OUTER = """
mount --make-rprivate / && mkdir -p /srv/lab /srv/tools {cwd} {home}
mount --bind {tools} /srv/tools
mount --bind {lab} /srv/lab && export LAB=/srv/lab RUN=/srv/lab/run/{run} TOOLS=/srv/tools
mount --bind $RUN/home {home}
mount --bind $RUN/app {cwd}
mount --bind $RUN/hosts /etc/hosts
mount --bind $RUN/tmp /tmp
[ -e /proc/sys/net ] && ip link set lo up 2>/dev/null
hostname runner-1
cd {cwd}
if [ -s $RUN/setup.sh ]; then source $RUN/setup.sh > $RUN/setup.log 2>&1 || {{ echo "setup failed"; tail -5 $RUN/setup.log; exit 250; }}; fi
cd {cwd}
"""


@dataclass(frozen=True)
class Outcome:
    """What a build left behind."""

    status: int
    text: str


def environment(recipe: Recipe) -> dict[str, str]:
    """Return the whole environment of a build; nothing of this machine's own leaks in."""
    env = {
        "PATH": search_path(), "HOME": _HOME, "USER": "ci", "LC_ALL": "C", "CI": "true", "TERM": "xterm",
        "DOCKER_HOST": "unix:///var/run/docker.sock", "DOCKER26": f"unix:///srv/lab/{SOCKET26.relative_to(LAB)}",
        "SSL_CERT_FILE": _CERTIFICATES, "PIP_CERT": _CERTIFICATES, "REQUESTS_CA_BUNDLE": _CERTIFICATES,
        "CURL_CA_BUNDLE": _CERTIFICATES, "NODE_EXTRA_CA_CERTS": _CERTIFICATES, "GIT_SSL_CAINFO": _CERTIFICATES,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_CACHE_DIR": "/srv/lab/cache/pip", "npm_config_cache": "/srv/lab/cache/npm",
        "npm_config_update_notifier": "false", "GIT_CONFIG_NOSYSTEM": "1", "PIP_ROOT_USER_ACTION": "ignore",
        "RUSTUP_HOME": str(Path.home() / ".rustup"), "DEBIAN_FRONTEND": "noninteractive",
    }  # fmt: skip
    if recipe.offline:
        env["PIP_CACHE_DIR"] = f"{_HOME}/.cache/pip"
    return {key: value for key, value in {**env, **recipe.env}.items() if value}


def _lay_out(recipe: Recipe, run: Path) -> None:
    shutil.rmtree(run, ignore_errors=True)
    for name in ("app", "home", "tmp", "roottmp"):
        (run / name).mkdir(parents=True)
    (run / "tmp").chmod(0o1777)
    (run / "roottmp").chmod(0o1777)
    own = [f"127.0.0.1 localhost runner-1 {' '.join(recipe.hosts)}", "::1 localhost"]
    (run / "hosts").write_text("\n".join(own) + "\n")
    for name, text in recipe.files.items():
        path = run / "app" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, newline="")
        if text.startswith("#!"):
            path.chmod(0o755)
    (run / "setup.sh").write_text(recipe.setup)
    (run / "main.sh").write_text(script(recipe))


def run(recipe: Recipe) -> Outcome:
    """Run a recipe for real and return its exit status and everything it printed."""
    folder = LAB / "run" / recipe.name
    _lay_out(recipe, folder)
    inner = "bash $RUN/main.sh"
    if recipe.tty:
        inner = "python3 $TOOLS/withpty.py bash $RUN/main.sh"
    outer = _OUTER.format(cwd=recipe.cwd, home=_HOME, lab=LAB, run=recipe.name, tools=Path(__file__).parent / "tools") + f"{inner}\n"
    flags = ["--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--uts"]
    if recipe.offline:
        flags.append("--net")
    docker = LAB / "docker" / "docker.sock"
    if docker.exists():
        outer = outer.replace("hostname runner-1", f"touch /var/run/docker.sock; mount --bind /srv/lab/{docker.relative_to(LAB)} /var/run/docker.sock\nhostname runner-1", 1)
    log = folder / "log"
    try:
        with log.open("wb") as sink:
            done = subprocess.run(
                ["timeout", "-k", "5", str(recipe.timeout), "unshare", *flags, "bash", "-c", outer],
                env=environment(recipe), stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT,
                check=False, cwd="/",
            )  # fmt: skip
        text = log.read_bytes().decode("utf-8", "replace")
    finally:
        if not os.environ.get("LOGKB_LAB_KEEP"):
            shutil.rmtree(folder, ignore_errors=True)
    if done.returncode == 250 and "setup failed" in text:
        raise RecipeError(f"{recipe.name}: {' | '.join(text.strip().splitlines()[-5:])}")
    return Outcome(done.returncode, _shorten(text, recipe.head))


def _shorten(text: str, keep: int) -> str:
    """Keep the first and last lines of a log that is longer than a log should be."""
    lines = text.split("\n")
    if not keep or len(lines) <= 2 * keep:
        return text
    return "\n".join([*lines[:keep], "...", *lines[-keep:]])


_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|\x1b\][^\x07]*\x07")


def plain_lines(text: str) -> list[str]:
    """Return the lines as a reader sees them: no colours, no carriage return at the end."""
    return [_ANSI.sub("", line).rstrip("\r") for line in text.split("\n")]
