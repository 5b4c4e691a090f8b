"""`maskaudit cache`: inspect or clear the cached scores, from which an interrupted run resumes."""

from maskaudit.audit.cli.options import AsJson, print_json, print_text


def cache_info(*, as_json: AsJson = False) -> None:
    """Show where scores are cached, how many entries there are, and how much space they take."""
    from maskaudit.audit import settings
    from maskaudit.audit.measuring import cache

    contents = cache.contents(cache.default_folder())
    most = settings.read(None).run.cache_mib
    if as_json:
        print_json(
            {
                "folder": str(contents.folder),
                "entries": contents.entries,
                "bytes": contents.size,
                "most_bytes": most * cache.MIB,
            }
        )
        return
    print_text(f"Folder:  {contents.folder}")
    print_text(f"Entries: {contents.entries:,}")
    print_text(f"Size:    {contents.size / cache.MIB:,.1f} of {most:,} MiB")


def cache_clear() -> None:
    """Delete all cached scores; records stay. A run in progress only has to score again."""
    from maskaudit.audit.measuring import cache
    from maskaudit.audit.recording.files import writing

    folder = cache.default_folder()
    with writing(folder):
        removed = cache.clear(folder)
    print_text(
        f"{removed.folder}: {removed.entries:,} entries deleted, "
        f"{removed.size / cache.MIB:,.1f} MiB"
    )
