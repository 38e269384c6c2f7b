"""The tables that R and our tests share: real ones, from the packages that bundle them.

None is copied into this repository. R gets them as files, for the occasion:

    python -m tests.reference.tables /some/folder
    Rscript tests/reference/<name>.R /some/folder

and writes its answers (never the rows) to tests/reference/<name>.json.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd


def lung() -> pd.DataFrame:
    """Advanced lung cancer (lifelines): days, death, age, sex, performance; some blank."""
    from lifelines.datasets import load_lung

    frame = load_lung()
    kept = frame[["inst", "time", "status", "age", "sex", "ph.ecog", "ph.karno", "wt.loss"]]
    return kept.rename(columns={"ph.ecog": "ecog", "ph.karno": "karnofsky", "wt.loss": "loss"})


def gbsg2() -> pd.DataFrame:
    """Breast cancer (lifelines): 686 women, days to recurrence or death, text as numbers."""
    from lifelines.datasets import load_gbsg2

    frame = load_gbsg2()
    return pd.DataFrame(
        {
            "time": frame["time"].astype(float),
            "event": frame["cens"],
            "hormones": (frame["horTh"] == "yes").astype(int),
            "age": frame["age"].astype(float),
            "postmenopausal": (frame["menostat"] == "Post").astype(int),
            "size": frame["tsize"].astype(float),
            "grade": frame["tgrade"].map({"I": 1, "II": 2, "III": 3}),
            "nodes": frame["pnodes"].astype(float),
            "progesterone": frame["progrec"].astype(float),
            "oestrogen": frame["estrec"].astype(float),
        }
    )


def rossi() -> pd.DataFrame:
    """Recidivism (lifelines): 432 men, weeks in whole numbers, so many ties."""
    from lifelines.datasets import load_rossi

    return load_rossi().rename(columns={"week": "time", "arrest": "event"})


def larynx() -> pd.DataFrame:
    """Larynx cancer (lifelines): 90 men in four stages."""
    from lifelines.datasets import load_larynx

    return load_larynx().rename(columns={"death": "event"})


def breast() -> pd.DataFrame:
    """Wisconsin breast cancer (scikit-learn): malignant or not, and what the nuclei look like."""
    from sklearn.datasets import load_breast_cancer

    bundle = load_breast_cancer(as_frame=True)
    frame = bundle.frame.rename(columns=lambda name: name.replace(" ", "_"))
    frame["malignant"] = 1 - frame.pop("target")
    return frame


TABLES: dict[str, Callable[[], pd.DataFrame]] = {
    "lung": lung,
    "gbsg2": gbsg2,
    "rossi": rossi,
    "larynx": larynx,
    "breast": breast,
}


def main() -> None:
    """Write every table as CSV, numbers to their last digit."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, load in TABLES.items():
        frame = load().replace({np.nan: None})
        frame.to_csv(folder / f"{name}.csv", index=False, float_format="%.17g")
        print(f"{name}: {len(frame)} rows, {', '.join(frame.columns)}")


if __name__ == "__main__":
    main()
