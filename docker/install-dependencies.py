"""Install what pyproject.toml names, in the versions of requirements.lock, and nothing else."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

project = tomllib.loads(Path("pyproject.toml").read_text())
wanted = [*project["build-system"]["requires"], *project["project"]["dependencies"]]
subprocess.run(
    [sys.executable, "-m", "pip", "install", *wanted],
    check=True,
    env={**os.environ, "PIP_CONSTRAINT": "requirements.lock"},
)
