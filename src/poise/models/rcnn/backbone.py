"""The backbone: a ResNet (He et al. 2016) and a feature pyramid over it (Lin et al. 2017).

Modules and weights are named as in torchvision, so that its files fit.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from poise.models.rcnn.design import Design

_EXPANSION = 4


class Backbone(nn.Module):
    """Five maps of a picture, with strides of 4, 8, 16, 32 and 64 pixels."""

    def __init__(self, design: Design) -> None:
        super().__init__()
        self.body = ResNet(design)
        widths = [design.stem * _EXPANSION * 2**stage for stage in range(4)]
        self.fpn = Pyramid(widths, design.pyramid)

    def forward(self, pixels: Tensor) -> list[Tensor]:
        """Return (1, C, H, W) maps, the finest first."""
        levels: list[Tensor] = self.fpn(self.body(pixels))
        return levels


class ResNet(nn.Module):
    """The four stages of a ResNet of bottlenecks, without its classifier."""

    def __init__(self, design: Design) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, design.stem, 7, stride=2, padding=3, bias=False)
        self.bn1 = FrozenNorm(design.stem, design.epsilon)
        channels = design.stem
        for stage, count in enumerate(design.blocks):
            inner = design.stem * 2**stage
            rows = []
            for block in range(count):
                stride = 2 if stage > 0 and block == 0 else 1
                rows.append(Bottleneck(channels, inner, stride, design))
                channels = inner * _EXPANSION
            setattr(self, f"layer{stage + 1}", nn.Sequential(*rows))

    def forward(self, pixels: Tensor) -> list[Tensor]:
        """Return what comes out of each stage."""
        now = F.relu(self.bn1(self.conv1(pixels)))
        now = F.max_pool2d(now, 3, stride=2, padding=1)
        stages = []
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            now = stage(now)
            stages.append(now)
        return stages


class Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolutions beside a shortcut."""

    def __init__(self, channels: int, inner: int, stride: int, design: Design) -> None:
        super().__init__()
        outer, epsilon = inner * _EXPANSION, design.epsilon
        first, second = (stride, 1) if design.early_stride else (1, stride)
        self.conv1 = nn.Conv2d(channels, inner, 1, stride=first, bias=False)
        self.bn1 = FrozenNorm(inner, epsilon)
        self.conv2 = nn.Conv2d(inner, inner, 3, stride=second, padding=1, bias=False)
        self.bn2 = FrozenNorm(inner, epsilon)
        self.conv3 = nn.Conv2d(inner, outer, 1, bias=False)
        self.bn3 = FrozenNorm(outer, epsilon)
        self.downsample = None
        if stride != 1 or channels != outer:
            shortcut = nn.Conv2d(channels, outer, 1, stride=stride, bias=False)
            self.downsample = nn.Sequential(shortcut, FrozenNorm(outer, epsilon))

    def forward(self, now: Tensor) -> Tensor:
        """Return (1, 4 * inner, H / stride, W / stride)."""
        beside = now if self.downsample is None else self.downsample(now)
        now = F.relu(self.bn1(self.conv1(now)))
        now = F.relu(self.bn2(self.conv2(now)))
        return F.relu(self.bn3(self.conv3(now)) + beside)


class FrozenNorm(nn.Module):
    """Batch normalisation whose four rows of numbers are fixed."""

    def __init__(self, channels: int, epsilon: float) -> None:
        super().__init__()
        self._epsilon = epsilon
        for name, start in (("weight", 1), ("bias", 0), ("running_mean", 0), ("running_var", 1)):
            self.register_buffer(name, torch.full((channels,), float(start)))

    def forward(self, now: Tensor) -> Tensor:
        """Return (x - mean) / sqrt(variance + epsilon) * weight + bias."""
        scale = self.weight * (self.running_var + self._epsilon).rsqrt()
        shift = self.bias - self.running_mean * scale
        return now * scale[:, None, None] + shift[:, None, None]


class Pyramid(nn.Module):
    """Mixes the stages from the coarsest to the finest, and adds a level of every other cell."""

    def __init__(self, widths: list[int], channels: int) -> None:
        super().__init__()
        self.inner_blocks = nn.ModuleList(
            nn.Sequential(nn.Conv2d(width, channels, 1)) for width in widths
        )
        self.layer_blocks = nn.ModuleList(
            nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1)) for _ in widths
        )

    def forward(self, stages: list[Tensor]) -> list[Tensor]:
        """Return one map more than there are stages."""
        sides = [block(stage) for block, stage in zip(self.inner_blocks, stages, strict=True)]
        for finer in range(len(sides) - 2, -1, -1):
            coarse = F.interpolate(sides[finer + 1], scale_factor=2.0, mode="nearest")
            sides[finer] = sides[finer] + coarse
        levels = [block(side) for block, side in zip(self.layer_blocks, sides, strict=True)]
        return [*levels, F.max_pool2d(levels[-1], 1, stride=2)]
