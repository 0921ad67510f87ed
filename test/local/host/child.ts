// A host in a process of its own, for what would end it. Usage: node child.ts <appDirectory>; prints its endpoint, lines go to stderr.
import { startHost } from '../../../local/host/startHost.ts';

const appDirectory = process.argv[2];
if (appDirectory === undefined) throw new Error('The app directory is missing');
const host = await startHost({ appDirectory, settings: {}, log: (line) => process.stderr.write(`${line}\n`) });
process.stdout.write(`${host.endpoint}\n`);
process.once('SIGTERM', () => void host.stop());
