"""The part of the builder that does pointwise mathematics; numbers may stand for values."""

from __future__ import annotations

from . import primitives as p
from .emitter import Emitter, Operand
from .primitives.binary import Binary
from .primitives.unary import Unary
from .program import Value


class Arithmetic(Emitter):
    """Pointwise operations: arguments are promoted to one kind and broadcast to one shape."""

    def _unary(self, primitive: Unary, x: Operand) -> Value:
        return self._written(primitive, self._promoted([self._value(x)], primitive.kinds))

    def _binary(self, verb: str, primitive: Binary, a: Operand, b: Operand) -> Value:
        values = self._promoted(self._values([a, b]), primitive.kinds)
        return self._written(primitive, self._aligned(verb, values))

    def _written(self, primitive: Unary | Binary, values: list[Value]) -> Value:
        return self.emit(primitive, *values)

    def neg(self, x: Operand) -> Value:
        """-x."""
        return self._unary(p.Neg(), x)

    def exp(self, x: Operand) -> Value:
        """The exponential."""
        return self._unary(p.Exp(), x)

    def log(self, x: Operand) -> Value:
        """The natural logarithm."""
        return self._unary(p.Log(), x)

    def sqrt(self, x: Operand) -> Value:
        """The square root."""
        return self._unary(p.Sqrt(), x)

    def abs(self, x: Operand) -> Value:
        """The absolute value."""
        return self._unary(p.Abs(), x)

    def sign(self, x: Operand) -> Value:
        """-1, 0 or 1."""
        return self._unary(p.Sign(), x)

    def tanh(self, x: Operand) -> Value:
        """The hyperbolic tangent."""
        return self._unary(p.Tanh(), x)

    def erf(self, x: Operand) -> Value:
        """The error function."""
        return self._unary(p.Erf(), x)

    def expm1(self, x: Operand) -> Value:
        """exp(x) - 1, precise near 0."""
        return self._unary(p.Expm1(), x)

    def log1p(self, x: Operand) -> Value:
        """log(1 + x), precise near 0."""
        return self._unary(p.Log1p(), x)

    def sigmoid(self, x: Operand) -> Value:
        """1 / (1 + exp(-x))."""
        return self._unary(p.Sigmoid(), x)

    def softplus(self, x: Operand) -> Value:
        """log(1 + exp(x))."""
        return self._unary(p.Softplus(), x)

    def normal_cdf(self, x: Operand) -> Value:
        """The share of the standard normal distribution below x."""
        return self._unary(p.NormalCdf(), x)

    def floor(self, x: Operand) -> Value:
        """The largest whole number not above x."""
        return self._unary(p.Floor(), x)

    def logical_not(self, x: Operand) -> Value:
        """Not."""
        return self.emit(p.LogicalNot(), self.cast(x, "bool"))

    def add(self, a: Operand, b: Operand) -> Value:
        """The sum a + b."""
        return self._binary("add", p.Add(), a, b)

    def sub(self, a: Operand, b: Operand) -> Value:
        """The difference a - b."""
        return self._binary("subtract", p.Sub(), a, b)

    def mul(self, a: Operand, b: Operand) -> Value:
        """The product a * b."""
        return self._binary("multiply", p.Mul(), a, b)

    def div(self, a: Operand, b: Operand) -> Value:
        """The quotient a / b, always a float."""
        return self._binary("divide", p.Div(), a, b)

    def floordiv(self, a: Operand, b: Operand) -> Value:
        """The quotient rounded down."""
        return self._binary("divide", p.FloorDiv(), a, b)

    def mod(self, a: Operand, b: Operand) -> Value:
        """The remainder of a // b."""
        return self._binary("take the remainder of", p.Mod(), a, b)

    def power(self, a: Operand, b: Operand) -> Value:
        """The power a ^ b; small constant exponents become products, roots and quotients."""
        exponent = self.number(b) if isinstance(b, Value) else b
        scalar = not isinstance(b, Value) or not b.type.shape
        if isinstance(a, Value) and scalar and exponent in (0.5, -1, 1, 2, 3):
            x = self.cast(a, "float")
            if exponent == 0.5:
                return self.sqrt(x)
            if exponent == -1:
                return self.div(1.0, x)
            square = x if exponent == 1 else self.mul(x, x)
            return self.mul(square, x) if exponent == 3 else square
        return self._binary("raise", p.Power(), a, b)

    def maximum(self, a: Operand, b: Operand) -> Value:
        """The larger of two; of equal ones the first takes the gradient."""
        return self._binary("take the maximum of", p.Maximum(), a, b)

    def minimum(self, a: Operand, b: Operand) -> Value:
        """The smaller of two; of equal ones the first takes the gradient."""
        return self._binary("take the minimum of", p.Minimum(), a, b)

    def equal(self, a: Operand, b: Operand) -> Value:
        """Whether a == b."""
        return self._binary("compare", p.Equal(), a, b)

    def not_equal(self, a: Operand, b: Operand) -> Value:
        """Whether a != b."""
        return self._binary("compare", p.NotEqual(), a, b)

    def less(self, a: Operand, b: Operand) -> Value:
        """Whether a < b."""
        return self._binary("compare", p.Less(), a, b)

    def less_equal(self, a: Operand, b: Operand) -> Value:
        """Whether a <= b."""
        return self._binary("compare", p.LessEqual(), a, b)

    def greater(self, a: Operand, b: Operand) -> Value:
        """Whether a > b."""
        return self._binary("compare", p.Greater(), a, b)

    def greater_equal(self, a: Operand, b: Operand) -> Value:
        """Whether a >= b."""
        return self._binary("compare", p.GreaterEqual(), a, b)

    def logical_and(self, a: Operand, b: Operand) -> Value:
        """Both."""
        values = [self.cast(x, "bool") for x in (a, b)]
        return self.emit(p.LogicalAnd(), *self._aligned("combine", values))

    def logical_or(self, a: Operand, b: Operand) -> Value:
        """Either."""
        values = [self.cast(x, "bool") for x in (a, b)]
        return self.emit(p.LogicalOr(), *self._aligned("combine", values))

    def select(self, condition: Operand, a: Operand, b: Operand) -> Value:
        """`a` where the condition holds, else `b`."""
        chosen = self._promoted(self._values([a, b]), ("float", "int", "bool"))
        values = [self.cast(condition, "bool"), *chosen]
        return self.emit(p.Select(), *self._aligned("choose between", values))
