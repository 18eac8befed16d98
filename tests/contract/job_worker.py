"""A worker in a process of its own.

``python -m tests.contract.job_worker ADDRESS NAME JOBS_AT_ONCE`` is one.
"""

import sys

from gql_platform.adapters.dbos.worker import Worker
from gql_platform.adapters.sql.address import Address
from tests.contract.job_kinds import KINDS

PATIENCE_SECONDS = 600.0
"""Longer than any test."""


def main() -> None:
    """Work until the input ends, and then until the jobs that run are done."""
    address, name, count = sys.argv[1:]
    kinds = [*KINDS.values()]
    worker = Worker(Address.parsed(address), kinds, name=name, jobs_at_once=int(count))
    worker.start()
    sys.stdin.read()
    worker.stop(patience_seconds=PATIENCE_SECONDS)


if __name__ == "__main__":
    main()
