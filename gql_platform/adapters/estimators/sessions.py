"""Sessions of onnxruntime, as a server wants them."""

import onnxruntime


def session_of(model: bytes | str) -> onnxruntime.InferenceSession:
    """Return a session that computes in the calling thread alone, and lets others compute.

    Args:
        model: An ONNX graph as bytes, or the path of its file. Weights in files of their own are
            read from beside it; onnxruntime refuses those that lie outside of its folder.

    Raises:
        Exception: If it is no graph that onnxruntime runs.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
