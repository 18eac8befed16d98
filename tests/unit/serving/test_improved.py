"""A version that serves is made quicker behind its callers' backs, or goes on as it is."""

import asyncio
from dataclasses import replace

import pandas as pd
import pytest
from structlog.testing import capture_logs

from gql_platform.errors import ModelLoadError
from gql_platform.registry.records import ModelVersion, VersionRef
from gql_platform.serving.fleet import ISOLATED_US
from gql_platform.serving.ports import Output, Predictor, Table
from gql_platform.serving.records import NATIVE, Compilation, Engine, Placement, RefusedEngine
from tests.unit.serving.doubles import Held
from tests.unit.serving.lanes import until
from tests.unit.serving.versions import Numbered, Site, answer_of, closings

pytestmark = pytest.mark.anyio

FIRST = VersionRef("house", 1)


class Compiled(Numbered):
    """What a version was compiled to."""

    compilation = Compilation(Engine.FOLDED, 1e-15, 1e-9, 100, 3.5)


class Broken(Compiled):
    """What a version was compiled to, if that cannot compute at all."""

    def predict(self, rows: Table) -> Output:
        """Fail."""
        del rows
        raise ArithmeticError


class Slow(Numbered):
    """A model that holds the others up, as its warm-up finds out."""

    def __init__(self) -> None:
        super().__init__(1, is_quick=False)
        self._warm_up_seconds = 2 * ISOLATED_US / 1e6


class Cells:
    """An `Isolation` that gives the same predictor for each, or an error.

    Attributes:
        isolated_versions: The versions that were to be isolated.
    """

    def __init__(self, given: Predictor | ModelLoadError) -> None:
        self.isolated_versions: list[int] = []
        self._given = given

    async def isolated(self, version: ModelVersion, predictor: Predictor) -> Predictor:
        """Return it, or raise."""
        del predictor
        self.isolated_versions.append(version.version)
        if isinstance(self._given, ModelLoadError):
            raise self._given
        return self._given


async def improved(site: Site, *, engine: Engine) -> None:
    """Return when the version is computed by that engine."""

    def is_there() -> bool:
        served = site.variant().served
        assert served is not None
        assert served.compilation is not None
        return served.compilation.engine is engine

    await until(is_there)


class TestCompiled:
    async def test_takes_over_without_a_failed_request(self) -> None:
        """Under load every request is answered, first by the one and then by the other."""
        native, compiled = Numbered(1, is_quick=False), Compiled(1, is_quick=False)
        site = Site()
        site.register(native, champion=1)
        site.shelf.better[FIRST] = compiled
        await site.deployments.follow_once()
        before = site.variant().served
        areas = iter(range(1, 1_000_000))

        async def caller() -> None:
            while not native.closings:
                area = float(next(areas))
                assert await site.predicted(area) == (1, answer_of(1, area))

        callers = [asyncio.create_task(caller()) for _ in range(20)]
        await asyncio.sleep(0)
        site.serving.become_ready()
        await asyncio.gather(*callers)
        after = site.variant().served
        assert before is not None
        assert after is not None
        assert (before.compilation, after.compilation) == (NATIVE, Compiled.compilation)
        assert (after.loaded_at, after.load_ms) == (before.loaded_at, before.load_ms)
        assert (await site.serving.predict("house", [(1.0, 1, True)])).engine is Engine.FOLDED
        # The version did not come or go for those who count.
        assert site.observer.settled == [("house", 1, True)]
        assert site.observer.retired == []
        assert closings([native, compiled]) == [1, 0]
        await site.serving.close()
        assert closings([native, compiled]) == [1, 1]

    async def test_old_form_ends_what_it_has_begun(self) -> None:
        """A request in hand is answered by the form that it began with."""
        held = Held(1)
        native, compiled = Numbered(1, before=held.act, is_quick=False), Compiled(1)
        site = Site()
        site.register(native, champion=1)
        site.shelf.better[FIRST] = compiled
        await site.deployments.follow_once()
        asked = asyncio.create_task(site.predicted(5.0))
        await asyncio.to_thread(held.wait_until_full)
        site.serving.become_ready()
        await improved(site, engine=Engine.FOLDED)
        assert await site.served() == 1
        assert closings([native, compiled]) == [0, 0]
        held.open()
        assert await asked == (1, answer_of(1, 5.0))
        await until(lambda: closings([native, compiled]) == [1, 0])
        await site.serving.close()

    async def test_nothing_is_compiled_before_the_server_is_ready(self) -> None:
        """A start is not kept back by it."""
        site = Site()
        site.register(Numbered(1), champion=1)
        site.shelf.better[FIRST] = Compiled(1)
        await site.deployments.follow_once()
        for _ in range(20):
            await asyncio.sleep(0)
        served = site.variant().served
        assert served is not None
        assert served.compilation is NATIVE
        await site.serving.close()

    async def test_one_that_does_not_compute_is_not_taken(self) -> None:
        """The version goes on as it was loaded, and the log says why."""
        native, broken = Numbered(1), Broken(1)
        site = Site()
        site.register(native, champion=1)
        package = (await site.store.packages([FIRST]))[FIRST]
        row = {"living area (m2)": 1.0, "number of rooms": 1, "has a garden": True}
        site.store._packages[FIRST] = replace(package, input_example=(row,))
        site.shelf.better[FIRST] = broken
        with capture_logs() as lines:
            await site.deployments.load_all()
            await until(lambda: broken.closings == 1)
        assert [line["event"] for line in lines if line["log_level"] == "warning"] == [
            "not_compiled"
        ]
        assert await site.served() == 1
        assert native.closings == 0
        await site.serving.close()

    async def test_a_version_that_left_meanwhile_is_not_brought_back(self) -> None:
        """What it was compiled to is closed."""
        native, compiled = Numbered(1), Compiled(1)
        site = Site()
        site.register(native, Numbered(2), champion=1)
        site.shelf.better[FIRST] = compiled
        compiling, may_end = asyncio.Event(), asyncio.Event()
        give = site.shelf.compiled

        async def slowly(version: ModelVersion, package: object, predictor: Predictor) -> Predictor:
            compiling.set()
            await may_end.wait()
            return await give(version, package, predictor)  # type: ignore[arg-type]

        site.shelf.compiled = slowly  # type: ignore[method-assign]
        await site.deployments.load_all()
        await compiling.wait()
        await site.promoted(2)
        may_end.set()
        await until(lambda: closings([native, compiled]) == [1, 1])
        assert await site.served() == 2
        await site.serving.close()

    async def test_what_was_refused_is_shown(self) -> None:
        """A compilation that came to nothing is told to who follows."""
        native = Numbered(1)
        refused = replace(NATIVE, refused=(RefusedEngine(Engine.ONNX, "it differs."),))
        site = Site()
        site.register(native, champion=1)

        async def tried(version: object, package: object, predictor: Predictor) -> Predictor:
            native.compilation = refused
            return predictor

        site.shelf.compiled = tried  # type: ignore[method-assign]
        await site.deployments.follow_once()
        changes = site.deployments.changes("house")
        await anext(changes)
        site.serving.become_ready()
        (variant,) = (await anext(changes)).variants
        assert variant.served is not None
        assert variant.served.compilation == refused
        await site.serving.close()


class TestIsolated:
    async def test_a_slow_model_gets_a_process(self) -> None:
        """It answers from there, and the one in this process is let go of."""
        slow, isolated = Slow(), Numbered(1)
        cells = Cells(isolated)
        site = Site(isolation=cells)
        site.register(slow, champion=1)
        await site.deployments.load_all()
        await until(lambda: slow.closings == 1)
        served = site.variant().served
        assert served is not None
        assert (served.placement, cells.isolated_versions) == (Placement.PROCESS, [1])
        assert await site.served() == 1
        assert closings([slow, isolated]) == [1, 0]
        await site.serving.close()
        assert closings([slow, isolated]) == [1, 1]

    async def test_a_quick_model_stays(self) -> None:
        """Handing its requests to a process would take longer than answering them."""
        cells = Cells(Numbered(1))
        site = Site(isolation=cells)
        site.register(Numbered(1), Compiled(2), champion=1)
        await site.deployments.load_all()
        site.shelf.better[VersionRef("house", 2)] = Compiled(2)
        await site.promoted(2)
        await improved(site, engine=Engine.FOLDED)
        assert cells.isolated_versions == []
        served = site.variant().served
        assert served is not None
        assert served.placement is Placement.INLINE
        await site.serving.close()

    async def test_a_model_that_cannot_be_handed_over_stays(self) -> None:
        """It goes on as it is, and the log says why."""
        slow = Slow()
        cells = Cells(ModelLoadError(name="house", version=1, reason="it does not pickle."))
        site = Site(isolation=cells)
        site.register(slow, champion=1)
        with capture_logs() as lines:
            await site.deployments.load_all()
            await until(lambda: any(line["event"] == "not_isolated" for line in lines))
        assert await site.served() == 1
        assert slow.closings == 0
        served = site.variant().served
        assert served is not None
        assert served.placement is Placement.THREAD
        await site.serving.close()


async def test_a_model_whose_speed_is_not_known_stays() -> None:
    """One that refused the neutral row computes in threads until it has shown how quick it is."""

    class Choosy(Numbered):
        def predict(self, rows: Table) -> Output:
            frame = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame(rows)
            if not frame.to_numpy(dtype="float64").any():
                raise ValueError("nothing there")
            return super().predict(rows)

    cells = Cells(Numbered(1))
    site = Site(isolation=cells)
    site.register(Choosy(1), champion=1)
    await site.deployments.load_all()
    served = site.variant().served
    assert served is not None
    assert (served.speed, served.placement) == (None, Placement.THREAD)
    assert await site.served() == 1
    assert cells.isolated_versions == []
    await site.serving.close()
