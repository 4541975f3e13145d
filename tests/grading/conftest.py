import pytest


@pytest.fixture(autouse=True)
def progress_file(tmp_path, monkeypatch):
    """No test touches the progress of whoever runs it."""
    path = tmp_path / "progress.json"
    monkeypatch.setenv("OPTCORE_PROGRESS", str(path))
    return path
