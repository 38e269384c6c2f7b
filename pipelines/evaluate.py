"""Predictions -> what a paper reports: figures with intervals, comparisons, curves."""

import pandas as pd

from oncotrail import stage
from oncotrail.cohort import tables
from oncotrail.evaluation import baseline, judged, performance, report_files
from oncotrail.record import Run
from oncotrail.study import base
from oncotrail.study.cohort import Cohort
from oncotrail.study.evaluation import Evaluation
from oncotrail.study.members import only_declared
from oncotrail.study.network import Network


class Settings(base.Settings):
    """The sections that this stage reads."""

    cohort: Cohort
    network: dict[str, Network]
    evaluation: Evaluation
