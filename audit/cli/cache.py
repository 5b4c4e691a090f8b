"""`maskaudit cache`: inspect or clear the cached scores, from which an interrupted run resumes."""

from maskaudit.audit.cli.options import AsJson, print_json


def cache_info(*, as_json: AsJson = False) -> None:
    """Where scores are kept, how many entries there are, and how much room they take."""
    from maskaudit.audit import settings
    from maskaudit.audit.measuring import cache

    found = cache.contents(cache.place())
    most = settings.read(None).run.cache_mib
    if as_json:
        print_json(
            {
                "folder": str(found.folder),
                "entries": found.entries,
                "bytes": found.size,
                "most_bytes": most * cache.MIB,
            }
        )
        return
    print(f"Folder:  {found.folder}")
    print(f"Entries: {found.entries:,}")
    print(f"Size:    {found.size / cache.MIB:,.1f} of {most:,} MiB")


def cache_clear() -> None:
    """Delete all scores that are kept; records stay. A run at work only has to score again."""
    from maskaudit.audit.measuring import cache
    from maskaudit.audit.recording.files import writing

    folder = cache.place()
    with writing(folder):
        found = cache.clear(folder)
    print(f"{found.folder}: {found.entries:,} entries deleted, {found.size / cache.MIB:,.1f} MiB")
