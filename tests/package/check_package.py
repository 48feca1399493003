#!/usr/bin/env python3
"""Looks at a package that scripts/package made: what is in it, with which rights, what it depends on, whether the
program in it is built as it should be, and whether man pages and completion say what the program does.

    check_package.py rivulet_VERSION_ARCH.deb rivulet-dbgsym_VERSION_ARCH.deb

Expectations that are the same for all architectures are below.
"""
import gzip
import pathlib
import re
import shutil
import subprocess
import sys

from deb import Deb, output_of

ROOT = pathlib.Path(__file__).resolve().parents[2]

FILES = {
    "/etc/rivulet/node.yaml", "/etc/rivulet/pipelines/demo.yaml",
    "/lib/systemd/system/rivulet.service", "/lib/systemd/system/rivulet-replay@.service",
    "/usr/bin/rivulet",
    "/usr/lib/sysusers.d/rivulet.conf", "/usr/lib/tmpfiles.d/rivulet.conf",
    "/usr/share/bash-completion/completions/rivulet",
    "/usr/share/doc/rivulet/architecture.md", "/usr/share/doc/rivulet/limits.md",
    "/usr/share/doc/rivulet/operations.md", "/usr/share/doc/rivulet/pipelines.md",
    "/usr/share/doc/rivulet/changelog.gz", "/usr/share/doc/rivulet/copyright",
    "/usr/share/doc/rivulet/examples/mosquitto.conf",
    "/usr/share/doc/rivulet/examples/pipelines/can-frames.yaml",
    "/usr/share/doc/rivulet/examples/pipelines/engine-health.yaml",
    "/usr/share/doc/rivulet/examples/pipelines/temperature.yaml",
    "/usr/share/lintian/overrides/rivulet",
    "/usr/share/man/man1/rivulet.1.gz", "/usr/share/man/man5/rivulet-node.yaml.5.gz",
    "/usr/share/man/man5/rivulet-pipeline.yaml.5.gz",
    "/usr/share/rivulet/node.schema.json", "/usr/share/rivulet/pipeline.schema.json",
}
CONFFILES = {path for path in FILES if path.startswith("/etc/")}
# Debian 12 names its libraries alike on all architectures.
DEPENDS = {
    "systemd", "libboost-program-options1.74.0", "libc6", "libcpp-httplib0.11", "libdate-tz3", "libfmt9",
    "libgcc-s1", "liblmdb0", "libpaho-mqtt1.3", "libpaho-mqttpp3-1", "libre2-9", "libsimdjson14",
    "libspdlog1.10-fmt9", "libsqlite3-0", "libssl3", "libstdc++6", "libsystemd0", "libyaml-cpp0.7",
}
# What the compiler may place inline altogether, so that no library is needed for it.
MAY_DEPEND = {"libxxhash0"}
MACHINES = {"amd64": "Advanced Micro Devices X86-64", "arm64": "AArch64", "armhf": "ARM"}
PAGES = ["man1/rivulet.1", "man5/rivulet-node.yaml.5", "man5/rivulet-pipeline.yaml.5"]

faults = []


def expect(condition, text):
    if not condition:
        faults.append(text)


def expect_same(what, found, expected):
    for name in sorted(found - expected):
        faults.append(f"{what}: '{name}' is not expected")
    for name in sorted(expected - found):
        faults.append(f"{what}: '{name}' is missing")


def version():
    return re.search(r"project\(rivulet VERSION ([\d.]+)", (ROOT / "CMakeLists.txt").read_text())[1]


def check_contents(deb):
    expect_same("files", deb.files(), FILES)
    expect_same("conffiles", deb.conffiles(), CONFFILES)
    for path, (mode, owner) in deb.entries.items():
        wanted = "drwxr-xr-x" if mode[0] == "d" else "-rwxr-xr-x" if path == "/usr/bin/rivulet" else "-rw-r--r--"
        expect(mode == wanted, f"{path}: mode {mode}, expected {wanted}")
        expect(owner == "root/root", f"{path}: belongs to {owner}, expected root/root")
    for script in ("preinst", "postinst", "prerm", "postrm"):
        path = deb.scripts / script
        expect(path.exists() and path.stat().st_mode & 0o777 == 0o755, f"{script} is missing, or cannot be run")
        expect(subprocess.run(["sh", "-n", path], check=False).returncode == 0, f"{script} is no shell script")
    postinst = (deb.scripts / "postinst").read_text()
    for part in ("systemd-sysusers", "systemd-tmpfiles", "try-restart"):
        expect(part in postinst, f"postinst does without {part}")
    expect(not re.search(r"deb-systemd-invoke (start|restart)", postinst), "postinst starts the service")


def check_control(deb, symbols):
    changelog = output_of("dpkg-parsechangelog", "-l", str(ROOT / "debian/changelog"), "-SVersion").strip()
    arch = deb.fields["Architecture"]
    expect(arch in MACHINES, f"architecture is {arch}, expected one of {', '.join(MACHINES)}")
    expect(deb.fields["Version"] == changelog, f"version is {deb.fields['Version']}, the changelog's is {changelog}")
    expect(re.sub(r"[+~-].*", "", changelog) == version(), f"debian/changelog says {changelog}, CMake {version()}")
    expect_same("dependencies", deb.dependencies() - MAY_DEPEND, DEPENDS)
    expect("libc6 (>= " in deb.fields["Depends"], "the dependency on libc6 has no version")
    expect(symbols.fields["Depends"] == f"rivulet (= {changelog})", "the symbols belong to another version")
    expect(symbols.fields["Architecture"] == arch, "the symbols are of another architecture")
    shipped = gzip.decompress((deb.folder / "usr/share/doc/rivulet/changelog.gz").read_bytes()).decode()
    expect(shipped == (ROOT / "debian/changelog").read_text(), "the changelog shipped is another one")


def check_program(deb, symbols):
    program, arch = deb.program(), deb.fields["Architecture"]
    header = output_of("readelf", "--file-header", program)
    sections = output_of("readelf", "--sections", "--wide", program)
    dynamic = output_of("readelf", "--dynamic", "--program-headers", "--wide", program)
    names = output_of("readelf", "--dyn-syms", "--wide", program)
    expect(f"Machine:                           {MACHINES[arch]}" in header, f"the program is not for {arch}")
    expect("Type:                              DYN" in header, "not built as a position-independent executable")
    expect(".symtab" not in sections and ".debug_info" not in sections, "the program is not stripped")
    expect("GNU_RELRO" in dynamic and "BIND_NOW" in dynamic, "not linked with relro and bindnow")
    expect("__stack_chk_fail" in names, "no stack protector")
    expect(re.search(r"__\w+_chk\b", names.replace("__stack_chk_fail", "")), "not built with _FORTIFY_SOURCE")
    build_id = re.search(r"Build ID: (\w+)", output_of("readelf", "--notes", program))[1]
    debug = f"/usr/lib/debug/.build-id/{build_id[:2]}/{build_id[2:]}.debug"
    expect(debug in symbols.files(), f"the package of symbols does without {debug}")
    if arch == "armhf":
        attributes = output_of("readelf", "--arch-specific", program)
        expect("Tag_CPU_arch: v7" in attributes, "not built for ARMv7")
        expect("Tag_Advanced_SIMD_arch" not in attributes, "built for NEON, which not every ARMv7 has")
        expect("Tag_FP_arch: VFPv3-D16" in attributes, "not built for VFPv3-D16")
    size = program.stat().st_size
    expect(size < 6 << 20, f"the program has {size} bytes, above the 6 MB promised")


def check_man_pages(deb):
    settings = (ROOT / "src/node/config/settings.h").read_text()
    for page in PAGES:
        path = deb.folder / f"usr/share/man/{page}.gz"
        text = gzip.decompress(path.read_bytes()).decode()
        expect("\\- " in text.split(".SH SYNOPSIS")[0], f"{page}: whatis will not find it")
        expect(f'"rivulet {version()}"' in text, f"{page} is of another version")
        shown = subprocess.run(["man", "--warnings=w", "-E", "UTF-8", "-l", path], capture_output=True, text=True,
                               env={"LC_ALL": "C.UTF-8", "MANWIDTH": "80", "PATH": "/usr/bin:/bin", "MANPAGER": "cat"},
                               check=False)
        expect(shown.returncode == 0 and not shown.stderr, f"{page}: {shown.stderr.strip()[:300]}")
        words = set(re.findall(r"[\w-]+", re.sub(r".\x08", "", shown.stdout)))
        kind = {"rivulet-node": "Node", "rivulet-pipeline": "Pipeline"}.get(page.split("/")[1].split(".")[0])
        if kind:
            groups = re.search(rf"k{kind}Groups\[\] = \{{(.*?)\}};", settings, re.S)[1]
            for group, names in re.findall(r'SettingGroup (k\w+)\{"\w+",\s*"[^"]*", (k\w+)\}', settings):
                if f"&{group}," in groups + ",":
                    listed = re.search(rf"{names}\[\] = \{{(.*?)\}};", settings, re.S)[1]
                    expect_same(f"{page}: settings", set(re.findall(r'"(\w+)"', listed)) & words,
                                set(re.findall(r'"(\w+)"', listed)))


def completions(script, *words):
    """What bash offers for the last word."""
    text = """source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); compopt() { :; }
              _rivulet; printf '%s\\n' "${COMPREPLY[@]}\""""
    return set(output_of("bash", "-c", text, script, *words).split())


def check_completion(deb):
    script = deb.folder / "usr/share/bash-completion/completions/rivulet"
    expect(subprocess.run(["bash", "-n", script], check=False).returncode == 0, "the completion is no bash script")
    offered = completions(script, "rivulet", "") - {"--help", "--version", "help"}
    if deb.fields["Architecture"] != output_of("dpkg", "--print-architecture").strip():
        expect(len(offered) > 5, "the completion knows no commands")
        return
    # The program of this machine tells what it takes.
    program = deb.program()
    expect(output_of(program, "version").split() == ["rivulet", version()], "the program is of another version")
    commands = set(re.findall(r"^  (\w+) ", output_of(program, "--help"), re.M))
    expect_same("completion: commands", offered, commands)
    page = gzip.decompress((deb.folder / "usr/share/man/man1/rivulet.1.gz").read_bytes()).decode().replace("\\-", "-")
    for command in commands:
        options = set(re.findall(r"^  (?:-\w \[ )?(--[\w-]+)", output_of(program, command, "--help"), re.M))
        expect_same(f"completion: {command}", completions(script, "rivulet", command, "--"), options | {"--help"})
        for option in options - {"--help"}:
            expect(option in page, f"rivulet(1) does not tell of {command} {option}")
    offered = completions(script, "rivulet", "validate", str(deb.folder / "etc/rivulet/n"))
    expect(offered == {str(deb.folder / "etc/rivulet/node.yaml")}, f"completing a node file offers {offered}")
    expect(completions(script, "rivulet", "generate", "f") == {"fleet"}, "completing a kind of telemetry does not work")
    for path in ("etc/rivulet/pipelines", "usr/share/doc/rivulet/examples/pipelines"):
        done = subprocess.run([program, "validate", "--quiet", deb.folder / path], capture_output=True, text=True, check=False)
        expect(done.returncode == 0, f"/{path}: {done.stdout}{done.stderr}")


def check_sources():
    """What scripts/build installs, the package's build asks for too."""
    control = (ROOT / "debian/control").read_text()
    wanted = set(output_of(ROOT / "scripts/install-deps", "--list", "build").split())
    declared = set(re.findall(r"^ ([a-z][\w.+-]+)", control.split("Build-Depends:")[1].split("\nStandards")[0], re.M))
    # The compiler is there on every machine that builds packages, ccache is no need, and tests are not run.
    expect_same("Build-Depends", wanted - declared, {"g++", "ccache", "doctest-dev"})


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    if not shutil.which("readelf") or not shutil.which("man"):
        sys.exit("readelf and man are needed: scripts/install-deps package")
    deb, symbols = Deb(sys.argv[1]), Deb(sys.argv[2])
    check_contents(deb)
    check_control(deb, symbols)
    check_program(deb, symbols)
    check_man_pages(deb)
    check_completion(deb)
    check_sources()
    for fault in faults:
        print(f"{deb.path.name}: {fault}")
    print(f"{deb.path.name}: {deb.path.stat().st_size} bytes, {len(deb.files())} files, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
