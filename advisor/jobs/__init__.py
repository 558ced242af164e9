"""The verbs, as typed functions that join rooms; `advisor.cli` only turns arguments into calls of them.

::

    load        a snapshot and rules: from the host, files, or one that was kept
    configure   advisor.yaml and the command line, as one
    audit       what the rules say of one snapshot; answered: what somebody answers for there
    patch       the cure as a folder
    keep, forecast, effective, upgrade, capture, explain, cases, schemas
                the other commands; write: formats to files, the rest to standard output

    gating      a run of the gate: options that can be meant together, then the rooms below, then the reports
      gate      targets looked at, marked and told; what a run asks of them
      targets   what there is to judge: files and snapshots that were found, joined into hosts
      seen      targets judged, equal findings made one
      marks     who answers for a finding: comments, the configuration, a baseline
      verdict   what counts, and the exit code
      fix       the cure of all targets in their own files; fixed: that as exact replacements of bytes
      rewrite   the cure shown as a diff, or written
"""
