"""The fusion section: whom a model reads, and what it cannot read together."""

from typing import Any

import pytest

from oncotrail.study.fusion import ColumnSet, misread
from tests.fusion.crossed import plan
from tests.fusion.hand_made import networks

T4, T11 = networks()


def faults(out_of_fold: tuple[str, ...], **asked: Any) -> list[str]:
    declared = {
        name: network.model_copy(update={"out_of_fold": name in out_of_fold})
        for name, network in networks().items()
    }
    return list(misread(plan(model={"clinical": True, **asked}), declared))


def test_a_network_read_in_both_ways_is_one_network() -> None:
    assert ColumnSet(clinical=False, networks=(T4,), scores=(T11, T4)).looks_through == (T4, T11)


@pytest.mark.parametrize(
    ("out_of_fold", "asked"),
    [
        ((), {"networks": [T4], "scores": [T11]}),
        ((T4, T11), {"scores": [T4, T11]}),
        ((T11,), {"networks": [T4]}),
        ((T4, T11), {}),
    ],
)
def test_what_may_be_read(out_of_fold: tuple[str, ...], asked: dict[str, Any]) -> None:
    assert faults(out_of_fold, **asked) == []


@pytest.mark.parametrize(
    ("out_of_fold", "asked", "says"),
    [
        ((T11,), {"networks": [T4, T11]}, "the embeddings of ['toy-t11'], which are out of fold"),
        ((T11,), {"networks": [T11], "scores": [T11]}, "no common axes"),
        ((T4,), {"scores": [T4, T11]}, "['toy-t4'], which are out of fold, and ['toy-t11']"),
        ((), {"scores": ["toy-t5"]}, "network 'toy-t5'. Did you mean 'toy-t4'?"),
    ],
)
def test_what_may_not(out_of_fold: tuple[str, ...], asked: dict[str, Any], says: str) -> None:
    (fault,) = faults(out_of_fold, **asked)
    assert fault.startswith("fusion.models.model reads ")
    assert says in fault
