"""Group commit: one sync of the write-ahead log for all the answers that wait for one.

With synchronous=NORMAL SQLite writes a commit to the log, which it syncs at checkpoints alone (sqlite.org/pragma.html).
What FULL does beyond that is to sync the log after each commit, while nobody else is served. The same is done here on a
thread for all commits there are by then, and no answer leaves before it (durable_answers.py).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

# Windows and macOS have none. On macOS what SQLite does for FULL is another call as well (F_FULLFSYNC).
sync_file: Callable[[int], None] | None = getattr(os, "fdatasync", None)


class LogSync:
    """Of one log. `committed` may be called from any thread, all else from the event loop's."""

    def __init__(self, log: Path, sync: Callable[[int], None]) -> None:
        """log: is there, and is neither replaced nor removed as long as its database is open in exclusive mode."""
        self._descriptor = os.open(log, os.O_RDONLY)
        self._sync = sync
        self._committed = self._synced = 0
        self._under_way: asyncio.Future[None] | None = None
        self._failure: OSError | None = None

    def committed(self) -> None:
        """There is a commit more, which is in the log."""
        self._committed += 1

    @property
    def is_due(self) -> bool:
        """Whether a power cut could take back what has been committed."""
        return self._synced < self._committed

    async def done(self) -> None:
        """Return once all that was committed before is on the disk. Raises OSError, from the first failure on always:
        Linux reports a page that it could not write once and then takes it for written (fsync(2))."""
        wanted = self._committed
        while self._synced < wanted:
            if self._failure:
                raise self._failure
            if self._under_way is None:
                self._under_way = asyncio.ensure_future(self._one())
            await asyncio.shield(self._under_way)

    def at_once(self) -> None:
        """The same while no loop serves anybody yet."""
        self._sync(self._descriptor)
        self._synced = self._committed

    async def _one(self) -> None:
        reaches = self._committed
        try:
            await asyncio.get_running_loop().run_in_executor(None, self._sync, self._descriptor)
            self._synced = reaches
        except OSError as failure:
            self._failure = failure
            raise
        finally:
            self._under_way = None

    def close(self) -> None:
        """Nothing is to be waited for any more: SQLite checkpoints and syncs when it closes the database."""
        os.close(self._descriptor)
