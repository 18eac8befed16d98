"""Run the command line: ``gql-platform``, or ``python -m gql_platform``."""

import sys

try:
    from gql_platform.cli import main
except KeyboardInterrupt:
    # Importing takes a moment, in which somebody may change their mind.
    sys.exit(130)

if __name__ == "__main__":
    main()
