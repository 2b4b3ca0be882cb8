"""The one error of this tool: a sentence for the person who runs it."""


class PredictError(Exception):
    """Names what went wrong with which file or server, why, and what to do."""
