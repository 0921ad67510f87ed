import { publicKeyOf } from '../../shared/protocol/signing.ts';
import { json, type Route } from './route.ts';

export const keyRoutes: Route[] = [
  {
    name: 'keys',
    method: 'GET',
    path: 'keys',
    // Whoever gets a webhook verifies its signature with it; a public key is no secret.
    allowed: 'anyone',
    async handle({ capabilities: { config } }) {
      return json({ keys: [await publicKeyOf(config.LANDFALL_SIGNING_KEY)] });
    },
  },
];
