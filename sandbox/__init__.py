"""Contoso in a box: a Slack workspace, a directory and an Entra tenant, on loopback by their protocols."""
