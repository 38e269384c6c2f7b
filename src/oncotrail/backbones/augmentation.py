"""Augmentation of a batch of training images: on their device, each image for itself.

    flips       a fair coin per image and axis; pixels move and are not resampled
    geometry    rotation, shear, scale and translation as ONE affine map per image, bilinear
    intensity   contrast, brightness, gamma, noise, in this order, in shares of white
    mixup       each image blended with another of its batch, and so its loss (Zhang et al., 2018)

What is random is drawn first, for the whole batch, on the CPU and from the generator given: so the
same seed augments alike on every device, and processes that share a batch agree on it. What is
switched off draws nothing. Only flips leave pixels as the integers that they were.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

Flip = Literal["horizontal_flip", "vertical_flip"]

WHITE = 255.0
GREY = WHITE / 2
_AXIS: dict[Flip, int] = {"vertical_flip": 1, "horizontal_flip": 2}  # of images x rows x columns


@dataclass(frozen=True)
class Augmentation:
    """How far images may be changed; every amount is drawn uniformly within its bounds."""

    flips: tuple[Flip, ...] = ()
    rotation: float = 0.0  # degrees, to either side
    shear: float = 0.0  # degrees, to either side
    translation: float = 0.0  # share of rows and of columns, to either side
    scale: tuple[float, float] = (1.0, 1.0)  # smallest and largest enlargement
    brightness: float = 0.0  # share of white, added or taken
    contrast: float = 0.0  # 0.2: distances from mid-grey times 0.8 to 1.2
    gamma: float = 0.0  # 0.2: exponent from 1 / 1.2 to 1.2
    noise: float = 0.0  # largest standard deviation of Gaussian noise, share of white
    mixup: float = 0.0  # alpha of the Beta distribution that blends two images; 0: none

    @property
    def moves(self) -> bool:
        """Whether pixels are resampled."""
        amounts = (self.rotation, self.shear, self.translation)
        return any(amounts) or self.scale != (1.0, 1.0)

    @property
    def tones(self) -> bool:
        """Whether grey values change."""
        return any((self.brightness, self.contrast, self.gamma, self.noise))


@dataclass(frozen=True)
class Drawn:
    """What chance decided for each image of a batch; every field is (images, ...) or None."""

    flips: Tensor | None = None  # (images, flips), true where it is flipped
    theta: Tensor | None = None  # (images, 3): rotation, shear (radians), scale
    shift: Tensor | None = None  # (images, 2): shares of columns and of rows
    tones: Tensor | None = None  # (images, 4): contrast, brightness, gamma, deviation of the noise
    noise_seed: Tensor | None = None  # (images,)
    partner: Tensor | None = None  # (images,): whom it is blended with
    share: Tensor | None = None  # (images,): how much of it stays its own

    def __getitem__(self, rows: Tensor) -> Drawn:
        """What was drawn for these images of the batch."""
        named = {field.name: getattr(self, field.name) for field in fields(self)}
        return Drawn(**{name: None if of is None else of[rows] for name, of in named.items()})


def draw(asked: Augmentation, images: int, generator: torch.Generator) -> Drawn:
    """Decide everything for a batch, in an order that never changes."""
    flips = [torch.rand(images, generator=generator) < 0.5 for _ in asked.flips]  # noqa: PLR2004  a fair coin
    theta = shift = tones = seed = partner = share = None
    if asked.moves:
        turns = [math.radians(most) * _around(images, generator) for most in _angles(asked)]
        low, high = asked.scale
        scale = low + (high - low) * torch.rand(images, generator=generator)
        theta = torch.stack([*turns, scale], dim=1)
        shift = asked.translation * torch.stack(
            [_around(images, generator), _around(images, generator)], dim=1
        )
    if asked.tones:
        tones = torch.stack(
            [
                1 + asked.contrast * _around(images, generator),
                asked.brightness * _around(images, generator),
                (1 + asked.gamma) ** _around(images, generator),
                asked.noise * torch.rand(images, generator=generator),
            ],
            dim=1,
        )
        seed = torch.randint(2**62, (images,), generator=generator)
    if asked.mixup:
        partner = torch.randperm(images, generator=generator)
        share = _beta(asked.mixup, images, generator)
    return Drawn(
        torch.stack(flips, dim=1) if flips else None, theta, shift, tones, seed, partner, share
    )


def augmented(pixels: Tensor, asked: Augmentation, drawn: Drawn) -> Tensor:
    """Images x rows x columns [x 3] as drawn, but for mixup; float32 in 0..255 if resampled."""
    pixels = _flipped(pixels, asked.flips, drawn.flips)
    if drawn.theta is not None and drawn.shift is not None:
        pixels = _moved(pixels, drawn.theta, drawn.shift)
    if drawn.tones is not None and drawn.noise_seed is not None:
        pixels = _toned(pixels, drawn.tones, drawn.noise_seed, noisy=asked.noise > 0)
    return pixels


def blended(pixels: Tensor, others: Tensor, share: Tensor) -> Tensor:
    """`share` (images,) of the one and the rest of the other."""
    own = share.to(pixels.device, torch.float32).view(-1, *[1] * (pixels.ndim - 1))
    return own * pixels.to(torch.float32) + (1 - own) * others.to(torch.float32)


def _angles(asked: Augmentation) -> tuple[float, float]:
    return asked.rotation, asked.shear


def _around(images: int, generator: torch.Generator) -> Tensor:
    """Uniform in [-1, 1)."""
    return 2 * torch.rand(images, generator=generator) - 1


def _beta(alpha: float, images: int, generator: torch.Generator) -> Tensor:
    """Beta(alpha, alpha) per image, the larger share its own.

    Of each pair of a batch both mixtures occur, so folding at a half loses none, and an image's
    name stays with the picture that shows most of it.
    """
    shape = torch.full((images,), alpha, dtype=torch.float64)
    one = torch._standard_gamma(shape, generator=generator)  # noqa: SLF001  torch's only sampler that takes a generator
    other = torch._standard_gamma(shape, generator=generator)  # noqa: SLF001
    share = one / (one + other).clamp_min(torch.finfo(torch.float64).tiny)
    return torch.maximum(share, 1 - share)


def _flipped(pixels: Tensor, flips: tuple[Flip, ...], heads: Tensor | None) -> Tensor:
    if heads is None:
        return pixels
    for number, flip in enumerate(flips):
        of_image = heads[:, number].to(pixels.device).view(-1, *[1] * (pixels.ndim - 1))
        pixels = torch.where(of_image, pixels.flip(_AXIS[flip]), pixels)
    return pixels


def _moved(pixels: Tensor, theta: Tensor, shift: Tensor) -> Tensor:
    """One resampling for the whole batch; what comes from outside the picture is black."""
    planes = _planes(pixels.to(torch.float32))
    maps = inverse_maps(theta, shift, planes.shape[2], planes.shape[3]).to(planes)
    grid = functional.affine_grid(maps, list(planes.shape), align_corners=False)
    moved = functional.grid_sample(planes, grid, align_corners=False)
    return _as_given(moved, pixels)


def inverse_maps(theta: Tensor, shift: Tensor, rows: int, columns: int) -> Tensor:
    """From a place in the new picture to the old one's, images x 2 x 3, as affine_grid wants them.

    Forward, about the centre and in pixels: shear along the columns, turn clockwise, enlarge, move.
    `affine_grid` measures each axis in halves of the picture, so a turn of an oblong picture is no
    turn there: hence the two factors of the sides.
    """
    angle, shear, scale = theta.double().unbind(1)
    cos, sin, slant = torch.cos(angle), torch.sin(angle), torch.tan(shear)
    # Forward: scale * [[cos, cos * slant - sin], [sin, sin * slant + cos]], determinant scale^2.
    inverse = torch.stack([sin * slant + cos, sin - cos * slant, -sin, cos], dim=1) / scale[:, None]
    inverse = inverse.view(-1, 2, 2)
    sides = torch.tensor([columns, rows], dtype=torch.float64)
    move = -(inverse @ (shift.double() * sides)[:, :, None])[:, :, 0]
    in_halves = inverse * sides[None, None, :] / sides[None, :, None]
    return torch.cat([in_halves, (move * 2 / sides)[:, :, None]], dim=2)


def _toned(pixels: Tensor, tones: Tensor, seeds: Tensor, *, noisy: bool) -> Tensor:
    values = pixels.to(torch.float32)
    per_image = [1] * (pixels.ndim - 1)
    contrast, brightness, gamma, deviation = (
        column.view(-1, *per_image) for column in tones.to(values).unbind(1)
    )
    values = ((values - GREY) * contrast + GREY + brightness * WHITE).clamp(0, WHITE)
    values = WHITE * (values / WHITE) ** gamma
    if noisy:
        values = values + WHITE * deviation * _noise(values, seeds)
    return values.clamp(0, WHITE)


def _noise(values: Tensor, seeds: Tensor) -> Tensor:
    """Standard normal, from one seed per image: whoever else is in the batch changes nothing."""
    noise = torch.empty_like(values)
    generator = torch.Generator(values.device)
    for image, seed in zip(noise, seeds.tolist(), strict=True):
        image.normal_(generator=generator.manual_seed(seed))
    return noise


def _planes(pixels: Tensor) -> Tensor:
    """Images x channels x rows x columns."""
    return pixels.unsqueeze(1) if pixels.ndim == 3 else pixels.movedim(-1, 1)  # noqa: PLR2004  grey


def _as_given(planes: Tensor, like: Tensor) -> Tensor:
    return planes[:, 0] if like.ndim == 3 else planes.movedim(1, -1)  # noqa: PLR2004  grey
