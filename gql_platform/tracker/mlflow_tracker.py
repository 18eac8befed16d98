"""Runs, models and stages, as a program or a notebook that trains tracks them."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, SupportsFloat

from gql_platform.bootstrap import TrackerParts, tracker_parts
from gql_platform.errors import (
    ExperimentDeletedError,
    ExperimentExistsError,
    FlavourNotInstalledError,
    InvalidExperimentError,
    InvalidModelError,
    InvalidRunError,
    NoActiveRunError,
    RunActiveError,
    RunNotFoundError,
    UnknownFlavourError,
)
from gql_platform.model_changes.checks import model_problem
from gql_platform.model_log.records import AUTOLOGGED, FLAVOURS, LoggedModel, TrainedModel
from gql_platform.registry.records import (
    ModelVersion,
    Stage,
    Tag,
)
from gql_platform.run_changes.items import checked
from gql_platform.run_changes.naming import experiment_problem, run_problem
from gql_platform.run_changes.records import Items, MetricValue, Refusal, RunEnd, milliseconds_of
from gql_platform.settings import load_settings
from gql_platform.texts import is_path
from gql_platform.tracker.inputs import number_of, stage_of, user_name
from gql_platform.tracker.loop import Loop
from gql_platform.tracker.stages import Versions
from gql_platform.tracking.records import Param, Run, RunComparison


class MLflowTracker:
    """Track runs in MLflow, log and register models, and load them again.

        tracker = MLflowTracker("fraud")
        with tracker.start_run("baseline"):
            tracker.log_params({"depth": 3})
            tracker.log_metrics({"accuracy": 0.91})
            tracker.log_model(model, input_example=rows)
        tracker.register_model("model", "fraud_detector", stage="Production")

    It uses the stores that `gql-platform serve` uses in the same folder and environment, and
    leaves MLflow's own settings of the process as they are. A tracker has one run at a time,
    which several threads may log to.

    Args:
        experiment_name: The experiment of its runs, which is made by the first run.
        tracking_uri: Where MLflow keeps runs; by default, ``MLFLOW_TRACKING_URI`` or the embedded
            store in the data folder.
        registry_uri: Where MLflow keeps registered models; by default, ``MODEL_REGISTRY_URI`` or
            where it keeps runs.

    Raises:
        InvalidExperimentError: If there can be no experiment of that name.
        SettingsError: If a setting of the environment is wrong.
        StoreAddressError: If the address of a store can never work.
        DataFolderError: If the folder of the embedded store cannot be made or written.
    """

    def __init__(
        self,
        experiment_name: str,
        *,
        tracking_uri: str | None = None,
        registry_uri: str | None = None,
    ) -> None:
        problem = experiment_problem(experiment_name, ())
        if problem is not None:
            raise InvalidExperimentError(name=experiment_name, problem=problem)
        given = {"mlflow_tracking_uri": tracking_uri, "model_registry_uri": registry_uri}
        self._parts: TrackerParts = tracker_parts(load_settings(given))
        self._experiment_name = experiment_name
        self._versions = Versions(self._parts.registry, self._parts.registry_writer)
        self._loop = Loop()
        self._lock = threading.Lock()
        self._active: str | None = None
        self._last: str | None = None
        self._autologged: tuple[str, ...] = ()
        self._block = ExitStack()

    @contextmanager
    def start_run(
        self, run_name: str | None = None, tags: Mapping[str, object] | None = None
    ) -> Iterator[Run]:
        """Make a run that is active for as long as a block lasts.

        It ends as ``FINISHED``, with an error as ``FAILED``, and interrupted as ``KILLED``.

        Args:
            run_name: Its name; by default MLflow makes one up.
            tags: Its tags.

        Raises:
            RunActiveError: If a run of this tracker is active.
            InvalidRunError: If the name or a tag cannot be used.
            ExperimentDeletedError: If the experiment was deleted.
            RegistryUnavailableError: If the store does not answer.
        """
        kept = [Tag(str(key), str(value)) for key, value in (tags or {}).items()]
        problem = run_problem(run_name, None, kept)
        if problem is not None:
            raise InvalidRunError(problem=problem)
        with self._lock:
            if self._active is not None:
                raise RunActiveError(run_id=self._active)
            run = self._loop.wait(self._begin(run_name, kept))
            self._active = self._last = run.run_id
        end = RunEnd.FAILED
        try:
            with ExitStack() as block:
                self._block = block
                self._follow_trainings()
                yield run
            end = RunEnd.FINISHED
        except KeyboardInterrupt:
            end = RunEnd.KILLED
            raise
        finally:
            self._active = None
            finished_at = datetime.now(UTC)
            self._loop.wait(self._parts.run_writer.finish(run.run_id, end, finished_at=finished_at))

    def log_params(self, params: Mapping[str, object]) -> None:
        """Log params of the active run; once logged, a param keeps its value.

        Raises:
            NoActiveRunError: If no run is active.
            InvalidRunError: If a name or a value cannot be used; then none of them is logged.
        """
        self._log(Items(params=[Param(str(key), str(value)) for key, value in params.items()]))

    def log_metrics(self, metrics: Mapping[str, SupportsFloat], step: int | None = None) -> None:
        """Log values of metrics of the active run, NaN and the infinities among them.

        Args:
            metrics: Numbers by name, those of numpy too.
            step: At which step they were measured; 0 by default.

        Raises:
            NoActiveRunError: If no run is active.
            InvalidRunError: If a name or a value cannot be used; then none of them is logged.
        """
        values = [
            MetricValue(str(key), number_of(key, value), step or 0)
            for key, value in metrics.items()
        ]
        self._log(Items(metrics=values))

    def log_model(
        self,
        model: object,
        name: str = "model",
        *,
        input_example: object = None,
        signature: object = None,
    ) -> LoggedModel:
        """Log a fitted model of scikit-learn, LightGBM or XGBoost to the active run.

        Args:
            model: The model.
            name: The name that the run has it under.
            input_example: Rows that it takes; the first 20 are kept, and tell the signature.
            signature: What ``mlflow.models.infer_signature`` returned, where that is better.

        Raises:
            NoActiveRunError: If no run is active.
            UnknownFlavourError: If it is a model of another kind.
            ModelNotLoggedError: If it does not predict its example, or cannot be written.
        """
        run_id = self._run_id()
        if not is_path(name) or not set(name).isdisjoint("/:.%\"'"):
            problem = "its name in the run should have none of / : . % and quotes, such as `model`"
            raise InvalidModelError(name=name, problem=problem)
        trained = TrainedModel(model, name, input_example, signature)
        return self._parts.model_log.log_model(run_id, trained)

    def log_artifact(self, path: str | Path, folder: str | None = None) -> None:
        """Log a file to the active run, or a folder with all that is in it.

        Args:
            path: Which.
            folder: The folder of the run to put it into.

        Raises:
            NoActiveRunError: If no run is active.
            InvalidRunError: If there is no such file, or the run can have no such folder.
        """
        run_id = self._run_id()
        if not Path(path).exists():
            raise InvalidRunError(problem=f"there is no file or folder {str(path)!r}")
        if folder is not None and not is_path(folder):
            problem = f"the folder {folder!r} should lie below the run's own files, such as `plots`"
            raise InvalidRunError(problem=problem)
        self._parts.model_log.log_file(run_id, Path(path), folder)

    def register_model(
        self, name: str, registered_name: str, stage: str | Stage = "Production"
    ) -> ModelVersion:
        """Register a model of the active run, or else of the last one, and move it to a stage.

        ``Production`` points the alias ``champion`` to it, by which servers let it serve, and
        ``Staging`` the alias ``staging``; ``Archived`` sets a tag.

        Args:
            name: The name that the model was logged under.
            registered_name: The model to make a version of; it is made if it is missing.
            stage: ``None``, ``Staging``, ``Production`` or ``Archived``.

        Raises:
            NoActiveRunError: If there was no run yet.
            UnknownStageError: If there is no such stage.
            InvalidModelError: If there can be no model of that name.
            ModelFilesNotFoundError: If the run has no model under that name.
            RegistryUnavailableError: If the registry does not answer.
        """
        target, run_id = stage_of(stage), self._active or self._last
        if run_id is None:
            raise NoActiveRunError
        problem = model_problem(registered_name, name)
        if problem is not None:
            raise InvalidModelError(name=registered_name, problem=problem)
        return self._loop.wait(
            self._versions.register(registered_name, run_id=run_id, path=name, stage=target)
        )

    def load_model(self, name: str, stage: str | Stage = "Production") -> Any:
        """Return the newest version of a registered model that stands in a stage.

        Models of scikit-learn, LightGBM and XGBoost come as what they were, others as what
        ``mlflow.pyfunc`` makes of them. Loading a model runs code that its author chose.

        Args:
            name: The name of the registered model.
            stage: Where it stands.

        Raises:
            UnknownStageError: If there is no such stage.
            ModelNotFoundError: If no such model is registered.
            UnknownVersionError: If none of its versions stands there.
            ModelLoadError: If its files do not load.
            RegistryUnavailableError: If the registry does not answer.
        """
        target = stage_of(stage)
        ref = self._loop.wait(self._versions.version(name, target)).ref
        package = self._loop.wait(self._parts.registry.packages([ref])).get(ref)
        return self._parts.model_log.load(ref, package)

    def autolog(self, flavours: Sequence[str] = AUTOLOGGED) -> None:
        """Log params and metrics of each training by itself, in the blocks of this tracker's runs.

        MLflow does that by settings of the whole process. So these are changed for the time of a
        block, which waits for such blocks of other threads, and then set back.

        Args:
            flavours: Of which kinds of models; of none to end it.

        Raises:
            UnknownFlavourError: If there is no such kind.
            FlavourNotInstalledError: If its package is not installed.
        """
        for flavour in flavours:
            if flavour not in FLAVOURS:
                raise UnknownFlavourError(named=f"trainings of {flavour!r}", flavours=[*FLAVOURS])
            if not self._parts.model_log.installed(flavour):
                raise FlavourNotInstalledError(package=FLAVOURS[flavour])
        self._autologged = tuple(dict.fromkeys(flavours))
        if self._active is not None:
            self._follow_trainings()

    def compare_runs(self, run_ids: Sequence[str]) -> RunComparison:
        """Put params and last metrics of runs side by side, and tell the best where that is known.

        Raises:
            RunNotFoundError: If there is no such run.
            TooManyIDsError: If there are more than 50.
            RegistryUnavailableError: If the store does not answer.
        """
        found = self._loop.wait(self._parts.tracking.comparison(list(run_ids), diff_only=False))
        if found.missing:
            raise RunNotFoundError(run_id=found.missing[0])
        return found

    def _run_id(self) -> str:
        if self._active is None:
            raise NoActiveRunError
        return self._active

    def _log(self, items: Items) -> None:
        run_id = self._run_id()
        found = checked(items, known={}, moment_ms=milliseconds_of(datetime.now(UTC)))
        refused: Sequence[Refusal] = found.refused
        if not refused:
            refused = self._loop.wait(self._parts.run_writer.log(run_id, found.batch))
        if refused:
            first = refused[0]
            message = f"{first.message[0].lower()}{first.message[1:]}".removesuffix(".")
            raise InvalidRunError(problem=f"{first.kind.name.lower()} {first.key!r}: {message}")

    def _follow_trainings(self) -> None:
        """Log trainings to the active run until it ends, in the way that was chosen last."""
        self._block.close()
        if self._autologged and self._active is not None:
            log = self._parts.model_log
            self._block.enter_context(log.autologging(self._active, self._autologged))

    async def _begin(self, name: str | None, tags: Sequence[Tag]) -> Run:
        run_id = await self._parts.run_writer.create_run(
            await self._experiment_id(),
            name=name,
            user=user_name(),
            started_at=datetime.now(UTC),
            tags={tag.key: tag.value for tag in tags},
        )
        return (await self._parts.tracking.runs([run_id]))[run_id]

    async def _experiment_id(self) -> str:
        name = self._experiment_name
        found = await self._parts.tracking.experiment_named(name)
        if found is None:
            try:
                return await self._parts.run_writer.create_experiment(name, tags={})
            except ExperimentExistsError:
                # Another program has made it just then.
                found = await self._parts.tracking.experiment_named(name)
                if found is None:
                    raise
        if found.is_deleted:
            raise ExperimentDeletedError(name=name)
        return found.experiment_id
