"""Values as Microsoft Graph takes them: the type that an attribute has, given what a rule says."""

from __future__ import annotations

from pipeline.expressions import Value, as_text
from pipeline.facts import writability
from pipeline.model import TargetKind, TargetValue


def target_value(kind: TargetKind, attribute: str, value: Value) -> TargetValue:
    """Give a value the type of the cloud attribute it goes to: text, truth, or a list of texts.

    Empty texts count as nothing. Raises ValueError in words when the attribute does not take such a value.
    """
    fact = writability(kind, attribute)
    items = value if isinstance(value, list) else [] if value is None else [value]
    texts = tuple(text for text in map(as_text, items) if text != "")
    if fact.collection:
        return texts
    if not texts:
        return None
    if len(texts) > 1:
        raise ValueError(f"gives {len(texts)} values, and {attribute} takes one")
    if fact.type == "boolean":
        return _boolean(texts[0])
    return texts[0]


def _boolean(text: str) -> bool:
    if text.casefold() in {"true", "false"}:
        return text.casefold() == "true"
    raise ValueError(f"gives “{text}”, and only True or False will do")
