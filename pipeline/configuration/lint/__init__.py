"""Lint: what is wrong, doubtful or remarkable about a configuration, beyond what keeps it from loading."""

from pipeline.configuration.lint.check import CODES, Checked, check_configuration
from pipeline.configuration.lint.files import CheckedFile, check_files

__all__ = ["CODES", "Checked", "CheckedFile", "check_configuration", "check_files"]
