"""The shape of a configuration file, as strict pydantic models. Meaning is given to it in `loading`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]
Scalar = str | int | bool


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Grant(_Strict):
    """Who has a right, and in which channels."""

    people: list[str] = []
    channels: list[str] = []


class Access(_Strict):
    """The rights; what is not granted here, nobody has."""

    look: Grant = Grant()
    preview: Grant = Grant()
    provision: Grant = Grant()
    override_scope: Grant = Grant()


class Privacy(_Strict):
    """Additions to the built-in lists of attributes that are never read, and of those never shown."""

    hidden: list[str] = []
    private: list[str] = []


class Clause(_Strict):
    """One condition on one attribute."""

    attribute: str
    operator: str
    value: Scalar | list[Scalar] | None = None


class Filter(_Strict):
    """A named set of conditions, all of which must hold."""

    name: str
    all: list[Clause] = Field(min_length=1)


class ScopeGroup(_Strict):
    """A group whose members are meant; `nested`: the members of its member groups as well."""

    dn: str
    nested: bool = False


def _group(given: object) -> object:
    """Read a plain name as the group of that name, its direct members only."""
    return {"dn": given} if isinstance(given, str) else given


class Scope(_Strict):
    """Which objects of the directory are meant."""

    organizational_units: list[str] = []
    groups: list[Annotated[ScopeGroup, BeforeValidator(_group)]] = []
    filters: list[Filter] = []
    input_filters: list[Filter] = []


class Attribute(_Strict):
    """How one cloud attribute is made: exactly one of source, expression and constant, or a default alone."""

    target: str
    source: str | None = None
    expression: str | None = None
    constant: Scalar | list[str] | None = None
    apply: Literal["always", "on_create", "multi_value_add"] = "always"
    default: Scalar | None = None
    null: Literal["clear", "ignore"] = "clear"


class ObjectRules(_Strict):
    """The rules for one kind of object; `kinds` narrows them to some of its directory classes."""

    kinds: list[Literal["user", "inetOrgPerson", "group"]] | None = Field(None, min_length=1)
    scope: Scope = Scope()
    match: list[str] = Field(min_length=1)
    attributes: list[Attribute] = Field(min_length=1)
    members: Literal["add", "exact", "none"] = "none"


class Objects(_Strict):
    """The kinds of object a configuration has rules for."""

    user: ObjectRules | None = None
    group: ObjectRules | None = None


class Guards(_Strict):
    """Safety catches: how far each of them lets a run go."""

    allow_create_in_synced_tenant: bool = False
    allow_privileged_targets: bool = False
    restore: bool = True
    member_removals: int = Field(20, ge=0, le=1000)
    fallback_domain: str | None = Field(None, pattern=r"^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$", max_length=48)


class Kept(_Strict):
    """What is carried along unread, so that the way back loses nothing."""

    graph_schema: str | None = None


class ConfigurationDocument(_Strict):
    """A whole configuration file."""

    version: Literal[1]
    name: Name
    default: bool = False
    directory: Name = "main"
    base: str
    dialect: Literal["cloud-sync", "connect"] = "cloud-sync"
    parameters: dict[str, str] = {}
    known_attributes: list[str] = []
    access: Access = Access()
    privacy: Privacy = Privacy()
    objects: Objects
    guards: Guards = Guards()
    kept: Kept = Kept()
