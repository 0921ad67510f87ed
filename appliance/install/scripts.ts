// What is run on a source to look at it, to put an agent there, and to take it away: POSIX sh, read from standard input, with
// every value quoted. Each can run again after it was broken off anywhere, and each says what it found as lines `name=value`.
// A step that fails ends the script with a line `failed=code: words`.
import { agentUnit, agentUser, type Layout } from './layout.ts';
import type { Units } from './units.ts';

/** A word as every POSIX shell takes it. */
const q = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

const failing = `fail() { echo "failed=$1: $2" | tr '\\n' ' '; exit 1; }
words() { tail -c 400 "$errors" | tr '\\n' ' '; }
unwritten() { if grep -qiE 'no space|quota' "$errors"; then fail diskFull "$(words)"; else fail writeRefused "$(words)"; fi; }
errors=$(mktemp) || { echo 'failed=diskFull: nothing can be written below /tmp'; exit 1; }
trap 'rm -f "$errors"' EXIT
`;

/** As whoever has logged in: who that is, and what the machine has. */
export function lookScript({ root, node }: Layout): string {
  return `${failing}echo "uid=$(id -u)"
if [ "$(id -u)" = 0 ]; then echo root=login
elif ! command -v sudo >/dev/null 2>&1; then echo root=noSudo
elif sudo -n true 2>"$errors"; then echo root=sudo
else echo "root=refused"; echo "sudo=$(words)"; fi
echo "machine=$(uname -s)-$(uname -m)"
if [ -d ${q(`${root}/run/systemd/system`)} ] && command -v systemctl >/dev/null 2>&1; then echo systemd=yes; else echo systemd=no; fi
own=$(command -v node 2>/dev/null || true)
case "$own" in /home/*|/root/*) own= ;; esac
for each in "$own" ${q(node)}; do
  [ -n "$each" ] && [ -x "$each" ] && version=$("$each" --version 2>/dev/null) && echo "node=$each $version"
done
echo "freeKiB=$(df -Pk ${q(`${root}/opt`)} 2>/dev/null | awk 'NR == 2 { print $4 }')"
exit 0
`;
}

/** As root: what there is of an agent, without changing anything. */
export function foundScript(layout: Layout): string {
  const { owner, operation, bundle, node, identity } = layout;
  return `${failing}[ -f ${q(owner)} ] && echo "owner=$(cat ${q(owner)})"
[ -f ${q(operation)} ] && echo "operation=$(cat ${q(operation)})"
for each in bundle:${q(bundle)} node:${q(node)}; do
  [ -f "\${each#*:}" ] && echo "\${each%%:*}=$(sha256sum "\${each#*:}" | cut -d ' ' -f 1)"
done
grep -q '"enrolled"' ${q(identity)} 2>/dev/null && echo enrolled=yes
echo "active=$(systemctl is-active ${agentUnit} 2>/dev/null)"
exit 0
`;
}

/** As root: the user and the folders, and whose agent it will be. */
export function prepareScript(layout: Layout, owner: string): string {
  const { programs, settings, units } = layout;
  return `${failing}umask 022
id ${agentUser} >/dev/null 2>&1 || useradd --system --user-group --home-dir /var/lib/landfall-agent --no-create-home --shell /usr/sbin/nologin ${agentUser} 2>"$errors" || fail userRefused "$(words)"
mkdir -p ${q(programs)} ${q(settings)} ${q(units)} 2>"$errors" || unwritten
chown root:${agentUser} ${q(settings)} && chmod 0750 ${q(settings)} || fail userRefused 'the settings folder could not be given to its user'
${put(layout.owner, owner, '0644')}
rm -f ${q(layout.operation)}
`;
}

/** As root: an uploaded part becomes the file, if it is what was sent. */
export function acceptScript(path: string, sha256: string, mode: string): string {
  const part = `${path}.part`;
  return `${failing}found=$(sha256sum ${q(part)} 2>"$errors" | cut -d ' ' -f 1)
[ "$found" = ${q(sha256)} ] || { rm -f ${q(part)}; fail checksumDiffers "$found $(words)"; }
chmod ${mode} ${q(part)} 2>"$errors" && mv -f ${q(part)} ${q(path)} 2>"$errors" || unwritten
`;
}

export interface Start {
  units: Units;
  /** Text of commands.json; absent: the agent asks for nothing of root. */
  commands?: string | undefined;
  /** Text of bootstrap.json; absent: the agent has enrolled. */
  bootstrap?: string | undefined;
}

/** As root: units and settings, then the agent starts, now and with its machine. */
export function startScript(layout: Layout, { units, commands, bootstrap }: Start): string {
  const hasSocket = layout.socketUnit.slice(layout.units.length + 1) in units;
  const files = Object.entries(units).map(([name, text]) => put(`${layout.units}/${name}`, text, '0644'));
  // A token that was given anew means that the platform knows no agent by the key that lies there.
  const enrol =
    bootstrap === undefined
      ? ''
      : `systemctl stop ${agentUnit} 2>/dev/null\nrm -f ${q(layout.identity)}\n${put(layout.bootstrap, bootstrap, '0400')}
chown ${agentUser}:${agentUser} ${q(layout.bootstrap)} || fail userRefused 'the bootstrap could not be given to its user'\n`;
  const socket = layout.socketUnit.slice(layout.units.length + 1);
  return `${failing}umask 077
${files.join('\n')}
${commands === undefined ? `rm -f ${q(layout.commands)}` : put(layout.commands, commands, '0600')}
systemctl daemon-reload 2>"$errors" || fail agentNotStarted "$(words)"
${enrol}for unit in ${hasSocket ? `${socket} ` : ''}${agentUnit}; do
  systemctl enable "$unit" 2>"$errors" >&2 || fail agentNotStarted "$(words)"
  systemctl restart "$unit" 2>"$errors" >&2 || fail agentNotStarted "$(words)"
done
`;
}

/** As root: how the agent does, with the end of its log where it does not run or has not enrolled. */
export function watchScript({ identity }: Layout): string {
  return `state=$(systemctl is-active ${agentUnit} 2>/dev/null); echo "active=$state"
if grep -q '"enrolled"' ${q(identity)} 2>/dev/null; then echo enrolled=yes
else echo "log=$(journalctl --unit ${agentUnit} --lines 5 --output cat --no-pager 2>/dev/null | tail -c 1500 | tr '\\n' ' ')"; fi
exit 0
`;
}

/** As root: the operation is over. */
export function doneScript(layout: Layout, operationId: string): string {
  return `${failing}${put(layout.operation, operationId, '0644')}\nrm -f ${q(layout.bootstrap)}\n`;
}

/** As root: takes everything away. Whose it is goes last, so that a removal that was broken off goes on. */
export function removeScript(layout: Layout): string {
  const { programs, settings, state, socket } = layout;
  return `${failing}socket=${q(layout.socketUnit)}
for unit in ${agentUnit} "\${socket##*/}"; do systemctl disable --now "$unit" >/dev/null 2>&1; done
systemctl stop 'landfall-agent-commands@*.service' >/dev/null 2>&1
rm -rf ${q(layout.dropIns)}
rm -f ${q(layout.agentUnit)} ${q(layout.socketUnit)} ${q(layout.commandUnit)}
systemctl daemon-reload >/dev/null 2>&1
systemctl reset-failed 'landfall-agent*' >/dev/null 2>&1
rm -rf ${q(settings)} ${q(state)} ${q(socket)}
if id ${agentUser} >/dev/null 2>&1; then userdel ${agentUser} >/dev/null 2>&1; fi
if getent group ${agentUser} >/dev/null 2>&1; then groupdel ${agentUser} >/dev/null 2>&1; fi
rm -f ${q(layout.bundle)} ${q(layout.node)} ${q(layout.operation)} ${q(programs)}/*.part
rm -rf ${q(programs)}
exit 0
`;
}

/** As root: what is left of an agent. Processes are found by the bundle that they run. */
export function leftScript(layout: Layout): string {
  const paths = [
    ...[layout.programs, layout.settings, layout.state, layout.socket],
    ...[layout.agentUnit, layout.dropIns, layout.socketUnit, layout.commandUnit],
  ];
  return `for each in ${paths.map(q).join(' ')}; do [ -e "$each" ] && echo "left=$each"; done
for link in ${q(layout.units)}/*.wants/landfall-agent*; do [ -L "$link" ] && echo "left=$link"; done
id ${agentUser} >/dev/null 2>&1 && echo 'left=the user ${agentUser}'
getent group ${agentUser} >/dev/null 2>&1 && echo 'left=the group ${agentUser}'
# What is started from here on, and names the path itself, is not in that list.
set -- /proc/[0-9]*/cmdline
for each in $(grep -lsF ${q(layout.bundle)} "$@"); do each=\${each#/proc/}; echo "left=process \${each%/cmdline}"; done
systemctl list-units --all --plain --no-legend 'landfall-agent*' 2>/dev/null | while read -r unit rest; do echo "left=unit $unit"; done
echo looked=yes
`;
}

/** A file with exactly this text, whole or not at all. */
function put(path: string, text: string, mode: string): string {
  const part = q(`${path}.part`);
  return `{ printf '%s' ${q(text)} >${part}; } 2>"$errors" && chmod ${mode} ${part} && mv -f ${part} ${q(path)} || unwritten`;
}

/** As root: whether a Node that was brought along runs there. */
export function tryScript(node: string): string {
  return `${failing}if version=$(${q(node)} --version 2>"$errors"); then echo "version=$version"; else echo "why=$(words)"; fi
exit 0
`;
}
