"""The stages of a run: import, scope, match, then plan and act."""
