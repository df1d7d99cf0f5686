"""The history of all rooms in one SQLite file.

Knows SQLite and the shape of a message. One thread at a time uses it. Promises that a batch that `append` returned is on the
disk (WAL, synchronous=FULL), and that a message of the same room, client and id is kept once.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .protocol import Said

_TABLE = """
create table if not exists message (
  seq    integer primary key autoincrement,
  room   text not null,
  client text not null,
  id     text not null,
  name   text not null,
  text   text not null,
  at     integer not null,
  unique (room, client, id)
) strict;
create index if not exists message_of_room on message (room, seq);
create table if not exists log (id text not null) strict;
insert into log select lower(hex(randomblob(8))) where not exists (select * from log);
"""
_COLUMNS = "seq, client, id, name, text, at"
_PAGE_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Entry:
    """A message that is not kept yet. `at`: milliseconds since 1970."""

    room: str
    client: str
    id: str
    name: str
    text: str
    at: int


class History:
    """Messages in order, for ever. `limit_mib`: the file grows no larger than this; None = as large as the disk.

    `log_id` tells this history from any other: numbers of one say nothing in another.

    Raises:
        sqlite3.Error: the file can not be opened, read or written; nothing of that call has happened then.
    """

    def __init__(self, path: Path | str, *, limit_mib: float | None = None) -> None:
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("pragma journal_mode = wal")
        self._db.execute("pragma synchronous = full")
        self._db.executescript(_TABLE)
        self.log_id: str = self._db.execute("select id from log").fetchone()[0]
        if limit_mib is not None:
            self._db.execute(f"pragma max_page_count = {max(1, int(limit_mib * 2**20 / _PAGE_BYTES))}")

    def append(self, entries: Sequence[Entry]) -> list[tuple[Said, bool]]:
        """Keep these, all or none: (the message, whether it is new) for each."""
        kept: list[tuple[Said, bool]] = []
        self._db.execute("begin immediate")
        try:
            for entry in entries:
                kept.append(self._append_one(entry))
            self._db.execute("commit")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("rollback")
            raise
        return kept

    def _append_one(self, entry: Entry) -> tuple[Said, bool]:
        row = self._db.execute(
            "insert into message (room, client, id, name, text, at) values (?, ?, ?, ?, ?, ?)"
            " on conflict (room, client, id) do nothing returning seq",
            (entry.room, entry.client, entry.id, entry.name, entry.text, entry.at),
        ).fetchone()
        if row is not None:
            return Said(row[0], entry.client, entry.id, entry.name, entry.text, entry.at), True
        old = self._db.execute(
            f"select {_COLUMNS} from message where room = ? and client = ? and id = ?",
            (entry.room, entry.client, entry.id),
        ).fetchone()
        return Said(*old), False

    def after(self, room: str, seq: int, most: int) -> list[Said]:
        """The first `most` messages of a room after `seq`, oldest first."""
        rows = self._db.execute(
            f"select {_COLUMNS} from message where room = ? and seq > ? order by seq limit ?",
            (room, seq, most),
        )
        return [Said(*row) for row in rows]

    def before(self, room: str, seq: int | None, most: int) -> list[Said]:
        """The last `most` messages of a room before `seq` (None = of all), oldest first."""
        rows = self._db.execute(
            f"select {_COLUMNS} from message where room = ? and seq < ? order by seq desc limit ?",
            (room, 2**62 if seq is None else seq, most),
        )
        return [Said(*row) for row in rows][::-1]

    def close(self) -> None:
        """Close the file."""
        self._db.close()
