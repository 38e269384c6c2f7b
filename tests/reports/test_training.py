from oncotrail.reports.evidence import Evidence
from oncotrail.reports.training import training
from tests.reports import written


def test_the_sentence_says_what_was_kept_and_why(evidence: Evidence) -> None:
    one = evidence.networks["made-t4"]
    said = training("t4", written.NETWORK, one.record, one.history)
    assert said.sentence == (
        "densenet121 on t4, from random weights, trained on 40 images for 3 epochs; epoch 2 is "
        "kept, the best by validation loss."
    )
    assert written.KEYS["train t4"] in said.source


def test_out_of_fold_is_said_of_a_network_that_is(evidence: Evidence) -> None:
    one = evidence.networks["made-t4"]
    network = written.NETWORK.model_copy(update={"out_of_fold": True})
    said = training("t4", network, one.record, one.history)
    assert (
        "loss. Training patients were scored by trainings that had left them out" in said.sentence
    )


def test_curves_run_over_all_epochs(evidence: Evidence) -> None:
    one = evidence.networks["made-t4"]
    said = training("t4", written.NETWORK, one.record, one.history)
    assert [len(drawing.lines) for drawing in said.charts] == [2, 3]
    for drawing in said.charts:
        assert all(len(line.points.split()) == 3 for line in drawing.lines)
        assert drawing.mark is not None
        assert drawing.mark.label == "epoch 2 is kept"
