"""The schema as Graph sends it: what is read of it, in open types. Unknown fields and words are no error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from pipeline.configuration.graph_schema.model import SchemaInvalid

Json = dict[str, Any]
_T = TypeVar("_T")


def _list(given: object) -> object:
    return [] if given is None else given


Many = Annotated[list[_T], BeforeValidator(_list)]


class _Open(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, alias_generator=to_camel)


class Source(_Open):
    """What a target is made of: an attribute, a constant, or a function of further sources."""

    type: str = ""
    name: str | None = None
    expression: str | None = None
    parameters: Many[Parameter] = []


class Parameter(_Open):
    """One argument of a function, by the service's own key for it."""

    key: str | None = None
    value: Source


class AttributeMapping(_Open):
    """How one attribute of the target is made."""

    target_attribute_name: str
    source: Source | None = None
    default_value: str | None = None
    flow_type: str = "Always"
    matching_priority: int = 0


class Operand(_Open):
    """The values that a clause compares with."""

    values: Many[str] = []


class FilterClause(_Open):
    """One condition."""

    source_operand_name: str
    operator_name: str
    target_operand: Operand | None = None


class FilterGroup(_Open):
    """Conditions that must all hold."""

    name: str | None = None
    clauses: Many[FilterClause] = []


class Filter(_Open):
    """Sets of groups; of each set any one group is enough."""

    groups: Many[FilterGroup] = []
    input_filter_groups: Many[FilterGroup] = []
    category_filter_groups: Many[FilterGroup] = []


class ObjectMapping(_Open):
    """How objects of one class become objects of another."""

    name: str | None = None
    enabled: bool = True
    flow_types: str = "Add, Update, Delete"
    source_object_name: str | None = None
    target_object_name: str | None = None
    scope: Filter | None = None
    attribute_mappings: Many[AttributeMapping] = []


class ContainerFilter(_Open):
    """The containers whose objects are meant."""

    included_containers: Many[str] = []


class GroupFilter(_Open):
    """The groups whose members are meant."""

    included_groups: Many[str] = []


class Rule(_Open):
    """One direction of the synchronization."""

    name: str | None = None
    priority: int = 0
    container_filter: ContainerFilter | None = None
    group_filter: GroupFilter | None = None
    object_mappings: Many[ObjectMapping] = []


class Schema(_Open):
    """The whole of it, as far as it is read."""

    id: str | None = None
    synchronization_rules: Many[Rule]


def read_schema(schema: Mapping[str, Any]) -> Schema:
    """Read what Graph returns for a job's schema. Raises SchemaInvalid saying where it is none."""
    try:
        return Schema.model_validate(schema)
    except ValidationError as refusal:
        first = refusal.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the whole"
        message = f"{first['msg'][0].lower()}{first['msg'][1:]}"
        raise SchemaInvalid(f"This is no synchronization schema: {place}: {message}.") from None
