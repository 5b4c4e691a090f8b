"""`maskaudit cache`: inspect or clear the cached scores, from which an interrupted run resumes."""

from pathlib import Path

from maskaudit.audit.cli.options import AsJson, note, print_json, print_text
from maskaudit.audit.errors import InputError


def cache_info(*, as_json: AsJson = False) -> None:
    """Show where scores are cached, how much they take, and which a run here would not take."""
    from maskaudit.audit import settings
    from maskaudit.audit.measuring.cached import cache

    contents = cache.contents(cache.default_folder())
    most = settings.read(None).run.cache_mib
    not_taken = _not_taken(contents.folder) if contents.entries else {}
    if as_json:
        print_json(
            {
                "folder": str(contents.folder),
                "entries": contents.entries,
                "bytes": contents.size,
                "most_bytes": most * cache.MIB,
                **({"not_taken": not_taken} if not_taken else {}),
            }
        )
        return
    print_text(f"Folder:  {contents.folder}")
    print_text(f"Entries: {contents.entries:,}")
    print_text(f"Size:    {contents.size / cache.MIB:,.1f} of {most:,} MiB")
    for reason, entries in not_taken.items():
        print_text(f"{entries:,} would not be taken here: made with {reason}")
    try:
        # Last, and told as a note: a folder that a run refuses is one that people want to look at.
        cache.check(contents.folder)
    except InputError as error:
        note(str(error))


def _not_taken(folder: Path) -> dict[str, int]:
    """How many entries a run here would not take, by reason."""
    from maskaudit.audit.measuring.cached import cache
    from maskaudit.audit.measuring.cached.keys import here

    return dict(cache.not_taken(folder, here()).most_common())


def cache_clear() -> None:
    """Delete all cached scores; records stay. A run in progress only has to score again."""
    from maskaudit.audit.measuring.cached import cache
    from maskaudit.audit.recording.files import writing

    folder = cache.default_folder()
    with writing(folder):
        removed = cache.clear(folder)
    print_text(
        f"{removed.folder}: {removed.entries:,} entries deleted, "
        f"{removed.size / cache.MIB:,.1f} MiB"
    )
