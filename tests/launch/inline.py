"""Work that is called where it is launched."""


def doubles(spec, log):
    """Logs twice the length of the spec's folder's name."""
    log({"double": 2.0 * len(spec.parent.name)}, 4)
