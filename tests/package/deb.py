"""A Debian package, taken apart."""
import pathlib
import subprocess
import tempfile


def output_of(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, check=True, **options).stdout


class Deb:
    """Reads the .deb at `path`; `folder` holds its files as long as this object lives."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self._folder = tempfile.TemporaryDirectory(prefix="rivulet-deb-")
        self.folder = pathlib.Path(self._folder.name) / "files"
        self.scripts = pathlib.Path(self._folder.name) / "control"
        output_of("dpkg-deb", "--extract", str(path), str(self.folder))
        output_of("dpkg-deb", "--control", str(path), str(self.scripts))
        self.fields = {}
        for line in (self.scripts / "control").read_text(encoding="utf-8").splitlines():
            if line.startswith(" "):
                continue
            name, _, value = line.partition(": ")
            self.fields[name] = value
        self.entries = {}  # path -> (mode as ls shows it, owner/group)
        for line in output_of("dpkg-deb", "--contents", str(path)).splitlines():
            mode, owner, _, _, _, name = line.split(maxsplit=5)
            self.entries[name.removeprefix(".").rstrip("/") or "/"] = (mode, owner)

    def files(self):
        return {path for path, (mode, _) in self.entries.items() if not mode.startswith("d")}

    def dependencies(self, field="Depends"):
        """Names of the packages it needs; of alternatives the first."""
        entries = self.fields.get(field, "").split(", ")
        return {entry.split("|")[0].split("(")[0].strip() for entry in entries if entry}

    def conffiles(self):
        return set((self.scripts / "conffiles").read_text(encoding="utf-8").split())

    def program(self):
        return self.folder / "usr/bin/rivulet"
