"""Contoso in a box: a Slack workspace, a directory and an Entra tenant on loopback, over their real protocols."""
