"""The published recipe in plain torch, as the first trainer ran it: what the loop must equal."""

import copy

import numpy as np
import torch
from torch import nn

from oncotrail.backbones.inputs import Examples
from oncotrail.compute import repeatable


def train_as_published(
    network: nn.Module,
    training: Examples,
    validation: Examples,
    *,
    epochs: int,
    rate: float,
    decay: float,
    every: int,
    factor: float,
    positive_weight: float,
    batch_size: int,
    seed: int,
) -> list[float]:
    """Adam, step schedule, weighted BCE, flips, best epoch by validation loss; its losses."""
    loss_of = nn.BCEWithLogitsLoss(pos_weight=torch.tensor(positive_weight, dtype=torch.float64))
    optimizer = torch.optim.Adam(network.parameters(), lr=rate, weight_decay=decay)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, every, factor)
    generator = torch.Generator().manual_seed(seed)
    pixels = torch.from_numpy(np.array(training.inputs))
    labels = torch.from_numpy(training.labels.astype(np.float32))
    losses: list[float] = []
    best: dict[str, torch.Tensor] = {}
    with repeatable(seed):
        for _ in range(epochs):
            network.train()
            for chosen in batches(len(labels), batch_size, generator):
                logits = network(flipped(pixels[chosen], generator)).logits
                loss = loss_of(logits, labels[chosen].to(logits.dtype))
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                optimizer.step()
            schedule.step()
            losses.append(judge(network, validation, loss_of))
            if losses[-1] < min(losses[:-1], default=float("inf")):
                best = copy.deepcopy(network.state_dict())
    network.load_state_dict(best)
    return losses


def batches(images: int, size: int, generator: torch.Generator) -> list[torch.Tensor]:
    order = torch.randperm(images, generator=generator)
    parts = list(order.split(size))
    if len(parts) > 1 and len(parts[-1]) == 1:
        parts[-2:] = [torch.cat(parts[-2:])]
    return parts


def flipped(pixels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    for axis in (2, 1):
        heads = torch.rand(len(pixels), generator=generator) < 0.5
        pixels = torch.where(heads.view(-1, 1, 1), pixels.flip(axis), pixels)
    return pixels


def judge(network: nn.Module, validation: Examples, loss_of: nn.Module) -> float:
    network.eval()
    with torch.inference_mode():
        logits = network(torch.from_numpy(np.array(validation.inputs))).logits.double()
    return float(loss_of(logits, torch.from_numpy(validation.labels.astype(float))))
