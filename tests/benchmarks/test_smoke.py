"""The benchmarks run and report everything; what they measure is for people to read."""

import os
import re
import subprocess
import sys

import pytest

from tests.benchmarks.plan import ROOT
from tests.benchmarks.startup import HEAVY_MODULES, import_times

ROWS = [
    "raw ASGI, constant answer",
    "raw ASGI, model on an array",
    "raw ASGI, model on a table",
    "FastAPI + pydantic, model on a table",
    "GraphQL `predict { breastCancer }`",
    "GraphQL `predictRows`",
    "REST `POST /predict/breast_cancer`",
    "GraphQL `{ server { version } }`",
]

SECTIONS = [
    "selection", "variant", "answers", "load", "built", "file", "figure", "family", "milliseconds",
    "estimator",
    "server",
    "writing", "following", "wake-up", "page", "series", "logging", "endpoints",
    "queueing", "working",
]  # fmt: skip
"""The first columns of the tables after those of the start."""


@pytest.mark.slow
def test_a_quick_run_prints_every_row() -> None:
    command = [sys.executable, "-m", "tests.benchmarks", "--quick"]
    # Coverage would trace the server, too, and make everything several times slower.
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("COVERAGE_", "COV_"))}
    run = subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )
    names = re.findall(r"^\| (?!-)(.+?) +\|", run.stdout, re.MULTILINE)
    sent = re.search(r"^\| total +\| +([\d,]+) \|", run.stdout, re.MULTILINE)

    assert run.returncode == 0, run.stderr
    assert names[:18] == ["variant", *ROWS, "variant", *ROWS]
    assert names[18:22] == ["figure", "CPU s", "resident MB", "wall s"]
    assert names[22 : 23 + len(HEAVY_MODULES)] == ["module", *HEAVY_MODULES]
    rest = names[23 + len(HEAVY_MODULES) :]
    assert [name for name in rest if name in SECTIONS] == SECTIONS
    assert sent is not None
    assert int(sent[1].replace(",", "")) > 500_000


def test_import_times_are_read_from_what_cpython_writes() -> None:
    lines = [
        "import time: self [us] | cumulative | imported package\n",
        "import time:       220 |       1220 |   sklearn.ensemble._base\n",
        '{"event":"ready"}\n',
    ]

    assert import_times(lines) == {"sklearn.ensemble._base": 1.22}
