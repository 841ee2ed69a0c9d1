"""Where lint's rules put what they find."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipeline.configuration.problems import Problem, Severity
from pipeline.configuration.yaml_positions import Path, Positioned


@dataclass(slots=True)
class Report:
    """The findings about one file."""

    source: Positioned
    problems: list[Problem] = field(default_factory=list)

    def error(self, path: Path, code: str, message: str, *, within: tuple[str, int] | None = None) -> None:
        """Add what keeps the configuration from working."""
        self._add(Severity.ERROR, path, code, message, within)

    def warn(self, path: Path, code: str, message: str, *, within: tuple[str, int] | None = None) -> None:
        """Add what is most likely not meant."""
        self._add(Severity.WARNING, path, code, message, within)

    def note(self, path: Path, code: str, message: str, *, within: tuple[str, int] | None = None) -> None:
        """Add what is worth knowing."""
        self._add(Severity.NOTE, path, code, message, within)

    def line(self, path: Path) -> int:
        """Return the line in which something stands."""
        return self.source.problem(path, "").line

    def _add(
        self, severity: Severity, path: Path, code: str, message: str, within: tuple[str, int] | None
    ) -> None:
        self.problems.append(self.source.problem(path, message, code, severity, within=within))
