"""``python lit_server.py FILE PORT BATCH``: LitServe over a model in a file."""

import sys
from typing import Any

import joblib
import litserve  # pyright: ignore[reportMissingImports]
import pandas as pd

FILE, PORT, BATCH = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])


class ModelAPI(litserve.LitAPI):  # type: ignore[misc]
    """Answer with the label and its probability."""

    def setup(self, device: str) -> None:
        """Load the model in the worker."""
        del device
        self.model = joblib.load(FILE)

    def decode_request(self, request: litserve.Request) -> Any:
        """Return the row."""
        return request["row"]

    def batch(self, inputs: Any) -> pd.DataFrame:
        """Return the rows as a table."""
        return pd.DataFrame(inputs)

    def predict(self, x: Any) -> list[tuple[str, float]]:
        """Return the label and its probability of each row."""
        probabilities = self.model.predict_proba(x if BATCH > 1 else pd.DataFrame([x]))
        chosen = probabilities.argmax(axis=1)
        labels = self.model.classes_[chosen].tolist()
        return list(zip(labels, probabilities.max(axis=1).tolist(), strict=True))

    def unbatch(self, output: Any) -> Any:
        """Return the answers one by one."""
        return output

    def encode_response(self, output: Any) -> dict[str, Any]:
        """Return the answer to a request."""
        label, probability = output if BATCH > 1 else output[0]
        return {"label": label, "probability": probability}


if __name__ == "__main__":
    api = ModelAPI(max_batch_size=BATCH, batch_timeout=0.005 if BATCH > 1 else 0.0)
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=1)
    server.run(
        host="127.0.0.1", port=PORT, num_api_servers=1, log_level="warning",
        generate_client_file=False, access_log=False,
    )  # fmt: skip
