"""The tree of errors: its drawing, its codes, and each message."""

import re
from collections.abc import Iterator

import pytest

from gql_platform import errors
from gql_platform.errors import PlatformError, RowProblem

PROBLEM = RowProblem(row=3, column="age", problem="The value is null.", expected="a number")
ROW_PROBLEM = RowProblem(row=0, column=None, problem="The row is text ('x').", expected="an object")

MESSAGES: list[tuple[PlatformError, str]] = [
    (PlatformError(), "The platform could not do that."),
    (errors.InvalidInputError(), "The input cannot be used."),
    (
        errors.InvalidIDError(id="a{b}"),
        "The id 'a{b}' is not one of ours; pass an `id` exactly as a query returned it.",
    ),
    (
        errors.InvalidCursorError(cursor="x"),
        "The cursor 'x' is not one of ours; pass an `endCursor` that a query returned.",
    ),
    (
        errors.PageSizeError(first=0, maximum=100),
        "A page has between 1 and 100 items, and 0 were asked for.",
    ),
    (
        errors.PointCountError(max_points=3, minimum=4, maximum=10_000),
        "A series can be cut down to between 4 and 10000 points, and 3 were asked for.",
    ),
    (
        errors.InvalidDepthError(depth=9, maximum=3),
        "A lineage has between 1 and 3 steps, and 9 were asked for.",
    ),
    (
        errors.RunFilterError("no text"),
        "The runs that are asked for cannot be told: no text; ask for fewer or other ones.",
    ),
    (
        errors.TooManySeriesError(count=300, maximum=200),
        "300 series are more than the 200 that one field takes; ask for them in parts.",
    ),
    (
        errors.IntervalError(seconds=0.01, minimum_seconds=0.1, maximum_seconds=60.0),
        "The interval must lie between 0.1 and 60.0 seconds, and 0.01 were asked for.",
    ),
    (
        errors.ReadOnlyServerError(),
        (
            "This server serves models in files, and keeps neither runs nor a registry that could "
            "be changed; start one with `gql-platform serve`."
        ),
    ),
    (
        errors.InvalidExperimentError(name="", problem="it is odd"),
        "The experiment '' cannot be made: it is odd.",
    ),
    (
        errors.ExperimentExistsError(name="a"),
        (
            "There is an experiment 'a' already, deleted ones included; use it, or take another "
            "name."
        ),
    ),
    (
        errors.ExperimentDeletedError(name="a"),
        "The experiment 'a' is deleted and takes no runs; restore it, or take another one.",
    ),
    (
        errors.ExperimentNotFoundError(named="a"),
        "There is no experiment 'a'; `experiments` lists those that there are.",
    ),
    (
        errors.InvalidRunError(problem="it is odd"),
        "The run cannot be written like that: it is odd.",
    ),
    (
        errors.RunDeletedError(run_id="a"),
        "The run 'a' is deleted and cannot be written to; restore it first.",
    ),
    (
        errors.RunFinishedError(run_id="a", state="FAILED"),
        "The run 'a' is over, and its state stays FAILED; make a new run.",
    ),
    (
        errors.RunNotFoundError(run_id="a"),
        "There is no run 'a'; `runs` lists those that there are.",
    ),
    (
        errors.TooManyItemsError(count=11_000, maximum=10_000),
        (
            "11000 params, metrics and tags are more than the 10000 that are logged at once; log "
            "them in parts."
        ),
    ),
    (
        errors.InvalidModelError(name="a", problem="it is odd"),
        "The model 'a' cannot be written like that: it is odd.",
    ),
    (
        errors.InvalidNoteError(maximum=10),
        ("A note has at most 10 characters, none of which is a NUL; this one is another text."),
    ),
    (
        errors.ModelVersionInUseError(model="a", version=2, variants=("champion", "new")),
        (
            "Version 2 of 'a' serves, as the variants 'champion', 'new'; let another version take "
            "over first."
        ),
    ),
    (
        errors.ModelFilesNotFoundError(run_id="r", artifact_path="model"),
        (
            "The run 'r' has no model at 'model', where a file `MLmodel` would be; log the model "
            "first, or name the path that it was logged under."
        ),
    ),
    (
        errors.StoreUnavailableError(uri="postgresql://***@db/x", reason="refused"),
        "The platform's database at postgresql://***@db/x does not answer: refused",
    ),
    (
        errors.DatabaseTooNewError(uri="sqlite:///p.db", found="0009", known="0001"),
        (
            "The database at sqlite:///p.db has revision '0009', and this version of gql_platform "
            "knows '0001' at most; install the version that wrote it, or restore a backup."
        ),
    ),
    (
        errors.InvalidDownloadError(),
        (
            "The link is not one that this server made, or was changed; ask for it anew, and fetch "
            "its `url` exactly as it was returned."
        ),
    ),
    (
        errors.DownloadExpiredError(expired_at="2026-01-31T12:00:00+00:00"),
        "The link expired at 2026-01-31T12:00:00+00:00; ask for a new one.",
    ),
    (
        errors.InvalidArtifactPathError(path="a//b", problem="it has an empty part"),
        (
            "The path 'a//b' names no file of a run: it has an empty part; pass a `path` as a "
            "query returned it, such as `model/MLmodel`."
        ),
    ),
    (
        errors.ArtifactNotFoundError(run_id="r", path="a"),
        "The run 'r' has no file 'a', or no longer; its `artifacts` list what it has.",
    ),
    (
        errors.JobNotFoundError(job_id="a"),
        "There is no job 'a'; list the jobs that there are, and take an id from there.",
    ),
    (
        errors.JobFilterError(given="a b", maximum=20),
        (
            "'a b' names no kind of job, or is one too many; write it like `registryExport`, and "
            "at most 20 of them."
        ),
    ),
    (
        errors.JobFinishedError(job_id="a"),
        "The job 'a' is finished and cannot be cancelled any more; read its state.",
    ),
    (
        errors.JobUnfinishedError(job_id="a", state="RUNNING"),
        "The job 'a' is RUNNING and cannot be repeated yet; wait for its end, or cancel it.",
    ),
    (
        errors.JobFileNotFoundError(job_id="a", name="b.zip"),
        "The job 'a' has no file 'b.zip', or no longer: files are kept while their job is.",
    ),
    (
        errors.InvalidCronError(cron="* *"),
        (
            "The times '* *' are none, or never come; write five fields of cron: minute, hour, "
            "day of the month, month and day of the week, such as `30 2 * * mon-fri`."
        ),
    ),
    (
        errors.InvalidTimeZoneError(time_zone="Mars"),
        "There is no time zone 'Mars'; name one as `Europe/Berlin` or `UTC`.",
    ),
    (
        errors.JobsUnavailableError(),
        (
            "This server keeps what is its own in memory, where no worker finds a job; start one "
            "with `gql-platform serve`, on a database that others can open."
        ),
    ),
    (
        errors.TooManyExperimentsError(count=101, maximum=100),
        (
            "101 experiments are more than the 100 that an export can name; name none to export "
            "all of them."
        ),
    ),
    (
        errors.TooManySchedulesError(maximum=3),
        "There are 3 schedules, and no more can be made; delete one first.",
    ),
    (
        errors.ScheduleNotFoundError(schedule_id="a"),
        "There is no schedule 'a'; `jobSchedules` lists those that there are.",
    ),
    (
        errors.JobPriorityError(priority=0, maximum=9),
        ("The priority 0 is none; pass a whole number from 1 to 9, where 1 is the most urgent."),
    ),
    (
        errors.WorkerProcessError(reason="exit status 1"),
        "The process that works on jobs ended with exit status 1; the log has the cause.",
    ),
    (
        errors.WebhookAddressError(url="http://a", problem="it is odd"),
        (
            "Nothing is sent to 'http://a': it is odd; pass an `https` address of a public host, "
            "or have the network of the receiver allowed."
        ),
    ),
    (
        errors.ReceiverUnavailableError(host="a.example", problem="it refuses connections"),
        (
            "The receiver at 'a.example' cannot be reached: it refuses connections; it is tried "
            "again later."
        ),
    ),
    (
        errors.TooManyWebhooksError(maximum=100),
        "There are 100 webhooks, and no more can be made; delete one, or widen another.",
    ),
    (
        errors.WebhookDisabledError(webhook_id="a"),
        "The webhook 'a' is disabled, so that nothing is sent; enable it first.",
    ),
    (
        errors.WebhookNotFoundError(webhook_id="a"),
        "There is no webhook 'a'; `webhooks` lists those that there are.",
    ),
    (
        errors.WebhookDeliveryNotFoundError(delivery_id="a"),
        "There is no delivery 'a', or no longer; `webhookDeliveries` lists them.",
    ),
    (
        errors.WebhookSecretError(minimum=24, maximum=64),
        (
            "The secret cannot sign: pass `whsec_` and the base64 of 24 to 64 random bytes, or "
            "none to have one made."
        ),
    ),
    (
        errors.WebhookTextError(text="description", maximum=1000),
        (
            "The description of a webhook cannot be kept: pass at most 1000 characters, and no "
            "control characters but tabs and line breaks."
        ),
    ),
    (errors.TrackerError(), "The tracker cannot do that."),
    (
        errors.NoActiveRunError(),
        "No run is active; call that inside of `with tracker.start_run():`.",
    ),
    (
        errors.RunActiveError(run_id="a"),
        (
            "The run 'a' of this tracker is still active; leave its `with` block first, or make "
            "another tracker."
        ),
    ),
    (
        errors.UnknownStageError(stage="Live", stages=("None", "Production")),
        "There is no stage 'Live'; pass one of 'None', 'Production'.",
    ),
    (
        errors.UnknownFlavourError(named="a dict", flavours=("sklearn", "lightgbm")),
        "There is no way to log a dict; what can be logged are models of 'sklearn', 'lightgbm'.",
    ),
    (
        errors.FlavourNotInstalledError(package="xgboost"),
        (
            "The package 'xgboost' is not installed here; `pip install xgboost` beside "
            "gql-platform, or leave the flavour out."
        ),
    ),
    (
        errors.ModelNotLoggedError(name="model", problem="it is not fitted"),
        "The model 'model' cannot be logged: it is not fitted.",
    ),
    (errors.DatabaseError(), "What was asked of the database's file cannot be done."),
    (
        errors.DatabaseInUseError(path="/p.db"),
        "A server or another program holds /p.db; stop it, and try again.",
    ),
    (
        errors.DatabaseFileError(path="/p.db", problem="it is empty"),
        "The file /p.db cannot be used: it is empty.",
    ),
    (
        errors.NoDatabaseFileError(uri="postgresql://db/x"),
        (
            "The database at postgresql://db/x is not a SQLite file; back it up with the tools of "
            "its own server, such as pg_dump."
        ),
    ),
    (
        errors.EventFilterError(given="A b", maximum=20),
        (
            "'A b' names no type of event; write it like `deployment.changed`, or `deployment.*` "
            "for all that begin like that, and at most 20 of them."
        ),
    ),
    (
        errors.SequenceError(sequence=9, newest=5),
        (
            "The sequence 9 cannot be gone on behind: the events so far have 1 to 5; ask without "
            "it, or with the last one that this server told."
        ),
    ),
    (
        errors.InvalidIdempotencyKeyError(maximum=255),
        (
            "An idempotency key has from 1 to 255 visible characters of ASCII; this one has not. "
            "Make a new one for each change, such as a random UUID."
        ),
    ),
    (
        errors.IdempotencyKeyReusedError(key="k"),
        (
            "The idempotency key 'k' came with another request before; repeat that one exactly, or "
            "make a new key."
        ),
    ),
    (
        errors.IdempotencyKeyBusyError(key="k", retry_after_seconds=1),
        "The first request with the idempotency key 'k' is still at work; repeat it in 1 s.",
    ),
    (errors.EmptyRowsError(), "There is nothing to predict: pass at least one row."),
    (
        errors.TooManyRowsError(count=11, maximum=10),
        (
            "11 rows are more than the 10 that one request may have; send them in parts, "
            "or raise GQL_PLATFORM_MAX_ROWS."
        ),
    ),
    (
        errors.InvalidRowsError(model="iris", problems=(PROBLEM,), problem_count=2),
        (
            "2 values do not fit the signature of 'iris'; row 3, column 'age': The value is null. "
            "Expected a number."
        ),
    ),
    (
        errors.InvalidRowsError(model="iris", problems=(ROW_PROBLEM,), problem_count=1),
        (
            "1 value does not fit the signature of 'iris'; row 0: The row is text ('x'). "
            "Expected an object."
        ),
    ),
    (
        errors.InvalidBodyError(problem="It is no JSON.", expected="an object"),
        "The request body cannot be read: It is no JSON. Expected an object.",
    ),
    (
        errors.MethodNotAllowedError(method="PUT", path="/graphql", allowed="GET, POST"),
        "'/graphql' does not take PUT; it takes GET, POST.",
    ),
    (
        errors.BodyTooLargeError(limit_bytes=1024),
        (
            "The request body is larger than the 1024 bytes that are taken; send less, or raise "
            "GQL_PLATFORM_MAX_BODY_BYTES."
        ),
    ),
    (errors.NotFoundError(), "There is no such thing."),
    (
        errors.ModelNotFoundError(name="irs", served=("iris", "house")),
        "No model named 'irs' is served; these are: 'iris', 'house'.",
    ),
    (
        errors.ModelNotFoundError(name="irs", served=()),
        "No model named 'irs' is served; these are: none.",
    ),
    (
        errors.VersionNotFoundError(name="iris", version="7", served=[2]),
        "Version '7' of 'iris' is not served; these are: 2.",
    ),
    (
        errors.PathNotFoundError(path="/x"),
        "There is nothing at '/x'; /docs lists the paths, and /graphql is the API.",
    ),
    (errors.AccessError(), "That is not allowed."),
    (
        errors.UnauthenticatedError(),
        "This needs a key: send the header `Authorization: Bearer <API_SECRET_KEY>`.",
    ),
    (
        errors.InvalidKeyError(),
        "The key is not valid here: the header must be `Authorization: Bearer <API_SECRET_KEY>`.",
    ),
    (
        errors.ForbiddenError(permission="model:read"),
        "This needs the permission 'model:read', which the key does not have.",
    ),
    (
        errors.HostNotAllowedError(host="evil.example"),
        (
            "The server does not answer to the host 'evil.example'; call it by a name in "
            "GQL_PLATFORM_ALLOWED_HOSTS, or add this one."
        ),
    ),
    (
        errors.OriginNotAllowedError(origin="http://evil.example"),
        (
            "Web pages from 'http://evil.example' may not use the server; add the origin to "
            "GQL_PLATFORM_ALLOWED_ORIGINS if they should."
        ),
    ),
    (errors.UnavailableError(), "That does not work right now."),
    (
        errors.ModelNotReadyError(name="iris", reason="it is being loaded."),
        "The model 'iris' cannot predict yet: it is being loaded.",
    ),
    (
        errors.RegistryUnavailableError(uri="sqlite:///x", reason="it is locked."),
        "The model registry at sqlite:///x does not answer: it is locked.",
    ),
    (
        errors.MonitoringDisabledError(),
        "Metrics are switched off here; start the server with ENABLE_MONITORING=true.",
    ),
    (
        errors.ModelError(name="iris", version=2, reason="it is asleep."),
        "Version 2 of 'iris' does not do what it should: it is asleep.",
    ),
    (
        errors.UnsupportedModelError(name="iris", version=2, reason="it is text."),
        "Version 2 of 'iris' cannot be served: it is text.",
    ),
    (
        errors.ModelLoadError(name="iris", version=2, reason="no file."),
        "Version 2 of 'iris' could not be loaded: no file.",
    ),
    (
        errors.PredictionError(name="iris", version=2, reason="it raised ValueError."),
        "Version 2 of 'iris' failed on rows that fit its signature: it raised ValueError.",
    ),
    (errors.StartError(), "The server cannot start like this."),
    (
        errors.SettingsError(problems=["A: bad.", "B: worse."]),
        "The settings are wrong:\n  A: bad.\n  B: worse.",
    ),
    (
        errors.AccessNotConfiguredError(host="192.0.2.1"),
        (
            "The address 192.0.2.1 can be reached by other machines, and no access is configured; "
            "set API_SECRET_KEY to a secret of at least 16 characters, or bind to 127.0.0.1."
        ),
    ),
    (
        errors.DataFolderError(path="/x", reason="it is a file"),
        "The data folder /x cannot be used: it is a file; name another with GQL_PLATFORM_DATA_DIR.",
    ),
    (
        errors.DemoError(reason="no memory."),
        "The demo models could not be trained and registered: no memory.",
    ),
    (
        errors.AddressError(host="192.0.2.1", port=80, reason="it is not ours"),
        (
            "The server cannot listen on 192.0.2.1 at port 80: it is not ours; choose another "
            "address with --host or GQL_PLATFORM_HOST."
        ),
    ),
    (
        errors.MetricsPortError(host="127.0.0.1", port=80, reason="Permission denied"),
        (
            "The metrics cannot be shown on 127.0.0.1 at port 80: Permission denied; choose "
            "another port with --metrics-port, or another address with GQL_PLATFORM_HOST."
        ),
    ),
    (
        errors.UnsupportedMediaTypeError(media_type="none"),
        (
            "The body's media type is 'none', and JSON is read: send the header "
            "`Content-Type: application/json`."
        ),
    ),
    (
        errors.TooManyIDsError(count=101, maximum=100),
        "101 ids are more than the 100 that one field takes; ask for them in parts.",
    ),
    (
        errors.OverloadedError(model="house", maximum=128, retry_after_seconds=2),
        (
            "128 predictions of 'house' are at work or wait already; try again in 2 s, or raise "
            "GQL_PLATFORM_MAX_QUEUE."
        ),
    ),
    (
        errors.PredictionTimeoutError(name="house", version=2, seconds=30.0),
        (
            "Version 2 of 'house' did not answer within 30.0 s; send fewer rows, or raise "
            "GQL_PLATFORM_PREDICT_TIMEOUT_SECONDS."
        ),
    ),
    (
        errors.BreakingChangeError(
            model="house", version=3, served_version=2, changes=["the column 'a' is gone"]
        ),
        (
            "Version 3 of 'house' breaks what callers of version 2 rely on: \"the column 'a' is "
            'gone"; accept that with `allowBreaking: true`.'
        ),
    ),
    (
        errors.InvalidDeploymentError(model="house", problem="two variants are named 'a'"),
        "The deployment of 'house' cannot be served: two variants are named 'a'.",
    ),
    (
        errors.DeploymentConflictError(model="house", expected=1, found=2),
        (
            "The deployment of 'house' is at revision 2, not 1: somebody changed it meanwhile; "
            "read it again."
        ),
    ),
    (
        errors.UnknownVersionError(model="house", named="alias 'old'", versions=[2, 1]),
        "The model 'house' has no alias 'old'; it has the versions 2, 1.",
    ),
    (
        errors.NoEarlierDeploymentError(model="house"),
        ("The deployment of 'house' was never another, so that there is nothing to go back to."),
    ),
    (
        errors.WorkersError(reason="the first of them ended before it was ready"),
        "The workers do not stay alive: the first of them ended before it was ready.",
    ),
    (
        errors.ModelFileError(name="fraud", path="a.pkl", problem="there is no such file"),
        "The model 'fraud' cannot be served from a.pkl: there is no such file.",
    ),
    (
        errors.MLflowCommandError(problem="x is away", commands=("python -m venv y", "y/pip")),
        (
            "MLflow's pages cannot be shown: x is away. Make an environment for them, or name the "
            "executable with --mlflow or GQL_PLATFORM_MLFLOW_COMMAND:\n  python -m venv y\n  y/pip"
        ),
    ),
    (
        errors.TrustedDocumentsError(problems=["a.graphql: it is empty.", "b.json: it is not."]),
        ("The trusted documents cannot be used:\n  a.graphql: it is empty.\n  b.json: it is not."),
    ),
    (
        errors.ServerStoppingError(),
        "The server stops, and did not get done with the request; try again in a moment.",
    ),
    (
        errors.StoreAddressError(setting="A", uri="x:", problem="it is wrong", accepted="right"),
        "A is 'x:', which cannot be used: it is wrong. It should be right.",
    ),
    (
        errors.PortInUseError(host="127.0.0.1", port=8000),
        (
            "Port 8000 of 127.0.0.1 is in use by another program; stop that one, or choose another "
            "port with --port or GQL_PLATFORM_PORT."
        ),
    ),
]


def classes(root: type[PlatformError] = PlatformError) -> Iterator[type[PlatformError]]:
    """Return the classes of the tree in the order of their modules, parents first."""
    yield root
    for child in root.__subclasses__():
        if child.__module__.startswith(f"{errors.__name__}."):
            yield from classes(child)


def drawn_tree() -> list[tuple[str | None, str]]:
    """Return parent and name of each class in the package's docstring, from top to bottom."""
    path: list[str] = []
    found: list[tuple[str | None, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"    ([│├└─ ]*)(\w+Error)\b", line)
        if match:
            path[len(match[1]) // 4 :] = [match[2]]
            found.append((path[-2] if len(path) > 1 else None, match[2]))
    return found


class TestTree:
    def test_drawing_is_the_class_tree(self) -> None:
        """The docstring of the package draws the classes as they are, in the same order."""
        actual = [(None, "PlatformError")] + [
            (cls.__base__.__name__, cls.__name__)
            for cls in classes()
            if cls is not PlatformError
            if cls.__base__ is not None
        ]
        assert drawn_tree() == actual

    def test_codes_are_in_capitals(self) -> None:
        """Each class has a code, written as GraphQL writes its enums."""
        for cls in classes():
            assert re.fullmatch(r"[A-Z]+(_[A-Z]+)*", cls.code), cls.__name__

    def test_codes_are_unique(self) -> None:
        """A code names one class, so that a client can tell errors apart by it."""
        codes = [cls.code for cls in classes()]
        assert sorted(codes) == sorted(set(codes))


class TestMessages:
    @pytest.mark.parametrize(("error", "message"), MESSAGES, ids=lambda v: type(v).__name__)
    def test_message_is_the_docstring_with_the_data(
        self, error: PlatformError, message: str
    ) -> None:
        """The text says what was wrong, with the data in it."""
        assert str(error) == message

    def test_every_class_is_covered(self) -> None:
        """The table above has a line for each class."""
        assert {type(error) for error, _ in MESSAGES} == set(classes())


class TestData:
    def test_data_are_plain_values(self) -> None:
        """Records become dictionaries and sequences lists, ready for JSON."""
        error = errors.InvalidRowsError(model="iris", problems=(PROBLEM,), problem_count=2)
        assert error.data == {
            "model": "iris",
            "problems": [
                {
                    "row": 3,
                    "column": "age",
                    "problem": "The value is null.",
                    "expected": "a number",
                }
            ],
            "problem_count": 2,
        }

    def test_error_without_facts_has_no_data(self) -> None:
        """An error without attributes has an empty mapping."""
        assert errors.EmptyRowsError().data == {}

    def test_strings_stay_whole(self) -> None:
        """Text is a value, not a sequence of letters."""
        assert errors.ModelNotFoundError(name="a", served=("b", "c")).data == {
            "name": "a",
            "served": ["b", "c"],
        }
