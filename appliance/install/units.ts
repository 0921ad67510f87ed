// The systemd units of an agent. It may read every block device and write none, change nothing outside its state folder, and
// become nobody else (systemd.exec(5), systemd.resource-control(5)). What root must do, a second unit does: for each
// connection to its socket one process, which runs the commands of the source's plan and nothing else.
import { nodeFlags } from '../nodeFlags.ts';
import { agentUnit, agentUser, type Layout } from './layout.ts';

export interface Units {
  /** Text by the name of the file. */
  [file: string]: string;
}

/** The units for an installation, by file name. `node`: the program that runs the bundle; `asRoot`: with the second unit. */
export function unitsOf(layout: Layout, { node, asRoot }: { node: string; asRoot: boolean }): Units {
  const { bundle, state, bootstrap, socket, commands } = layout;
  const agent = `# Reads block devices and sends what has changed; writes to none. See docs/agents.md of Landfall.
[Unit]
Description=Landfall agent
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart=${node} ${nodeFlags.join(' ')} ${bundle}
Environment=LANDFALL_STATE_DIR=${state}
Environment=LANDFALL_BOOTSTRAP=${bootstrap}
${asRoot ? `Environment=LANDFALL_COMMANDS_SOCKET=${socket}\n` : ''}User=${agentUser}
Group=${agentUser}
StateDirectory=landfall-agent
StateDirectoryMode=0700
UMask=0077
Restart=always
RestartSec=5
# A restart cannot help: the token was refused, the agent revoked, or settings and state cannot be used.
RestartPreventExitStatus=78
TimeoutStopSec=20

# Disks: the group of block devices may read and write them, the device policy lets nobody in this unit write.
SupplementaryGroups=disk
DevicePolicy=closed
DeviceAllow=block-* r

NoNewPrivileges=yes
CapabilityBoundingSet=
ProtectSystem=strict
ProtectHome=yes
PrivateMounts=yes
PrivateTmp=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RemoveIPC=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM

# Whatever the machine is there for comes first.
CPUWeight=20
IOWeight=20
OOMScoreAdjust=500

[Install]
WantedBy=multi-user.target
`;
  if (!asRoot) return { [agentUnit]: agent };
  return {
    [agentUnit]: agent,
    'landfall-agent-commands.socket': `# Where the Landfall agent asks root for a command.
[Unit]
Description=Commands that the Landfall agent may have run

[Socket]
ListenStream=${socket}
SocketUser=${agentUser}
SocketMode=0600
Accept=yes
MaxConnections=16
RemoveOnStop=yes

[Install]
WantedBy=sockets.target
`,
    'landfall-agent-commands@.service': `# Runs one command for the Landfall agent, if ${commands} names it word for word.
[Unit]
Description=A command for the Landfall agent
CollectMode=inactive-or-failed

[Service]
ExecStart=${node} ${bundle} run-command ${commands}
StandardInput=socket
StandardOutput=socket
StandardError=journal
# What a command has started goes on when the command has ended.
KillMode=process
`,
  };
}
