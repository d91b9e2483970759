"""The authority's records in SQLite: a file that outlives a restart, or memory.

The file holds the signing key and the users' TOTP secrets: it is made readable by its owner only.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, fields
from operator import attrgetter
from pathlib import Path

from host_tools.authority.core.storage import R, Record
from host_tools.authority.errors import AuthorityError
from host_tools.authority.log_sync import LogSync, sync_file
from host_tools.authority.store_schema import INDICES, SCHEMA_VERSION, TABLES

_APPLICATION_ID = 0x53746F61  # "Stoa", in the SQLite header: tells our file from anyone else's
_FORMAT_VERSIONS = slice(18, 20)  # sqlite.org/fileformat2.html 1.3: 1 rollback journal, 2 WAL

_SQL_TYPES = {
    "str": "TEXT NOT NULL",
    "int": "INTEGER NOT NULL",
    "bool": "INTEGER NOT NULL",
    "str | None": "TEXT",
    "int | None": "INTEGER",
}


@dataclass(frozen=True)
class _Statements:
    get: str
    put: str
    values: Callable[[Record], tuple[str | int | None, ...]]


def _statements(kind: type[Record]) -> _Statements:
    key, *others = (field.name for field in fields(kind))
    update = ", ".join(f"{name} = excluded.{name}" for name in others)
    marks = ", ".join("?" for _ in fields(kind))
    return _Statements(
        get=f"SELECT * FROM {TABLES[kind]} WHERE {key} = ?",
        put=f"INSERT INTO {TABLES[kind]} VALUES ({marks}) ON CONFLICT ({key}) DO UPDATE SET {update}",
        values=attrgetter(key, *others),
    )


# Built once: a poll spent more time on building its SQL than SQLite on carrying it out.
_STATEMENTS = {kind: _statements(kind) for kind in TABLES}


class SqliteStore:
    """One connection, one lock: the pages' worker threads take turns.

    The file is this process's alone while it is open: a second authority on it would re-make the demo user's password
    under the first one.
    """

    def __init__(self, path: Path | None, sync: Callable[[int], None] | None = sync_file) -> None:
        """Open or make the file; None keeps everything in memory. Raises AuthorityError.

        sync: makes what was written to a descriptor survive a power cut; None where the system has no such call, and
        SQLite then syncs each commit itself.
        """
        self._lock = threading.RLock()
        self._depth = 0
        self._is_durable = True  # of the transaction under way
        self.log: LogSync | None = None  # whoever answers waits for it; None where a commit has all it needs
        try:
            self._connection = _opened(path, synchronous="NORMAL" if sync else "FULL")
            if path is not None and sync is not None:
                self.log = LogSync(Path(f"{path.resolve()}-wal"), sync)  # SQLite too looks where links lead to
        except sqlite3.OperationalError as refused:
            if refused.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                message = f"{path} is in use by another authority; stop it or name another file"
                raise AuthorityError(message) from refused
            raise _unusable(path, refused) from refused
        except (OSError, sqlite3.Error) as refused:
            raise _unusable(path, refused) from refused

    def close(self) -> None:
        with self._lock:
            self._connection.close()
            if self.log is not None:
                self.log.close()
                self.log = None

    def image(self) -> bytes:
        """All records, as the bytes of a database; `put_back` takes them."""
        with self._lock:
            image = bytearray(self._connection.serialize())
        image[_FORMAT_VERSIONS] = b"\1\1"  # a database in memory cannot be in WAL mode, and would not open
        return bytes(image)

    def put_back(self, image: bytes) -> None:
        """Have exactly the records of that image."""
        with closing(sqlite3.connect(":memory:")) as kept:
            kept.deserialize(image)
            with self._lock:
                kept.backup(self._connection)
                self._committed()

    @contextmanager
    def transaction(self, durable: bool = True) -> Iterator[None]:
        with self._lock:
            if self._depth:
                self._is_durable |= durable
                yield
                return
            self._is_durable = durable
            before = self._connection.total_changes
            self._connection.execute("BEGIN IMMEDIATE")
            self._depth = 1
            try:
                yield
                self._connection.execute("COMMIT")
                if self._is_durable and self._connection.total_changes != before:
                    self._committed()
            except BaseException:
                # A full disk makes SQLite roll back by itself, and a COMMIT that fails leaves it to us.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            finally:
                self._depth = 0

    def get(self, kind: type[R], key: str) -> R | None:
        with self._lock:
            row = self._connection.execute(_STATEMENTS[kind].get, (key,)).fetchone()
        return kind(*row) if row else None

    def find(self, kind: type[R], **equal: str | int | None) -> list[R]:
        with self._lock:
            rows = self._connection.execute(
                f"SELECT * FROM {TABLES[kind]} WHERE {_where(equal)}", tuple(equal.values())
            )
            return [kind(*row) for row in rows.fetchall()]

    def newest(self, kind: type[R], field: str, most: int) -> list[R]:
        with self._lock:
            key = fields(kind)[0].name
            order = f"ORDER BY {field} DESC, {key} DESC"
            rows = self._connection.execute(f"SELECT * FROM {TABLES[kind]} {order} LIMIT ?", (most,))
            return [kind(*row) for row in rows.fetchall()]

    def put(self, record: Record) -> None:
        statements = _STATEMENTS[type(record)]
        self._write(statements.put, statements.values(record))

    def before(self, kind: type[R], field: str, moment: int) -> list[R]:
        with self._lock:
            rows = self._connection.execute(f"SELECT * FROM {TABLES[kind]} WHERE {field} < ?", (moment,))
            return [kind(*row) for row in rows.fetchall()]

    def delete(self, kind: type[R], **equal: str | int | None) -> None:
        self._write(f"DELETE FROM {TABLES[kind]} WHERE {_where(equal)}", tuple(equal.values()))

    def prune(self, kind: type[R], field: str, before: int) -> None:
        self._write(f"DELETE FROM {TABLES[kind]} WHERE {field} < ?", (before,))

    def _write(self, statement: str, values: tuple[str | int | None, ...]) -> None:
        with self._lock:
            self._connection.execute(statement, values)
            if not self._depth:
                self._committed()

    def _committed(self) -> None:
        if self.log is not None:
            self.log.committed()


def _where(equal: dict[str, str | int | None]) -> str:
    """Names come from the records' own fields, never from a request; `IS` also matches NULL."""
    return " AND ".join(f"{name} IS ?" for name in equal) or "1"


def _unusable(path: Path | None, refused: OSError | sqlite3.Error) -> AuthorityError:
    reason = refused.strerror if isinstance(refused, OSError) else refused
    return AuthorityError(
        f"cannot keep the authority's state in {path}: {reason}; name a new file, or one of stoa's own, in a folder "
        "you may write to"
    )


def _opened(path: Path | None, synchronous: str) -> sqlite3.Connection:
    if path is not None:
        # Only a file that is not there yet is touched outside SQLite: closing a second descriptor of an open database
        # would drop its locks (sqlite.org/howtocorrupt.html, 2.2).
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    # Autocommit: transactions are begun and ended by name above. The lock makes sharing between threads safe.
    connection = sqlite3.connect(
        path.absolute() if path else ":memory:", timeout=1, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        _check_ours(connection, path)
        connection.execute("PRAGMA journal_mode = WAL")
        # A rotation told to a device must not be forgotten by a power cut. FULL syncs the log after each commit; where
        # it is NORMAL, log_sync.py does before an answer leaves.
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        if _pragma(connection, "user_version") == 0:
            _create(connection)
        connection.execute("BEGIN IMMEDIATE")  # a file that cannot be written is refused now, not at the first login
        connection.execute("ROLLBACK")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.close()
        raise
    return connection


def _check_ours(connection: sqlite3.Connection, path: Path | None) -> None:
    application_id = _pragma(connection, "application_id")
    version = _pragma(connection, "user_version")
    occupied = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if application_id != _APPLICATION_ID and (occupied or application_id or version):
        raise AuthorityError(f"{path} is another program's database; name another file, it has been left as it is")
    if version not in (0, SCHEMA_VERSION):
        raise AuthorityError(
            f"{path} has schema version {version}, this stoa reads {SCHEMA_VERSION}; use the stoa that made it or "
            "name another file"
        )


def _create(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    for kind, table in TABLES.items():
        columns = [f"{field.name} {_SQL_TYPES[str(field.type)]}" for field in fields(kind)]
        columns[0] += " PRIMARY KEY"
        connection.execute(f"CREATE TABLE {table} ({', '.join(columns)}) STRICT, WITHOUT ROWID")
    for index in INDICES:
        connection.execute(index)
    connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    connection.execute("COMMIT")


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])
