"""From parsed YAML to the document's shape, in spite of mistakes: each is noted, taken out, and passed over.

So one reading finds everything that is wrong with a file: what does not fit the shape as well as what does
fit and makes no sense.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from pipeline.configuration.document import ConfigurationDocument
from pipeline.configuration.yaml_positions import Path, Positioned

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_ROUNDS: Final = 20
_SUBSTITUTES: Final[Mapping[str, object]] = {
    "version": 1,
    "name": "unnamed",
    "base": "DC=invalid",
    "objects": {},
}
"""What stands in for a setting that is missing or unusable, so that the rest can be looked at."""


def read_document(source: Positioned) -> ConfigurationDocument | None:
    """Return the document without what is wrong in it, which is added to the source's problems.

    None when there is nothing to go on with.
    """
    if not isinstance(source.data, dict):
        if not source.problems:
            source.problems.append(source.problem((), "the file holds no settings", "wrong-value"))
        return None
    for turn in range(_ROUNDS):
        try:
            return ConfigurationDocument.model_validate(source.data)
        except ValidationError as refusal:
            found = refusal.errors(include_url=False)
            if turn == 0:  # what comes up later comes of what was taken out
                _note(found, source)
            _mend(found, source)
    return None


def _note(found: Iterable[ErrorDetails], source: Positioned) -> None:
    by_place: dict[Path, list[ErrorDetails]] = {}
    for error in found:
        by_place.setdefault(_known(error["loc"], source), []).append(error)
    for path, errors in by_place.items():
        for error in errors:
            name = error["loc"][-1] if error["loc"] else ""
            if error["type"] == "extra_forbidden":
                problem = source.problem(path, f"there is no setting “{name}” here", "unknown-setting")
            elif error["type"] == "missing":
                problem = source.problem(path, f"“{name}” is missing", "missing-setting")
            else:
                problem = source.problem(path, _wrong_value(path, errors), "wrong-value")
            if problem not in source.problems:
                source.problems.append(problem)


def _wrong_value(path: Path, errors: list[ErrorDetails]) -> str:
    name = next((part for part in reversed(path) if isinstance(part, str)), "")
    others = [e for e in errors if e["type"] not in {"extra_forbidden", "missing"}]
    if len(others) > 1:  # one for each type that would have been taken
        return f"“{name}” cannot be {others[0]['input']!r}; it takes a text, a whole number or true and false"
    message = others[0]["msg"]
    return f"“{name}”: {message[0].lower()}{message[1:]}"


def _known(location: tuple[int | str, ...], source: Positioned) -> Path:
    """Return the part of a location that stands in the file: a union adds its types' names to it."""
    path: Path = ()
    for part in location:
        if (*path, part) not in source.positions:
            break
        path = (*path, part)
    return path


def _mend(found: Iterable[ErrorDetails], source: Positioned) -> None:
    gone: set[Path] = set()
    for error in found:
        path = _known(error["loc"], source)
        if error["type"] == "missing":
            name = str(error["loc"][-1])
            if not path and name in _SUBSTITUTES and isinstance(source.data, dict):
                source.data[name] = _SUBSTITUTES[name]
                source.positions[name,] = (1, 1)
                continue
            if _match_for(path, name, source):
                continue
        gone.add(path)
    whole = [path for path in gone if path and not any(path[:n] in gone for n in range(1, len(path)))]
    for path in sorted(whole, key=_last_first, reverse=True):
        source.without(path)


def _last_first(path: Path) -> tuple[tuple[int, str], ...]:
    return tuple((part, "") if isinstance(part, int) else (-1, part) for part in path)


def _match_for(path: Path, name: str, source: Positioned) -> bool:
    """Put the first mapped target in for a `match` that is missing, so that the mappings are looked at."""
    rules: object = source.data
    for part in path:
        rules = rules[part] if isinstance(rules, dict) and part in rules else None
    if name != "match" or not isinstance(rules, dict):
        return False
    attributes = rules.get("attributes")
    first = attributes[0] if isinstance(attributes, list) and attributes else None
    target = first.get("target") if isinstance(first, dict) else None
    if not isinstance(target, str):
        return False
    rules["match"] = [target]
    return True
