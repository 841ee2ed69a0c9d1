"""From source attributes to cloud attributes: every mapping evaluated and typed as Graph wants it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from pipeline.configuration import AttributeMapping, ObjectRules
from pipeline.configuration.target_values import target_value
from pipeline.expressions import Context, ExpressionError, Ignore, Trace, Value, as_text
from pipeline.model import TargetKind, TargetValue, TraceStep
from pipeline.tracing import trace_steps


@dataclass(frozen=True, slots=True)
class MappedAttribute:
    """What one mapping gave for one object.

    `value` is what Graph would be sent; `ignored` that the mapping asks to leave the target alone; `error`
    why it could not be evaluated. `inputs` are the source attributes it read, as text.
    """

    mapping: AttributeMapping
    value: TargetValue = None
    ignored: bool = False
    error: str | None = None
    inputs: tuple[tuple[str, str], ...] = ()
    evaluation: Trace | None = field(default=None, compare=False, repr=False)

    @property
    def target(self) -> str:
        """The cloud attribute."""
        return self.mapping.target

    @property
    def trace(self) -> tuple[TraceStep, ...]:
        """How the value came about, of the very evaluation that made it."""
        return trace_steps(self.evaluation) if self.evaluation is not None else ()


def map_attributes(
    rules: ObjectRules, source: Mapping[str, Value], context: Context
) -> dict[str, MappedAttribute]:
    """Evaluate every mapping of the rules; an error stays with its attribute."""
    return {m.target: _traced(m, rules.kind, source, context) for m in rules.mappings}


def _traced(
    mapping: AttributeMapping, kind: TargetKind, source: Mapping[str, Value], context: Context
) -> MappedAttribute:
    """Evaluate one mapping and keep how its value came about."""
    if mapping.expression is None:
        return MappedAttribute(mapping, mapping.constant)
    trace = mapping.expression.trace(source, context)
    inputs = _inputs(mapping, source)
    if trace.error is not None:
        return MappedAttribute(mapping, error=str(trace.error), inputs=inputs)
    if isinstance(trace.value, Ignore):
        return MappedAttribute(mapping, ignored=True, inputs=inputs, evaluation=trace)
    try:
        value = target_value(kind, mapping.target, trace.value)
    except ValueError as error:
        return MappedAttribute(mapping, error=str(error), inputs=inputs, evaluation=trace)
    return MappedAttribute(mapping, value, inputs=inputs, evaluation=trace)


def evaluate_mapping(
    mapping: AttributeMapping, kind: TargetKind, source: Mapping[str, Value], context: Context
) -> MappedAttribute:
    """Evaluate one mapping, where nobody will ask how its value came about."""
    if mapping.expression is None:
        return MappedAttribute(mapping, mapping.constant)
    inputs = _inputs(mapping, source)
    try:
        value = mapping.expression.evaluate(source, context)
        if isinstance(value, Ignore):
            return MappedAttribute(mapping, ignored=True, inputs=inputs)
        return MappedAttribute(mapping, target_value(kind, mapping.target, value), inputs=inputs)
    except (ExpressionError, ValueError) as error:
        return MappedAttribute(mapping, error=str(error), inputs=inputs)


def _inputs(mapping: AttributeMapping, source: Mapping[str, Value]) -> tuple[tuple[str, str], ...]:
    return tuple((name, _input_text(source.get(key))) for name, key in _in_order(mapping.reads))


@lru_cache(maxsize=1024)
def _in_order(reads: frozenset[str]) -> tuple[tuple[str, str], ...]:
    """Return the attributes that a mapping reads, each with its key; the same for every object."""
    return tuple((name, name.casefold()) for name in sorted(reads))


def _input_text(value: Value) -> str:
    if value is None:
        return ""
    return "; ".join(as_text(item) for item in value) if isinstance(value, list) else as_text(value)
