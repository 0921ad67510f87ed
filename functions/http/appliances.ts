import { bootstrapOf, issueToken } from '../../shared/oneTimeToken.ts';
import { withoutRights } from '../../shared/store/appliances.ts';
import type { ApplianceDocument } from '../../shared/store/documents.ts';
import { refuse } from './problem.ts';
import { json, type Route, readers } from './route.ts';

export const applianceRoutes: Route[] = [
  {
    name: 'appliancesList',
    method: 'GET',
    path: 'appliances',
    allowed: readers,
    handle: async ({ capabilities: { store } }) => json({ appliances: (await store.appliances.list()).map(shown) }),
  },
  {
    name: 'appliancesBootstrap',
    method: 'POST',
    path: 'appliances/{id}/bootstrap',
    allowed: ['operator', 'administrator'],
    async handle({ capabilities: { store, config, now }, param, person }) {
      const { token, ...issued } = issueToken(now());
      const { applianceKind } = await store.appliances.change(param('id'), (appliance) => {
        if (appliance.byHand !== true)
          throw refuse(
            'conflict',
            `Appliance "${appliance.applianceId}" is started by Landfall: nobody else gets a token.`,
          );
        if (appliance.status !== 'awaited')
          throw refuse(
            'conflict',
            `Appliance "${appliance.applianceId}" is ${appliance.status}: it needs no token any more.`,
          );
        return { ...appliance, ...issued, tokenFor: person.subject };
      });
      // As it is, it is the file that the appliance is started with.
      return json(bootstrapOf(config, applianceKind, token));
    },
  },
  {
    name: 'appliancesRevoke',
    method: 'POST',
    path: 'appliances/{id}/revoke',
    allowed: ['administrator'],
    async handle({ capabilities: { store, bus }, param }) {
      const revoked = await store.appliances.change(param('id'), withoutRights);
      await bus.removeSubscription(revoked.applianceId);
      return json(shown(revoked));
    },
  },
];

/** Without what only the platform needs. */
function shown({
  id: _id,
  kind: _kind,
  tokenHash: _tokenHash,
  operationId: _operationId,
  publicKey: _publicKey,
  push: _push,
  ...appliance
}: ApplianceDocument) {
  return appliance;
}
