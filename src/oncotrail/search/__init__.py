"""Settings by trial: a driver that owns the Optuna study, and workers that train.

`sweep` asks, tells and records; `workers` and `cluster` carry out jobs and know neither Optuna nor
torch; `objective` trains one network with the loop. The only room that imports optuna.
"""
