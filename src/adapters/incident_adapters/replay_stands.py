"""Where a replay stands, for histories with more streams than fit into the memory.

What was looked at last is kept in memory.  The rest lies in a file without a name, which is gone with the
process, however that ends.
"""

import pickle
from collections import OrderedDict
from collections.abc import Generator, Hashable, Iterator, MutableMapping
from contextlib import closing, contextmanager
from sqlite3 import Connection
from typing import Final, Generic, TypeVar

from incident_adapters.time_machine import nameless
from incident_adapters.whole_file import database_written

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

_KEPT: Final = 4096
_PUT: Final = "INSERT INTO held VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value"


class Spilling(MutableMapping[Key, Value], Generic[Key, Value]):
    """A mapping with what was used last in memory and the rest in a table; keys are texts or numbers."""

    def __init__(self, connection: Connection, name: str, kept: int = _KEPT) -> None:
        self._connection = connection
        self._name = name
        self._most = kept
        self._kept: OrderedDict[Key, Value] = OrderedDict()
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS held (name, key, value, PRIMARY KEY (name, key)) WITHOUT ROWID"
        )

    def __getitem__(self, key: Key) -> Value:
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        row = self._connection.execute(
            "SELECT value FROM held WHERE name = ? AND key = ?", (self._name, key)
        ).fetchone()
        if row is None:
            raise KeyError(key)
        value: Value = pickle.loads(row[0])
        self._keep(key, value)
        return value

    def __setitem__(self, key: Key, value: Value) -> None:
        self._keep(key, value)

    def __delitem__(self, key: Key) -> None:
        raise TypeError("a replay forgets no stream")

    def __iter__(self) -> Iterator[Key]:
        yield from self._kept
        for (key,) in self._connection.execute("SELECT key FROM held WHERE name = ?", (self._name,)):
            if key not in self._kept:
                yield key

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _keep(self, key: Key, value: Value) -> None:
        self._kept[key] = value
        self._kept.move_to_end(key)
        while len(self._kept) > self._most:
            oldest, held = self._kept.popitem(last=False)
            self._connection.execute(_PUT, (self._name, oldest, pickle.dumps(held, protocol=5)))


@contextmanager
def spill() -> Generator[Connection]:
    """Give a database of one's own for `Spilling`, which is gone afterwards.

    Raises:
        OSError: when the folder for temporary files is full.
    """
    with database_written(), closing(nameless()) as connection:
        yield connection
