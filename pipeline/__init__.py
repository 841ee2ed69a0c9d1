"""The engine: takes one directory object through import, scope, match and action. Knows nothing of Slack.

The whole contract: build `Services`, then `preview`, `provision` or `apply` a `Request` and get a `Run`.
"""

from pipeline.errors import PipelineError
from pipeline.model import Mode, Outcome, Request, Run
from pipeline.provision import apply, preview, provision
from pipeline.services import Services

__all__ = ["Mode", "Outcome", "PipelineError", "Request", "Run", "Services", "apply", "preview", "provision"]
