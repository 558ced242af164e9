"""What a snapshot would say after the patch: the same bytes, edited, and the measurements that follow a model.

The configured half is exact: the bytes that the patch writes, from which every fact is derived again.
"""

from __future__ import annotations

from collections.abc import Mapping

from advisor.facts.derive import Facts
from advisor.records import dataclass, field, replace
from advisor.remedy.effects import Effect, carry, moved
from advisor.remedy.in_place import in_their_files, rewritten
from advisor.remedy.lattice import Target, Wants
from advisor.remedy.modules import missing_modules, with_modules
from advisor.remedy.nginx import NginxChange, edited, nginx_changes
from advisor.remedy.sysctl import DROPIN, SysctlChange, drop_in, made_with, sysctl_changes
from advisor.snapshot.model import Snapshot, SysctlFile


@dataclass(frozen=True, slots=True)
class Prediction:
    """The changes, the bytes they make, and the snapshot they lead to.

    ``dropin`` is None where no sysctl changes, where they are changed in place (``sysctl_files``: the new bytes by
    path), and where they are given as the container is made; ``modules`` are those that must be listed with it, to be
    there at boot. ``files`` are the new bytes of nginx's.
    """

    sysctls: list[SysctlChange]
    directives: list[NginxChange]
    dropin: bytes | None
    modules: list[str]
    files: dict[str, bytes]
    snapshot: Snapshot
    effects: list[Effect]
    sysctl_files: dict[str, bytes] = field(default_factory=dict)


def predict(
    before: Facts, wants: dict[Target, Wants], reasons: dict[str, str], *, in_place: bool = False
) -> Prediction:
    """Apply what is wanted to a snapshot.

    Args:
        before: the facts of the snapshot as it is.
        wants: by target.
        reasons: one line a rule, for the comments in the drop-in file.
        in_place: sysctls are changed in the given files that set them, instead of by a drop-in file.

    Raises:
        PlanError: when a value or a file can't be written.
    """
    sysctls = in_their_files(before, wants) if in_place else sysctl_changes(before, wants)
    sysctl_files = rewritten(before, sysctls) if in_place else {}
    directives = nginx_changes(before, wants)
    dropin = drop_in(before, sysctls, reasons) if sysctls and not in_place and not made_with(before) else None
    modules = missing_modules(before, sysctls) if dropin is not None else []
    files = edited(before, directives)
    snapshot = _with_sysctls(before.snapshot, sysctls, dropin)
    snapshot = with_bytes(with_modules(before, snapshot, modules), files, sysctl_files)
    targets = {change.key for change in sysctls} | {change.target for change in directives}
    out = moved(before, Facts(snapshot), targets)
    # What boot makes of the drop-in is said with the patch (`advisor.remedy.lasting`), not judged before it is there.
    out.void.update({f"boot@{change.key}": f"the patch sets {change.key}; audit again" for change in sysctls})
    after = carry(snapshot, out)
    return Prediction(sysctls, directives, dropin, modules, files, after, out.effects, sysctl_files)


def _with_sysctls(snapshot: Snapshot, changes: list[SysctlChange], dropin: bytes | None) -> Snapshot:
    update: dict[str, object] = {}
    if changes and snapshot.sysctls is not None:
        # A key that only a given file sets, and this kernel lacks, stays absent.
        after = {change.key: change.after for change in changes}
        values = {key: after.get(key, value) for key, value in snapshot.sysctls.values.items()}
        update["sysctls"] = replace(snapshot.sysctls, values=values)
    if dropin is not None and snapshot.sysctl_files is not None:
        # Where files are judged as if applied, the drop-in is one of them, and the last.
        given = any(file.given for file in snapshot.sysctl_files)
        others = [file for file in snapshot.sysctl_files if file.path != DROPIN]
        update["sysctl_files"] = [*others, SysctlFile(path=DROPIN, content=dropin, given=given)]
    return replace(snapshot, **update)


def with_bytes(snapshot: Snapshot, nginx: Mapping[str, bytes], sysctl: Mapping[str, bytes]) -> Snapshot:
    """The snapshot with other bytes in files of nginx's, and in given sysctl files, by path; others are left out."""
    update: dict[str, object] = {}
    there = snapshot.nginx
    files = {
        path: replace(file, content=nginx[path])
        for path, file in (there.files if there is not None else {}).items()
        if nginx.get(path, file.content) != file.content
    }
    if there is not None and files:
        update["nginx"] = replace(there, files={**there.files, **files})
    given = snapshot.sysctl_files or ()
    others = [
        replace(file, content=sysctl[file.path]) if file.given and file.path in sysctl else file for file in given
    ]
    if any(file.given and sysctl.get(file.path, file.content) != file.content for file in given):
        update["sysctl_files"] = others
    return replace(snapshot, **update) if update else snapshot
