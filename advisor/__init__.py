"""A sysctl and nginx tuning advisor for the people who run nginx on Linux.

The rooms, in the order in which data walks through them, one way::

    collect/ -> snapshot/ -> facts/ -> engine/ + rules/ -> findings -> report/, gate, remedy/

    errors      the tree of errors; each names file:line or key, and the way out
    records     data classes that cost next to nothing to define
    units       seconds, bytes, pages, counts: quantities, comparing, printing
    catalog/    what the kernel and nginx document
    formats/    bytes to structure and back, without meaning
    system      the one door to the machine; its root may be a fixture tree
    capture/    what a packet capture shows: connections, their states, how long they sit idle
    snapshot/   what was read: bytes of configuration, counts of measurements, nothing derived
    facts/      what we know: computed from a snapshot on first use, never stored
    findings    Finding, Verdict, Severity, Confidence, Evidence, Location, Step
    engine/     how we judge: the expressions of rules, compiled and evaluated in three values
    remedy/     what to change, text in and text out: plan, predict, edits, the patch folder
    collect/    how we learn it, one source a file; one that fails never stops the rest
    report/     how we tell, one format a file
    config/     what a team writes down once: policy, parameters, exceptions, hosts
    gate/       which findings count, which somebody has answered for
    jobs/       the verbs as typed functions that join rooms
    cli/        arguments in, exit code out

Who may import whom is checked by import-linter (see pyproject.toml).
"""

__version__ = "0.1.0"
