"""What `logkb mcp` does, apart from parsing: settle what may be read, build the server, run it on one of the two transports."""

from __future__ import annotations

import gc
import ipaddress
import logging
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from logkb.errors import UsageError
from logkb.forge import settings_from
from logkb.listening import listen, serve_until_told
from logkb.mcp_settings import HttpSettings, McpSettings
from logkb.serve_settings import LOOPBACK

# A shorter token could be guessed.
MIN_TOKEN = 16
STOP_SECONDS = 5
CONNECTIONS = 200


def plan(roots: Sequence[Path], overlays: tuple[Path, ...], environ: Mapping[str, str]) -> McpSettings:
    """What the tools may do. Raises `UsageError` for a root that is no folder, and for an environment that cannot be meant."""
    return McpSettings(_roots(roots), overlays, github=settings_from("github", environ), gitlab=settings_from("gitlab", environ))


def http_plan(host: str, port: int, allowed_hosts: Sequence[str], environ: Mapping[str, str]) -> HttpSettings:
    """How to listen. Raises `UsageError`: whoever reaches the port can read logs, so only this machine may without a token."""
    token = _token(environ)
    if token is None and not _loopback(host):
        raise UsageError(
            f"{host} can be reached from other machines; set LOGKB_MCP_TOKEN (or LOGKB_MCP_TOKEN_FILE) to a token of at least"
            f" {MIN_TOKEN} characters, or listen on 127.0.0.1"
        )
    return HttpSettings(host, port, token, tuple(allowed_hosts))


def run_mcp(settings: McpSettings, http: HttpSettings | None) -> int:
    """Serve until the client goes away (standard input ends), or SIGINT or SIGTERM. Raises `UsageError` without the extra `mcp`."""
    from logkb.logging_json import configure_logging

    # Standard output is the protocol's; the log goes to standard error.
    configure_logging()
    try:
        import mcp  # noqa: F401

        from logkb.mcp_server import create_http_app, create_server
    except ImportError as error:
        raise UsageError(f"this needs {error.name}; install it with: pip install 'logkb[mcp]'") from None
    gc.enable()
    server, tools = create_server(settings)
    logging.getLogger("mcp").setLevel(logging.WARNING)
    for problem in tools.knowledge.problems:
        print(f"logkb: {problem}", file=sys.stderr)
    try:
        if http is None:
            # The thread that reads standard input cannot be told to stop, and nothing that is kept needs putting in order.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            server.run("stdio")
        else:
            _serve(create_http_app(server, http), http)
    finally:
        tools.close()
    return 0


def _serve(app: object, http: HttpSettings) -> None:
    import uvicorn

    from logkb.connections import backlog, bounded_protocol

    config = uvicorn.Config(
        app,  # type: ignore[arg-type]
        log_config=None,
        access_log=False,
        server_header=False,
        http=bounded_protocol(),
        backlog=backlog(),
        ws="none",
        limit_concurrency=CONNECTIONS,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    server = uvicorn.Server(config)
    with listen(http.host, http.port) as listener:
        host = f"[{http.host}]" if ":" in http.host else http.host
        print(f"logkb: http://{host}:{listener.getsockname()[1]}/mcp (stop with Ctrl-C)", file=sys.stderr, flush=True)
        serve_until_told(server, listener)


def _roots(roots: Sequence[Path]) -> tuple[Path, ...]:
    """The named folders, else the working directory, unless that is everything: clients start servers in / or at home."""
    if not roots:
        here = Path.cwd().resolve()
        try:
            home = Path.home().resolve()
        except RuntimeError:
            home = Path(here.anchor)
        if here in (Path(here.anchor), home) or here in home.parents:
            print(f"logkb: no file of {here} is read; name the folders of the logs with --root", file=sys.stderr)
            return ()
        return (here,)
    settled = []
    for root in roots:
        try:
            resolved = root.resolve(strict=True)
        except (OSError, RuntimeError) as error:
            raise UsageError(f"--root {root}: cannot be read ({error}); name a folder that exists") from None
        if not resolved.is_dir():
            raise UsageError(f"--root {root}: is no folder; name the folder that the logs are in")
        settled.append(resolved)
    return tuple(settled)


def _token(environ: Mapping[str, str]) -> str | None:
    token, file = environ.get("LOGKB_MCP_TOKEN", ""), environ.get("LOGKB_MCP_TOKEN_FILE", "")
    if file and not token:
        try:
            token = Path(file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(
                f"LOGKB_MCP_TOKEN_FILE: {file} cannot be read ({type(error).__name__}); write the token into it"
            ) from None
    token = token.strip()
    if not token and not file:
        return None
    if len(token) < MIN_TOKEN or not (token.isascii() and token.isprintable() and " " not in token):
        raise UsageError(
            f"LOGKB_MCP_TOKEN is too short or odd; use {MIN_TOKEN} letters and digits or more, as of: openssl rand -hex 32"
        )
    return token


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host in LOOPBACK
