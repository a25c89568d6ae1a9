"""A lock that goes with its process, however that ends; light enough for all to import."""

import fcntl
import os
from pathlib import Path
from typing import IO


def hold(file: Path) -> IO[str] | None:
    """Hold ``file`` until what is returned is closed; None if another process holds it.

    The folder must exist. The file tells who holds it. Raises ``OSError`` if it cannot be written.
    """
    holder = file.open("a+")
    try:
        fcntl.flock(holder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder.close()
        return None
    holder.truncate(0)
    holder.write(f"{os.getpid()}\n")
    holder.flush()
    return holder
