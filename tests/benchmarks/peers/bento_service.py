"""A BentoML service over the model in the file that ``MODEL_FILE`` names."""

import os
from typing import Any

import bentoml  # pyright: ignore[reportMissingImports]
import joblib
import pandas as pd


@bentoml.service(workers=1, metrics={"enabled": True}, traffic={"timeout": 60})  # type: ignore[untyped-decorator,unused-ignore]
class Model:
    """Answer with the label and its probability."""

    def __init__(self) -> None:
        self.model = joblib.load(os.environ["MODEL_FILE"])

    @bentoml.api(batchable=True, max_batch_size=32, max_latency_ms=10_000)  # type: ignore[untyped-decorator,unused-ignore]
    def batched(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Answer the rows of several requests together."""
        return self._answers(rows)

    @bentoml.api  # type: ignore[untyped-decorator,unused-ignore]
    def single(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Answer the rows of one request."""
        return self._answers(rows)

    def _answers(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        probabilities = self.model.predict_proba(pd.DataFrame(rows))
        chosen = probabilities.argmax(axis=1)
        labels = self.model.classes_[chosen].tolist()
        best = probabilities.max(axis=1).tolist()
        return [
            {"label": label, "probability": probability}
            for label, probability in zip(labels, best, strict=True)
        ]
