"""A model that does what a cell of its rows tells it to; servers of the tests import it."""

import os
import signal
import time
from enum import IntEnum

import numpy as np
import numpy.typing as npt
import pandas as pd
from mlflow.pyfunc.model import PythonModel

SLOW_SECONDS = 0.005
"""How long each call holds the interpreter, so that the model gets a process of its own."""


class Fault(IntEnum):
    """What a row may ask for; any other number is answered with its double."""

    RAISE = -1
    HANG = -2
    FORGET_A_ROW = -3
    NOT_A_NUMBER = -4
    EAT_MEMORY = -5
    DIE = -6


class Faulty(PythonModel):  # type: ignore[misc] # MLflow has no types here
    """Double the column ``x``, or fail in the way that it asks for."""

    def predict(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, context: object, model_input: pd.DataFrame, params: object = None
    ) -> npt.NDArray[np.float64]:
        """Return an answer, if there is one."""
        del context, params
        until = time.perf_counter() + SLOW_SECONDS
        while time.perf_counter() < until:
            pass
        values = model_input["x"].to_numpy(dtype=np.float64)
        match values[0]:
            case Fault.RAISE:
                raise ValueError("no such flat")
            case Fault.HANG:
                time.sleep(3600)
            case Fault.FORGET_A_ROW:
                values = values[1:]
            case Fault.NOT_A_NUMBER:
                values[:] = np.nan
            case Fault.EAT_MEMORY:
                bytearray(1 << 40)
            case Fault.DIE:
                os.kill(os.getpid(), signal.SIGKILL)
            case _:
                pass
        return 2 * values
