"""params.yaml and studies/*.yaml as typed, frozen values.

One module per section, so that a stage depends on just the settings that it reads.
"""
