"""From source attributes to cloud attributes: every mapping evaluated and typed as Graph wants it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.configuration import AttributeMapping, ObjectRules
from pipeline.expressions import Context, ExpressionError, Ignore, Value, as_text
from pipeline.facts import writability
from pipeline.model import TargetKind, TargetValue


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

    @property
    def target(self) -> str:
        """The cloud attribute."""
        return self.mapping.target


def map_attributes(
    rules: ObjectRules, source: Mapping[str, Value], context: Context
) -> dict[str, MappedAttribute]:
    """Evaluate every mapping of the rules; an error stays with its attribute."""
    return {m.target: evaluate_mapping(m, rules.kind, source, context) for m in rules.mappings}


def evaluate_mapping(
    mapping: AttributeMapping, kind: TargetKind, source: Mapping[str, Value], context: Context
) -> MappedAttribute:
    """Evaluate one mapping."""
    if mapping.expression is None:
        return MappedAttribute(mapping, mapping.constant)
    inputs = tuple((name, _input_text(source.get(name.casefold()))) for name in sorted(mapping.reads))
    try:
        value = mapping.expression.evaluate(source, context)
        if isinstance(value, Ignore):
            return MappedAttribute(mapping, ignored=True, inputs=inputs)
        return MappedAttribute(mapping, _typed(mapping.target, kind, value), inputs=inputs)
    except (ExpressionError, ValueError) as error:
        return MappedAttribute(mapping, error=str(error), inputs=inputs)


def _input_text(value: Value) -> str:
    if value is None:
        return ""
    return "; ".join(as_text(item) for item in value) if isinstance(value, list) else as_text(value)


def _typed(target: str, kind: TargetKind, value: Value) -> TargetValue:
    fact = writability(kind, target)
    items = value if isinstance(value, list) else [] if value is None else [value]
    texts = tuple(text for text in map(as_text, items) if text != "")
    if fact.collection:
        return texts
    if not texts:
        return None
    if len(texts) > 1:
        raise ValueError(f"gives {len(texts)} values, and {target} takes one")
    if fact.type == "boolean":
        return _boolean(texts[0])
    return texts[0]


def _boolean(text: str) -> bool:
    if text.casefold() in {"true", "false"}:
        return text.casefold() == "true"
    raise ValueError(f"gives “{text}”, and only True or False will do")
