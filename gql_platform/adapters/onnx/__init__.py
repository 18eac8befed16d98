"""Models that come as ONNX graphs."""
