import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from oncotrail.statistics.regression.risk_sets import RiskSets, risk_sets
from tests.statistics.oracles import agree

COUNTED = "definition: risk sets listed"


@given(st.integers(0, 10_000), st.booleans())
def test_sums_are_those_of_the_listed_risk_sets(seed: int, late: bool) -> None:
    random = np.random.default_rng(seed)
    times = random.integers(2, 9, 25).astype(float)
    events = random.uniform(size=25) < 0.6
    events[0] = True
    strata = random.integers(0, 3, 25)
    strata[:3] = 0, 1, 2
    entry = times - random.integers(1, 9, 25) if late else None
    values = random.normal(size=(25, 2))
    began = np.full(25, -np.inf) if entry is None else entry

    keys = sorted({(strata[i], times[i]) for i in np.flatnonzero(events)})
    inside = np.array([(strata == s) & (began < t) & (times >= t) for s, t in keys])
    tied = np.array([(strata == s) & (times == t) & events for s, t in keys])
    sets = risk_sets(times, events, strata, entry)

    agree(risk_sets, COUNTED, np.column_stack([sets.strata, sets.times]), keys)
    agree(RiskSets.at_risk, COUNTED, sets.at_risk(values[sets.order]), inside @ values)
    agree(RiskSets.at_risk, COUNTED, sets.at_risk(values[sets.order, 0]), inside @ values[:, 0])
    agree(RiskSets.tied, COUNTED, sets.tied(values[sets.order]), tied @ values)
    for increments in (random.normal(size=(len(keys), 2)), random.normal(size=len(keys))):
        ours = sets.accumulate(increments)
        agree(RiskSets.accumulate, COUNTED, ours, (inside.T @ increments)[sets.order])
