"""Run the command line as ``python -m gql_platform``."""

from gql_platform.cli import main

if __name__ == "__main__":
    main()
