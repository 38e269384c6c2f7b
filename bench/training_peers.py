"""The peers of bench/training.py, each as its own documentation trains; each until it is ended.

    timm        train.py's loader (prefetcher, its transforms), optimiser, schedule and steps
    lightning   Trainer.fit over torchvision's ImageFolder and v2 transforms
    monai       CacheDataset of everything up to the first random transform, its DataLoader, and the
                plain loop of its tutorials

All: SGD with the same constants, `CLASSES` classes, a flip, an enlarged crop, brightness and
contrast changed. bfloat16: timm's `--amp --amp-dtype bfloat16`, Lightning's `bf16-mixed`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import timm
import torch
from torch import Tensor, nn

from bench.training_task import CLASSES, DECAY, JITTER, MOMENTUM, RATE, ZOOM, Task
from bench.turns import Turns

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def main() -> None:
    """Do what the command line says."""
    task = Task.read(sys.argv[1])
    torch.manual_seed(1)
    torch.set_num_threads(task.threads)
    _WAYS[task.way](task)


def by_timm(task: Task) -> None:
    """As train.py does it: main() and train_one_epoch(), with what its options leave off."""
    from timm.data import create_dataset, create_loader
    from timm.loss import LabelSmoothingCrossEntropy
    from timm.optim import create_optimizer_v2
    from timm.scheduler import create_scheduler_v2

    device, model = torch.device(task.device), network(task)
    optimizer = create_optimizer_v2(
        model, opt="sgd", lr=RATE, momentum=MOMENTUM, weight_decay=DECAY
    )
    dataset = create_dataset("", root=str(task.files), split="train", is_training=True)
    loader = create_loader(
        dataset,
        input_size=(3, task.side, task.side),
        batch_size=task.batch,
        is_training=True,
        scale=(1 / ZOOM**2, 1.0),
        hflip=0.5,
        color_jitter=JITTER,
        interpolation="random",
        mean=MEAN,
        std=STD,
        num_workers=task.workers,
        device=device,
    )
    schedule, _ = create_scheduler_v2(optimizer, "cosine", 300, updates_per_epoch=len(loader))
    loss_of, turns = LabelSmoothingCrossEntropy(0.1), Turns(_wait(task))
    for updates, (images, labels) in enumerate(_epochs(loader), start=1):
        given = images.contiguous(memory_format=torch.channels_last) if task.convolves else images
        with _computing(task):
            loss = loss_of(model(given), labels)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        schedule.step_update(num_updates=updates, metric=None)
        turns.step()


def by_lightning(task: Task) -> None:
    """Lightning's Trainer; logger, checkpoints and progress bar are off, in its favour."""
    import lightning
    from torch.utils.data import DataLoader
    from torchvision.datasets import ImageFolder
    from torchvision.transforms import v2

    class Module(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.model = network(task)

        def training_step(self, batch: Any, _: int) -> Tensor:
            images, labels = batch
            if task.convolves:
                images = images.contiguous(memory_format=torch.channels_last)
            return nn.functional.cross_entropy(self.model(images), labels)

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return _sgd(self.parameters())

    class Hook(lightning.Callback):
        def on_train_start(self, *_: Any) -> None:
            self.turns = Turns(_wait(task))

        def on_train_batch_end(self, *_: Any) -> None:
            self.turns.step()

    transform = v2.Compose(
        [
            v2.ToImage(),
            v2.RandomResizedCrop(task.side, scale=(1 / ZOOM**2, 1.0), antialias=True),
            v2.RandomHorizontalFlip(),
            v2.ColorJitter(brightness=JITTER, contrast=JITTER),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize(MEAN, STD),
        ]
    )
    loader = DataLoader(
        ImageFolder(str(task.files), transform),
        task.batch,
        shuffle=True,
        num_workers=task.workers,
        persistent_workers=task.workers > 0,
        drop_last=True,
    )
    trainer = lightning.Trainer(
        max_epochs=-1,
        accelerator="gpu" if task.device.startswith("cuda") else "cpu",
        devices=1,
        precision="bf16-mixed" if task.precision == "bfloat16" else "32-true",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[Hook()],
    )
    trainer.fit(Module(), loader)


def by_monai(task: Task) -> None:
    """MONAI's cached workflow: deterministic transforms once, random ones on what is cached."""
    from monai import transforms
    from monai.data import CacheDataset, DataLoader

    loaded = [
        transforms.LoadImaged("image", reader="PILReader"),
        transforms.EnsureChannelFirstd("image"),
        transforms.Resized("image", (task.side, task.side), mode="area"),
        transforms.ScaleIntensityRanged("image", 0, 255, 0, 1),
    ]
    random = [
        transforms.RandFlipd("image", prob=0.5, spatial_axis=0),
        transforms.RandZoomd("image", prob=1.0, min_zoom=1.0, max_zoom=ZOOM, mode="bilinear"),
        transforms.RandScaleIntensityd("image", factors=JITTER, prob=1.0),
        transforms.RandShiftIntensityd("image", offsets=JITTER, prob=1.0),
        transforms.RepeatChanneld("image", 3),
        transforms.NormalizeIntensityd("image", MEAN, STD, channel_wise=True),
        transforms.ToTensord("image", track_meta=False),
    ]
    files = [
        {"image": str(path), "label": int(path.parent.name)}
        for path in sorted(task.files.glob("*/*.png"))
    ]
    cached = CacheDataset(
        files, transforms.Compose([*loaded, *random]), cache_rate=1.0, progress=False
    )
    loader = DataLoader(
        cached,
        batch_size=task.batch,
        shuffle=True,
        num_workers=task.workers,
        persistent_workers=task.workers > 0,
        drop_last=True,
    )
    model = network(task)
    optimizer, turns = _sgd(model.parameters()), Turns(_wait(task))
    for batch in _epochs(loader):
        images, labels = batch["image"].to(task.device), batch["label"].to(task.device)
        if task.convolves:
            images = images.contiguous(memory_format=torch.channels_last)
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        turns.step()


def network(task: Task) -> nn.Module:
    """timm's, with its own classifier, in training mode."""
    sized = task.network.startswith(("vit", "swin"))
    size = {"img_size": (task.side, task.side)} if sized else {}
    model = timm.create_model(task.network, num_classes=CLASSES, **size).to(task.device).train()
    return model.to(memory_format=torch.channels_last) if task.convolves else model


def _sgd(weights: Iterator[nn.Parameter]) -> torch.optim.Optimizer:
    return torch.optim.SGD(weights, RATE, MOMENTUM, weight_decay=DECAY, nesterov=True)


def _computing(task: Task) -> torch.autocast:
    device = torch.device(task.device).type
    return torch.autocast(device, torch.bfloat16, enabled=task.precision == "bfloat16")


def _epochs(loader: Any) -> Iterator[Any]:
    while True:
        yield from loader


def _wait(task: Task) -> Any:
    return torch.cuda.synchronize if task.device.startswith("cuda") else lambda: None


_WAYS = {"timm": by_timm, "lightning": by_lightning, "monai": by_monai}

if __name__ == "__main__":
    main()
