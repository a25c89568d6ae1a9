"""How the kernels are compiled: once per machine and version, kept in a folder of machine code."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

from streams.kernels.code_cache import folder_for

_F = TypeVar("_F", bound=Callable[..., Any])


def kernel(function: _F) -> _F:
    """Compile ``function`` when it is first called; it lets other threads run meanwhile."""
    return _compiled(function, nogil=True)


def inlined(function: _F) -> _F:
    """As ``kernel``, for a small function that kernels call in their loops.

    For numbers only: each array that is handed over counts a reference, which takes longer than
    what the function does. A plain ``kernel`` borrows them.
    """
    return _compiled(function, nogil=True, inline="always")


def bare(function: _F) -> _F:
    """As ``kernel``, for functions over many arrays that make none themselves.

    No references are counted, which would take longer than what a function does for one row.
    """
    return _compiled(function, nogil=True, _nrt=False)


def merged(function: _F) -> _F:
    """As ``kernel``, for a step of a loop: its machine code becomes part of its caller's.

    So tuples of arrays need not be copied for each call. ``inlined`` is for what is smaller still.
    """
    return _compiled(function, nogil=True, forceinline=True)


def _compiled(function: _F, **options: Any) -> _F:
    folder = folder_for(function.__module__)
    numba.config.CACHE_DIR = str(folder or "")
    return cast(_F, numba.njit(cache=folder is not None, **options)(function))
