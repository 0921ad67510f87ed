// Takes or releases a crash-consistent copy of a machine's disk, as a hypervisor's snapshot would be:
//   node examples/lab/snapshotctl.ts <machineDir> take|release <diskId>
// `take` prints the path of the copy. A machine that is off has nothing to pause: read its disk directly.
import { exit } from 'node:process';
import { z } from 'zod';
import { askMachine } from './control.ts';

const usage = 'usage: snapshotctl.ts <machineDir> take|release <diskId>';
const given = z.tuple([z.string(), z.enum(['take', 'release']), z.string()]).safeParse(process.argv.slice(2));
if (!given.success) {
  console.error(usage);
  exit(2);
}
const [machineDir, command, disk] = given.data;
const answer = await askMachine(machineDir, { command, disk });
if (!answer) {
  console.error('the machine is off');
  exit(1);
}
(answer.ok ? console.log : console.error)(answer.text);
exit(answer.ok ? 0 : 1);
