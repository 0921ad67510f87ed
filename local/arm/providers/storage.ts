// Microsoft.Storage: accounts that were declared, for reading. Blobs are served elsewhere.
import type { Kernel, ResourceType } from '../contract.ts';
import { readable } from './common.ts';

const accountType = 'Microsoft.Storage/storageAccounts';

export function storageProvider(kernel: Kernel): ResourceType[] {
  return [{ ...readable(kernel, accountType) }];
}
