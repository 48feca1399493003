#!/usr/bin/env bash
# Runs in the machine that tests/install/boot starts: installs the package, uses the service as its owner would, kills
# it, upgrades it, removes it, and compares its results each time with those of an undisturbed replay.
#
#   in_machine.sh REPORT     REPORT: file or device for the lines "ok WHAT", "FAILED WHAT" and "done"
set -uo pipefail
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive SYSTEMD_PAGER=''
report=$1
here=$(dirname "$0") data=/var/lib/rivulet broker=tcp://localhost:1883
packages=$here/packages work=$here/work
# Readings a second, and for how many seconds they come: in the upgrade longer than that takes. Without KVM a machine is
# slow.
start=1700000000000 rate=1000 short=12 long=30
[[ $(systemd-detect-virt) != qemu ]] || rate=100 long=150

mkdir -p "$work"
cd "$work" || exit 1

tell() { echo "$*" | tee -a "$report"; }

# check WHAT COMMAND...: with what the command said when it fails.
check() {
  local what=$1
  shift
  if "$@" >output 2>&1; then
    tell "ok $what"
  else
    tell "FAILED $what"
    tail -n 12 output | sed 's/^/    /' | tee -a "$report"
  fi
}

# wait_until SECONDS COMMAND...: false, with the service's last words, when the time is over.
wait_until() {
  local end=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    if ((SECONDS >= end)); then
      echo "still not, after a while: $*"
      journalctl -u rivulet -n 8 -o cat
      return 1
    fi
    sleep 0.1
  done
}

is() { [[ $1 == "$2" ]] || { echo "found '$1', expected '$2'" && return 1; }; }
state_of() { systemctl show -p "$2" --value "$1"; }
main_pid() { state_of rivulet MainPID; }
runs() { is "$(state_of rivulet ActiveState)" active; }
lines_of() { if [[ -f $1 ]]; then wc -l <"$1"; else echo 0; fi; }

install_package() { apt-get install -y -q -o Dpkg::Use-Pty=0 "$@"; }
version_is() { is "$(dpkg-query -W -f '${Version}' rivulet)" "$1"; }

# generate PHASE SECONDS [OPTION...]: readings of so long, which go on in event time where those before ended.
generate() {
  local options=(temperature --vehicles 20 --rate "$rate" --seconds "$2" --seed "$1" --start "$3")
  shift 3
  rivulet generate "${options[@]}" "$@"
}

# publish PHASE SECONDS: in the background, in real time; adds to what a replay expects.
publish() {
  generate "$1" "$2" "$start" --output "part$1.ndjson" || return
  cat "part$1.ndjson" >>all.ndjson
  generate "$1" "$2" "$start" --mqtt "$broker" >"publish$1.log" 2>&1 &
  publisher=$!
  start=$((start + $2 * 1000))
}

published() { wait "$publisher" || { cat publish*.log && return 1; }; }

# All that was published is in the results, once, in order: in the file the very bytes of a replay; on MQTT, where a crash
# may send a result again, the same results.
exact() {
  published || return
  rivulet replay $here/install-test.yaml --input all.ndjson --output expected.ndjson --no-flush || return
  local count
  count=$(lines_of expected.ndjson)
  ((count > 0)) || { echo "the replay has no results" && return 1; }
  wait_until 60 eval "((\$(lines_of $data/results.ndjson) >= $count))" || return
  cmp expected.ndjson "$data/results.ndjson" || return
  wait_until 30 eval "((\$(sort -u seen.ndjson | wc -l) >= $count))" || return
  sort -u seen.ndjson | cmp - <(sort expected.ndjson) || return
  is "$(lines_of "$data/dead.ndjson")" 0 || return
  echo "   $count results of $(lines_of all.ndjson) readings, seen on MQTT: $(lines_of seen.ndjson)" >>"$report"
}

installed() {
  check "apt installs the package" install_package "$packages/rivulet.deb"
  check "it has its version" version_is "$(dpkg-deb -f "$packages/rivulet.deb" Version)"
  check "the user is made" is "$(getent passwd rivulet | cut -d: -f6,7)" "$data:/usr/sbin/nologin"
  check "its folder is its own" is "$(stat -c '%U:%G %a' $data)" "rivulet:rivulet 750"
  check "the service is off" is "$(systemctl is-enabled rivulet) $(systemctl is-active rivulet)" "disabled inactive"
  check "the configuration is valid" rivulet validate --config /etc/rivulet/node.yaml
  check "the unit is sound" systemd-analyze verify /lib/systemd/system/rivulet.service
  check "its exposure is 2.0 or better" systemd-analyze security --no-pager --threshold=20 rivulet
}

broker_runs() {
  install_package mosquitto mosquitto-clients &&
    cp /usr/share/doc/rivulet/examples/mosquitto.conf /etc/mosquitto/conf.d/rivulet.conf &&
    systemctl restart mosquitto && wait_until 20 mosquitto_pub -t probe -n
}

watch_results() {
  systemd-run -q --unit=watch-results --property=StandardOutput="append:$work/seen.ndjson" --property=Restart=always \
    mosquitto_sub -i watch-results -c -q 1 -t 'results/#' &&
    wait_until 20 grep -q watch-results /var/log/mosquitto/mosquitto.log
}

demo_runs() {
  systemctl enable --now rivulet && runs || return
  mosquitto_sub -W 60 -C 1 -t 'aggregates/temperature/#' >demo.out &
  local subscriber=$!
  rivulet generate temperature --mqtt "$broker" --rate 50 --seconds 20 >/dev/null 2>&1
  wait "$subscriber" && grep -q '"avg_c"' demo.out
}

own_pipeline() {
  rm /etc/rivulet/pipelines/demo.yaml && cp $here/install-test.yaml /etc/rivulet/pipelines/ &&
    echo "# changed by its owner" >>/etc/rivulet/node.yaml &&
    systemctl reload rivulet && wait_until 20 status_has install-test
}

# The broker lets in who has the password, which only root can read: systemd hands it to the service.
uses_secret() {
  mosquitto_passwd -b -c /etc/mosquitto/passwd rivulet a-secret && chmod 644 /etc/mosquitto/passwd &&
    echo "password_file /etc/mosquitto/passwd" >>/etc/mosquitto/conf.d/rivulet.conf &&
    systemctl restart mosquitto && wait_until 20 mosquitto_pub -u rivulet -P a-secret -t probe -n || return
  install -d -m 700 /etc/rivulet/secrets /etc/systemd/system/rivulet.service.d
  (umask 077 && printf a-secret >/etc/rivulet/secrets/mqtt-password)
  printf '[Service]\nLoadCredential=mqtt-password:/etc/rivulet/secrets/mqtt-password\n' \
    >/etc/systemd/system/rivulet.service.d/override.conf
  sed -i 's/# user: rivulet/user: rivulet/; s/# password_file: /password_file: /' /etc/rivulet/node.yaml
  systemctl daemon-reload && systemctl restart rivulet && wait_until 20 broker_knows_user
}

broker_knows_user() { tail -n 20 /var/log/mosquitto/mosquitto.log | grep -q "as rivulet-.*u'rivulet'"; }

status_has() { rivulet status --json | grep -q "\"$1\""; }

in_use() {
  check "mosquitto is installed and set up" broker_runs
  check "enable --now starts the service, and the demonstration gives results" demo_runs
  check "it runs as its user" is "$(ps -o user= -p "$(main_pid)")" rivulet
  check "a reload takes a pipeline in" own_pipeline
  check "it has its password from systemd" uses_secret
  check "a subscriber waits for results" watch_results
  publish 1 "$short"
  check "results come back, and are exact" exact
}

killed() {
  local pid
  pid=$(main_pid)
  publish 2 "$short"
  wait_until 30 eval "((\$(lines_of $data/results.ndjson) > $(lines_of expected.ndjson)))"
  check "kill -9 while readings come" kill -9 "$pid"
  check "systemd starts it again" wait_until 30 eval "systemctl is-active -q rivulet && ((\$(main_pid) != $pid))"
  check "results after the kill are exact" exact
}

# The package is exchanged while readings come, which the broker holds meanwhile.
upgraded() {
  local pid
  pid=$(main_pid)
  publish 3 "$long"
  check "apt upgrades the package" install_package "$packages/rivulet-next.deb"
  check "while readings still came" kill -0 "$publisher"
  check "it has the next version" version_is "$(dpkg-deb -f "$packages/rivulet-next.deb" Version)"
  check "the service was restarted" wait_until 30 eval "systemctl is-active -q rivulet && ((\$(main_pid) != $pid))"
  check "changed configuration was kept" grep -q "changed by its owner" /etc/rivulet/node.yaml
  check "what its owner deleted stays deleted" test ! -e /etc/rivulet/pipelines/demo.yaml
  check "results over the upgrade are exact" exact
}

refused_reload() {
  local pid
  pid=$(main_pid)
  echo 'pipeline: [' >/etc/rivulet/pipelines/broken.yaml
  ! systemctl reload rivulet || { echo "the reload said nothing of the fault" && return 1; }
  journalctl -u rivulet -o cat | grep -q 'broken.yaml.*E1002' || { echo "the log does not name it" && return 1; }
  rm /etc/rivulet/pipelines/broken.yaml
  runs && is "$(main_pid)" "$pid"
}

removed() {
  check "apt removes the package" apt-get remove -y -q rivulet
  check "the service is gone" is "$(systemctl is-active rivulet)" inactive
  check "the program is gone" test ! -e /usr/bin/rivulet
  check "data is kept" test -s "$data/results.ndjson" -a -d "$data/state" -a -d "$data/lane-0"
  check "configuration is kept" test -e /etc/rivulet/node.yaml -a -e /etc/rivulet/pipelines/install-test.yaml
  check "installed again, it starts" eval "install_package $packages/rivulet-next.deb && systemctl enable --now rivulet && runs"
  publish 4 "$short"
  check "and goes on: results are exact" exact
}

purged() {
  check "apt purges the package" apt-get purge -y -q rivulet
  check "data is gone" test ! -e "$data"
  check "its configuration is gone" test ! -e /etc/rivulet/node.yaml
  check "files of the owner are left" test -e /etc/rivulet/pipelines/install-test.yaml
  check "the user stays" getent passwd rivulet
  check "nothing is left that failed" is "$(systemctl list-units --failed --plain --no-legend 'rivulet*')" ""
}

tell "machine: $(systemd-detect-virt), $(uname -r), systemd $(systemctl --version | sed -n '1s/systemd \([0-9]*\).*/\1/p')"
installed
in_use
killed
upgraded
check "a reload refuses a broken pipeline, and what runs goes on" refused_reload
removed
purged
tell "done"
