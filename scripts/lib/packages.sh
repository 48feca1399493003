# The Debian packages Rivulet needs, and installing those that are missing. Source common.sh first.
# shellcheck shell=bash

# What Rivulet and its tests are built from, on each architecture.
packages_libraries=(
  libpaho-mqttpp-dev libpaho-mqtt-dev libssl-dev
  liblmdb-dev libsqlite3-dev libyaml-cpp-dev libboost-program-options-dev
  libre2-dev libhowardhinnant-date-dev
  libsimdjson-dev nlohmann-json3-dev libxxhash-dev libcpp-httplib-dev libspdlog-dev
  libsystemd-dev
  doctest-dev
)
packages_tools=(cmake ninja-build pkg-config ccache)
# Compiling.
packages_build=(g++ "${packages_tools[@]}" "${packages_libraries[@]}")
# A broker, and its command line clients; the rules of time zones.
packages_run=(mosquitto mosquitto-clients tzdata)
# Tests: checks in Python, certificates, the fuzzers' compiler, checks of systemd's units.
packages_test=(python3 python3-yaml python3-jsonschema openssl clang-14 libclang-rt-14-dev systemd)
# Cross builds: what makes a sysroot, what is in it, compilers for it, and running what they make.
packages_sysroot_maker=(mmdebstrap)
packages_sysroot=(libc6-dev libstdc++-12-dev "${packages_libraries[@]}")
# The Debian package: tools, generators in Python, and the check of what they make.
packages_package=(debhelper dpkg-dev fakeroot python3 lintian man-db)
# A machine to install it in: a container, or a virtual machine where containers do not work.
packages_install=(mmdebstrap systemd-container dpkg-dev)
packages_install_qemu=(qemu-system-x86 e2fsprogs)
packages_cross_arm64=(g++-aarch64-linux-gnu qemu-user-static)
packages_cross_armhf=(g++-arm-linux-gnueabihf qemu-user-static)

package_groups=(build run test package)

is_installed() {
  [[ $(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

# Runs a command as root.
as_root() {
  if ((EUID == 0)); then
    "$@"
  elif have sudo; then
    sudo "$@"
  else
    die "packages are missing, and this is neither root nor is there sudo; as root, run:" \
        "apt-get install ${missing[*]}"
  fi
}

# ensure_packages GROUP...: installs what is missing of these groups. On a system without apt it
# says what is needed, and goes on.
ensure_packages() {
  local group package wanted=() missing=()
  for group in "$@"; do
    local -n members="packages_$group"
    wanted+=("${members[@]}")
  done
  if ! have apt-get || ! have dpkg-query; then
    echo "This system has no apt. Rivulet needs what Debian 12 calls: ${wanted[*]}" >&2
    return
  fi
  for package in "${wanted[@]}"; do
    is_installed "$package" || missing+=("$package")
  done
  ((${#missing[@]} > 0)) || return 0
  say "Installing ${missing[*]}"
  as_root apt-get update -qq ||
    complain "the package lists could not be brought up to date; trying with those there are"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    -o Dpkg::Use-Pty=0 "${missing[@]}" >/dev/null ||
    die "apt-get could not install: ${missing[*]}"
}
