"""The functions of the language, one module a subject, found by case-folded name."""

from pipeline.expressions.functions.registry import FUNCTIONS, UNSUPPORTED, find_form, lookup
from pipeline.expressions.signature import Form, Function, Parameter

__all__ = ["FUNCTIONS", "UNSUPPORTED", "Form", "Function", "Parameter", "find_form", "lookup"]
