"""What every test runs under: hypothesis without deadlines, and a header that names the build under test."""

import os

from hypothesis import settings

# A loaded machine, or a sanitizer, makes any single example slow; pytest-timeout bounds the whole test.
settings.register_profile("fastws", deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fastws"))


def pytest_report_header():
    from fastws import _core

    return f"fastws: {_core.__file__}\n" + ", ".join(
        f"{name} {is_}" for name, is_ in _core.build_info.items()
    )
