"""The project's records: as rows (dataclasses), as frames (pandera) and as Arrow tables."""
