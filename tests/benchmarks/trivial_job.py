"""The work of a job that does nothing, in a process that imports this module and little else."""

from gql_platform.jobs.records import Progress, Running, Values


def work(_: str, given: Values) -> Running:
    """Do nothing, and end."""
    yield Progress(1.0)
    return given
