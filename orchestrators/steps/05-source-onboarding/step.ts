import { z } from 'zod';
import { immediately } from '../../../shared/durable/flow.ts';
import { defineStep } from '../../../shared/durable/step.ts';
import { terminal } from '../../../shared/errors.ts';
import { describeSource } from '../../commands.ts';
import { Finding, preflightSource } from './activities.ts';

/** Step 5: the inventory against the live source. A finding of severity error stops here, before any byte is copied. */
export const sourceOnboarding = defineStep({
  number: 5,
  name: 'sourceOnboarding',
  scope: 'workload',
  input: z.strictObject({ waveId: z.string(), workloadId: z.string() }),
  before: z.strictObject({}),
  output: z.strictObject({ findings: z.array(Finding) }),
  capture: () => immediately({}),
  *run(ctx, workload, _before, attempt) {
    const described = yield* describeSource(ctx, workload, 'onboarding', attempt);
    const findings = yield* preflightSource.call(ctx, { ...workload, described });
    const errors = findings.filter(({ severity }) => severity === 'error');
    const [first] = errors;
    if (first !== undefined)
      throw terminal(
        'preflightFailed',
        errors.map(({ message }) => message).join(' '),
        first.suggestion,
        errors.map(({ rule }) => rule).join(', '),
      );
    return { findings };
  },
  // Data only: the plan stays as it was.
  undo: () => immediately(undefined),
  todo: () => [],
});
