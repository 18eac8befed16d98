"""What logging came to, as it is answered and as it is kept under a key."""

from collections.abc import Mapping, Sequence
from typing import Any

from gql_platform.run_changes.records import ItemKind, Items, Refusal, RefusalCode, RunLogged


def logged(run_id: str, items: Items, refused: Sequence[Refusal]) -> RunLogged:
    """Return what was logged of some items.

    Args:
        run_id: The run.
        items: All of them.
        refused: Those that were not, in any order.
    """
    kinds = list(ItemKind)
    counts = {kind: sum(each.kind is kind for each in refused) for kind in kinds}
    return RunLogged(
        run_id,
        len(items.params) - counts[ItemKind.PARAM],
        len(items.metrics) - counts[ItemKind.METRIC],
        len(items.tags) - counts[ItemKind.TAG],
        tuple(sorted(refused, key=lambda each: (kinds.index(each.kind), each.index))),
    )


def counts_of(answer: RunLogged) -> Mapping[str, int]:
    """Return how many items of each kind were logged, and how many were not."""
    return {
        "paramCount": answer.param_count,
        "metricCount": answer.metric_count,
        "tagCount": answer.tag_count,
        "refusedCount": len(answer.refused),
    }


def kept(answer: RunLogged) -> Mapping[str, Any]:
    """Return an answer as JSON knows it, without the names: the same request brings them again."""
    refused = [
        [each.kind.name, each.index, each.code.name, each.message] for each in answer.refused
    ]
    return {"runId": answer.run_id, "refused": refused}


def told_again(result: Mapping[str, Any], items: Items) -> RunLogged:
    """Return an answer that was kept.

    Args:
        result: As `kept` returned it.
        items: What was sent.
    """
    keys = {
        ItemKind.PARAM: items.params,
        ItemKind.METRIC: items.metrics,
        ItemKind.TAG: items.tags,
    }
    refused = [
        Refusal(ItemKind[kind], index, keys[ItemKind[kind]][index].key, RefusalCode[code], message)
        for kind, index, code, message in result["refused"]
    ]
    return logged(str(result["runId"]), items, refused)
