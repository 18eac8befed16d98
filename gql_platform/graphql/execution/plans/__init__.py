"""Compiled execution: selections of plain fields as Python functions, the rest as ever.

Give `CompiledExecution` to a Strawberry schema as its ``execution_context_class``.
"""

from gql_platform.graphql.execution.plans.classes import InstanceOf
from gql_platform.graphql.execution.plans.events import EventPlan
from gql_platform.graphql.execution.plans.executor import CompiledExecution
from gql_platform.graphql.execution.plans.operation import OperationPlan
from gql_platform.graphql.execution.plans.store import PlanStore, plans_of

__all__ = ["CompiledExecution", "EventPlan", "InstanceOf", "OperationPlan", "PlanStore", "plans_of"]
