"""A schema's attribute mappings, one by one: taken over, or left out with the reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from pipeline.configuration import document as doc
from pipeline.configuration.graph_schema.model import LeftOut
from pipeline.configuration.graph_schema.names import MEMBERS, graph_name
from pipeline.configuration.graph_schema.sources import Origin, read_source
from pipeline.configuration.graph_schema.wire import AttributeMapping
from pipeline.configuration.privacy import SECRETS
from pipeline.configuration.rules import KEYS
from pipeline.configuration.target_values import target_value
from pipeline.expressions import Dialect, ExpressionError, compile_expression
from pipeline.facts import required_on_create, writability
from pipeline.model import TargetKind

_FLOWS: Final[dict[str, Literal["always", "on_create", "multi_value_add"]]] = {
    "always": "always",
    "objectaddonly": "on_create",
    "multivalueaddonly": "multi_value_add",
}
_ANCHOR: Final = "onPremisesImmutableId"
_SID: Final = "onPremisesSecurityIdentifier"
_USUAL_KEYS: Final = {
    TargetKind.USER: (_ANCHOR, "userPrincipalName"),
    TargetKind.GROUP: (_SID, "uniqueName"),
}
_UNMAPPED_KEYS: Final = {TargetKind.USER: frozenset[str](), TargetKind.GROUP: frozenset({_SID, "uniqueName"})}
_NAMED: Final = "IIF(IsPresent([displayName]), [displayName], [cn])"
_NICKNAME: Final = "IIF(IsPresent([mailNickname]), [mailNickname], [sAMAccountName])"
_NEEDS: Final = {
    TargetKind.USER: {
        "accountEnabled": 'IIF(BitAnd([userAccountControl], 2) = 0, "True", "False")',
        "displayName": _NAMED,
        "mailNickname": _NICKNAME,
        "userPrincipalName": "[userPrincipalName]",
    },
    TargetKind.GROUP: {
        "displayName": _NAMED,
        "mailNickname": _NICKNAME,
        "securityEnabled": "CBool(BitAnd([groupType], -2147483648))",
    },
}
"""How the service makes, by itself, what Graph does not create an object without."""


@dataclass(slots=True)
class MappingReader:
    """Takes over attribute mappings for one kind of object, in their order."""

    kind: TargetKind
    attributes: list[doc.Attribute] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    places: dict[str, int] = field(default_factory=dict)
    members: int | None = None
    notes: list[str] = field(default_factory=list)
    _keys: list[tuple[int, int, str]] = field(default_factory=list)

    def read(self, index: int, given: AttributeMapping) -> None:
        """Take over one mapping, or leave it out with the reason."""
        target = graph_name(self.kind, given.target_attribute_name)
        if given.matching_priority > 0:
            self._keys.append((given.matching_priority, index, target or given.target_attribute_name))
        text = ""
        try:
            origin = read_source(given.source) if given.source is not None else None
            text = "" if origin is None else _shown(origin)
            attribute = self._attribute(target, given, origin)
        except ValueError as error:
            self.left_out.append(LeftOut(given.target_attribute_name, text, str(error)))
            return
        if attribute is None:
            self.members = index
            return
        self.attributes.append(attribute)
        self.places[attribute.target] = index

    def _attribute(
        self, target: str | None, given: AttributeMapping, origin: Origin | None
    ) -> doc.Attribute | None:
        """Return the mapping as a configuration says it; None for the members. Raises ValueError."""
        if target is None:
            raise ValueError(f"Microsoft Graph's {self.kind}s have no such attribute")
        if target == MEMBERS:
            if origin is None or origin.text.casefold() != "member" or self.members is not None:
                raise ValueError("members are taken from the attribute member only")
            return None
        fact = writability(self.kind, target)
        if not (fact.on_create or fact.on_update):
            raise ValueError(fact.reason.rstrip(".") or "Graph clients do not write it")
        if target in self.places:
            raise ValueError(f"{target} is mapped above")
        apply = _FLOWS.get(given.flow_type.casefold())
        if apply is None:
            raise ValueError(f"the flow type “{given.flow_type}” is not known here")
        if apply == "multi_value_add" and not fact.collection:
            apply = "always"
            self.notes.append(f"{target} holds one value, so nothing can be added to it: it is replaced")
        default = given.default_value or None
        if origin is None and default is None:
            raise ValueError("it maps nothing, and has no default")
        if target == "manager" and (origin is None or origin.text.casefold() != "manager"):
            raise ValueError("only the directory's own manager can be linked")
        self._check_values(target, default, origin)
        return doc.Attribute(
            target=target,
            source=origin.text if origin is not None and origin.key == "source" else None,
            expression=origin.text if origin is not None and origin.key == "expression" else None,
            constant=origin.text if origin is not None and origin.key == "constant" else None,
            apply=apply,
            default=default,
        )

    def _check_values(self, target: str, default: str | None, origin: Origin | None) -> None:
        target_value(self.kind, target, default)
        if origin is None:
            return
        if origin.key == "constant":
            if not origin.text:
                raise ValueError("an empty constant writes nothing")
            target_value(self.kind, target, origin.text)
            return
        try:
            expression = compile_expression(_as_expression(origin), Dialect.CLOUD_SYNC)
        except ExpressionError as error:
            raise ValueError(f"its expression cannot be used here: {error}") from None
        for name in sorted(expression.attributes):
            if name.casefold() in SECRETS:
                raise ValueError(f"“{name}” holds a secret and is never read")

    def match(self, attributes: Sequence[doc.Attribute]) -> tuple[list[str], bool]:
        """Return the matching attributes in order, and whether they are not the schema's own."""
        mapped = {attribute.target for attribute in attributes} | _UNMAPPED_KEYS[self.kind]
        found: list[str] = []
        for _, _, target in sorted(self._keys):
            if target in mapped and target in KEYS[self.kind]:
                found += [target] if target not in found else []
            else:
                self.notes.append(f"{self.kind}s cannot be matched by {target} through Microsoft Graph")
        if found:
            return found, False
        usual = [key for key in _USUAL_KEYS[self.kind] if key in mapped]
        return usual or [attributes[0].target], True


def _shown(origin: Origin) -> str:
    return f'"{origin.text}"' if origin.key == "constant" else _as_expression(origin)


def _as_expression(origin: Origin) -> str:
    return f"[{origin.text}]" if origin.key == "source" else origin.text


def anchor_and_needs(
    kind: TargetKind, attributes: Sequence[doc.Attribute]
) -> list[tuple[doc.Attribute, str]]:
    """Return what the service does without a mapping and Graph has to be told, each with the reason."""
    mapped = {attribute.target for attribute in attributes}
    added: list[tuple[doc.Attribute, str]] = []
    if kind is TargetKind.USER and _ANCHOR not in mapped:
        anchor = (
            "IIF(IsPresent([mS-DS-ConsistencyGuid]), ConvertToBase64([mS-DS-ConsistencyGuid]), "
            "ConvertToBase64([objectGUID]))"
        )
        because = "the service keeps the anchor by itself; here it is mapped"
        added.append((doc.Attribute(target=_ANCHOR, expression=anchor), because))
    because = f"Entra ID creates no {kind} without it"
    for target in required_on_create(kind):
        if target in mapped:
            continue
        if target == "mailEnabled":
            added.append((doc.Attribute(target=target, constant=False, apply="on_create"), because))
        elif target in _NEEDS[kind]:
            added.append((doc.Attribute(target=target, expression=_NEEDS[kind][target]), because))
    return added
