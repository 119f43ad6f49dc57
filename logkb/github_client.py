"""How GitHub is asked: the client, its errors in our own words, and bodies that are read in blocks."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from logkb.errors import ForgeError, TransientError, UsageError
from logkb.forge import GITHUB_API, BotSettings, NotThere
from logkb.report import safe

if TYPE_CHECKING:
    import ssl

    import githubkit
    from githubkit.cache import MemCacheStrategy
    from githubkit.exception import GitHubException

T = TypeVar("T")
# GitHub asks for at least a minute when a secondary limit comes without advice.
SECONDARY_PAUSE = 60.0
# What to grant, when GitHub's answer does not name it itself.
NEEDS = {
    "actions": "actions: read",
    "pulls": "pull-requests: read",
    "commits": "pull-requests: read",
    "issues": "pull-requests: write",
}


class Blocks:
    """The blocks of a streamed body; a connection that breaks or ends early is a `TransientError`."""

    def __init__(self, response: Any) -> None:
        self._response = response.raw_response

    def __enter__(self) -> Iterator[bytes]:
        return self._blocks()

    def __exit__(self, *_: object) -> None:
        self._response.close()

    def _blocks(self) -> Iterator[bytes]:
        import httpx

        try:
            yield from self._response.iter_bytes(64 * 1024)
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise TransientError(f"the log's transfer broke off ({type(error).__name__}); try again later") from None


class Refused(ForgeError):
    """GitHub answered with a status that no repetition changes."""

    def __init__(self, message: str, status: int, host: str, port: int | None) -> None:
        self.status, self.host, self.port = status, host, port
        super().__init__(message)


class NotFound(Refused, NotThere):
    """It is not there, or may not be seen."""


class Forbidden(Refused):
    """The token lacks a permission."""


@functools.lru_cache(maxsize=8)
def _cache_for(api: str) -> MemCacheStrategy:
    """Installation tokens live for an hour; each API has its own."""
    from githubkit.cache import MemCacheStrategy

    return MemCacheStrategy()


@functools.lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    """One for all clients: reading the certificates takes longer than half a comment, and lets no other thread run meanwhile."""
    import httpx

    return httpx.create_ssl_context()


def open_client(settings: BotSettings, app: Callable[[], Any] | None) -> githubkit.GitHub[Any]:
    """A client for the API of the settings. Raises `UsageError` without the extra `bot` or a token."""
    try:
        import githubkit
    except ImportError as error:
        raise UsageError(f"comments on GitHub need the extra 'bot' ({error}): pip install 'logkb[bot]'") from None
    if app is None and not settings.token:
        raise UsageError(
            "no token for GitHub; set GITHUB_TOKEN (permissions: actions: read, pull-requests: write), or use a GitHub App"
        )
    api = settings.api or GITHUB_API
    return githubkit.GitHub(
        app() if app else settings.token, base_url=api, user_agent="logkb", timeout=settings.timeout, auto_retry=False,
        http_cache=False, cache_strategy=_cache_for(api), ssl_verify=_tls(),
    )  # fmt: skip


def json_of(response: Any, path: str) -> Any:
    """The body of an answer. Raises `ForgeError` when it is no JSON."""
    try:
        return response.json()
    except ValueError:
        raise ForgeError(f"the answer to {path} is no JSON; check that --api names GitHub's REST API") from None


def asked(call: Callable[[], T], what: str) -> T:
    """The call's result, its errors in our own words."""
    from githubkit.exception import GitHubException

    try:
        return call()
    except GitHubException as error:
        raise _own_error(error, what) from None
    except ValueError as error:  # a Retry-After that is no number
        raise TransientError(f"GitHub's answer to {what} cannot be read ({safe(str(error))}); try again later") from None


def _own_error(error: GitHubException, asked: str) -> ForgeError:
    from githubkit.exception import RateLimitExceeded, RequestError, RequestFailed, RequestTimeout

    if isinstance(error, RateLimitExceeded):
        seconds = error.retry_after.total_seconds()
        return TransientError(f"GitHub's rate limit is used up ({asked}); it opens again in {seconds:.0f} seconds", seconds)
    if isinstance(error, RequestTimeout):
        return TransientError(f"GitHub did not answer {asked} in time; try again later")
    if isinstance(error, RequestError) and isinstance(error.exc, RequestError):
        return _own_error(error.exc, asked)  # what went wrong while a token was fetched
    if isinstance(error, RequestFailed):
        return _refusal(error, asked)
    cause = error.exc if isinstance(error, RequestError) else error
    import httpx

    if isinstance(cause, httpx.TransportError):
        return TransientError(f"no connection for {asked} ({type(cause).__name__}); try again later")
    return ForgeError(f"GitHub could not be asked {asked} ({type(cause).__name__}: {safe(str(cause))[:200]}); check the settings")


def _refusal(error: Any, asked: str) -> ForgeError:
    response = error.response
    status, url = response.status_code, response.url
    said = safe(_message(response))
    if status == 429 or (status == 403 and "rate limit" in said.lower()):
        return TransientError(f"GitHub's secondary rate limit is used up ({asked})", SECONDARY_PAUSE)
    if status >= 500 or status == 408:
        return TransientError(f"GitHub answered {asked} with status {status}; try again later")
    if status == 401:
        _cache_for.cache_clear()
        return ForgeError(f"GitHub does not accept the token ({asked}: {said}); make a new one, or check the App's id and key")
    needs = response.headers.get("x-accepted-github-permissions", "").replace("=", ": ") or _needs(asked)
    if status == 403 and "locked" in said:
        return ForgeError(f"GitHub: {said} Unlock the conversation to get comments ({asked})")
    if status == 403:
        return Forbidden(f"GitHub refuses {asked}: {said}; grant the token {needs}", status, url.host, url.port)
    if status in (404, 410):
        why = f"it is not there, or the token may not see it; check the name, and for a private repository grant {needs}"
        return NotFound(f"GitHub finds nothing for {asked}: {why}", status, url.host, url.port)
    return Refused(f"GitHub refuses {asked} with status {status}: {said}", status, url.host, url.port)


def _needs(asked: str) -> str:
    parts = asked.split("/")
    return NEEDS.get(parts[4] if len(parts) > 4 else "", "metadata: read")


def _message(response: Any) -> str:
    try:
        made = response.json()
    except ValueError:
        return ""
    if not isinstance(made, dict):
        return ""
    more = [str(item.get("message", "")) for item in made.get("errors") or () if isinstance(item, dict)]
    return " ".join([str(made.get("message", "")), *more]).strip()[:300]
