"""MLflow-facing: what a run's parameters, inputs, curves, scores and artifacts are called there."""
