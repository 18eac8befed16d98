"""A worker in a process of its own: ``python -m tests.contract.job_worker ADDRESS NAME``."""

import sys
import threading

from gql_platform.adapters.dbos.worker import Worker
from gql_platform.adapters.sql.address import Address
from tests.contract.job_kinds import KINDS


def main() -> None:
    """Work until somebody kills this process."""
    address, name = sys.argv[1:]
    Worker(Address.parsed(address), [*KINDS.values()], name=name).start()
    threading.Event().wait()


if __name__ == "__main__":
    main()
