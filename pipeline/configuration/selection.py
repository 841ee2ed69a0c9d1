"""The set of configurations in a folder, and which of them is meant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.configuration.loading import load_configuration
from pipeline.configuration.model import Configuration
from pipeline.dn import DistinguishedName
from pipeline.errors import ConfigurationInvalid, ConfigurationOutside, ConfigurationUnknown


@dataclass(frozen=True, slots=True)
class Configurations:
    """All configurations, at least one."""

    all: tuple[Configuration, ...]

    def named(self, name: str) -> Configuration:
        """Return the configuration of that name, in any case. Raises ConfigurationUnknown listing them."""
        for configuration in self.all:
            if configuration.name.casefold() == name.casefold():
                return configuration
        known = ", ".join(configuration.name for configuration in self.all)
        raise ConfigurationUnknown(f"There is no configuration “{name}”. There are: {known}.")

    @property
    def default(self) -> Configuration | None:
        """The configuration marked as default, or the only one."""
        if len(self.all) == 1:
            return self.all[0]
        return next((c for c in self.all if c.default), None)

    def select(self, name: str | None, dn: DistinguishedName | None) -> Configuration:
        """Return the one named, else the one with the longest base above the DN, else the default one.

        Raises ConfigurationUnknown, or ConfigurationOutside where nothing covers the object.
        """
        if name is not None:
            return self.named(name)
        covering = [c for c in self.all if dn is not None and dn.is_under(c.base)]
        if covering:
            return max(covering, key=lambda c: len(c.base.rdns))
        if self.default is None:
            known = ", ".join(f"{c.name} ({c.base})" for c in self.all)
            raise ConfigurationOutside(f"No configuration covers this object. There are: {known}.")
        return self.default


def load_configurations(folder: Path) -> Configurations:
    """Load every .yaml file of a folder. Raises ConfigurationInvalid with every problem of every file."""
    files: Sequence[Path] = sorted(folder.glob("*.yaml")) if folder.is_dir() else [folder]
    loaded: list[Configuration] = []
    problems: list[str] = []
    for path in files:
        try:
            loaded.append(load_configuration(path))
        except ConfigurationInvalid as error:
            problems.append(error.message)
    names = [configuration.name.casefold() for configuration in loaded]
    problems += [
        f"{folder}: two configurations are named “{n}”"
        for n in sorted({n for n in names if names.count(n) > 1})
    ]
    if sum(configuration.default for configuration in loaded) > 1:
        problems.append(f"{folder}: more than one configuration has default: true")
    if not files:
        problems.append(f"{folder}: there is no .yaml file here")
    if problems:
        raise ConfigurationInvalid("\n".join(problems))
    return Configurations(tuple(loaded))
