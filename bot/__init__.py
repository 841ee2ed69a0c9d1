"""The Slack surface: who asks, for what, may they, and what they get to see."""
