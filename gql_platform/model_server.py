"""A server for models in files, as a program or a notebook starts it."""

import threading
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from gql_platform.bootstrap import local_services
from gql_platform.errors import ModelFileError
from gql_platform.observability import configure_logging
from gql_platform.server import Running, run_server
from gql_platform.serving.records import ModelFile, Task
from gql_platform.settings import load_settings

MODEL_TYPES: Mapping[str, Task] = {
    "classifier": Task.CLASSIFICATION,
    "regressor": Task.REGRESSION,
    "timeseries": Task.FORECASTING,
    "forecaster": Task.FORECASTING,
}


class ModelServer:
    """Serve models in files over GraphQL and REST.

        server = ModelServer(port=8000)
        server.register_model("fraud", model_path="models/fraud.pkl", model_type="classifier")
        server.start()

    A file that is named here is trusted: reading a pickle runs what its author put into it.

    Args:
        port: The port to listen on; 0 takes any.
        settings: Further settings by their names, such as ``host`` or ``max_rows``; those of the
            environment count as well.

    Raises:
        SettingsError: If a setting is wrong.
    """

    def __init__(self, port: int = 8000, **settings: object) -> None:
        self._settings = load_settings({"port": port, **settings})
        self._models: list[ModelFile] = []
        self._running: Running | None = None
        self._thread: threading.Thread | None = None

    def register_model(
        self,
        name: str,
        *,
        model_path: str | Path,
        model_type: str = "classifier",
        input_example: Sequence[Mapping[str, object]] = (),
    ) -> Self:
        """Serve the model in a file; of several under one name, the last.

        Args:
            name: The name to serve it under.
            model_path: A pickle, a joblib file, a skops file, or an ONNX graph.
            model_type: ``classifier``, ``regressor``, or ``timeseries`` (or ``forecaster``).
            input_example: Rows that the model takes, by column name. They tell the types of the
                columns; without them, all are numbers.

        Raises:
            ModelFileError: If there is no such file, or no such type.
        """
        path = Path(model_path)
        task = MODEL_TYPES.get(model_type)
        if task is None:
            known = " or ".join(repr(each) for each in MODEL_TYPES)
            raise ModelFileError(
                name=name, path=str(path), problem=f"its type {model_type!r} should be {known}"
            )
        if not path.exists():
            raise ModelFileError(name=name, path=str(path), problem="there is no such file")
        example = tuple({str(key): value for key, value in row.items()} for row in input_example)
        self._models.append(ModelFile(name, path.resolve(), task, example))
        return self

    def start(self, *, block: bool = True) -> Self:
        """Serve.

        Args:
            block: Whether to return only when a signal ends the server; else it goes on in a
                thread until `stop`, and this returns when it listens.

        Raises:
            PortInUseError: If another program has the port.
        """
        configure_logging(level=self._settings.log_level, log_format=self._settings.log_format)
        running = self._running = Running.listening(self._settings)
        serve = partial(
            run_server,
            self._settings,
            open_with=partial(local_services, models=tuple(self._models)),
            running=running,
        )
        if block:
            serve()
            return self
        self._thread = threading.Thread(target=serve, name="gql-platform", daemon=True)
        self._thread.start()
        return self

    @property
    def url(self) -> str:
        """Where it listens, once it was started."""
        if self._running is None:
            raise RuntimeError("the server was not started")
        return self._running.url

    def stop(self) -> None:
        """End a server that was started without blocking, when its requests are answered."""
        if self._running is not None:
            self._running.stop()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def __enter__(self) -> Self:
        """Serve in a thread for as long as a block lasts."""
        return self.start(block=False)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop."""
        self.stop()
