"""The files of one run: what was logged to itself, and the models that it made.

MLflow keeps the files of a model beside those of the run that logged it, and shows them in a
folder of the model's name. What was logged to the run itself under the same path goes first.
"""

import math
import posixpath
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from mlflow import MlflowClient
from mlflow.entities.logged_model import LoggedModel
from mlflow.exceptions import MlflowException

from gql_platform.adapters.mlflow.place import Found, Place
from gql_platform.adapters.mlflow.run_places import Places

MAX_MODELS = 100
"""How many of the newest models of a run are shown among its files."""

_MODEL_NAME = re.compile(r"[^/:.%\"']+")
"""What MLflow lets a model's name be; others must not get into a filter."""


MODEL_SECONDS = 5.0
"""So long it is remembered where a model has its files: a run may log another of its name.

The search for it takes MLflow some 20 ms of Python, and most queries ask for several files of it.
"""


@dataclass(frozen=True, slots=True)
class Home:
    """Where a run keeps its files; that never changes.

    Attributes:
        run_id: The run.
        experiment_id: The experiment that it belongs to.
        uri: The root of its files.
        models: Where the models have theirs that it logged, by name, and when that was found out.
    """

    run_id: str
    experiment_id: str
    uri: str
    models: dict[str, tuple[str, float]] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Located:
    """A file or folder, and how to get at it.

    Attributes:
        found: What it is, with its path in the run.
        place: Where it is; None for a model's folder itself.
        path: Its path there.
    """

    found: Found
    place: Place | None
    path: str


def home_of(client: MlflowClient, run_id: str) -> Home | None:
    """Return where a run keeps its files; None if there is no such run."""
    try:
        info = client.get_run(run_id).info
    except MlflowException as error:
        if error.error_code in {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"}:
            return None
        raise
    return Home(run_id, str(info.experiment_id), str(info.artifact_uri))


class RunFiles:
    """Read the files of one run; everything blocks.

    Args:
        client: The MLflow client.
        places: What finds the places that MLflow names.
        home: Where the run keeps its files.
        now: Tells the time in seconds, from any moment on.
    """

    def __init__(
        self,
        client: MlflowClient,
        places: Places,
        home: Home,
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._now = now
        self._client = client
        self._places = places
        self._home = home
        self._own = places.at(home.uri)

    def entries(self, path: str, *, limit: int) -> Sequence[Found] | None:
        """Return up to ``limit`` entries of a folder by path; None if there is no such folder."""
        own = self._own.entries(path, limit=limit) if self._own is not None else None
        of_models = self._entries_of_models(path, limit=limit)
        if own is None and of_models is None:
            return None if path else []
        found = {each.path: each for each in (*(of_models or ()), *(own or ()))}
        return [found[each] for each in sorted(found)][:limit]

    def located(self, path: str) -> Located | None:
        """Return a file or folder other than the root, if there is one."""
        found = self._own.find(path) if self._own is not None else None
        if found is not None:
            return Located(found, self._own, path)
        name, _, rest = path.partition("/")
        model = self._model(name)
        if model is None:
            return None
        if not rest:
            return Located(Found(name, is_folder=True), None, "")
        place = self._places.at(model)
        inner = place.find(rest) if place is not None else None
        return None if inner is None else Located(replace(inner, path=path), place, rest)

    def _entries_of_models(self, path: str, *, limit: int) -> list[Found] | None:
        if not path:
            found = self._remember(self._models("", MAX_MODELS))
            return [Found(name, is_folder=True) for name in found]
        name, _, rest = path.partition("/")
        model = self._model(name)
        place = self._places.at(model) if model is not None else None
        inner = place.entries(rest, limit=limit) if place is not None else None
        if inner is None:
            return None
        return [replace(each, path=posixpath.join(name, each.path)) for each in inner]

    def _model(self, name: str) -> str | None:
        """Return where the newest model of a name has its files, if the run logged one."""
        if not _MODEL_NAME.fullmatch(name):
            return None
        uri, known_at = self._home.models.get(name, ("", -math.inf))
        if self._now() - known_at < MODEL_SECONDS:
            return uri
        return self._remember(self._models(f" AND name = '{name}'", 1)).get(name)

    def _remember(self, models: Sequence[LoggedModel]) -> dict[str, str]:
        """Remember models, the newest first, and return where they have their files by name."""
        found = {str(each.name): str(each.artifact_location) for each in reversed(models)}
        now = self._now()
        self._home.models.update({name: (uri, now) for name, uri in found.items()})
        return found

    def _models(self, condition: str, limit: int) -> Sequence[LoggedModel]:
        """Return the models that the run logged, the newest first."""
        try:
            return list(
                self._client.search_logged_models(
                    [self._home.experiment_id],
                    filter_string=f"source_run_id = '{self._home.run_id}'{condition}",
                    max_results=limit,
                )
            )
        except MlflowException as error:
            # Servers before MLflow 3 know no models, and not all can look for those of a run; and
            # what its language of searches cannot read can be no model's name.
            if error.error_code in {"ENDPOINT_NOT_FOUND", "INVALID_PARAMETER_VALUE"}:
                return []
            raise
