"""Which broker logs are stored, and which of them continue each other."""

from streams.sinks.client import Database


def newest_log(db: Database) -> int:
    """The newest log of which anything is stored, or that continues one; 0 if there is none."""
    return int(db.query("SELECT max(log) FROM log_roots")[0][0])


def chain_of(db: Database, log: int) -> list[int]:
    """``log`` and all that it continues, ascending."""
    found = db.query(
        "SELECT log FROM log_roots WHERE root ="
        " (SELECT root FROM log_roots WHERE log = %(log)s) AND log <= %(log)s",
        {"log": log},
    )
    return sorted({log, *(each for (each,) in found)})


def store_lineage(db: Database, log: int, continues: int) -> None:
    """Remember that ``log`` goes on where ``continues`` ended."""
    root = min(chain_of(db, continues))
    db.insert_lists("log_lineage", {"log": [log], "continues": [continues], "root": [root]})
