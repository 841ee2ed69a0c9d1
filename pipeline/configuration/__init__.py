"""Configurations: named sets of rules, read strictly from YAML."""

from pipeline.configuration.keeper import ConfigurationKeeper
from pipeline.configuration.loading import load_configuration, parse_configuration
from pipeline.configuration.model import (
    Apply,
    AttributeMapping,
    Configuration,
    Grant,
    Members,
    Null,
    ObjectRules,
    Right,
    Scope,
)
from pipeline.configuration.privacy import Privacy
from pipeline.configuration.selection import Configurations, Trouble, load_configurations

__all__ = [
    "Apply",
    "AttributeMapping",
    "Configuration",
    "ConfigurationKeeper",
    "Configurations",
    "Grant",
    "Members",
    "Null",
    "ObjectRules",
    "Privacy",
    "Right",
    "Scope",
    "Trouble",
    "load_configuration",
    "load_configurations",
    "parse_configuration",
]
