// `%SETTING%` in binding options, and settings read the way the Functions host reads them.

export type Settings = Readonly<Record<string, string | undefined>>;

/** Replaces every `%NAME%`; an unknown name is an error that names function and option. */
export function resolveSetting(text: string, settings: Settings, where: string): string {
  return text.replaceAll(/%([^%\s]+)%/g, (_, name: string) => {
    const value = settings[name];
    if (value === undefined) throw new Error(`${where}: the setting "${name}" (%${name}%) does not exist.`);
    return value;
  });
}
