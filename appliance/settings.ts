// What the appliance is told by its environment, and the file of its first start.
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { z } from 'zod';
import { Bootstrap } from '../shared/protocol/enrolment.ts';
import { FatalProblem } from './problem.ts';

export const version = '0.1.0';

export interface Settings {
  stateDir: string;
  bootstrapFile: string;
  hostName: string;
  /** The bundle that is put onto sources, where this is not it. */
  agentBundle?: string | undefined;
  /** A folder that stands for the root of the machines that agents are put onto, in tests. */
  machineRoot?: string | undefined;
  /** Who is asked about the network where this process only stands for a machine. */
  networkUrl?: string | undefined;
}

/** Reads the environment; a target gets its bootstrap as Azure custom data, worker and agent from their installer. */
export function readSettings(environment: Record<string, string | undefined>): Settings {
  const stateDir = environment['LANDFALL_STATE_DIR'];
  const bootstrapFile = environment['LANDFALL_CUSTOM_DATA'] ?? environment['LANDFALL_BOOTSTRAP'];
  if (!stateDir)
    throw new FatalProblem('LANDFALL_STATE_DIR must name the folder in which the appliance keeps its state.');
  if (!bootstrapFile)
    throw new FatalProblem('LANDFALL_CUSTOM_DATA or LANDFALL_BOOTSTRAP must name the file with the enrolment data.');
  const hostName = environment['LANDFALL_HOST_NAME'] ?? hostname();
  return {
    ...{ stateDir, bootstrapFile, hostName },
    networkUrl: environment['LANDFALL_NETWORK_URL'],
    agentBundle: environment['LANDFALL_AGENT_BUNDLE'],
    machineRoot: environment['LANDFALL_MACHINE_ROOT'],
  };
}

/** Reads the bootstrap file. Some images leave Azure custom data in Base64, as it travels; both are understood. */
export function readBootstrap(path: string): Bootstrap {
  let text: string;
  try {
    text = readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw new FatalProblem(`The enrolment data can't be read from ${path}: ${String(error)}`);
  }
  if (!text.startsWith('{')) text = Buffer.from(text, 'base64').toString('utf8');
  try {
    return Bootstrap.parse(JSON.parse(text));
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error) : 'it is no JSON';
    throw new FatalProblem(`The enrolment data in ${path} is malformed: ${why}`);
  }
}
