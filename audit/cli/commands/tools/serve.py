"""The command `serve`: a model as an endpoint on this machine."""

from collections.abc import Callable
from typing import Annotated

import typer

from maskaudit.audit.cli import internal, process
from maskaudit.audit.cli.options import Device, Dtype, Engine, Quiet, Threads, note


def serve(  # noqa: PLR0913 - the options of a command
    model: Annotated[
        str | None,
        typer.Argument(
            metavar="MODEL[@REV]",
            help="A folder or a hub id; without one, the candidate of the AUDIT.toml here, else "
            "the bundled student.",
        ),
    ] = None,
    *,
    host: Annotated[
        str, typer.Option("--host", metavar="ADDRESS", help="The address to listen at.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="The port; 0 takes one that is free.")
    ] = 8000,
    expose: Annotated[
        bool,
        typer.Option(
            "--expose",
            help="Let --host be an address that other machines reach. There is no password, and "
            "nothing is encrypted.",
        ),
    ] = False,
    engine: Engine = None,
    device: Device = None,
    dtype: Dtype = None,
    threads: Threads = None,
    quiet: Quiet = False,
) -> None:
    """Answer the bodies of fill-mask endpoints (Azure ML, MLflow, Hugging Face) with a model.

    Prints its address once it listens. It is for tests, demonstrations and checks of a client; it
    answers one request at a time. Ctrl-C or SIGTERM ends it.
    """
    from maskaudit.audit import settings
    from maskaudit.audit.serving import addresses

    address = addresses.checked(host, port, exposed=expose)
    audit_settings = settings.resolve(
        candidate=model, engine=engine, device=device, dtype=dtype, threads=threads
    )

    from maskaudit.audit.measuring.pairs import load_candidate
    from maskaudit.audit.serving.server import Server

    loaded = load_candidate(audit_settings, note)
    log = (lambda _line: None) if quiet else note
    with Server(loaded, address, log, _first_of_each_kind()) as server:
        print(server.url, flush=True)
        try:
            server.serve_forever()
        except (KeyboardInterrupt, process.Stopped):
            # The answer that the model is at is ended first, and no other begun: the process would
            # else end in the middle of it.
            server.model_lock.acquire()
            note("stopped")


def _first_of_each_kind() -> Callable[[Exception], None]:
    """Tell an error in a line; its traceback is kept for the first of its kind alone.

    Otherwise whoever found a request that we cannot answer could fill the disk with them.
    """
    told: set[type[Exception]] = set()

    def tell(error: Exception) -> None:
        kind = type(error)
        note(f"internal error ({kind.__name__})" if kind in told else internal.told(error))
        told.add(kind)

    return tell
