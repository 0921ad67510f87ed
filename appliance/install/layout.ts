// Where an agent lies on its source. Everything that is put there is named here, so that a removal knows what to look for.

/** The user that the agent runs as, with a group of the same name. */
export const agentUser = 'landfall-agent';
export const agentUnit = 'landfall-agent.service';
const socketUnit = 'landfall-agent-commands.socket';
const commandUnit = 'landfall-agent-commands@.service';
export const bundleName = 'landfall-agent.mjs';

export type Layout = ReturnType<typeof layoutAt>;

/** The paths of an installation. `root` is a folder that stands for the machine's root in tests. */
export function layoutAt(root = '') {
  const programs = `${root}/opt/landfall-agent`;
  const settings = `${root}/etc/landfall-agent`;
  const units = `${root}/etc/systemd/system`;
  return {
    root,
    programs,
    bundle: `${programs}/${bundleName}`,
    /** The Node that was brought along, where the machine has none that is new enough. */
    node: `${programs}/node`,
    /** Whose agent it is; written first and removed last. */
    owner: `${programs}/owner`,
    /** The operation that has installed it; written last. */
    operation: `${programs}/operation`,
    settings,
    bootstrap: `${settings}/bootstrap.json`,
    /** What the agent may have root run for it. */
    commands: `${settings}/commands.json`,
    state: `${root}/var/lib/landfall-agent`,
    identity: `${root}/var/lib/landfall-agent/identity.json`,
    socket: `${root}/run/landfall-agent-commands.sock`,
    units,
    agentUnit: `${units}/${agentUnit}`,
    /** What the machine's own people add to the unit, such as a proxy; it goes with the agent. */
    dropIns: `${units}/${agentUnit}.d`,
    socketUnit: `${units}/${socketUnit}`,
    commandUnit: `${units}/${commandUnit}`,
  };
}
