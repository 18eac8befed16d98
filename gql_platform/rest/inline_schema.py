"""The JSON schema of a model in one piece, for the bodies that FastAPI does not read."""

from typing import Any

from pydantic import BaseModel


def inline_schema(model: type[BaseModel]) -> dict[str, Any]:
    """Return a model's JSON schema with its parts written out where they are used.

    Args:
        model: A model whose parts do not contain each other.
    """
    schema = model.model_json_schema()
    parts: dict[str, Any] = schema.pop("$defs", {})

    def written_out(node: Any) -> Any:
        if isinstance(node, list):
            return [written_out(each) for each in node]
        if not isinstance(node, dict):
            return node
        part = parts[node["$ref"].rpartition("/")[2]] if "$ref" in node else {}
        rest = {key: value for key, value in node.items() if key != "$ref"}
        return {key: written_out(value) for key, value in {**part, **rest}.items()}

    result: dict[str, Any] = written_out(schema)
    return result
