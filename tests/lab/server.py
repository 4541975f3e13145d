"""A real Jupyter, started as a reader starts it: on this machine, with a token, in a folder of its own."""

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

# No question about news while a test clicks; nothing is fetched.
QUIET = {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True}


@dataclass
class Jupyter:
    """Where a server listens, what opens it, and the folder it shows."""

    app: str  # lab or notebook
    url: str
    token: str
    folder: Path

    def address(self, path: str) -> str:
        """The address at which a reader opens a file of the folder."""
        return f"{self.url}{'lab/tree' if self.app == 'lab' else 'notebooks'}/{path}?token={self.token}"


def _environment(home: Path, more: dict[str, str]) -> dict[str, str]:
    """The environment without the settings of whoever runs the tests; what Jupyter writes is below `home`."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "IPYTHON"))}
    places = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "IPYTHONDIR": "ipython",
    }
    return own | {name: str(home / place) for name, place in places.items()} | more


@contextmanager
def jupyter(
    app: str, folder: Path, home: Path, python: str | Path = sys.executable, **environment: str
) -> Iterator[Jupyter]:
    """`jupyter lab` or `jupyter notebook` on 127.0.0.1, showing `folder`; stopped, with its kernels, at the end."""
    settings = home / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text(json.dumps(QUIET))
    token, log, told = secrets.token_hex(16), home / "log", home / "runtime"
    module, name = {"lab": ("jupyterlab", "LabApp"), "notebook": ("notebook", "JupyterNotebookApp")}[app]
    options = ["--no-browser", "--allow-root", "--ip=127.0.0.1", "--port=0", f"--notebook-dir={folder}"]
    options += [f"--IdentityProvider.token={token}", f"--{name}.expose_app_in_browser=True"]
    command = [str(python), "-m", module, *options]
    with (
        log.open("w") as said,
        subprocess.Popen(command, env=_environment(home, environment), stdout=said, stderr=said) as process,
    ):
        try:
            deadline = time.monotonic() + 120  # ends a hang
            while not (listening := [text for file in told.glob("jpserver-*.json") if (text := file.read_text())]):
                if process.poll() is not None or time.monotonic() > deadline:
                    pytest.fail(f"jupyter {app} did not start:\n{log.read_text()[-3000:]}")
                time.sleep(0.05)
            yield Jupyter(app, json.loads(listening[0])["url"], token, folder)
        finally:
            process.terminate()  # it ends its kernels
