// Every moment at which an order or a failure can come, not only every so many: hundreds of waves.
process.env['SWEEP'] = '1';
await import('../orchestrators/anywhere.test.ts');
