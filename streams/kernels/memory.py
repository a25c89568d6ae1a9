"""Reading bytes in kernels as the processor does: no bounds, no copies, several at a time.

Nothing here checks where it reads: callers see to it that all bytes lie inside the buffer. A place
is an int64, what is read comes as uint64, its first byte lowest.

``data`` is an array of bytes or its address (``address_of``). In a loop of many small steps the
address is several times as quick: no reference to the array is counted at each step. The one who
takes the address holds the array.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic


def _first_byte(context: Any, builder: Any, kind: Any, data: Any) -> Any:
    if isinstance(kind, types.Array):
        return context.make_array(kind)(context, builder, data).data
    return builder.inttoptr(data, ir.IntType(8).as_pointer())


def _reader(bits: int) -> Callable[..., Any]:
    """The intrinsic that reads ``bits`` bits."""

    def read(_typing: Any, data: Any, place: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            pointer = _first_byte(context, builder, signature.args[0], arguments[0])
            pointer = builder.gep(pointer, [arguments[1]])
            whole = builder.bitcast(pointer, ir.IntType(bits).as_pointer())
            loaded = builder.load(whole, align=1)
            return loaded if bits == 64 else builder.zext(loaded, ir.IntType(64))

        kind = data if isinstance(data, types.Array) else types.int64
        return types.uint64(kind, types.int64), generate

    return intrinsic(read)  # type: ignore[no-any-return]


byte_at = _reader(8)
half_at = _reader(32)
word_at = _reader(64)


@intrinsic
def address_of(_typing: Any, data: Any) -> Any:
    """Where an array begins in memory, as int64."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = _first_byte(context, builder, signature.args[0], arguments[0])
        return builder.ptrtoint(pointer, ir.IntType(64))

    return types.int64(data), generate


@intrinsic
def copy_bytes(_typing: Any, _target: Any, _source: Any, _size: Any) -> Any:
    """Copy bytes from one address to another; the two ranges have nothing in common."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        byte = ir.IntType(8).as_pointer()
        target, source = (builder.inttoptr(address, byte) for address in arguments[:2])
        cgutils.raw_memcpy(builder, target, source, arguments[2], 1)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), generate


@intrinsic
def trailing_zeros(_typing: Any, _number: Any) -> Any:
    """Number of zero bits below the lowest 1 of a uint64, as int64; 64 for 0."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], cgutils.false_bit)

    return types.int64(types.uint64), generate
