"""The parameters of the project as typed, frozen models: one file a pipeline."""
