"""Lint: what is wrong, doubtful or remarkable about a configuration, beyond what keeps it from loading."""

from pipeline.configuration.lint.check import CODES, Checked, check_configuration

__all__ = ["CODES", "Checked", "check_configuration"]
