"""Section `network`: one network, as a methods section would state it.

    route: {kind: scratch}                    everything learns, from a random start
    route: {kind: transfer}                   everything learns, from weights that were brought
    route: {kind: transfer, unfreezing: ...}  the head first, then the trunk's end, then all of it
    route: {kind: frozen}                     the head alone learns
    route: {kind: off_the_shelf, ...}         nothing learns: features into an estimator

Without a route it is transfer, or scratch where the weights are `none`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from oncotrail.study.base import Settings
from oncotrail.study.search import Search
from oncotrail.study.training import Training

Number = bool | int | float | str | None
Epochs = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(gt=0, le=1)]
Mean = Annotated[float, Field(ge=0, le=1)]
# One training of each outer fold is the rule, and is not shown.
Seeds = Annotated[int, Field(ge=1, exclude_if=lambda count: count == 1)]
OutOfFold = Annotated[bool, Field(exclude_if=lambda asked: not asked)]


class Head(Settings):
    """features -> embedding -> activation -> dropout -> classes; fusions read the embedding.

    `embedding: null` is a head without a hidden layer, and the embedding is then the features.
    `classes: 1` is one logit, of the outcome against its absence; 2 is a logit for each.
    """

    embedding: int | None = Field(ge=1)
    activation: Literal["relu", "gelu", "tanh"] = "relu"
    dropout: float = Field(default=0, ge=0, lt=1)
    classes: int = Field(default=1, ge=1, le=2)  # outcomes are yes or no


class FileWeights(Settings):
    """Weights in a safetensors file, relative to the repository.

    `mean` and `std` are those of red, green and blue in [0, 1] that the weights were made with, as
    ImageNet's [0.485, 0.456, 0.406] and [0.229, 0.224, 0.225]; without them the training rows' own.
    """

    file: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    licence: str = ""
    mean: tuple[Mean, Mean, Mean] | None = None
    std: tuple[Share, Share, Share] | None = None

    @model_validator(mode="after")
    def _mean_and_deviation_come_together(self) -> FileWeights:
        if (self.mean is None) != (self.std is None):
            message = "mean and std are of the same weights; write both, or neither"
            raise ValueError(message)
        return self


class HubWeights(Settings):
    """Weights of the Hugging Face hub, e.g. timm/densenet121.ra_in1k."""

    hub: str = Field(pattern=r"^[^/\s]+/[^/\s]+$")


class PretrainedWeights(Settings):
    """What the study's stage `pretrain` made under this name."""

    pretrain: str


Weights = Literal["imagenet", "none"] | FileWeights | HubWeights | PretrainedWeights


class Unfreezing(Settings):
    """The head alone for some epochs, then the trunk's last stages with it, then everything."""

    head_epochs: Epochs
    last_stages: int = Field(ge=1)
    last_epochs: Epochs
    last_factor: Share = 1  # of the learning rate
    rest_factor: Share = 1


class Scratch(Settings):
    """Everything learns, from a random start."""

    kind: Literal["scratch"]


class Transfer(Settings):
    """Everything learns, from weights that were brought; at once or in stages."""

    kind: Literal["transfer"]
    unfreezing: Unfreezing | None = None


class Frozen(Settings):
    """The head alone learns; without augmentation the trunk is run once, and not every epoch."""

    kind: Literal["frozen"]


class Estimator(Settings):
    """A classifier of scikit-learn by its full name, e.g. sklearn.svm.SVC, and its arguments."""

    name: str = Field(pattern=r"^sklearn(\.[a-z_]+)+\.[A-Z][A-Za-z]+$")
    options: dict[str, Number] = Field(default_factory=dict)


class OffTheShelf(Settings):
    """Features of some layers of the trunk, scaled on the training rows, into an estimator."""

    kind: Literal["off_the_shelf"]
    layers: tuple[str, ...] = ()  # none: the trunk's own features
    estimator: Estimator
    folds: int = Field(default=5, ge=2)  # of the training patients, to calibrate its scores


class Attention(Settings):
    """How much each image of a patient counts, learnt on the kept embeddings of training rows."""

    hidden: int = Field(default=64, ge=1)
    epochs: int = Field(ge=1)
    learning_rate: float = Field(gt=0)
    weight_decay: float = Field(default=1e-4, ge=0)


Route = Annotated[Scratch | Transfer | Frozen | OffTheShelf, Field(discriminator="kind")]

# What an estimator does without; it may be left out, and is not shown.
_UNTRAINED: dict[str, Any] = {
    "head": {"embedding": None},
    "loss": {"kind": "binary_cross_entropy", "positive_weight": 1},
    "optimizer": {"kind": "adam", "learning_rate": 1, "weight_decay": 0},
    "schedule": {"kind": "constant"},
    "epochs": 1,
    "batch_size": 2,
    "augmentation": [],
    "best_epoch_by": "validation_loss",
}


class Network(Training):
    """One network of a study."""

    study: str
    view: str
    outcome: str
    architecture: str
    architecture_options: dict[str, bool | int | float | str | tuple[int, ...]] = Field(
        default_factory=dict
    )
    channels: Literal[1, 3] = 3  # of the first layer; grey is repeated into three
    weights: Weights
    route: Route | None = None
    head: Head
    attention: Attention | None = None  # in the place of `patient_by`, for patients' scores
    seeds: Seeds = 1  # independent trainings, whose spread is reported; the first one is served
    # Training patients are scored by networks that did not learn from them: one per inner fold.
    out_of_fold: OutOfFold = False
    search: Search

    @property
    def way(self) -> Scratch | Transfer | Frozen | OffTheShelf:
        """The route, also where none is written."""
        if self.route is not None:
            return self.route
        return Scratch(kind="scratch") if self.weights == "none" else Transfer(kind="transfer")

    @property
    def begins_with(self) -> str:
        """Its first weights, in a few words."""
        if isinstance(self.weights, FileWeights):
            return f"the weights of {self.weights.file}"
        if isinstance(self.weights, HubWeights):
            return f"the weights {self.weights.hub}"
        if isinstance(self.weights, PretrainedWeights):
            return f"weights pretrained on procedural images ({self.weights.pretrain})"
        return {"imagenet": "ImageNet's weights", "none": "random weights"}[self.weights]

    def flat(self) -> dict[str, str | int | float | bool | None]:
        """Every value by its dotted name, but for those that nothing reads."""
        shown = super().flat()
        if isinstance(self.way, OffTheShelf):
            unread = {*Training.model_fields, "head", "attention"} - {"patient_by"}
            shown = {name: of for name, of in shown.items() if name.split(".")[0] not in unread}
        return shown

    @model_validator(mode="before")
    @classmethod
    def _an_estimator_needs_no_epochs(cls, given: Any) -> Any:
        route = given.get("route") if isinstance(given, dict) else None
        kind = route.get("kind") if isinstance(route, dict) else None
        return {**_UNTRAINED, **given} if kind == "off_the_shelf" else given

    @model_validator(mode="after")
    def _only_scratch_is_random(self) -> Network:
        if isinstance(self.route, Scratch) and self.weights != "none":
            message = "route: scratch is a random start; write weights: none, or route: transfer"
            raise ValueError(message)
        if self.route == Transfer(kind="transfer") and self.weights == "none":
            message = "route: transfer begins with weights; name them, or write route: scratch"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _attention_needs_a_network(self) -> Network:
        if self.attention is not None and isinstance(self.route, OffTheShelf):
            message = "attention is learnt on a network's embeddings; drop it, or the estimator"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _head_and_loss_agree(self) -> Network:
        several = self.loss.kind in ("cross_entropy", "negative_log_likelihood")
        if self.loss.kind == "binary_cross_entropy" and self.head.classes != 1:
            message = f"loss {self.loss.kind} needs one logit; set head.classes to 1"
            raise ValueError(message)
        if several and self.head.classes == 1:
            message = f"loss {self.loss.kind} needs a logit per class; set head.classes to 2"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _weights_of_the_loss_fit_the_head(self) -> Network:
        given, classes = getattr(self.loss, "class_weights", ()), self.head.classes
        if given and classes == 1:
            message = f"loss {self.loss.kind} of one logit has no class_weights; write alpha"
            raise ValueError(message)
        if given and len(given) != classes:
            found = f"head.classes is {classes} and loss.class_weights has {len(given)} numbers"
            raise ValueError(f"{found}; give one for each")
        if classes > 1 and getattr(self.loss, "alpha", None) is not None:
            message = "loss focal of several classes has no alpha; write class_weights"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _an_activation_needs_a_layer(self) -> Network:
        if self.head.embedding is None and self.head.activation != "relu":
            message = "head.embedding is null, so head.activation has no layer before it; drop it"
            raise ValueError(message)
        return self
