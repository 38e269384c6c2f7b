import pytest

from oncotrail.evaluation.evaluated import Evaluated, evaluate
from tests.evaluation import made


@pytest.fixture(scope="session")
def study() -> made.Study:
    return made.study()


@pytest.fixture(scope="session")
def done(study: made.Study) -> Evaluated:
    return evaluated(study)


def evaluated(study: made.Study) -> Evaluated:
    return evaluate(
        made.STUDY,
        made.ASKED,
        fused=study.fused,
        networks=study.networks,
        cohort=study.cohort,
        split=study.split,
    )
