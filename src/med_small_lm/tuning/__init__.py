"""Training: corpus, conversations, packing, knowledge injection and instruction tuning.

Works from a notebook alone: no Kedro, no MLflow. Every training function writes a checkpoint folder, publishes it whole
and returns the finished one at once if it is asked for the same again. Nothing here imports torch until a module that
trains is imported.
"""
