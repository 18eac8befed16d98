"""Everything that can go wrong in a way that was foreseen, as one tree.

    PlatformError
    ├── AccessError                    the caller may not do that
    │   ├── UnauthenticatedError       no key, and the operation needs one
    │   ├── InvalidKeyError            a key that is not ours
    │   ├── ForbiddenError             a key without the permission
    │   ├── HostNotAllowedError        a Host header that does not name this server
    │   ├── OriginNotAllowedError      a web page of another origin
    │   ├── InvalidDownloadError       a link to a file that none of our servers made
    │   └── DownloadExpiredError       a link to a file whose time is over
    ├── UnavailableError               right now it does not work; later it may
    │   ├── ModelNotReadyError         the model is loading, or could not be loaded
    │   ├── RegistryUnavailableError   the model registry does not answer
    │   ├── ServerStoppingError        the server stops before the request is done
    │   ├── OverloadedError            more predictions than the server gets done
    │   ├── PredictionTimeoutError     a model that does not answer in time
    │   ├── MonitoringDisabledError    the metrics are switched off
    │   ├── ReadOnlyServerError        a server of files, which keeps no changes
    │   ├── JobsUnavailableError       a server in memory, which no worker finds
    │   ├── StoreUnavailableError      the platform's own database does not answer
    │   ├── IdempotencyKeyBusyError    the first request with the key is still at work
    │   └── ReceiverUnavailableError   the receiver of a webhook does not answer
    ├── InvalidInputError              the caller sent something that cannot be used
    │   ├── InvalidIDError             an id that none of our types made
    │   ├── TooManyIDsError            more ids than are fetched at once
    │   ├── InvalidCursorError         a cursor that no page gave out
    │   ├── PageSizeError              a page of no or of too many items
    │   ├── PointCountError            a series of too few or too many points
    │   ├── InvalidDepthError          a lineage of no or of too many steps
    │   ├── RunFilterError             a filter or an order of runs that cannot be used
    │   ├── TooManySeriesError         more series than one field takes
    │   ├── IntervalError              a sampling interval that is too short or too long
    │   ├── EmptyRowsError             a prediction without rows
    │   ├── TooManyRowsError           a prediction with more rows than are served at once
    │   ├── InvalidRowsError           rows that do not fit the model's signature
    │   ├── InvalidBodyError           a request body that is not what the path reads
    │   ├── UnsupportedMediaTypeError  a request body that is not said to be JSON
    │   ├── MethodNotAllowedError      a path that is not called like that
    │   ├── BodyTooLargeError          a request body above the limit
    │   ├── InvalidDeploymentError     variants that cannot be served together
    │   ├── DeploymentConflictError    a deployment that somebody else changed meanwhile
    │   ├── JobFilterError             kinds of jobs that cannot be
    │   ├── JobFinishedError           a job that is done and cannot be cancelled
    │   ├── JobUnfinishedError         a job that is not done and cannot be repeated
    │   ├── JobPriorityError           a number that is no priority of a job
    │   ├── InvalidCronError           times that are none, or never come
    │   ├── InvalidTimeZoneError       a time zone that there is not
    │   ├── TooManyExperimentsError    more experiments than an export names
    │   ├── TooManySchedulesError      more schedules than are kept
    │   ├── InvalidModelError          a model that cannot be written like that
    │   ├── InvalidNoteError           a note that is too long
    │   ├── ModelVersionInUseError     a version that serves, and cannot go
    │   ├── InvalidArtifactPathError   a path that can be no file of a run
    │   ├── EventFilterError           a filter that no type of event can match
    │   ├── SequenceError              a sequence that no event has had yet
    │   ├── InvalidIdempotencyKeyError a text that cannot be an idempotency key
    │   ├── IdempotencyKeyReusedError  an idempotency key that came with another request
    │   ├── InvalidExperimentError     an experiment that cannot be made
    │   ├── ExperimentExistsError      a name that an experiment has already
    │   ├── ExperimentDeletedError     an experiment that takes no runs
    │   ├── InvalidRunError            a run that cannot be written like that
    │   ├── RunDeletedError            a run that was deleted and cannot be written to
    │   ├── RunFinishedError           a run that is over and stays as it is
    │   ├── TooManyItemsError          more items than are logged at once
    │   ├── WebhookAddressError        an address that nothing is sent to
    │   ├── WebhookSecretError         a text that cannot sign
    │   ├── WebhookTextError           a text that is not kept
    │   ├── TooManyWebhooksError       more webhooks than are looked at for each event
    │   └── WebhookDisabledError       a message on trial where nothing is sent
    ├── NotFoundError
    │   ├── ModelNotFoundError         no served model of that name
    │   ├── VersionNotFoundError       no such version of a served model
    │   ├── UnknownVersionError        no such version of a model, or no such alias
    │   ├── NoEarlierDeploymentError   nothing to go back to
    │   ├── PathNotFoundError          no such path
    │   ├── JobNotFoundError           no such job
    │   ├── JobFileNotFoundError       no such file of a job, or no longer
    │   ├── ScheduleNotFoundError      no such schedule
    │   ├── ModelFilesNotFoundError    no files of a model where a run should have them
    │   ├── ArtifactNotFoundError      no such file of a run, or no longer
    │   ├── ExperimentNotFoundError    no such experiment
    │   ├── RunNotFoundError           no such run
    │   ├── WebhookNotFoundError       no such webhook
    │   └── WebhookDeliveryNotFoundError no such delivery, or no longer
    ├── WorkerProcessError             the process that works on jobs ended too early
    ├── ModelError                     the model itself does not do what it should
    │   ├── UnsupportedModelError      a model that cannot be served
    │   ├── ModelLoadError             loading the model's files failed
    │   └── PredictionError            the model failed on rows that fit its signature
    ├── BreakingChangeError            a version that breaks the typed contract of its model
    ├── StartError                     the server cannot start as it is configured
    │   ├── SettingsError              settings that are wrong or unknown
    │   ├── AccessNotConfiguredError   an open address without a key
    │   ├── DataFolderError            a data folder that cannot be written
    │   ├── StoreAddressError          an address of a store that can never work
    │   ├── TrustedDocumentsError      documents that do not go with the schema
    │   ├── DemoError                  the demo models could not be trained and registered
    │   ├── PortInUseError             another program has the port
    │   ├── AddressError               an address that this machine does not have
    │   ├── MetricsPortError           a port that a worker cannot show its metrics at
    │   ├── WorkersError               server processes that do not stay alive
    │   ├── ModelFileError             a model's file that is not there
    │   ├── MLflowCommandError         no program that shows MLflow's own pages
    │   └── DatabaseTooNewError        a database that a newer version has written
    ├── DatabaseError                  a command on the database's file cannot be done
    │   ├── DatabaseInUseError         a server holds the file
    │   ├── DatabaseFileError          a file that is no database of ours, or a broken one
    │   └── NoDatabaseFileError        a database that is not a file
    └── TrackerError                   a program that tracks its runs cannot do that
        ├── NoActiveRunError           something is logged while no run is active
        ├── RunActiveError             a second run while the first is active
        ├── UnknownStageError          a word that is no stage
        ├── UnknownFlavourError        a kind of model that is not logged
        ├── FlavourNotInstalledError   a kind of model whose package is missing
        └── ModelNotLoggedError        a model that does not let itself be logged

An error is a fact: its data are attributes, its class has a stable `code`, and its docstring is
the message, filled with the data.
It knows nothing of HTTP or GraphQL; those edges translate `code` and `data`.
"""

from gql_platform.errors.access import (
    AccessError,
    ForbiddenError,
    HostNotAllowedError,
    InvalidKeyError,
    OriginNotAllowedError,
    UnauthenticatedError,
)
from gql_platform.errors.availability import (
    ModelNotReadyError,
    MonitoringDisabledError,
    OverloadedError,
    PredictionTimeoutError,
    ReadOnlyServerError,
    RegistryUnavailableError,
    ServerStoppingError,
    UnavailableError,
)
from gql_platform.errors.downloads import DownloadExpiredError, InvalidDownloadError
from gql_platform.errors.input import (
    BodyTooLargeError,
    DeploymentConflictError,
    EmptyRowsError,
    IntervalError,
    InvalidBodyError,
    InvalidCursorError,
    InvalidDeploymentError,
    InvalidDepthError,
    InvalidIDError,
    InvalidInputError,
    InvalidRowsError,
    MethodNotAllowedError,
    ModelNotFoundError,
    NoEarlierDeploymentError,
    NotFoundError,
    PageSizeError,
    PathNotFoundError,
    PointCountError,
    RowProblem,
    RunFilterError,
    TooManyIDsError,
    TooManyRowsError,
    TooManySeriesError,
    UnknownVersionError,
    UnsupportedMediaTypeError,
    VersionNotFoundError,
)
from gql_platform.errors.jobs import (
    InvalidCronError,
    InvalidTimeZoneError,
    JobFileNotFoundError,
    JobFilterError,
    JobFinishedError,
    JobNotFoundError,
    JobPriorityError,
    JobsUnavailableError,
    JobUnfinishedError,
    ScheduleNotFoundError,
    TooManyExperimentsError,
    TooManySchedulesError,
    WorkerProcessError,
)
from gql_platform.errors.model import (
    BreakingChangeError,
    ModelError,
    ModelLoadError,
    PredictionError,
    UnsupportedModelError,
)
from gql_platform.errors.registry import (
    InvalidModelError,
    InvalidNoteError,
    ModelFilesNotFoundError,
    ModelVersionInUseError,
)
from gql_platform.errors.run_files import ArtifactNotFoundError, InvalidArtifactPathError
from gql_platform.errors.start import (
    AccessNotConfiguredError,
    AddressError,
    DataFolderError,
    DemoError,
    MetricsPortError,
    MLflowCommandError,
    ModelFileError,
    PortInUseError,
    SettingsError,
    StartError,
    StoreAddressError,
    TrustedDocumentsError,
    WorkersError,
)
from gql_platform.errors.store import (
    DatabaseError,
    DatabaseFileError,
    DatabaseInUseError,
    DatabaseTooNewError,
    EventFilterError,
    IdempotencyKeyBusyError,
    IdempotencyKeyReusedError,
    InvalidIdempotencyKeyError,
    NoDatabaseFileError,
    SequenceError,
    StoreUnavailableError,
)
from gql_platform.errors.tracker import (
    FlavourNotInstalledError,
    ModelNotLoggedError,
    NoActiveRunError,
    RunActiveError,
    TrackerError,
    UnknownFlavourError,
    UnknownStageError,
)
from gql_platform.errors.tracking import (
    ExperimentDeletedError,
    ExperimentExistsError,
    ExperimentNotFoundError,
    InvalidExperimentError,
    InvalidRunError,
    RunDeletedError,
    RunFinishedError,
    RunNotFoundError,
    TooManyItemsError,
)
from gql_platform.errors.tree import (
    PlatformError,
)
from gql_platform.errors.webhooks import (
    ReceiverUnavailableError,
    TooManyWebhooksError,
    WebhookAddressError,
    WebhookDeliveryNotFoundError,
    WebhookDisabledError,
    WebhookNotFoundError,
    WebhookSecretError,
    WebhookTextError,
)

__all__ = [
    "AccessError",
    "AccessNotConfiguredError",
    "AddressError",
    "ArtifactNotFoundError",
    "BodyTooLargeError",
    "BreakingChangeError",
    "DataFolderError",
    "DatabaseError",
    "DatabaseFileError",
    "DatabaseInUseError",
    "DatabaseTooNewError",
    "DemoError",
    "DeploymentConflictError",
    "DownloadExpiredError",
    "EmptyRowsError",
    "EventFilterError",
    "ExperimentDeletedError",
    "ExperimentExistsError",
    "ExperimentNotFoundError",
    "FlavourNotInstalledError",
    "ForbiddenError",
    "HostNotAllowedError",
    "IdempotencyKeyBusyError",
    "IdempotencyKeyReusedError",
    "IntervalError",
    "InvalidArtifactPathError",
    "InvalidBodyError",
    "InvalidCronError",
    "InvalidCursorError",
    "InvalidDeploymentError",
    "InvalidDepthError",
    "InvalidDownloadError",
    "InvalidExperimentError",
    "InvalidIDError",
    "InvalidIdempotencyKeyError",
    "InvalidInputError",
    "InvalidKeyError",
    "InvalidModelError",
    "InvalidNoteError",
    "InvalidRowsError",
    "InvalidRunError",
    "InvalidTimeZoneError",
    "JobFileNotFoundError",
    "JobFilterError",
    "JobFinishedError",
    "JobNotFoundError",
    "JobPriorityError",
    "JobUnfinishedError",
    "JobsUnavailableError",
    "MLflowCommandError",
    "MethodNotAllowedError",
    "MetricsPortError",
    "ModelError",
    "ModelFileError",
    "ModelFilesNotFoundError",
    "ModelLoadError",
    "ModelNotFoundError",
    "ModelNotLoggedError",
    "ModelNotReadyError",
    "ModelVersionInUseError",
    "MonitoringDisabledError",
    "NoActiveRunError",
    "NoDatabaseFileError",
    "NoEarlierDeploymentError",
    "NotFoundError",
    "OriginNotAllowedError",
    "OverloadedError",
    "PageSizeError",
    "PathNotFoundError",
    "PlatformError",
    "PointCountError",
    "PortInUseError",
    "PredictionError",
    "PredictionTimeoutError",
    "ReadOnlyServerError",
    "ReceiverUnavailableError",
    "RegistryUnavailableError",
    "RowProblem",
    "RunActiveError",
    "RunDeletedError",
    "RunFilterError",
    "RunFinishedError",
    "RunNotFoundError",
    "ScheduleNotFoundError",
    "SequenceError",
    "ServerStoppingError",
    "SettingsError",
    "StartError",
    "StoreAddressError",
    "StoreUnavailableError",
    "TooManyExperimentsError",
    "TooManyIDsError",
    "TooManyItemsError",
    "TooManyRowsError",
    "TooManySchedulesError",
    "TooManySeriesError",
    "TooManyWebhooksError",
    "TrackerError",
    "TrustedDocumentsError",
    "UnauthenticatedError",
    "UnavailableError",
    "UnknownFlavourError",
    "UnknownStageError",
    "UnknownVersionError",
    "UnsupportedMediaTypeError",
    "UnsupportedModelError",
    "VersionNotFoundError",
    "WebhookAddressError",
    "WebhookDeliveryNotFoundError",
    "WebhookDisabledError",
    "WebhookNotFoundError",
    "WebhookSecretError",
    "WebhookTextError",
    "WorkerProcessError",
    "WorkersError",
]
