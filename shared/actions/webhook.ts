import { z } from 'zod';
import { Id, ReachableUrl } from '../model/ids.ts';
import { estimate } from '../policy/fit/estimate.ts';
import type { WebhookEvent } from '../webhooks/contract.ts';
import { type Action, defineAction, type Place } from './action.ts';
import { named } from './named.ts';

const Url = ReachableUrl.refine((url) => new URL(url).protocol === 'https:', 'webhooks go over https only')
  .refine(
    (url) => new URL(url).username === '' && new URL(url).password === '',
    'no user and password in a URL: name a `secret` of the settings',
  )
  .refine((url) => new URL(url).hash === '', 'leave out what follows the #: it is never sent');

const longestBody = 8_192;
const Body = z
  .record(z.string(), z.json())
  .refine(
    (body) => JSON.stringify(body).length <= longestBody,
    `a body has at most ${longestBody} characters: say the rest where it is asked for`,
  );

const message = { url: Url, secret: Id.optional().describe('name of a secret in LANDFALL_WEBHOOK_SECRETS') };

const schema = z.strictObject({
  kind: z.literal('webhook'),
  ...named,
  ...message,
  body: Body.default({}).describe('becomes `data.body` of the event'),
  undo: z
    .strictObject({ url: Url.optional(), secret: message.secret, body: Body.default({}) })
    .optional()
    .describe('what is told on the way back; absent: nothing'),
});
type Webhook = z.infer<typeof schema>;

/** Tells somebody that the workload's target is there, by a signed event; and that it is not any more. */
export const webhook: Action<typeof schema> = defineAction({
  schema,
  remembered: true,
  time: estimate(2, 30),
  async precheck({ webhooks }, _place, action) {
    await webhooks.check(action);
    if (action.undo !== undefined) await webhooks.check(backwards(action));
  },
  async run({ azure, webhooks }, place, action) {
    const address = await azure.compute.privateAddress(place.environment, place.machine);
    const event = eventOf(place, action, {
      id: place.operationId,
      type: 'landfall.webhook.applied',
      body: action.body,
    });
    const { status, answer } = await webhooks.deliver(action, { ...event, data: { ...event.data, address } });
    return { before: 'not told', after: { told: action.url, eventId: event.id, status, answer } };
  },
  // What was told is told: nobody is asked whether it still stands.
  look: async () => ({ is: 'told', wanted: 'told' }),
  undo: {
    when: ({ undo }) => undo !== undefined,
    before: z.null(),
    time: estimate(2, 30),
    capture: async () => null,
    async run({ webhooks }, place, action) {
      const to = backwards(action);
      const [id, type] = [`${place.operationId}:undo`, 'landfall.webhook.undone'];
      const event = eventOf(place, action, { id, type, body: action.undo?.body ?? {} });
      const data = { ...event.data, undoes: place.operationId };
      const { status, answer } = await webhooks.deliver(to, { ...event, data });
      return { before: 'told', after: { told: to.url, eventId: id, status, answer } };
    },
    todo: (action) => `tell ${new URL(backwards(action).url).host} that "${action.name}" was taken back`,
  },
});

function backwards({ url, secret, undo }: Webhook): Pick<Webhook, 'url' | 'secret'> {
  // A secret goes with its URL: another receiver gets none unless one is named for it.
  return undo?.url === undefined ? { url, secret: undo?.secret ?? secret } : { url: undo.url, secret: undo.secret };
}

function eventOf(
  { waveId, workloadId, machine }: Place,
  { name }: Webhook,
  { id, type, body }: { id: string; type: string; body: Webhook['body'] },
): WebhookEvent {
  return { id, type, subject: workloadId, data: { waveId, workloadId, action: name, target: machine, body } };
}
