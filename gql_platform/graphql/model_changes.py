"""Changes of models and versions in the schema."""

from dataclasses import dataclass
from typing import Annotated

import strawberry

from gql_platform.access.records import Permission
from gql_platform.doc import Doc
from gql_platform.errors import (
    BreakingChangeError,
    InvalidDeploymentError,
    InvalidIDError,
    InvalidModelError,
    InvalidNoteError,
    ModelFilesNotFoundError,
    ModelLoadError,
    ModelNotFoundError,
    ModelVersionInUseError,
    PlatformError,
    ReadOnlyServerError,
    RunNotFoundError,
    UnknownVersionError,
    UnsupportedModelError,
)
from gql_platform.graphql.context import Info
from gql_platform.graphql.deployments import KEY_ERRORS
from gql_platform.graphql.model_inputs import (
    ModelRegisterInput,
    ModelUpdateInput,
    ModelVersionDeleteInput,
    ModelVersionTransitionInput,
    ModelVersionUpdateInput,
    notes_of,
)
from gql_platform.graphql.mutation import Path, root_mutation
from gql_platform.graphql.registry import ModelType, ModelVersionType
from gql_platform.graphql.run_inputs import run_id_of, tags_of
from gql_platform.graphql.type_of import type_of
from gql_platform.model_changes.records import Notes
from gql_platform.registry.records import Model, ModelVersion, VersionRef

# The errors beside these types have facts that are called `model` and `version`.


@dataclass(frozen=True, slots=True)
class ModelChange:
    """A model that was changed."""

    registered_model: Annotated[Model, Doc("The model as it is now.")]


@type_of(ModelChange)
class ModelChangeType:
    """A model that was changed."""

    registered_model: ModelType


@dataclass(frozen=True, slots=True)
class ModelVersionChange:
    """A version that was registered or changed."""

    model_version: Annotated[ModelVersion, Doc("The version as it is now.")]


@type_of(ModelVersionChange)
class ModelVersionChangeType:
    """A version that was registered or changed."""

    model_version: ModelVersionType


MODEL_ERRORS: dict[type[PlatformError], Path] = {
    ModelNotFoundError: ("input", "model"),
    ReadOnlyServerError: (),
    **KEY_ERRORS,
}
VERSION_ERRORS: dict[type[PlatformError], Path] = {
    UnknownVersionError: ("input", "version"),
    **MODEL_ERRORS,
}


@strawberry.type
class ModelsMutation:
    """The changes of models and versions."""

    @root_mutation(
        Permission.MODEL_WRITE,
        success=ModelVersionChangeType,
        errors={
            InvalidModelError: ("input",),
            InvalidIDError: ("input", "run", "id"),
            RunNotFoundError: ("input", "run"),
            ModelFilesNotFoundError: ("input", "path"),
            ReadOnlyServerError: (),
            **KEY_ERRORS,
        },
    )
    @staticmethod
    async def model_register(
        info: Info,
        input: Annotated[  # noqa: A002 - the name that every mutation gives it
            ModelRegisterInput, strawberry.argument(description="What is registered.")
        ],
    ) -> ModelVersionChange:
        """Register the files of a run as the next version of a model.

        Where the newest version of the model serves, for there is no champion, it is made the
        champion first, so that nothing else serves than before.
        """
        changes, by = info.context.services.model_changes, info.context.viewer.name
        run_id, path, key = run_id_of(input.run), input.path, input.idempotency_key
        notes = Notes(input.description, tags_of(input.tags))
        return ModelVersionChange(
            await changes.register(
                input.model, by=by, run_id=run_id, path=path, notes=notes, key=key
            )
        )

    @root_mutation(
        Permission.MODEL_DEPLOY,
        success=ModelVersionChangeType,
        errors={
            InvalidNoteError: ("input", "note"),
            InvalidDeploymentError: ("input", "stage"),
            ModelVersionInUseError: ("input", "stage"),
            BreakingChangeError: ("input", "version"),
            ModelLoadError: ("input", "version"),
            UnsupportedModelError: ("input", "version"),
            **VERSION_ERRORS,
        },
    )
    @staticmethod
    async def model_version_transition(
        info: Info,
        input: Annotated[  # noqa: A002 - the name that every mutation gives it
            ModelVersionTransitionInput,
            strawberry.argument(description="Which version moves where."),
        ],
    ) -> ModelVersionChange:
        """Move a version to a stage: in `PRODUCTION` it is the champion, once it is loaded."""
        changes, by = info.context.services.model_changes, info.context.viewer.name
        ref, key = VersionRef(input.model, input.version), input.idempotency_key
        breaking, note = input.allow_breaking, input.note
        return ModelVersionChange(
            await changes.transition(
                ref, input.stage, by=by, allow_breaking=breaking, note=note, key=key
            )
        )

    @root_mutation(
        Permission.MODEL_WRITE,
        success=ModelChangeType,
        errors={ModelVersionInUseError: ("input", "version"), **VERSION_ERRORS},
    )
    @staticmethod
    async def model_version_delete(
        info: Info,
        input: Annotated[  # noqa: A002 - the name that every mutation gives it
            ModelVersionDeleteInput, strawberry.argument(description="Which version is deleted.")
        ],
    ) -> ModelChange:
        """Delete a version that does not serve; its files stay where they are."""
        changes, by = info.context.services.model_changes, info.context.viewer.name
        ref, key = VersionRef(input.model, input.version), input.idempotency_key
        return ModelChange(await changes.delete_version(ref, by=by, key=key))

    @root_mutation(
        Permission.MODEL_WRITE,
        success=ModelChangeType,
        errors={InvalidModelError: ("input",), **MODEL_ERRORS},
    )
    @staticmethod
    async def model_update(
        info: Info,
        input: Annotated[  # noqa: A002 - the name that every mutation gives it
            ModelUpdateInput, strawberry.argument(description="What is written on which model.")
        ],
    ) -> ModelChange:
        """Describe and tag a model."""
        changes, by = info.context.services.model_changes, info.context.viewer.name
        notes, key = notes_of(input), input.idempotency_key
        return ModelChange(await changes.update(input.model, notes, by=by, key=key))

    @root_mutation(
        Permission.MODEL_WRITE,
        success=ModelVersionChangeType,
        errors={InvalidModelError: ("input",), **VERSION_ERRORS},
    )
    @staticmethod
    async def model_version_update(
        info: Info,
        input: Annotated[  # noqa: A002 - the name that every mutation gives it
            ModelVersionUpdateInput,
            strawberry.argument(description="What is written on which version."),
        ],
    ) -> ModelVersionChange:
        """Describe and tag a version."""
        changes, by = info.context.services.model_changes, info.context.viewer.name
        ref, key = VersionRef(input.model, input.version), input.idempotency_key
        return ModelVersionChange(
            await changes.update_version(ref, notes_of(input), by=by, key=key)
        )
