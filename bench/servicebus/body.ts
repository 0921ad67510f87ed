/** About 450 bytes as JSON, as an appliance's event is. */
export const body = {
  id: '0197f3a2-6f0e-7c5d-9c3f-2f1f6f4f5a10',
  type: 'landfall.sync.progress',
  source: 'appliance-7',
  subject: 'wave-12/workload-0042',
  time: '2026-01-01T00:00:00.000Z',
  sequence: 4711,
  data: { disk: 0, bytesCopied: 73_400_320, bytesTotal: 107_374_182_400, blocksInFlight: 16, note: 'x'.repeat(180) },
};
