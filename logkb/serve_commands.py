"""What `logkb serve` does, apart from parsing: build the application and run it until it is told to stop."""

from __future__ import annotations

import gc
import ipaddress
import logging
import sys
from typing import TYPE_CHECKING

from logkb.errors import UsageError
from logkb.listening import listen, serve_until_told
from logkb.serve_settings import LOOPBACK, MAX_HEAD, ServeSettings

if TYPE_CHECKING:
    from fastapi import FastAPI

# What requests under way get at a stop; the webhooks' workers have their own bound.
STOP_SECONDS = 10


def run_serve(settings: ServeSettings) -> int:
    """Serve until SIGINT or SIGTERM. Raises `UsageError` without the extra `serve`, or when the port cannot be had."""
    try:
        import uvicorn

        from logkb.connections import backlog, bounded_protocol

        app = _application(settings)
    except ImportError as error:
        raise UsageError(f"the web page needs {error.name}; install it with: pip install 'logkb[serve]'") from None
    gc.enable()
    if (said := warning(settings)) is not None:
        print(f"logkb: warning: {said}", file=sys.stderr)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        # The limit of a head's size is h11's own; there is nothing here to talk to over a WebSocket.
        http=bounded_protocol(),
        backlog=backlog(),
        ws="none",
        h11_max_incomplete_event_size=MAX_HEAD,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    with listen(settings.host, settings.port) as listener:
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        url = f"http://{host}:{listener.getsockname()[1]}/"
        if settings.webhooks is None:
            print(f"logkb: {url} (stop with Ctrl-C)", file=sys.stderr, flush=True)
        else:
            # A service's log is read by a program: every line of it is JSON.
            logging.getLogger("logkb.serve").info("listening", extra={"fields": {"url": url}})
        serve_until_told(uvicorn.Server(config), listener)
    return 0


def warning(settings: ServeSettings) -> str | None:
    """What to say when other machines can reach the pages; None when they cannot."""
    try:
        loopback = ipaddress.ip_address(settings.host).is_loopback
    except ValueError:
        loopback = settings.host in LOOPBACK
    if loopback or settings.webhooks_only:
        return None
    return (
        f"{settings.host} can be reached from other machines, and there is no login: whoever reaches it can send logs and search."
        " Name the hosts that people use with --allowed-host, and put a proxy with a login in front."
    )


def _application(settings: ServeSettings) -> FastAPI:
    """The pages, the webhooks or both. What is wrong with the store of the webhooks is told here."""
    from logkb.logging_json import configure_logging

    configure_logging()
    if settings.webhooks is not None:
        from logkb.webhooks import create_webhook_app, prepare

        prepare(settings.webhooks)
        if settings.webhooks_only:
            return create_webhook_app(settings.webhooks, settings.overlays)
    elif settings.webhooks_only:
        raise UsageError("no secret for webhooks; set LOGKB_GITHUB_WEBHOOK_SECRET or LOGKB_GITLAB_SIGNING_TOKEN")
    from logkb.server import create_app

    return create_app(settings)
