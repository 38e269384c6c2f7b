import numpy as np

from oncotrail.demo import draws


def test_no_name_is_drawn_twice() -> None:
    assert len(set(draws.NAMES)) == len(draws.NAMES)


def test_a_patient_depends_on_seed_and_place_alone() -> None:
    few, many = draws.of_cohort(3, range(4)), draws.of_cohort(3, range(2, 9))
    assert (few["age"][2:] == many["age"][:2]).all()
    assert (draws.of_cohort(4, range(4))["age"] != few["age"]).all()


def test_the_population_holds_nobody_of_the_cohort() -> None:
    cohort, population = draws.of_cohort(3, range(50)), draws.of_population(3, 50)
    assert not np.isin(cohort["muscle"], population["muscle"]).any()


def test_draws_are_independent_standard_normals() -> None:
    population = draws.of_population(3, 20_000)
    table = np.stack([population[name] for name in draws.NAMES])
    assert np.abs(table.mean(axis=1)).max() < 0.03
    assert np.abs(np.corrcoef(table) - np.eye(len(draws.NAMES))).max() < 0.04


def test_choices_have_their_shares() -> None:
    population = draws.of_population(3, 20_000)
    counts = np.bincount(population.one_of("subtype", (0.5, 0.3, 0.2)))
    assert np.abs(counts / 20_000 - [0.5, 0.3, 0.2]).max() < 0.02
    assert abs(population.chance("lvi", 0.2).mean() - 0.2) < 0.02
