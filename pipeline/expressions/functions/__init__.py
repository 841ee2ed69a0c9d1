"""The functions of the language, one module a subject, found by case-folded name."""

from pipeline.expressions.functions.registry import FUNCTIONS, find_form, lookup
from pipeline.expressions.signature import Form, Function, Parameter

__all__ = ["FUNCTIONS", "Form", "Function", "Parameter", "find_form", "lookup"]
