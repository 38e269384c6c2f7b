"""clinical.csv: the columns that the study file declares, as the hospitals typed them."""

from __future__ import annotations

import numpy as np

from oncotrail.demo import people as who
from oncotrail.demo.blanks import Blanks, Flags
from oncotrail.demo.draws import Codes, Floats
from oncotrail.demo.outcome import Outcomes
from oncotrail.demo.people import People

LEAST_AREA = 2.0  # cm2: what a hand still draws where the error would leave less than nothing


def columns(
    patients: list[str], people: People, blanks: Blanks, outcomes: Outcomes
) -> dict[str, list[str]]:
    """Every column's text by name, in the order of the file; a blank is empty."""
    body, tumour, treatment = people.body, people.tumour, people.treatment
    muscle = np.maximum(body.measured_muscle, LEAST_AREA)
    visceral = np.maximum(body.measured_visceral, LEAST_AREA)
    return {
        "patient_id": patients,
        "hospital": [who.HOSPITALS[place] for place in body.hospital],
        "age": _numbers(body.age, 0),
        "tumour_size": _numbers(tumour.size, 1, blanks.tumour_size),
        "bmi": _numbers(body.bmi, 1),
        "cea": _numbers(tumour.cea, 2, blanks.cea),
        "pma_t4": _numbers(muscle, 1, blanks.muscle),
        "pmi_t4": _numbers(muscle / body.height**2, 2, blanks.muscle),
        "menopause": _codes(body.menopause),
        "n_stage": _codes(tumour.n_stage),
        "lvi": _codes(tumour.lvi, blanks.lvi),
        "multifocal": _codes(tumour.multifocal, blanks.multifocal),
        "er": _codes(tumour.er),
        "pr": _codes(tumour.pr),
        "her2": _codes(tumour.her2),
        "ki67": _numbers(tumour.ki67, 0, blanks.ki67),
        "subtype": _codes(tumour.subtype + 1),
        "endocrine": _codes(treatment.endocrine),
        "radiotherapy": _codes(treatment.radiotherapy, blanks.radiotherapy),
        "chemotherapy": _codes(treatment.chemotherapy),
        "histology": _codes(tumour.histology + 1, blanks.histology),
        "vfa_t11": _numbers(visceral, 1, blanks.visceral),
        "metastasis": _codes(outcomes.metastasis),
        "dmfs_months": _numbers(outcomes.dmfs_months, 1),
        "death": _codes(outcomes.death),
        "os_months": _numbers(outcomes.os_months, 1),
    }


def _numbers(values: Floats, decimals: int, blank: Flags | None = None) -> list[str]:
    return _blanked([f"{value:.{decimals}f}" for value in values], blank)


def _codes(values: Codes, blank: Flags | None = None) -> list[str]:
    return _blanked([str(value) for value in values], blank)


def _blanked(texts: list[str], blank: Flags | None) -> list[str]:
    if blank is None:
        return texts
    return ["" if lost else text for text, lost in zip(texts, blank, strict=True)]
