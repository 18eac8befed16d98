"""What changes of models and versions are told."""

import strawberry

from gql_platform.graphql.deployments import IDEMPOTENCY_KEY, NOTE
from gql_platform.graphql.run_inputs import TagInput, tags_of
from gql_platform.graphql.runs import RunBy
from gql_platform.model_changes.records import Notes
from gql_platform.registry.records import Stage

DESCRIPTION = "At most 5,000 characters; an empty text takes the old one away, null leaves it."


@strawberry.input(description="A version that is to be registered.")
class ModelRegisterInput:
    """A version that is to be registered."""

    model: str = strawberry.field(
        description="The name of the model, which is made if it is missing."
    )
    run: RunBy = strawberry.field(description="The run that has the files of the model.")
    path: str = strawberry.field(
        default="model",
        description="Where the run has them: the name of a logged model, or a path below the "
        "run's own files.",
    )
    description: str | None = strawberry.field(
        default=None, description="What is new in the version; at most 5,000 characters."
    )
    tags: list[TagInput] = strawberry.field(default_factory=list, description="Its tags.")
    idempotency_key: str | None = strawberry.field(default=None, description=IDEMPOTENCY_KEY)


@strawberry.input(description="A version that is to move to another stage.")
class ModelVersionTransitionInput:
    """A version that is to move to another stage."""

    model: str = strawberry.field(description="The name of the model.")
    version: int = strawberry.field(description="The number of the version.")
    stage: Stage = strawberry.field(description="The stage.")
    allow_breaking: bool = strawberry.field(
        default=False, description="Whether the typed contract of the model may break."
    )
    note: str | None = strawberry.field(default=None, description=NOTE)
    idempotency_key: str | None = strawberry.field(default=None, description=IDEMPOTENCY_KEY)


@strawberry.input(description="A version that is to be deleted.")
class ModelVersionDeleteInput:
    """A version that is to be deleted."""

    model: str = strawberry.field(description="The name of the model.")
    version: int = strawberry.field(description="The number of the version.")
    idempotency_key: str | None = strawberry.field(default=None, description=IDEMPOTENCY_KEY)


@strawberry.input(description="What is to be written on a model.")
class ModelUpdateInput:
    """What is to be written on a model."""

    model: str = strawberry.field(description="The name of the model.")
    description: str | None = strawberry.field(default=None, description=DESCRIPTION)
    set_tags: list[TagInput] = strawberry.field(
        default_factory=list,
        description="Tags that are set, in the place of those with the same key.",
    )
    remove_tags: list[str] = strawberry.field(
        default_factory=list, description="Keys of tags that are taken away, if they are there."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=IDEMPOTENCY_KEY)


@strawberry.input(description="What is to be written on a version.")
class ModelVersionUpdateInput:
    """What is to be written on a version."""

    model: str = strawberry.field(description="The name of the model.")
    version: int = strawberry.field(description="The number of the version.")
    description: str | None = strawberry.field(default=None, description=DESCRIPTION)
    set_tags: list[TagInput] = strawberry.field(
        default_factory=list,
        description="Tags that are set, in the place of those with the same key.",
    )
    remove_tags: list[str] = strawberry.field(
        default_factory=list, description="Keys of tags that are taken away, if they are there."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=IDEMPOTENCY_KEY)


def notes_of(given: ModelUpdateInput | ModelVersionUpdateInput) -> Notes:
    """Return what is to be written as a record."""
    return Notes(given.description, tags_of(given.set_tags), given.remove_tags)
