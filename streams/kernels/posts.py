"""Own posts of a cell: numbers per horizon, apart from what others do to the account.

They lie in the entries of ``NOBODY`` under a kind of their own, so that they come and go by the
hour as interactions do. Only cells that have any have numbers, see ``Cells.posts``.
"""

from streams.kernels.cells import NO_POSTS
from streams.kernels.compiling import bare
from streams.kernels.rows import take_poster
from streams.kernels.score_arrays import NOW, Number, ScoreArrays


@bare
def make_poster(arrays: ScoreArrays, cell: int) -> None:
    """Let a cell have numbers of own posts."""
    if arrays.cells.poster[cell] == NO_POSTS:
        arrays.cells.poster[cell] = take_poster(arrays)


@bare
def add_posts(arrays: ScoreArrays, cell: int, hour: Number, count: Number) -> None:
    """Add to the horizons that an hour lies in, which is not ahead; the cell has numbers."""
    posts = arrays.cells.posts[arrays.cells.poster[cell]]
    now = arrays.counters[NOW]
    for horizon in range(len(arrays.horizons)):
        if hour >= now - arrays.horizons[horizon]:
            posts[horizon] += count
