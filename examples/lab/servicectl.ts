// Starts, stops or shows one service of a machine, as systemctl would on a server:
//   node examples/lab/servicectl.ts <machineDir> start|stop|status <service>
// `status` ends with 0 when the service runs and with 3 when it does not, also while the machine is off (LSB).
import { exit } from 'node:process';
import { z } from 'zod';
import { askMachine } from './control.ts';

const usage = 'usage: servicectl.ts <machineDir> start|stop|status <service>';
const given = z.tuple([z.string(), z.enum(['start', 'stop', 'status']), z.string()]).safeParse(process.argv.slice(2));
if (!given.success) {
  console.error(usage);
  exit(2);
}
const [machineDir, command, service] = given.data;
process.chdir(machineDir);
const answer = await askMachine({ command, service });
if (!answer) {
  console.error('the machine is off');
  exit(command === 'status' ? 3 : 1);
}
console.log(answer.text);
if (!answer.ok) exit(command === 'status' ? 4 : 1);
exit(command === 'status' && answer.running !== true ? 3 : 0);
