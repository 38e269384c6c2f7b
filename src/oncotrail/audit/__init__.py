"""What would make the numbers wrong, each check by name.

A check looks at the files that a real run left behind and recomputes what they claim; it asks no
code whether it behaved. It says how much it looked at, because a check that saw nothing proves
nothing.
"""
