#!/bin/sh
# A STAND-IN, by whatever name it is called: for systemd, its journal and the programs that make users, on a machine that
# has none of them to spare. It writes down what it was asked and keeps what it knows in files; `restart` of the agent's unit
# really starts the program that the unit names. $STANDIN is its folder, $STANDIN_ROOT stands for the machine's root.
name=${0##*/}
[ "$name" = id ] || [ "$name" = getent ] || echo "$name $*" >>"$STANDIN/asked"
units=$STANDIN_ROOT/etc/systemd/system
pid=$STANDIN/agent.pid
alive() { [ -f "$pid" ] && kill -0 "$(cat "$pid")" 2>/dev/null; }
halt() { if alive; then kill "$(cat "$pid")"; while alive; do sleep 0.05; done; fi; rm -f "$pid" "$STANDIN/failed"; }

case "$name" in
id)
  if [ "$1" = -u ]; then cat "$STANDIN/uid" 2>/dev/null || /usr/bin/id -u; else grep -qx "$1" "$STANDIN/users" 2>/dev/null; fi ;;
getent) grep -qx "$2" "$STANDIN/users" 2>/dev/null ;;
useradd) for user in "$@"; do :; done; echo "$user" >>"$STANDIN/users" ;;
userdel) [ -f "$STANDIN/userdel-refuses" ] || rm -f "$STANDIN/users" ;;
groupdel | chown) : ;;
sudo)
  if [ -f "$STANDIN/sudo-refuses" ]; then echo 'sudo: a password is required' >&2; exit 1; fi
  shift; exec "$@" ;;
journalctl) cat "$STANDIN/journal" 2>/dev/null ;;
systemctl)
  verb=$1
  for unit in "$@"; do :; done
  case "$verb" in
  enable) mkdir -p "$units/multi-user.target.wants"; ln -sf "../$unit" "$units/multi-user.target.wants/$unit" ;;
  disable) rm -f "$units/multi-user.target.wants/$unit"; [ "$unit" = landfall-agent.service ] && [ ! -f "$STANDIN/disable-refuses" ] && halt; true ;;
  stop) [ "$unit" = landfall-agent.service ] && halt; true ;;
  restart)
    [ "$unit" = landfall-agent.service ] || exit 0
    halt
    if [ -f "$STANDIN/start-refuses" ]; then echo 'Job for landfall-agent.service failed.' >&2; exit 1; fi
    command=$(sed -n 's/^ExecStart=//p' "$units/$unit")
    variables=$(sed -n 's/^Environment=//p' "$units/$unit" | grep -v COMMANDS_SOCKET)
    # shellcheck disable=SC2016,SC2086
    (env $variables setsid sh -c 'echo $$ >"$STANDIN/agent.pid"; exec "$@"' sh $command >"$STANDIN/journal" 2>&1 </dev/null
      echo $? >"$STANDIN/failed") >/dev/null 2>&1 </dev/null &
    # Not before it has said something, so that whoever looks at its log next finds it there, however busy the machine is.
    until [ -s "$STANDIN/journal" ] || [ -f "$STANDIN/failed" ]; do sleep 0.05; done ;;
  is-active) if alive; then echo active; elif [ -f "$STANDIN/failed" ]; then echo failed; else echo inactive; fi ;;
  list-units) alive && echo "landfall-agent.service loaded active running"; true ;;
  daemon-reload | reset-failed) : ;;
  *) echo "the stand-in knows no $verb" >&2; exit 64 ;;
  esac ;;
*) echo "the stand-in plays no $name" >&2; exit 64 ;;
esac
