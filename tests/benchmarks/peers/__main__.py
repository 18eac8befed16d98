"""What the server is compared with: the least that could answer, and what people write by hand.

``python -m tests.benchmarks.peers DATA_DIR`` serves all of them on a free port, each under its
name as the path, and writes the port to standard output. They use what the server uses: uvicorn
in one process, uvloop, httptools, orjson, and the demo model as MLflow loads it. They compute in
the event loop, which costs the least CPU; the server hands the model to threads instead, so that
nothing has to wait for it.
"""

import sys
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import orjson
import pandas as pd
import uvicorn
from fastapi import FastAPI
from mlflow import sklearn as sklearn_flavour
from pydantic import BaseModel, Field, create_model
from starlette.types import ASGIApp, Receive, Scope, Send

from gql_platform.server import listen
from gql_platform.settings import Settings
from tests.benchmarks.plan import MODEL

Row = dict[str, float]
Answer = dict[str, list[dict[str, object]]]


def main() -> None:
    """Serve until a signal ends the process."""
    listener = listen("127.0.0.1", 0)
    print(listener.getsockname()[1], flush=True)
    app = all_peers(Path(sys.argv[1]))
    config = uvicorn.Config(
        app, access_log=False, log_config=None, lifespan="off", server_header=False
    )
    uvicorn.Server(config).run(sockets=[listener])


def all_peers(data_dir: Path) -> ASGIApp:
    """Return an application that hands a request to the peer that its path names.

    Args:
        data_dir: The data folder with the demo models.
    """
    model = NativeModel(data_dir)
    peers: Mapping[str, ASGIApp] = {
        "/floor": floor,
        "/array": bare(model.predict_array),
        "/table": bare(model.predict_table),
        "/fastapi": by_hand(model, path="/fastapi"),
    }

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await peers[scope["path"]](scope, receive, send)

    return app


async def floor(scope: Scope, receive: Receive, send: Send) -> None:
    """Read the body, parse it, and answer with constant bytes."""
    del scope
    orjson.loads(await _body(receive))
    await _send_json(send, b'{"predictions":[{"label":"malignant","probability":1.0}]}')


class NativeModel:
    """The demo model, as plain scikit-learn.

    Args:
        data_dir: The data folder with the demo models.
    """

    def __init__(self, data_dir: Path) -> None:
        mlflow.set_tracking_uri(Settings(data_dir=data_dir).tracking_uri)
        self._estimator: Any = sklearn_flavour.load_model(f"models:/{MODEL}@champion")
        self._labels = self._estimator.classes_.tolist()
        self.columns: list[str] = self._estimator.feature_names_in_.tolist()
        # An estimator that was trained with column names warns of every array.
        warnings.filterwarnings("ignore", message="X does not have valid feature names")

    def predict_array(self, rows: list[Row]) -> Answer:
        """Predict on an array, which spares pandas and the check of the names."""
        return self._answer(np.array([[row[name] for name in self.columns] for row in rows]))

    def predict_table(self, rows: list[Row]) -> Answer:
        """Predict on a table with column names, as the model was trained."""
        return self._answer(pd.DataFrame(rows, columns=self.columns))

    def _answer(self, inputs: object) -> Answer:
        probabilities = self._estimator.predict_proba(inputs)
        chosen = probabilities.argmax(axis=1).tolist()
        return {
            "predictions": [
                {"label": self._labels[index], "probability": float(row[index])}
                for index, row in zip(chosen, probabilities, strict=True)
            ]
        }


def bare(predict: Callable[[list[Row]], Answer]) -> ASGIApp:
    """Return a model as an ASGI application without any framework."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        del scope
        await _send_json(send, orjson.dumps(predict(orjson.loads(await _body(receive))["rows"])))

    return app


class Prediction(BaseModel):
    """The answer to one row, as a FastAPI endpoint declares it."""

    label: str
    probability: float


class Predictions(BaseModel):
    """The answer of a FastAPI endpoint."""

    predictions: list[Prediction]


def by_hand(model: NativeModel, *, path: str) -> FastAPI:
    """Return the FastAPI application that one would write by hand for this model."""
    fields: dict[str, Any] = {
        f"column_{index}": (float, Field(alias=name)) for index, name in enumerate(model.columns)
    }
    row_type = create_model("Row", **fields)
    request_type = create_model("Request", rows=(list[row_type], ...))  # type: ignore[valid-type]

    async def predict(request: Any) -> Any:
        return model.predict_table([row.model_dump(by_alias=True) for row in request.rows])

    predict.__annotations__["request"] = request_type
    app = FastAPI()
    app.post(path, response_model=Predictions)(predict)
    return app


async def _body(receive: Receive) -> bytes:
    chunks = []
    while True:
        message = await receive()
        chunks.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(chunks)


async def _send_json(send: Send, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


if __name__ == "__main__":
    main()
