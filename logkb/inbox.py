"""From many requests to few commits: deliveries that arrive together are stored together, and each request waits for its commit."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable

from logkb.deliveries import Accepted, Delivery, Store
from logkb.errors import StoreError

BATCH = 256
# Requests that may wait for a commit; more than that and the disk is not keeping up.
MOST_WAITING = 2_000

_Item = tuple[Delivery, asyncio.AbstractEventLoop, "asyncio.Future[Accepted]"]


class Inbox:
    """One thread that stores what `put` hands it."""

    def __init__(self, store: Store, settle: float, wake: Callable[[], None]) -> None:
        self._store, self._settle, self._wake = store, settle, wake
        self._items: queue.Queue[_Item | None] = queue.Queue(MOST_WAITING)
        self._thread = threading.Thread(target=self._run, name="inbox", daemon=True)
        self._thread.start()

    async def put(self, delivery: Delivery) -> Accepted:
        """Store a delivery; returns after the commit. Raises `StoreError` when it was not stored."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Accepted] = loop.create_future()
        try:
            self._items.put_nowait((delivery, loop, done))
        except queue.Full:
            raise StoreError("too many deliveries wait to be stored") from None
        return await done

    def close(self) -> None:
        """Store what was handed in, and end."""
        self._items.put(None)
        self._thread.join(10.0)

    def _run(self) -> None:
        while (first := self._items.get()) is not None:
            batch = [first]
            last = False
            while len(batch) < BATCH:
                try:
                    item = self._items.get_nowait()
                except queue.Empty:
                    break
                if item is None:
                    last = True
                    break
                batch.append(item)
            self._keep(batch)
            if last:
                return

    def _keep(self, batch: list[_Item]) -> None:
        try:
            said = self._store.accept([delivery for delivery, _, _ in batch], settle=self._settle)
        except StoreError as error:
            for _, loop, done in batch:
                _tell(loop, done, error)
        except Exception as error:
            if len(batch) == 1:
                _tell(batch[0][1], batch[0][2], StoreError(f"a delivery cannot be stored: {type(error).__name__}"))
                return
            # One delivery that cannot be stored must not take the others with it.
            for item in batch:
                self._keep([item])
        else:
            for (_, loop, done), what in zip(batch, said, strict=True):
                _tell(loop, done, what)
            self._wake()


def _tell(loop: asyncio.AbstractEventLoop, done: asyncio.Future[Accepted], what: Accepted | StoreError) -> None:
    def settle() -> None:
        # The request may be gone: its sender closed the connection.
        if done.done():
            return
        if isinstance(what, StoreError):
            done.set_exception(what)
        else:
            done.set_result(what)

    # A loop that has ended by now has no one left who waits.
    try:
        loop.call_soon_threadsafe(settle)
    except RuntimeError:
        return
