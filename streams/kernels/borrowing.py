"""Arrays whose references are not counted, for kernels that hand many of them on in their loops.

Each time a kernel takes an array out of a tuple or hands it on, its references are counted, which
is an atomic operation: about 5 ns. With tables in tuples that is most of the time of a small step.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic


@intrinsic
def borrowed(_typing: Any, value: Any) -> Any:
    """``value``, an array or a tuple of such things, without owning what is in it.

    The one who borrows must not return it, and the one who lends holds on to it meanwhile.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _unowned(context, builder, signature.args[0], arguments[0])

    return value(value), generate


def _unowned(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    if isinstance(kind, types.Array):
        array = context.make_array(kind)(context, builder, value)
        array.meminfo = cgutils.get_null_value(array.meminfo.type)
        array.parent = ir.Constant(array.parent.type, None)
        return array._getvalue()
    if isinstance(kind, types.BaseTuple):
        members = cgutils.unpack_tuple(builder, value)
        inside = [
            _unowned(context, builder, each, member)
            for each, member in zip(kind.types, members, strict=True)
        ]
        return context.make_tuple(builder, kind, inside)
    return value
