# Shows aggregates as they arrive: one line a result, in columns. Source common.sh first.
# shellcheck shell=bash

# The fields of a flat JSON object: sets `field_names`, in order, and `fields`.
parse_flat_json() {
  local rest=${1#\{} pattern='^"([^"]+)":("(([^"\\]|\\.)*)"|[^,}]*)[,}](.*)$'
  field_names=() fields=()
  while [[ $rest =~ $pattern ]]; do
    field_names+=("${BASH_REMATCH[1]}")
    if [[ ${BASH_REMATCH[2]} == \"* ]]; then
      fields[${BASH_REMATCH[1]}]=${BASH_REMATCH[3]}
    else
      fields[${BASH_REMATCH[1]}]=${BASH_REMATCH[2]}
    fi
    rest=${BASH_REMATCH[5]}
  done
}

# "12:00:05" of milliseconds since 1970, in UTC.
time_of_day() {
  if [[ ${1:-} =~ ^[0-9]{10,15}$ ]]; then
    TZ=UTC0 printf '%(%H:%M:%S)T' "$((10#$1 / 1000))"
  else
    printf '        '
  fi
}

# Reads "TOPIC PAYLOAD" lines; shows each (of flags only those that are up) and leaves the number of them in the file given.
show_aggregates() {
  local count_file=$1 count=0 topic payload name value line
  local -a field_names
  local -A fields
  trap '' INT
  while read -r topic payload; do
    count=$((count + 1))
    echo "$count" >"$count_file"
    parse_flat_json "$payload"
    line=''
    for name in "${field_names[@]}"; do
      value=${fields[$name]}
      # What names the window or stands in the topic is shown already.
      [[ $name != window_start && $name != window_end && $topic != */"$value"* ]] || continue
      case $value in
        true) line+="$red$name$plain " && continue ;;
        false) continue ;;
        *.*) [[ ! $value =~ ^-?[0-9]+\.[0-9]+$ ]] || LC_ALL=C printf -v value '%.2f' "$value" ;;
      esac
      printf -v value '%-7s' "$value"
      line+="$dim$name$plain $value "
    done
    printf '%s%s-%s%s  %s%-18s%s %s\n' "$dim" "$(time_of_day "${fields[window_start]:-}")" \
      "$(time_of_day "${fields[window_end]:-}")" "$plain" "$cyan" "${topic#aggregates/}" "$plain" \
      "$line"
  done
}
