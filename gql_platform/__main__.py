"""Run the command line: ``gql-platform``, or ``python -m gql_platform``."""

import gc
import sys

# What is imported stays, and the collector would look through all of it again and again: a fifth of
# the time to the start. A server that is ready looks more often.
gc.set_threshold(200_000, 20, 100)

try:
    from gql_platform.cli import main
except KeyboardInterrupt:
    # Importing takes a moment, in which somebody may change their mind.
    sys.exit(130)

if __name__ == "__main__":
    main()
