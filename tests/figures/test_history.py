from oncotrail.figures.history import history_figure

HISTORY = {
    "epoch": [1.0, 2.0, 3.0],
    "train_loss": [0.7, 0.5, 0.4],
    "validation_loss": [0.8, 0.7, 0.7],
    "train_accuracy": [0.5, 0.6, 0.7],
    "validation_accuracy": [0.5, 0.6, 0.6],
    "validation_auc": [0.5, 0.6, 0.7],
    "learning_rate": [1e-3, 1e-3, 5e-4],
}


def test_losses_and_shares_have_a_panel_each() -> None:
    loss, shares = history_figure(HISTORY, "Training of t4").axes
    assert [line.get_label() for line in loss.get_lines()] == ["train loss", "validation loss"]
    assert [line.get_label() for line in shares.get_lines()] == [
        "train accuracy",
        "validation accuracy",
        "validation AUC",
    ]
    assert (loss.get_ylabel(), shares.get_ylabel()) == ("Loss", "Accuracy, AUC")


def test_points_are_those_of_the_table() -> None:
    line = history_figure(HISTORY, "t4").axes[0].get_lines()[1]
    assert list(line.get_xdata()) == HISTORY["epoch"]
    assert list(line.get_ydata()) == HISTORY["validation_loss"]


def test_a_single_epoch_can_be_seen() -> None:
    figure = history_figure({"epoch": [1.0], "train_loss": [0.7]}, "t4")
    assert figure.axes[0].get_lines()[0].get_marker() == "o"
