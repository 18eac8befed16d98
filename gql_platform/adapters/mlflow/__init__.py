"""MLflow as registry, as store of runs and as loader of models.

MLflow reads its own settings from the environment while it is imported, so ours are set here,
before any module of this package imports it. Whoever sets one of these names wins over us.
"""

import os
import warnings

_DEFAULTS = {
    # A registry that is down is asked again by the server itself. MLflow's seven retries with
    # growing pauses would keep a request waiting for minutes.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    # Nor would it be told in time, where a proxy says to come again in a minute.
    "MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    # The process's own logging is in charge of MLflow's and Alembic's lines too.
    "MLFLOW_CONFIGURE_LOGGING": "false",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    # MLflow asks Git for the commit of a run, and GitPython complains where Git is missing.
    "GIT_PYTHON_REFRESH": "quiet",
}

for _name, _value in _DEFAULTS.items():
    os.environ.setdefault(_name, _value)

# While it is imported, MLflow sets off warnings that only its authors can do something about.
for _message in (
    ".*Any type hint is inferred as AnyType",
    "The ``noload`` loader strategy is deprecated",
):
    warnings.filterwarnings("ignore", message=_message)
