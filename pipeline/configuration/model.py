"""A configuration as the pipeline uses it: names resolved, expressions compiled, ready to be applied."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from pipeline.configuration.privacy import Privacy
from pipeline.dn import DistinguishedName
from pipeline.expressions import Dialect, Expression
from pipeline.filters import ScopeFilter
from pipeline.model import ObjectKind, TargetKind, TargetValue


class Right(StrEnum):
    """What a person may do; each of the first three includes the ones before it, the last stands alone."""

    LOOK = "look"
    PREVIEW = "preview"
    PROVISION = "provision"
    OVERRIDE_SCOPE = "override_scope"
    """To preview or provision, as the other rights allow, what the scope leaves out."""


@dataclass(frozen=True, slots=True)
class Grant:
    """Who has a right. `people` are TEAM/USER (or TEAM/* for all of a workspace); no channels means any."""

    people: frozenset[str]
    channels: frozenset[str]


class Apply(StrEnum):
    """When a mapping is applied."""

    ALWAYS = "always"
    ON_CREATE = "on_create"
    MULTI_VALUE_ADD = "multi_value_add"
    """Values are added to those that are there; none is taken away."""


class Null(StrEnum):
    """What becomes of a cloud attribute when its mapping gives nothing, on an update."""

    CLEAR = "clear"
    IGNORE = "ignore"


class Members(StrEnum):
    """What happens to a group's members."""

    ADD = "add"
    EXACT = "exact"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class AttributeMapping:
    """How one cloud attribute is made: from a compiled expression, or a constant when that is None.

    A direct mapping is the expression `[source]`. `text` is what the file says, for people. `default` is for
    creation alone, but where the mapping `only_fills`.
    """

    target: str
    text: str
    expression: Expression | None
    constant: TargetValue = None
    apply: Apply = Apply.ALWAYS
    default: TargetValue = None
    null: Null = Null.CLEAR
    only_fills: bool = False
    """Nothing flows but the default, and that only into an empty attribute."""

    @property
    def reads(self) -> frozenset[str]:
        """The source attributes that this mapping reads."""
        return self.expression.attributes if self.expression else frozenset()


@dataclass(frozen=True, slots=True)
class Scope:
    """Which objects are meant. An empty part is no condition.

    `input_filters` are a second set: any of them must hold as well. For the schedule of the synchronisation
    they differ in what follows: an object that leaves them is left alone, and not deprovisioned.
    """

    organizational_units: tuple[DistinguishedName, ...]
    groups: tuple[DistinguishedName, ...]
    filters: tuple[ScopeFilter, ...]
    input_filters: tuple[ScopeFilter, ...] = ()
    nested_groups: frozenset[DistinguishedName] = frozenset()
    """Those of the groups of which the members of member groups are meant as well."""

    @property
    def reads(self) -> frozenset[str]:
        """The source attributes that the filters read."""
        clauses = frozenset(c.attribute for f in (*self.filters, *self.input_filters) for c in f.clauses)
        return clauses | {"memberOf"} if self.groups else clauses


@dataclass(frozen=True)
class ObjectRules:
    """The rules for one kind of object."""

    kind: TargetKind
    scope: Scope
    match: tuple[str, ...]
    mappings: tuple[AttributeMapping, ...]
    members: Members
    kinds: frozenset[ObjectKind] = frozenset(ObjectKind)
    """The directory's classes that the rules are for."""

    @cached_property
    def reads(self) -> frozenset[str]:
        """Every source attribute that these rules read."""
        return self.scope.reads.union(*(m.reads for m in self.mappings))

    @cached_property
    def targets(self) -> tuple[str, ...]:
        """The cloud attributes to select so that every "before" is true; complex ones by their first part."""
        return tuple(dict.fromkeys(m.target.partition(".")[0] for m in self.mappings))

    def mapping(self, target: str) -> AttributeMapping | None:
        """Return the mapping of a cloud attribute."""
        return next((m for m in self.mappings if m.target == target), None)


@dataclass(frozen=True, slots=True)
class Guards:
    """Safety catches: how far each of them lets a run go."""

    allow_create_in_synced_tenant: bool = False
    allow_privileged_targets: bool = False
    """Whether holders of directory roles, and groups that can be given them, may be changed."""
    restore: bool = True
    """Whether a deleted object is restored where it is the match, instead of refusing."""
    member_removals: int = 20
    """How many members one run may take out of a group, where `members: exact` asks for it."""
    fallback_domain: str | None = None
    """The domain that a user principal name gets whose own is not verified in the tenant."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """One named set of rules. `digest` (sha256:…) is over the meaning, not the spelling."""

    name: str
    default: bool
    directory: str
    base: DistinguishedName
    dialect: Dialect
    parameters: Mapping[str, str]
    access: Mapping[Right, Grant]
    privacy: Privacy
    objects: Mapping[TargetKind, ObjectRules]
    guards: Guards
    digest: str

    def rules(self, kind: ObjectKind) -> ObjectRules | None:
        """Return the rules for a kind of directory object; None when there are none."""
        if kind is ObjectKind.CONTACT:
            return None
        rules = self.objects.get(TargetKind(kind.rules))
        return rules if rules is not None and kind in rules.kinds else None

    @property
    def reads(self) -> frozenset[str]:
        """Every source attribute that any of the rules reads."""
        return frozenset[str]().union(*(rules.reads for rules in self.objects.values()))
