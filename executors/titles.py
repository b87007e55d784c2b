"""What a parameter is called where people meet it: its title on a form, its option on a command line."""

from __future__ import annotations

__all__ = ["both", "title"]

_TITLES = {
    "arch": "Architecture (arch)",
    "lr": "Learning rate (lr)",
    "num_it": "Length of the sweep (num_it)",
    "start_lr": "Lowest rate (start_lr)",
    "end_lr": "Highest rate (end_lr)",
    "y_range": "Range of predictions (y_range)",
    "worst": "Samples to list (worst)",
    "max_batch": "Largest batch to try (max_batch)",
    "trial_timeout": "Time for a trial (trial_timeout)",
    "train_batches": "Training before (train_batches)",
}


def title(name: str) -> str:
    """The title of the parameter's field on a form, without its unit.

    Examples
    --------
    >>> title("log_target"), title("arch")
    ('Log target', 'Architecture (arch)')
    """
    return _TITLES.get(name) or name.replace("_", " ").capitalize()


def both(name: str) -> str:
    """The parameter in a sentence that is read on the page and on the command line.

    Examples
    --------
    >>> both("download"), both("batch_size"), both("arch")
    ('Download (--download)', 'Batch size (--batch-size)', 'Architecture (--arch)')
    """
    return f"{title(name).removesuffix(f' ({name})')} (--{name.replace('_', '-')})"
