"""Write requirements.lock: one exact version for each package of every extra.

Run by `make lock` with an interpreter of the lowest supported Python.
"""

import json
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "requirements.lock"
HEADER = """\
# Exact versions of everything that gql_platform and its extras install, written by `make lock`.
# It is used as a constraints file, so that each command installs only what it needs of it.
"""
FOOTER = """\
# The full mlflow package brings graphene, whose current versions do not go with the GraphQL
# packages above; without this line pip would settle on a graphene that does not import.
graphene>=3.4
"""


def main() -> None:
    """Resolve everything at once and write the file."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    for extra in project["project"]["optional-dependencies"].values():
        wanted += extra
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed"]
        subprocess.run([*command, "--quiet", "--report", str(report), *wanted], check=True)
        resolved = json.loads(report.read_text())["install"]
    lines = sorted(
        f"{package['metadata']['name'].lower()}=={package['metadata']['version'].partition('+')[0]}"
        for package in resolved
    )
    LOCK.write_text(HEADER + "\n".join(lines) + "\n" + FOOTER)
    print(f"{LOCK.name}: {len(lines)} packages")


if __name__ == "__main__":
    main()
