import { z } from 'zod';
import { defineActivity } from '../../../shared/durable/activity.ts';
import { Check } from '../../../shared/model/settings.ts';
import { workloadOf } from '../../../shared/store/plans.ts';

export const validationPlan = defineActivity({
  name: 'validationPlan',
  input: z.strictObject({ waveId: z.string(), workloadId: z.string() }),
  output: z.array(Check),
  async effect({ store }, workload) {
    return (await workloadOf(store, workload)).plan.settings.validation.checks;
  },
});
