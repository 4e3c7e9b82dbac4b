"""What can go wrong with a launch that is not a bug: one line for the person who typed the command."""


class LaunchError(Exception):
    """The testbed cannot be started, reached or stopped as asked; the message is one line."""


class RoleRefused(LaunchError):
    """A role says what is wrong with its input (weights, workload): a person's error, nothing has run."""


class RunFolderError(LaunchError):
    """The folder for the run's files cannot be used."""


class Interrupted(LaunchError):
    """A stop signal ended it before its end."""


class HostLost(LaunchError):
    """The agent of a host is gone, or does not answer in time."""
