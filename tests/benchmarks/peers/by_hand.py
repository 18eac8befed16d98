"""What people write by hand for a model in a file, and the least that could answer with it.

``python -m tests.benchmarks.peers.by_hand FILE PORT compiled`` serves the compiled form of the
model over raw ASGI; with ``native``, the model itself over FastAPI, on a table.
"""

import json
import sys
import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import uvicorn
from fastapi import FastAPI
from pydantic import create_model
from starlette.types import ASGIApp

from gql_platform.adapters.estimators.compilation import compiled
from gql_platform.adapters.estimators.native import sklearn_predictor
from gql_platform.registry.records import (
    Column,
    ColumnType,
    ModelPackage,
    ModelVersion,
    Signature,
)
from gql_platform.serving.ports import ClassOutput
from tests.benchmarks.peers.__main__ import Answer, Predictions, Row, bare


def main() -> None:
    """Serve until a signal ends the process."""
    file, port, form = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    app = by_compiled(file) if form == "compiled" else by_native(file)
    uvicorn.run(app, port=port, access_log=False, log_config=None, lifespan="off")


def by_compiled(file: Path) -> ASGIApp:
    """Return an ASGI application that answers by the compiled form of a model."""
    rows = json.loads(file.with_suffix(".json").read_text())["rows"]
    names = list(rows[0])
    types = [
        ColumnType.STRING if isinstance(v, str) else ColumnType.DOUBLE for v in rows[0].values()
    ]
    columns = tuple(
        Column(name, kind, required=True) for name, kind in zip(names, types, strict=True)
    )
    package = ModelPackage("sklearn", Signature(columns, ()), None, tuple(rows))
    version = ModelVersion(
        model_name=file.stem, version=1, aliases=(), description=None, tags=(),
        created_at=datetime.now(UTC), run_id=None,
    )  # fmt: skip
    predictor = compiled(sklearn_predictor(joblib.load(file), version, package), package)

    def predict(asked: list[Row]) -> Answer:
        if predictor.takes_arrays:
            output = predictor.predict(np.array([[row[name] for name in names] for row in asked]))
        else:
            output = predictor.predict(pd.DataFrame(asked, columns=names))
        assert isinstance(output, ClassOutput)
        assert output.probabilities is not None
        chosen = output.chosen.tolist()
        return {
            "predictions": [
                {"label": predictor.labels[index], "probability": float(row[index])}
                for index, row in zip(chosen, output.probabilities, strict=True)
            ]
        }

    return bare(predict)


def by_native(file: Path) -> FastAPI:
    """Return the FastAPI application that one would write by hand for a model."""
    warnings.filterwarnings("ignore")
    estimator = joblib.load(file)
    labels = estimator.classes_.tolist()
    row = json.loads(file.with_suffix(".json").read_text())["rows"][0]
    fields: dict[str, Any] = {name: (type(value), ...) for name, value in row.items()}
    row_type = create_model("Row", **fields)
    request_type = create_model("Request", rows=(list[row_type], ...))  # type: ignore[valid-type]

    async def predict(request: Any) -> Any:
        table = pd.DataFrame([each.model_dump() for each in request.rows])
        probabilities = estimator.predict_proba(table)
        return {
            "predictions": [
                {"label": labels[index], "probability": float(each[index])}
                for index, each in zip(probabilities.argmax(axis=1), probabilities, strict=True)
            ]
        }

    predict.__annotations__["request"] = request_type
    app = FastAPI()
    app.post("/", response_model=Predictions)(predict)
    return app


if __name__ == "__main__":
    main()
