"""A row in every table, made with plain SQL for the tables as one migration left them."""

from typing import Any

from sqlalchemy import Boolean, Connection, Double, Integer, LargeBinary, MetaData, Table, insert

STATES = {"changes": "settled", "runs": "done", "orders": "done", "inbox": "done", "alerts": "ok"}
EMPTY = ("resolved_at", "removed_at", "used_at", "revoked_at", "ended_at", "finished_at", "wake_on")
AT = "2026-03-04T05:06:07.000008Z"


def fill(connection: Connection, rows: int = 3, skip: tuple[str, ...] = ("alembic_version",)) -> dict[str, int]:
    """Insert rows into all tables that there are, whatever they mean; how many are in each then."""
    there = MetaData()
    there.reflect(connection)
    made: dict[str, int] = {}
    for table in there.sorted_tables:
        if table.name not in skip:
            connection.execute(insert(table), [_row(table, number) for number in range(101, 101 + rows)])
            made[table.name] = rows
    return made


def _row(table: Table, number: int) -> dict[str, Any]:
    row = {column.name: _value(table, column.name, column.type, number) for column in table.columns}
    return {name: value for name, value in row.items() if name not in EMPTY}


def _value(table: Table, name: str, kind: Any, number: int) -> Any:
    if isinstance(kind, Boolean):
        return number % 2 == 0
    if isinstance(kind, Integer):
        return number
    if isinstance(kind, Double) or name in ("due_at", "resume_at", "not_before", "lease_until", "value"):
        return number + 0.25
    if isinstance(kind, LargeBinary):
        return bytes(range(number, number + 5))
    return _text(table.name, name, number)


def _text(table: str, name: str, number: int) -> str:
    if name == "state":
        return STATES.get(table, "done")
    if name.endswith("_at") or name == "at":
        return AT
    return "{}" if name in ("settings", "facts", "figures", "what") else f"{name} {number} æ日"
