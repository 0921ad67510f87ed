import { z } from 'zod';
import { estimate } from '../policy/fit/estimate.ts';
import { type Action, defineAction } from './action.ts';
import { named } from './named.ts';

// https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources#limitations
const TagName = z
  .string()
  .min(1)
  .max(512)
  .regex(/^[^<>%&\\?/]+$/, 'Azure takes no < > % & \\ ? / in the name of a tag')
  .refine(
    (name) => !/^landfall:/i.test(name),
    'tags that begin with "landfall:" are Landfall’s own: choose another name',
  );

const schema = z.strictObject({ kind: z.literal('tags'), ...named, tags: z.record(TagName, z.string().max(256)) });

/** Tags the target's machine; they go with it. */
export const tags: Action<typeof schema> = defineAction({
  schema,
  time: estimate(5, 30),
  async run({ azure }, { environment, machine }, { tags: wanted }) {
    const names = Object.keys(wanted);
    const before = (await azure.compute.findMachine(environment, machine))?.tags ?? {};
    await azure.compute.setTags(environment, machine, wanted);
    return { before: spell(before, names), after: spell(wanted, names) };
  },
  async look({ azure }, { environment, machine }, { tags: wanted }) {
    const names = Object.keys(wanted);
    const tags = (await azure.compute.findMachine(environment, machine))?.tags ?? {};
    return { is: spell(tags, names), wanted: spell(wanted, names) };
  },
});

function spell(tags: Record<string, string>, names: string[]): string {
  return names.map((name) => (tags[name] === undefined ? `${name} absent` : `${name}=${tags[name]}`)).join(', ');
}
