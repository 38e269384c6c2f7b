"""What scikit-survival says about predictions of survival, for tests/statistics/survival.

    pip install scikit-survival      (in an environment of its own: an oracle, never a dependency)
    python tests/reference/survival_prediction_python.py

It judges the tables that survival_prediction.R made, from survival_prediction.json, once with the
censoring of the same rows and once with that of the first half on the second. scikit-survival takes
the chance of being under observation after an event, we (and R) just before it, so only tables in
which no event has the time of a censoring are here for the figures that are weighted against it.
"""

from __future__ import annotations

import json
import platform
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).parent


def main() -> None:
    """Write the answers beside the R ones."""
    import sksurv

    said = json.loads((FOLDER / "survival_prediction.json").read_text(encoding="utf-8"))
    small = said["small"]
    written = {
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "sksurv": sksurv.__version__,
        },
        "harrell": {name: harrell(said["table"]) for name, said in small.items()},
        "weighted": {
            name: weighted(small[name])
            for name in ("ordinary", "tied_risks", "hardly_censored", "mostly_censored")
        },
    }
    target = FOLDER / "survival_prediction_python.json"
    target.write_text(json.dumps(written) + "\n", encoding="utf-8")


def harrell(table: dict[str, Any]) -> list[float]:
    """C, then concordant, discordant and tied-in-risk pairs."""
    from sksurv.metrics import concordance_index_censored

    event = np.array(table["event"], dtype=bool)
    found = concordance_index_censored(event, np.array(table["time"], float), table["first"])
    return [float(number) for number in found[:4]]


def weighted(said: dict[str, Any]) -> dict[str, Any]:
    """Uno's C, areas and their mean, Brier scores and their mean over time."""
    from sksurv.util import Surv

    table, horizons = said["table"], said["horizons"]
    time, risk = np.array(table["time"], float), np.array(table["first"], float)
    everybody = Surv.from_arrays(np.array(table["event"], bool), time)
    half = np.arange(time.size) < time.size // 2
    # Whom the training rows followed, and who were followed beyond the horizons.
    later = ~half & (time < time[half].max())
    rows = {"same": (everybody, np.ones(time.size, dtype=bool)), "split": (everybody[half], later)}
    return {
        name: judged(training, everybody[kept], risk[kept], horizons, said["scale"])
        for name, (training, kept) in rows.items()
    } | {"half": int(half.sum())}


def judged(training: Any, new: Any, risk: Any, horizons: list[float], scale: float) -> Any:
    """All figures of one risk; survival is exponential."""
    from sksurv import metrics

    survival = np.exp(-np.outer(np.exp(risk), horizons) / scale)
    areas, mean = metrics.cumulative_dynamic_auc(training, new, risk, horizons)
    return {
        "uno": float(metrics.concordance_index_ipcw(training, new, risk, tau=horizons[-1])[0]),
        "areas": areas.tolist(),
        "mean_area": float(mean),
        "brier": metrics.brier_score(training, new, survival, horizons)[1].tolist(),
        "integrated": float(metrics.integrated_brier_score(training, new, survival, horizons)),
    }


if __name__ == "__main__":
    main()
