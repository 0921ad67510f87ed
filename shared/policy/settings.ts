import { ResolvedSettings, type Settings } from '../model/settings.ts';

/** Merges settings from the most general level to the most particular one. Lists are replaced, not joined. */
export function mergeSettings(levels: readonly (Settings | undefined)[]): Settings {
  const merged: Record<string, Record<string, unknown>> = {};
  for (const level of levels)
    for (const [section, values] of Object.entries(level ?? {}))
      for (const [name, value] of Object.entries(values ?? {}))
        if (value !== undefined) merged[section] = { ...merged[section], [name]: value };
  return merged as Settings;
}

/** The settings as resolved, or which ones no level has set, such as `sync.cadence`. */
export function completeSettings(settings: Settings): { settings: ResolvedSettings } | { missing: string[] } {
  const parsed = ResolvedSettings.safeParse(settings);
  if (parsed.success) return { settings: parsed.data };
  const given = settings as Record<string, Record<string, unknown> | undefined>;
  const missing = Object.entries(ResolvedSettings.shape).flatMap(([section, schema]) =>
    Object.entries(schema.shape)
      .filter(([name, { safeParse }]) => given[section]?.[name] === undefined && !safeParse(undefined).success)
      .map(([name]) => `${section}.${name}`),
  );
  return { missing };
}
