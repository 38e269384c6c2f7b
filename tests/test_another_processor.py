"""The committed figures, made again as a processor without vector instructions would make them."""

from pathlib import Path

import pytest

from oncotrail.commands.verify import verify
from tests import whole_graph as graph

# How numpy, torch, oneDNN, MKL and OpenBLAS are told to take no notice of what this processor can.
OLDER = {
    "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL",
    "ATEN_CPU_CAPABILITY": "default",
    "ONEDNN_MAX_CPU_ISA": "SSE41",
    "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
    "OPENBLAS_CORETYPE": "Nehalem",
}


@pytest.mark.slow
def test_an_older_processor_reproduces_the_figures_in_git(tmp_path: Path) -> None:
    root = graph.copy_of_repository(tmp_path / "copy")
    graph.run(root, "dvc", "repro", f"evaluate@{graph.STUDY}", more=OLDER)
    found = verify(root, [graph.STUDY])
    assert len(found.figures) > 200
    assert not found.edited
    assert [figure.sentence() for figure in found.having("different")] == []
