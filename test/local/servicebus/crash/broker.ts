// A broker in a process of its own, to be killed. Usage: node broker.ts <dataDir>; prints its endpoint.
import { startServiceBus } from '../../../../local/servicebus/index.ts';

const dataDir = process.argv[2];
if (dataDir === undefined) throw new Error('The data directory is missing');
const bus = await startServiceBus({
  dataDir,
  namespace: {
    Queues: [
      { Name: 'orders', Properties: { MaxDeliveryCount: 2000 } },
      { Name: 'events', Properties: { MaxDeliveryCount: 2000, RequiresSession: true } },
    ],
    AuthorizationRules: [{ KeyName: 'root', Key: 'k', Rights: ['Manage'] }],
  },
});
console.log(bus.endpoint);
