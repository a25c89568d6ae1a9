"""How the kernels are compiled: once per machine, kept in a cache beside the code."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

_F = TypeVar("_F", bound=Callable[..., Any])


def kernel(function: _F) -> _F:
    """Compile ``function`` when it is first called; it lets other threads run meanwhile."""
    return cast(_F, numba.njit(nogil=True, cache=True)(function))


def inlined(function: _F) -> _F:
    """As ``kernel``, for a small function that kernels call in their loops."""
    return cast(_F, numba.njit(nogil=True, cache=True, inline="always")(function))
