import type { ApplianceDocument } from '../../shared/store/documents.ts';
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
    name: 'appliancesRevoke',
    method: 'POST',
    path: 'appliances/{id}/revoke',
    allowed: ['administrator'],
    async handle({ capabilities: { store, bus }, param }) {
      const revoked = await store.appliances.change(param('id'), (appliance) => {
        const { publicKey: _publicKey, tokenHash: _tokenHash, tokenExpiresAt: _tokenExpiresAt, ...rest } = appliance;
        return { ...rest, status: 'revoked' };
      });
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
  ...appliance
}: ApplianceDocument) {
  return appliance;
}
