// Invariant 1. A source serves while it is on, connected and one of its services runs; a target as soon as it exists
// outside its quarantine.
import type { Invariant } from './invariant.ts';

export const oneSideServes: Invariant = {
  number: 1,
  says: 'at most one of source and target may accept business writes',
  watch: ({ azure, hosts, plansOf }) => ({
    changed: ({ kind, id }) =>
      plansOf(kind, id).flatMap(({ source, target, settings }) => {
        const machine = azure.machine(target.name);
        const quarantine = settings.placement.quarantineNetworkSecurityGroupId;
        if (machine === undefined || machine.securityGroupId === quarantine) return [];
        const { power, nicConnected, services } = hosts.machine(source.id);
        const serves = power === 'on' && nicConnected && [...services.values()].includes('running');
        return serves ? [`${source.id}: source and target both serve`] : [];
      }),
  }),
};
