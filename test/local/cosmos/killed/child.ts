// A server in a process of its own, to be killed.
import { startCosmos } from '../../../../local/cosmos/server.ts';
import { databases, masterKey } from '../declarations.ts';

const [, , dataDir = ''] = process.argv;
const server = await startCosmos({ dataDir, databases, masterKey });
process.send?.(server.endpoint);
