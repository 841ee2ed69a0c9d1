"""What every command of the command line ends with."""

from __future__ import annotations

from typing import Final

DONE: Final = 0
NOT_PASSED: Final = 1
"""It was done, and the answer is no: a run that failed, an expression in error, a check not passed."""
BAD_USAGE: Final = 2
"""What was asked for cannot be: a wrong word, a wrong configuration, a port that is taken."""
UNREACHABLE: Final = 3
STOPPED: Final = 130
"""128 and the number of SIGINT, as shells have it."""
