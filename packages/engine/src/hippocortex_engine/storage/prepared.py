"""Statements of the hot path, compiled once per dialect.

Building and looking up a statement costs SQLAlchemy several times what SQLite needs to run it;
a capture runs four.  The statements are still written with SQLAlchemy, and compiled for whatever
dialect the connection speaks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, CursorResult
from sqlalchemy.sql.expression import ClauseElement


@dataclass(frozen=True, slots=True)
class _Compiled:
    """Text for a driver, the order of its parameters (None: by name), and those with a value."""

    text: str
    order: tuple[str, ...] | None
    constants: dict[str, Any]

    def arranged(self, values: dict[str, Any]) -> Any:
        if self.constants:
            values = self.constants | values
        return values if self.order is None else tuple([values[name] for name in self.order])


class Prepared:
    """A statement whose values are all named bind parameters, without expanding lists."""

    def __init__(self, statement: ClauseElement) -> None:
        self._statement = statement
        self._compiled: dict[str, _Compiled] = {}

    def run(self, connection: Connection, values: dict[str, Any]) -> CursorResult[Any]:
        """Run it once."""
        compiled = self._for(connection)
        return connection.exec_driver_sql(compiled.text, compiled.arranged(values))

    def rows(self, connection: Connection, values: dict[str, Any]) -> list[tuple[Any, ...]]:
        """Run it once on the bare driver, in the connection's transaction; the driver's tuples.

        SQLAlchemy's results cost more than SQLite needs for a small statement.
        """
        cursor = self._execute(connection, values)
        try:
            return list(cursor.fetchall())
        finally:
            cursor.close()

    def do_many(self, connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
        """The same for every row, with a statement that returns none."""
        if len(rows) == 1:
            self._execute(connection, rows[0]).close()
        else:
            self.run_many(connection, rows)

    def _execute(self, connection: Connection, values: dict[str, Any]) -> Any:
        compiled = self._for(connection)
        cursor: Any = connection.connection.cursor()
        cursor.execute(compiled.text, compiled.arranged(values))
        return cursor

    def run_many(self, connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
        """Run it for every row."""
        if not rows:
            return
        compiled = self._for(connection)
        connection.exec_driver_sql(compiled.text, [compiled.arranged(values) for values in rows])

    def _for(self, connection: Connection) -> _Compiled:
        found = self._compiled.get(connection.dialect.name)
        if found is None:
            compiled: Any = self._statement.compile(dialect=connection.dialect)
            found = self._compiled[connection.dialect.name] = _Compiled(
                str(compiled),
                tuple(compiled.positiontup) if compiled.positional else None,
                {name: value for name, value in compiled.params.items() if value is not None},
            )
        return found
