from collections.abc import Iterator

import numpy as np
import pytest
import torch

from oncotrail.backbones.accelerator import OneDevice
from oncotrail.backbones.tune_device import STEPS, WARM_UP, Measured, fastest, measure, noise, ways
from tests.backbones.made import Small, recipe, squares, tiny


def test_every_precision_and_layout_is_tried_and_compiling_on_gpus_alone() -> None:
    here = [(way.precision, way.layout, way.compile) for way in ways("cpu")]
    assert here == [
        ("float32", "channels_last", False),
        ("float32", "contiguous", False),
        ("bfloat16", "channels_last", False),
        ("bfloat16", "contiguous", False),
    ]
    assert {way.compile for way in ways("cuda")} == {False, True}


def clock(seconds: list[float]) -> Iterator[float]:
    now = 0.0
    for step in seconds:
        yield now
        now += step
        yield now


def test_the_speed_is_the_median_steps_after_the_warm_up() -> None:
    steps = [100.0] * WARM_UP + [0.5] * (STEPS - 1) + [50.0]
    ticks = clock(steps)
    network = Small(16 * 16, dtype=torch.float32)
    before = {name: weight.clone() for name, weight in network.state_dict().items()}
    given = noise(8, 16, 16, seed=1)
    (found,) = measure(network, given, recipe(), [OneDevice()], lambda: next(ticks))
    assert found.images_per_second == 8 / 0.5
    assert all(torch.equal(weight, before[name]) for name, weight in network.state_dict().items())


def test_each_way_really_trains() -> None:
    network = Small(16 * 16, dtype=torch.float32)
    found = measure(network, noise(8, 16, 16, seed=1), recipe(), ways("cpu"))
    assert [one.machine for one in found] == ways("cpu")
    assert all(np.isfinite(one.images_per_second) and one.images_per_second > 0 for one in found)


@pytest.mark.parametrize(("speeds", "best"), [((10, 10.4, 9, 8), 0), ((10, 9, 17, 16), 2)])
def test_the_plainest_stays_unless_another_is_faster_by_more_than_chance(
    speeds: tuple[float, ...], best: int
) -> None:
    measured = [Measured(way, speed) for way, speed in zip(ways("cpu"), speeds, strict=True)]
    assert fastest(measured) is measured[best]


def test_the_layout_reaches_the_weights_and_what_they_see() -> None:
    network = tiny(np.asarray(squares(6, 1, "T").inputs))
    for layout in ("contiguous", "channels_last"):
        OneDevice(layout=layout).place(network)  # type: ignore[arg-type]
        seen = network.normalised(torch.zeros(2, 8, 6, dtype=torch.uint8))
        weight = network.trunk.features.conv0.weight
        last = layout == "channels_last"
        for tensor in (seen, weight):
            assert tensor.is_contiguous(memory_format=torch.channels_last) is last
