// Which security groups, of the interface and of its subnets, apply to a network interface.
import type { Handler, Kernel } from '../contract.ts';
import { items, type Json, part, text } from '../json.ts';
import { existing } from './common.ts';
import { groupOfNic, nicType, subnetById, subnetsOfNic } from './references.ts';

export function effectiveGroups(kernel: Kernel): Handler {
  kernel.operations.define('effective groups', {
    async run(_, target) {
      const nic = existing(kernel, target, nicType);
      const ofNic = groupOfNic(nic);
      const value = ofNic ? [entry(ofNic, { networkInterface: { id: nic.id } })] : [];
      for (const subnet of subnetsOfNic(nic)) {
        const ofSubnet = text(part(subnetById(kernel, subnet), 'properties').networkSecurityGroup, 'id');
        if (ofSubnet) value.push(entry(ofSubnet, { subnet: { id: subnet } }));
      }
      return () => ({ value });
    },
  });
  return (request) => {
    const nic = existing(kernel, request.target.path.slice(0, request.target.path.lastIndexOf('/')), nicType);
    return kernel.operations.accept(request, 'effective groups', nic.id, {}, { status: 202 });
  };

  function entry(groupId: string, association: Json): Json {
    const properties = part(kernel.store.get(groupId)?.body, 'properties');
    const rules = [...items(properties, 'securityRules'), ...items(properties, 'defaultSecurityRules')];
    return {
      networkSecurityGroup: { id: groupId },
      association,
      effectiveSecurityRules: rules.map((rule) => ({ name: rule.name, ...part(rule, 'properties') })),
    };
  }
}
