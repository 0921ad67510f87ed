// Starts, stops or shows one service of a machine, as systemctl would on a server, and whether it starts with its machine:
//   node examples/lab/servicectl.ts <machineDir> start|stop|status|mode|automatic|manual <service>
// `mode` prints the start mode, `automatic` and `manual` set it. `status` ends with 0 when the service runs and with 3 when it does not, also while the machine is off (LSB).
import { exit } from 'node:process';
import { z } from 'zod';
import { askMachine, serviceCommands } from './control.ts';

const usage = `usage: servicectl.ts <machineDir> ${serviceCommands.join('|')} <service>`;
const given = z.tuple([z.string(), z.enum(serviceCommands), z.string()]).safeParse(process.argv.slice(2));
if (!given.success) {
  console.error(usage);
  exit(2);
}
const [machineDir, command, service] = given.data;
const answer = await askMachine(machineDir, { command, service });
if (!answer) {
  console.error('the machine is off');
  exit(command === 'status' ? 3 : 1);
}
console.log(answer.text);
if (!answer.ok) exit(command === 'status' ? 4 : 1);
exit(command === 'status' && answer.running !== true ? 3 : 0);
