"""Pretrain: trunks that learn to tell procedural images apart, for networks to begin with."""

from oncotrail import compute, stage
from oncotrail.record import Run, generator
from oncotrail.study import base
from oncotrail.study.computing import Compute
from oncotrail.study.pretraining import Pretrain


class Settings(base.Settings):
    """What pretrain reads: the trunks that the study names, if any."""

    seed: int
    compute: Compute
    pretrain: Pretrain


def main(settings: Settings, run: Run) -> None:
    if not settings.pretrain.trunks:
        run.say("the study pretrains nothing")
        return
    from oncotrail.backbones import pretraining, weights
    from oncotrail.backbones.accelerator import OneDevice
    from oncotrail.backbones.checkpoint import FolderCheckpoints

    compute.use_threads(settings.compute.threads)
    for name, asked in settings.pretrain.trunks.items():
        how = settings.compute.of(asked.architecture)
        machine = OneDevice(settings.compute.device, how.precision, how.layout, how.compile)
        seed = int(generator(settings.seed, "pretrain", run.key, name).integers(2**62))
        run.params({f"{name}.{key}": value for key, value in asked.flat().items()})
        kept = FolderCheckpoints(run.checkpoints / name, run.say)
        done = pretraining.pretrained(asked, seed, machine, lambda _: None, kept)
        blueprint = pretraining.blueprint(name, asked, done.network)
        (run.out / name).mkdir()
        weights.save_network(done.network, blueprint, run.out / name)
        for file in (weights.WEIGHTS, weights.BLUEPRINT):
            run.artifact(run.out / name / file)
        figures = done.figures()
        run.metrics({f"{name}/{figure}": value for figure, value in figures.items()})
        run.say(f"{name}: right about {figures['accuracy']:.1%} of {done.held_out} new pictures")


if __name__ == "__main__":
    stage.run(main)
