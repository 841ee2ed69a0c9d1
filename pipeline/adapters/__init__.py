"""What connects the pipeline to the world: one module or package for each system."""
