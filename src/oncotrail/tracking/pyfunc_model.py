"""The code that MLflow runs for a registered model: a pyfunc made from code, without pickle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel


class ServedModel(PythonModel):
    """Image paths and clinical columns in, one probability per patient out."""

    def load_context(self, context: Any) -> None:
        """Load the model's folder; its digests are checked first."""
        from oncotrail.serving.model import load_model

        self._model = load_model(Path(context.artifacts["model"]))

    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> pd.DataFrame:  # noqa: ARG002
        """The probability of the outcome for each row."""
        return self._model.predict(model_input).to_frame()


set_model(ServedModel())
