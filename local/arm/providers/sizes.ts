// The machine sizes of this Azure: a few series with their families, each in the usual numbers of cores. The names and
// families are Azure's: https://learn.microsoft.com/azure/virtual-machines/sizes/overview
import { badRequest } from '../http/errors.ts';

export interface Size {
  readonly name: string;
  readonly family: string;
  readonly cores: number;
  readonly memoryGiB: number;
}

const series = [
  { family: 'standardBSFamily', cores: [2, 4, 8], gibPerCore: 4, name: (n: number) => `B${n === 2 ? '2s' : `${n}ms`}` },
  { family: 'standardBsv2Family', cores: [2, 4, 8, 16, 32], gibPerCore: 4, name: (n: number) => `B${n}s_v2` },
  { family: 'standardDSv5Family', cores: [2, 4, 8, 16, 32, 64], gibPerCore: 4, name: (n: number) => `D${n}s_v5` },
  { family: 'standardESv5Family', cores: [2, 4, 8, 16, 32, 64], gibPerCore: 8, name: (n: number) => `E${n}s_v5` },
  { family: 'standardFSv2Family', cores: [2, 4, 8, 16, 32, 64], gibPerCore: 2, name: (n: number) => `F${n}s_v2` },
];

export const sizes: readonly Size[] = [
  ...series.flatMap(({ family, cores, gibPerCore, name }) =>
    cores.map((n) => ({ name: `Standard_${name(n)}`, family, cores: n, memoryGiB: n * gibPerCore })),
  ),
  // Constrained: half of the cores, all of the memory. They count in their family with the cores that they have left.
  { name: 'Standard_E8-4s_v5', family: 'standardESv5Family', cores: 4, memoryGiB: 64 },
];

const byName = new Map(sizes.map((size) => [size.name.toLowerCase(), size]));

/** The size of that name, whatever its case. Throws 400 `InvalidParameter` for one that this Azure does not have. */
export function sizeOf(name: string): Size {
  const size = byName.get(name.toLowerCase());
  if (size === undefined)
    throw badRequest('InvalidParameter', `The value ${name} provided for the VM size is not valid.`);
  return size;
}
