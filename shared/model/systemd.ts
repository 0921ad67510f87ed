// A service that is a unit of systemd: the commands that show and change it, so that an inventory names the unit only.

const unitName = /^[A-Za-z0-9:_][A-Za-z0-9:_.\\@-]{0,199}\.(service|socket|target|timer)$/;

/** A small script and its argument as a command: never a shell line that somebody wrote. */
const sh = (script: string, unit: string): string[] => ['sh', '-c', script, 'systemctl', unit];

// A unit that comes up or goes down runs until it is down. (`show` tells of every release of systemd whether there is such a
// unit; of some releases `is-active` calls one that is not there inactive.)
const status = `facts=$(systemctl show -p LoadState -p ActiveState "$1") || exit 4
case "$facts" in
*LoadState=not-found*) echo "there is no unit $1" >&2; exit 4 ;;
*ActiveState=active* | *ActiveState=reloading* | *ActiveState=refreshing* | *ActiveState=activating* | *ActiveState=deactivating*) exit 0 ;;
*ActiveState=inactive* | *ActiveState=failed*) exit 3 ;;
*) echo "$1: $facts" >&2; exit 4 ;;
esac`;

// What cannot be enabled starts because something else asks for it, not with the machine (systemctl(1), is-enabled).
const show = `state=$(systemctl is-enabled "$1" 2>/dev/null)
case "$state" in
enabled | enabled-runtime | alias) echo automatic ;;
disabled | static | indirect | linked | linked-runtime | masked | masked-runtime) echo manual ;;
*) echo "$1 is $state" >&2; exit 1 ;;
esac`;

/** The commands of a unit such as `postgresql@15-main.service`. */
function systemdCommands(unit: string) {
  return {
    start: ['systemctl', 'start', unit],
    stop: ['systemctl', 'stop', unit],
    status: sh(status, unit),
    startMode: {
      show: sh(show, unit),
      automatic: ['systemctl', 'enable', unit],
      manual: ['systemctl', 'disable', unit],
    },
  };
}

/** What somebody wrote about a service, with the commands of its unit where it names one and they are not written. */
export function withUnit(written: unknown): { service: unknown } | { problem: string } {
  if (typeof written !== 'object' || written === null || !('systemd' in written)) return { service: written };
  const { systemd, ...rest } = written as Record<string, unknown>;
  if (typeof systemd === 'string' && unitName.test(systemd))
    return { service: { ...systemdCommands(systemd), ...rest } };
  return { problem: `${JSON.stringify(systemd)} is no name of a unit: write it whole, such as "postgresql.service"` };
}
