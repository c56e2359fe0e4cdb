"""The least that could store a lead and give it to somebody: plain SQL by hand, two commits."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Protocol

from django.conf import settings
from django.db import connection

TABLES: Final = (
    "CREATE TABLE baseline_lead (id {serial}, name text NOT NULL, email text NOT NULL, phone text NOT NULL,"
    " company text NOT NULL, country text NOT NULL, message text NOT NULL, owner integer)",
    "CREATE TABLE baseline_pool (id integer PRIMARY KEY, turn integer NOT NULL)",
    "CREATE TABLE baseline_rep (id integer PRIMARY KEY, open_leads integer NOT NULL)",
    "CREATE TABLE baseline_assignment (id {serial}, lead integer NOT NULL REFERENCES baseline_lead (id),"
    " rep integer NOT NULL REFERENCES baseline_rep (id), started_at timestamp DEFAULT CURRENT_TIMESTAMP)",
    "CREATE INDEX baseline_by_email ON baseline_lead (email)",
    "CREATE INDEX baseline_by_lead ON baseline_assignment (lead)",
    "INSERT INTO baseline_pool VALUES (1, 0)",
)
REPS: Final = 10
NEXT_TURN: Final = "SELECT turn FROM baseline_pool WHERE id = 1"
LEAD: Final = (
    "INSERT INTO baseline_lead (name, email, phone, company, country, message) VALUES (?, ?, ?, ?, ?, ?) RETURNING id"
)


class Connection(Protocol):
    """What psycopg and sqlite3 have in common."""

    def execute(self, query: Any, params: Any = ..., /) -> Any: ...

    def commit(self) -> None: ...

    def close(self) -> None: ...


class Baseline:
    """A connection beside Django's, on the same database, with tables of its own."""

    def __init__(self, plain: Connection) -> None:
        self._plain = plain
        self._postgres = connection.vendor == "postgresql"
        self._next_turn = f"{NEXT_TURN} FOR NO KEY UPDATE" if self._postgres else NEXT_TURN

    def prepare(self) -> None:
        serial = "bigserial PRIMARY KEY" if self._postgres else "integer PRIMARY KEY"
        for statement in TABLES:
            self._run(statement.replace("{serial}", serial))
        for rep in range(REPS):
            self._run("INSERT INTO baseline_rep VALUES (?, 0)", rep)
        self._plain.commit()

    def give_out(self, fields: dict[str, Any]) -> None:
        """Insert a lead, commit; lock the pool, take the next turn, count, insert the assignment, commit."""
        texts = [fields[name] for name in ("last_name", "email", "phone", "company", "country", "message")]
        [lead] = self._run(LEAD, *texts).fetchone()
        self._plain.commit()
        if not self._postgres:
            self._run("BEGIN IMMEDIATE")
        [turn] = self._run(self._next_turn).fetchone()
        rep = turn % REPS
        self._run("UPDATE baseline_pool SET turn = turn + 1 WHERE id = 1")
        self._run("UPDATE baseline_rep SET open_leads = open_leads + 1 WHERE id = ?", rep)
        self._run("INSERT INTO baseline_assignment (lead, rep) VALUES (?, ?)", lead, rep)
        self._run("UPDATE baseline_lead SET owner = ? WHERE id = ?", rep, lead)
        self._plain.commit()

    def _run(self, statement: str, *values: object) -> Any:
        return self._plain.execute(statement.replace("?", "%s") if self._postgres else statement, values)


@contextmanager
def baseline() -> Iterator[Baseline]:
    """The baseline, ready to give out leads on the database that Django is connected to."""
    plain = _connect()
    try:
        made = Baseline(plain)
        made.prepare()
        yield made
    finally:
        plain.close()


def _connect() -> Connection:
    if connection.vendor == "postgresql":
        import psycopg

        parameters = connection.get_connection_params()
        known = {key: parameters[key] for key in ("host", "port", "user", "password", "dbname") if key in parameters}
        return psycopg.connect(**known)
    import sqlite3

    plain = sqlite3.connect(str(connection.settings_dict["NAME"]), timeout=20)
    plain.executescript(str(settings.SQLITE_OPTIONS["init_command"]))
    return plain
