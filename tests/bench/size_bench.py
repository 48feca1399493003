"""How large the program is."""

import subprocess

from measure import Row, program


def measure(context):
    stripped = context.folder / "stripped"
    subprocess.run([program("strip"), "-o", str(stripped), context.rivulet], check=True)
    size = stripped.stat().st_size / 2**20
    yield Row("the program, stripped", f"**{size:.1f} MB**", "below 6 MB", size < 6)
