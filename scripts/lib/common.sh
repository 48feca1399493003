# Shared by the scripts in this folder; sourced, not run. Sets `root`, the checkout's folder.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# Colours only for people.
if [[ -t 1 && -z ${NO_COLOR:-} && ${TERM:-dumb} != dumb ]]; then
  bold=$'\e[1m' dim=$'\e[2m' red=$'\e[31m' green=$'\e[32m' cyan=$'\e[36m' plain=$'\e[0m'
else
  bold='' dim='' red='' green='' cyan='' plain=''
fi

# A heading for what comes next.
say() { printf '%s== %s%s\n' "$bold" "$*" "$plain"; }

complain() { printf '%s: %s%s%s\n' "${0##*/}" "$red" "$*" "$plain" >&2; }

die() {
  complain "$@"
  exit 1
}

# The command line cannot be understood.
usage_error() {
  complain "$1"
  printf "See '%s --help'.\n" "$0" >&2
  exit 2
}

have() { command -v "$1" >/dev/null 2>&1; }

# require_number NAME VALUE: a whole number greater than 0.
require_number() {
  [[ $2 =~ ^[1-9][0-9]{0,8}$ ]] || usage_error "$1 needs a whole number above 0, found '$2'"
}

# Compilers at once: one a core, and no more than memory allows (one needs up to about 700 MB).
# RIVULET_JOBS decides otherwise.
build_jobs() {
  if [[ -n ${RIVULET_JOBS:-} ]]; then
    echo "$RIVULET_JOBS"
    return
  fi
  local cores memory_kb by_memory
  cores=$(nproc 2>/dev/null || echo 1)
  memory_kb=$(awk '/^MemAvailable:/ {print $2}' /proc/meminfo 2>/dev/null || true)
  by_memory=$((${memory_kb:-2000000} / 700000))
  ((by_memory >= 1)) || by_memory=1
  echo $((cores < by_memory ? cores : by_memory))
}
