"""The guards: what would make this study's numbers wrong stops it here."""

import json
from pathlib import Path

from oncotrail import stage
from oncotrail.audit.checks import audited
from oncotrail.audit.evidence import Declared, read_evidence
from oncotrail.audit.finding import refuse_violations
from oncotrail.audit.models import Rerun
from oncotrail.record import Run
from oncotrail.study import base
from oncotrail.study.cohort import Cohort
from oncotrail.study.evaluation import Evaluation
from oncotrail.study.fusion import Fusion
from oncotrail.study.guards import Audit
from oncotrail.study.network import Network


class Settings(base.Settings):
    """The sections that this stage reads."""

    seed: int
    audit: Audit
    cohort: Cohort
    network: dict[str, Network]
    fusion: Fusion
    evaluation: Evaluation

    def declared(self) -> Declared:
        """What the stages before were asked to do."""
        return Declared(self.seed, self.cohort, self.network, self.fusion, self.evaluation)


def main(settings: Settings, run: Run) -> None:
    evidence = read_evidence(run, settings.declared(), again)
    findings = audited(settings.audit.checks, evidence)
    refuse_violations(findings)
    report = {"checks": [finding.entry() for finding in findings]}
    path = run.out / "audit.json"
    path.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    run.artifact(path)
    run.params({"checks": ", ".join(settings.audit.checks)})
    run.metrics({f"{finding.check}/looked_at": finding.looked_at for finding in findings})
    for finding in findings:
        run.say(f"{finding.check}: {finding.says}")


def again(trained: Path) -> Rerun:
    """A network to be run again; the audit's room itself knows no torch."""
    from oncotrail.backbones.weights import load_network

    return load_network(trained)


if __name__ == "__main__":
    stage.run(main)
