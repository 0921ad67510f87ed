// Starts the process that a machine is, with its custom data in a private file and an environment of its own.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface MachineImage {
  /** `{node}` stands for the Node that runs this process. */
  readonly command: readonly string[];
  /** `{machine}` stands for the machine’s resource id. */
  readonly env?: Readonly<Record<string, string>> | undefined;
}

const largestLog = 16 * 1024 * 1024;

/** Resolves when the process runs, rejects when it cannot be started. */
export async function launch(
  image: MachineImage,
  options: {
    readonly id: string;
    readonly repoRoot: string;
    readonly env: Readonly<Record<string, string>>;
    readonly folder: string;
    readonly customDataPath: string;
    /** Base64, as in `osProfile.customData`. */
    readonly customData: string | undefined;
  },
): Promise<ChildProcess> {
  const { folder, customDataPath } = options;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(customDataPath, Buffer.from(options.customData ?? '', 'base64'), { mode: 0o600 });
  const [command = '', ...args] = image.command.map((word) => word.replaceAll('{node}', process.execPath));
  const env = Object.entries(image.env ?? {}).map(([name, value]) => [name, value.replaceAll('{machine}', options.id)]);
  const console = openLog(join(folder, 'console.log'));
  try {
    const child = spawn(command, args, {
      cwd: options.repoRoot,
      // Nothing of this process's own environment: a machine does not inherit its host's secrets.
      env: {
        PATH: process.env.PATH,
        ...options.env,
        ...Object.fromEntries(env),
        LANDFALL_CUSTOM_DATA: customDataPath,
        LANDFALL_STATE_DIR: folder,
      },
      // A group of its own, so that it can outlive this process and be ended with its children.
      detached: true,
      stdio: ['ignore', console, console],
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    return child;
  } finally {
    closeSync(console);
  }
}

/** The log goes on from one start to the next, and begins anew when it has grown large. */
function openLog(path: string): number {
  const log = openSync(path, 'a', 0o600);
  if (statSync(path).size > largestLog) truncateSync(path);
  return log;
}
