"""The one error of this tool: a sentence for the person who runs it."""


class ExportError(Exception):
    """Names what is wrong with which file, why, and what to do."""
