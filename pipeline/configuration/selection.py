"""The set of configurations in a folder, and which of them is meant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pipeline.configuration.loading import load_configuration
from pipeline.configuration.model import Configuration
from pipeline.dn import DistinguishedName
from pipeline.errors import ConfigurationInvalid, ConfigurationOutside, ConfigurationUnknown


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why the configurations on disk are not in force: every line names a file, a place and what is wrong."""

    lines: tuple[str, ...]
    since: datetime

    @property
    def note(self) -> str:
        """One sentence for people, with the first of the problems."""
        more = len(self.lines) - 1
        others = f" (and {more} more)" if more else ""
        return (
            f"The configuration files have changed and cannot be used: {self.lines[0]}{others}. "
            "The configurations loaded before stay in force."
        )


class Configurations:
    """All configurations, at least one."""

    __slots__ = ("_all",)

    def __init__(self, configurations: tuple[Configuration, ...]) -> None:
        self._all = configurations

    @property
    def all(self) -> tuple[Configuration, ...]:
        """Every configuration."""
        return self._all

    @property
    def trouble(self) -> Trouble | None:
        """Why these are not what the files say now; None when they are."""
        return None

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
    files = configuration_files(folder)
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
        problems.append(f"{folder}: there is no .yaml file here; FOURCHECK_CONFIGURATIONS names the folder")
    if problems:
        raise ConfigurationInvalid("\n".join(problems))
    return Configurations(tuple(loaded))


def configuration_files(folder: Path) -> Sequence[Path]:
    """Return the files of a folder that are configurations; a path that is no folder is one itself."""
    return sorted(folder.glob("*.yaml")) if folder.is_dir() else [folder]
