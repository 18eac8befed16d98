"""A worker in a process of its own: ``python -m tests.benchmarks.job_worker ADDRESS``."""

import sys
import threading
import uuid

from gql_platform.adapters.dbos.worker import Worker
from gql_platform.adapters.sql.address import Address
from gql_platform.jobs.records import JobKind
from tests.benchmarks import trivial_job

TRIVIAL = "trivial"


def main() -> None:
    """Work on trivial jobs until somebody kills this process."""
    kinds = [JobKind(TRIVIAL, trivial_job.work)]
    Worker(Address.parsed(sys.argv[1]), kinds, name=uuid.uuid4().hex).start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    threading.Event().wait()


if __name__ == "__main__":
    main()
