"""Whether this machine can wall off student code with bubblewrap, and what a test does where it cannot."""

import os
import shutil
import subprocess

import pytest

from optcore.grading import sandbox


def require_wall() -> None:
    """Go on where there is a wall. Else skip, or fail where OC_REQUIRE_BUBBLEWRAP is set and there could be one.

    There can be none where even the barest is forbidden: many systems keep namespaces from ordinary users.
    """
    if sandbox.bubblewrap():
        return
    bare = ["bwrap", "--unshare-pid", "--unshare-net", "--ro-bind", "/", "/", "true"]
    if shutil.which("bwrap") is None:
        possible, why = True, "bubblewrap is not installed"
    elif subprocess.run(bare, capture_output=True, check=False).returncode:
        possible, why = False, "bubblewrap is installed, but may not create namespaces here"
    else:
        possible, why = True, "bubblewrap works here, but not with the grader's options: it needs 0.8 or newer"
    if possible and os.environ.get("OC_REQUIRE_BUBBLEWRAP"):
        pytest.fail(why)
    pytest.skip(why)
