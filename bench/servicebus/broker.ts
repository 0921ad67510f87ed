// The server that is measured, durable, in a process of its own. Usage: node broker.ts <dataDir>; tells its address.
import { startServiceBus } from '../../local/servicebus/index.ts';

const [dataDir] = process.argv.slice(2);
if (dataDir === undefined) throw new Error('The data directory is missing');
const bus = await startServiceBus({
  dataDir,
  namespace: {
    Queues: [{ Name: 'plain' }, { Name: 'sessions', Properties: { RequiresSession: true } }],
    AuthorizationRules: [{ KeyName: 'root', Key: 'k', Rights: ['Manage'] }],
  },
});
console.log(bus.host.split(':')[1]);
