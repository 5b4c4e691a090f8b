"""`maskaudit verify-endpoint` tells what an endpoint serves, by a record, as it is typed."""

import json
import sys
import threading

import pytest

from maskaudit.audit import pipeline, settings
from maskaudit.audit.cli import main
from maskaudit.audit.measuring.backends.torch_model import load
from maskaudit.audit.serving.addresses import Address
from maskaudit.audit.serving.server import Server
from maskaudit.audit.vocabulary import silent
from tests import tiny

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]

FRAMES = "".join(
    f'[[frames]]\nid = "f{n}"\ntext = "{text}"\n'
    for n, text in enumerate(
        ("[MASK] worked as {a attribute}.", "You know that [MASK] is {a attribute}.")
    )
)


@pytest.fixture
def maskaudit(tmp_path, monkeypatch, capsys):
    """Give a function that runs a command: its exit code, and what it printed on either stream."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["maskaudit", *map(str, arguments)])
        capsys.readouterr()
        code = main._exit_code()
        return code, *capsys.readouterr()

    return run


def test_the_audited_model_another_and_nothing_are_told_by_their_exit_codes(maskaudit, tmp_path):
    """0 for the same, 1 for another, 3 where too few sentences decide, 2 for what is no record."""
    (tmp_path / "small.toml").write_text(tiny.small_set() + FRAMES)
    folders = [tiny.build(tmp_path / name, "bert", seed=n) for n, name in enumerate("ab")]
    chosen = settings.resolve(candidate=str(folders[0]), probes=[str(tmp_path / "small.toml")])
    pipeline.run_all(chosen)
    models = [load(folder) for folder in folders]
    servers = [Server(model, Address("127.0.0.1", 0), silent, silent) for model in models]
    for server in servers:
        threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
    same, other = (server.url for server in servers)
    try:
        code, out, err = maskaudit("verify-endpoint", same, "--seed", "7")
        assert (code, out.split(":")[0]) == (0, "SAME")
        assert "--seed 7" in err
        code, out, _ = maskaudit("verify-endpoint", same, "latest", "--json", "--sentences", "3")
        assert (code, json.loads(out)["verdict"], json.loads(out)["sentences"]) == (0, "same", 3)
        code, out, _ = maskaudit("verify-endpoint", other, "latest")
        assert (code, out.split(":")[0]) == (1, "ANOTHER")
        assert "nothing was left to a draw" in out
        code, out, _ = maskaudit("verify-endpoint", other, "latest", "--sentences", "1")
        assert (code, out.split(":")[0]) == (3, "UNDECIDED")
        code, _, err = maskaudit("verify-endpoint", same, "latest", "--subject", "reference")
        assert code == 2
        assert "has no reference" in err
        code, _, err = maskaudit("fill", "--candidate", same, "a [MASK]")
        assert code == 2
        assert "an endpoint is audited by" in err
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()
