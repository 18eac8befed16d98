"""``python -m tests.benchmarks.peers.install``: make an environment for each peer.

They go to ``.benchmarks/peers/``, which Git ignores, with exactly the versions of
``requirements/<peer>.txt``. A peer that cannot be installed leaves ``<peer>.failed`` with the
reason, which the benchmark reports.
"""

import re
import subprocess
import sys
from pathlib import Path

from tests.benchmarks.plan import ROOT

PEERS = ("litserve", "mlserver", "bentoml")

_FOLDER = ROOT / ".benchmarks" / "peers"
_REQUIREMENTS = Path(__file__).parent / "requirements"


def main() -> None:
    """Install every peer that is not installed yet."""
    for peer in PEERS:
        reason = install(peer)
        print(f"{peer} {version_of(peer)}: {reason or 'installed'}", flush=True)


def install(peer: str) -> str | None:
    """Install a peer into an environment of its own, and return why that failed, or None."""
    _FOLDER.mkdir(parents=True, exist_ok=True)
    failure = _FOLDER / f"{peer}.failed"
    failure.unlink(missing_ok=True)
    python = interpreter(peer)
    commands = (
        [sys.executable, "-m", "venv", str(_FOLDER / peer)],
        [str(python), "-m", "pip", "install", "--quiet", "--requirement",
         str(_REQUIREMENTS / f"{peer}.txt")],
    )  # fmt: skip
    for command in commands:
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if run.returncode:
            lines = [line for line in run.stderr.splitlines() if line.startswith("ERROR")]
            reason = (lines or run.stderr.splitlines() or ["no reason given"])[-1]
            failure.write_text(reason)
            return reason
    return None


def interpreter(peer: str) -> Path:
    """Return the Python of a peer's environment, which need not exist."""
    return _FOLDER / peer / "bin" / "python"


def why_missing(peer: str) -> str | None:
    """Return why a peer cannot be measured, or None where it is installed."""
    failure = _FOLDER / f"{peer}.failed"
    if failure.is_file():
        return failure.read_text().strip()
    if not interpreter(peer).is_file():
        return "not installed; run python -m tests.benchmarks.peers.install"
    return None


def version_of(peer: str) -> str:
    """Return the version of a peer that is pinned."""
    text = (_REQUIREMENTS / f"{peer}.txt").read_text()
    match = re.search(rf"^{peer}==(\S+)$", text, re.MULTILINE)
    assert match is not None, f"{peer} is not pinned"
    return match[1]


if __name__ == "__main__":
    main()
