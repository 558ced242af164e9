"""The verdict for CI, without noise: which findings count, which somebody has already answered for.

::

    policy    how grave and how sure a finding must be to count
    ignores   comments and entries of the configuration that say, with a reason, to leave a finding
    baseline  the findings that were there before, told apart from new and from cured ones
    notices   what the gate itself has to say: ignores that are unused, expired, or lack a reason

Nothing is taken out of a report here: a finding that somebody answered for is marked (`Finding.suppression`).
"""
