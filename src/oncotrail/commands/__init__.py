"""What happens when a person types `oncotrail ...`: each command a function of the root folder.

They return or yield what to say; `cli` says it and sets the exit code.
"""
