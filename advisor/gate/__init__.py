"""The verdict for CI, without noise: which findings count, which somebody has already answered for.

::

    policy    how grave and how sure a finding must be to count
    comments  where comments in nginx and sysctl files say, with a reason, to leave a finding
    spans     what they say: the words, the lines they hold for, blocks that begin and end
    beside    findings held against them: which they cover, and what is wrong with the others
    ignores   the same for entries of the configuration; marks findings with both
    baseline  the findings that were there before, told apart from new and from cured ones
    notices   what the gate itself has to say: ignores that are unused, expired, or lack a reason

Nothing is taken out of a report here: a finding that somebody answered for is marked (`Finding.suppression`).
"""

MARK = b"advisor:"
"""Begins the comments that answer for something, or ask for it."""
