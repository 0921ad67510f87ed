/** How long something takes, in milliseconds: as it usually goes, and as long as one should reckon with. */
export interface Estimate {
  expectedMs: number;
  highMs: number;
}

export const noTime: Estimate = { expectedMs: 0, highMs: 0 };

/** Of seconds; the high value is never below the expected one. */
export function estimate(expectedSeconds: number, highSeconds = expectedSeconds): Estimate {
  return { expectedMs: expectedSeconds * 1000, highMs: Math.max(expectedSeconds, highSeconds) * 1000 };
}

/** One after the other. */
export function inSequence(parts: readonly Estimate[]): Estimate {
  return parts.reduce(
    (sum, { expectedMs, highMs }) => ({ expectedMs: sum.expectedMs + expectedMs, highMs: sum.highMs + highMs }),
    noTime,
  );
}

/** Side by side: as long as the longest. */
export function inParallel(parts: readonly Estimate[]): Estimate {
  return parts.reduce(
    (most, { expectedMs, highMs }) => ({
      expectedMs: Math.max(most.expectedMs, expectedMs),
      highMs: Math.max(most.highMs, highMs),
    }),
    noTime,
  );
}

export function times({ expectedMs, highMs }: Estimate, factor: number): Estimate {
  return { expectedMs: expectedMs * factor, highMs: highMs * factor };
}
