"""One module a kind of gesture. A listener checks, persists and acknowledges, and nothing else."""
