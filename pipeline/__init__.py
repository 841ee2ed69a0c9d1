"""The engine: takes one directory object through import, scope, match and action. Knows nothing of Slack."""
