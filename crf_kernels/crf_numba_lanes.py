"""Eight numbers at once: the wide registers of a processor as a type of numba.

A loop over `Lanes` stays in registers. Of a loop over arrays the compiler has to fear that what is written changes
what is read next, and its check of that costs more than the few numbers of a row of tags.

Arithmetic is that of IEEE 754, lane by lane: what is not a number in one lane stays there.
"""

import math
import operator
from collections.abc import Callable
from typing import Any

try:
    from llvmlite import ir  # type: ignore[import-untyped]
    from numba import types
    from numba.core import cgutils
    from numba.core.typing.templates import ConcreteTemplate, infer_global, signature
    from numba.extending import intrinsic, lower_builtin, models, register_model
except ImportError as error:
    raise ImportError("The compiled CRF needs numba: pip install numba") from error

LANES = 8
VECTOR = ir.VectorType(ir.DoubleType(), LANES)
# log(2) in two parts; an integer up to 2**20 multiplied by the first is exact
LOG_2_HIGH, LOG_2_LOW = 0.6931471803691238, 1.9082149292705877e-10


class LanesType(types.Type):
    """The type of `LANES` numbers in float64."""

    def __init__(self) -> None:
        super().__init__("Lanes")


lanes_type = LanesType()


@register_model(LanesType)
class LanesModel(models.PrimitiveModel):
    """How numba holds them: as a vector of LLVM."""

    def __init__(self, manager: Any, lanes: LanesType):
        super().__init__(manager, lanes, VECTOR)


def instruction(definition: Callable[..., Any]) -> Callable[..., Any]:
    """Return what a compiled function may call, given how its types follow from each other and what is generated."""
    return intrinsic(definition)  # type: ignore[no-any-return]


def _without_gaps(rows: Any) -> bool:
    """Tell whether a type is that of float64 arrays `(rows, LANES)` without gaps."""
    return isinstance(rows, types.Array) and (rows.dtype, rows.ndim, rows.layout) == (types.float64, 2, "C")


def _pointer(context: Any, builder: Any, array_type: Any, array: Any, index: Any) -> Any:
    """Return where row `index` of an array `(rows, LANES)` begins."""
    rows = context.make_array(array_type)(context, builder, array)
    first = builder.gep(rows.data, [builder.mul(index, index.type(LANES))])
    return builder.bitcast(first, VECTOR.as_pointer())


@instruction
def load(typing_context: Any, rows: Any, index: Any) -> Any:
    """Return row `index` of a float64 array `(rows, LANES)` without gaps."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.load(_pointer(context, builder, signature.args[0], *values), align=8)

    return (lanes_type(rows, types.intp), generate) if _without_gaps(rows) else None


@instruction
def store(typing_context: Any, rows: Any, index: Any, lanes: Any) -> Any:
    """Write row `index` of a float64 array `(rows, LANES)` without gaps."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        builder.store(values[2], _pointer(context, builder, signature.args[0], *values[:2]), align=8)
        return context.get_dummy_value()

    return (types.void(rows, types.intp, lanes_type), generate) if _without_gaps(rows) else None


@instruction
def spread(typing_context: Any, number: Any) -> Any:
    """Return the same number in all lanes."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        first = builder.insert_element(VECTOR(ir.Undefined), values[0], ir.IntType(32)(0))
        order = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
        return builder.shuffle_vector(first, VECTOR(ir.Undefined), order)

    return lanes_type(types.float64), generate


def _fused(builder: Any) -> Any:
    """Return LLVM's function of three vectors, `left * right + total`."""
    shape = ir.FunctionType(VECTOR, [VECTOR] * 3)
    return cgutils.get_or_insert_function(builder.module, shape, f"llvm.fmuladd.v{LANES}f64")


@instruction
def add_product(typing_context: Any, total: Any, left: Any, right: Any) -> Any:
    """Return `total + left * right`, in one instruction where the processor has it."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.call(_fused(builder), [values[1], values[2], values[0]])

    return lanes_type(lanes_type, lanes_type, lanes_type), generate


def _pairwise(compare: str) -> Callable[..., Any]:
    """Return a function that picks, in each lane, `left` where the comparison holds and `right` elsewhere."""

    @instruction
    def pick(typing_context: Any, left: Any, right: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            return builder.select(builder.fcmp_ordered(compare, *values), *values)

        return lanes_type(lanes_type, lanes_type), generate

    return pick


larger, smaller = _pairwise(">"), _pairwise("<")


@instruction
def exponential(typing_context: Any, lanes: Any) -> Any:
    """Return exp of numbers from -708 to 0, to 15 decimals; what is smaller gives exp(-708).

    exp(x) = 2**n * exp(x - n * log(2)), n being the integer next to x / log(2). For what is left, which is no larger
    than log(2) / 2, the series of the exponential function is summed up to the 13th power.
    """

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        def constant(number: float) -> Any:
            return ir.Constant(VECTOR, [number] * LANES)

        def multiply_add(left: Any, right: Any, total: Any) -> Any:
            return builder.call(_fused(builder), [left, right, total])

        x = builder.select(builder.fcmp_ordered("<", values[0], constant(-708.0)), constant(-708.0), values[0])
        # In a float64 of this size the last bits hold an integer; 1023 is where exponents of two start to count.
        shift = constant(1.5 * 2**52 + 1023)
        shifted = multiply_add(x, constant(1 / math.log(2)), shift)
        power = builder.fsub(shifted, shift)
        rest = multiply_add(power, constant(-LOG_2_HIGH), x)
        rest = multiply_add(power, constant(-LOG_2_LOW), rest)
        total = constant(1 / math.factorial(13))
        for degree in range(12, -1, -1):
            total = multiply_add(total, rest, constant(1 / math.factorial(degree)))
        integers = ir.VectorType(ir.IntType(64), LANES)
        bits = builder.shl(builder.bitcast(shifted, integers), ir.Constant(integers, [52] * LANES))
        return builder.fmul(total, builder.bitcast(bits, VECTOR))

    return lanes_type(lanes_type), generate


def _operator(function: Callable[[Any, Any], Any], name: str) -> None:
    """Teach numba what an operator does to `Lanes`."""

    @infer_global(function)
    class Operator(ConcreteTemplate):
        cases = [signature(lanes_type, lanes_type, lanes_type)]

    @lower_builtin(function, lanes_type, lanes_type)
    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return getattr(builder, name)(*values)


for function, name in (
    (operator.add, "fadd"),
    (operator.iadd, "fadd"),
    (operator.sub, "fsub"),
    (operator.mul, "fmul"),
    (operator.truediv, "fdiv"),
):
    _operator(function, name)

__all__ = ["LANES", "add_product", "exponential", "larger", "load", "smaller", "spread", "store"]
