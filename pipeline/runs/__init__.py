"""Where runs are kept: what was asked, what was seen, what was about to be written and what came of it."""
