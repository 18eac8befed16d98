"""The services of a server end together."""

from dataclasses import dataclass, replace
from typing import Any, cast

import pytest

from gql_platform.testing import in_memory_services

pytestmark = pytest.mark.anyio


@dataclass
class Ending:
    """Something that says when it ends, and may fail then."""

    name: str
    told: list[str]
    fails: bool = False

    async def close(self) -> None:
        """End, or fail to."""
        self.told.append(self.name)
        if self.fails:
            raise ZeroDivisionError


async def test_one_that_fails_to_end_keeps_back_no_other() -> None:
    """All end, those first that others are asked by, and the failure is told."""
    told: list[str] = []
    names = ("serving", "live", "tracking", "jobs", "store")
    endings = {name: Ending(name, told, fails=name == "live") for name in names}
    services = in_memory_services()
    closing = replace(services, **cast(dict[str, Any], endings))
    with pytest.raises(ZeroDivisionError):
        await closing.close()
    assert told == list(names)
    await services.close()
